package io.lb4j.gateway.nat;

import static org.assertj.core.api.Assertions.assertThat;

import io.lb4j.flow.FlowHash;
import io.lb4j.wire.IpProtocol;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The table against a map, through long random histories. */
@Tag("memory")
class SessionTableTest {
  private static final int SLOTS = 256;

  private record Key(long sourceHigh, long sourceLow, long destinationHigh, long destinationLow, int ports, int protocol) {}

  private static Key key(Tuple tuple) {
    return new Key(
        tuple.sourceHigh,
        tuple.sourceLow,
        tuple.destinationHigh,
        tuple.destinationLow,
        tuple.ports,
        tuple.protocol);
  }

  private static Tuple tuple(SplittableRandom random, boolean v6) {
    Tuple tuple = new Tuple();
    tuple.v6 = v6;
    int protocols = random.nextInt(3);
    tuple.protocol =
        protocols == 0
            ? IpProtocol.TCP
            : protocols == 1 ? IpProtocol.UDP : v6 ? IpProtocol.ICMPV6 : IpProtocol.ICMP;
    tuple.sourceHigh = v6 ? random.nextInt(2) : 0;
    tuple.sourceLow = 0x8000_0000L + random.nextInt(4);
    tuple.destinationHigh = v6 ? random.nextInt(2) : 0;
    tuple.destinationLow = 0xFFFF_FF00L + random.nextInt(4);
    tuple.ports = random.nextInt(4) << 16 | random.nextInt(3);
    return tuple;
  }

  private static Tuple copyOf(Tuple tuple) {
    return new Tuple().of(tuple);
  }

  @ParameterizedTest
  @CsvSource({"false,1", "false,2", "true,3", "true,4"})
  void shouldAnswerAsAMapDoesThroughInsertionsAndRemovals(boolean v6, long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    SessionTable table = new SessionTable(v6, SLOTS, new FlowHash(seed));
    Map<Key, Tuple> model = new HashMap<>();
    for (int step = 0; step < 200_000; step++) {
      Tuple key = tuple(random, v6);
      int slot = table.find(key);
      assertThat(slot != SessionTable.MISS).isEqualTo(model.containsKey(key(key)));
      if (slot != SessionTable.MISS && random.nextBoolean()) {
        table.remove(slot);
        model.remove(key(key));
      } else if (slot == SessionTable.MISS && table.hasRoomFor(1)) {
        Tuple becomes = tuple(random, v6);
        long direction = random.nextBoolean() ? Word.REPLY : 0;
        table.insert(
            key, becomes, Word.of(Word.SESSION, SessionTable.code(key.protocol), 0, 0, step & 0xFFFFF) | direction);
        becomes.protocol = key.protocol;
        model.put(key(key), copyOf(becomes));
      }
      assertThat(table.used()).isEqualTo(model.size());
    }
    List<Key> found = new ArrayList<>();
    for (int slot = 0; slot < SLOTS; slot++) {
      if (table.word(slot) != 0) {
        Tuple key = table.key(slot, new Tuple());
        found.add(key(key));
        assertThat(key(table.becomes(slot, new Tuple()))).isEqualTo(key(model.get(key(key))));
      }
    }
    assertThat(found).containsExactlyInAnyOrderElementsOf(model.keySet());
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void shouldKeepACountBesideTheSourceThatAMappingBecomes(boolean v6) {
    SessionTable table = new SessionTable(v6, SLOTS, new FlowHash(1));
    Tuple key = tuple(new SplittableRandom(1), v6);
    Tuple becomes = copyOf(key);
    becomes.setSource(v6 ? 0x8000_0000_0000_0001L : 0, 0xFEDC_BA98L, 0xFFFF);
    becomes.setDestination(0, 0, 0);
    int slot = table.insert(key, becomes, Word.of(Word.MAPPING, SessionTable.code(key.protocol), 0, 0, 0));
    table.setCount(slot, Integer.MAX_VALUE);
    assertThat(table.count(slot)).isEqualTo(Integer.MAX_VALUE);
    Tuple read = table.becomes(slot, new Tuple());
    assertThat(read.sourceHigh).isEqualTo(becomes.sourceHigh);
    assertThat(read.sourceLow).isEqualTo(becomes.sourceLow);
    assertThat(read.sourcePort()).isEqualTo(0xFFFF);
    table.setCount(slot, 0);
    assertThat(table.count(slot)).isZero();
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void shouldTellOnceAServicesSessionOfIpv6HasTwoNewAddresses(boolean reply) {
    SessionTable table = new SessionTable(true, SLOTS, new FlowHash(1));
    long word = Word.of(Word.SESSION, 0, 0, 0, 1) | (reply ? Word.REPLY : 0);
    SplittableRandom random = new SplittableRandom(5);
    Tuple key = tuple(random, true);
    Tuple becomes = copyOf(key);
    if (reply) {
      becomes.setSource(0x2001_0db8L << 32, 9, 80);
    } else {
      becomes.setDestination(0x2001_0db8L << 32, 9, 80);
    }
    key.ports = 1;
    table.insert(key, becomes, word);
    key.ports = 2;
    becomes.setSource(0x2001_0db8L << 32, 9, 80);
    becomes.setDestination(0x2001_0db8L << 32, 10, 80);
    table.insert(key, becomes, Word.of(Word.MAPPING, 0, 0, 0, 0));
    table.insert(key, becomes, word | Word.OUTBOUND);
    assertThat(table.changesBoth()).isFalse();
    key.ports = 3;
    table.remove(table.insert(key, becomes, word));
    assertThat(table.changesBoth()).isTrue();
  }

  @Test
  void shouldKeepTheFieldsOfAWordApart() {
    long word = Word.of(Word.SESSION, 2, 24, 0xFFFF, 0xFFFFF) | Word.REPLY | Word.MAPPED | Word.REFRESHES;
    word = Word.withCheck(word, 0x1FFF) | Word.AROUND | Word.PROXIED;
    assertThat(Word.binding(word)).isEqualTo(0xFFFFF);
    assertThat(Word.age(word, 0)).isEqualTo(1);
    assertThat(Word.state(word)).isEqualTo(24);
    assertThat(Word.protocolCode(word)).isEqualTo(2);
    assertThat(Word.kind(word)).isEqualTo(Word.SESSION);
    assertThat(Word.check(word)).isEqualTo(0x1FFF);
    long changed = Word.withCheck(Word.withState(Word.withTick(word, 0x1234), 3), 0);
    assertThat(Word.state(changed)).isEqualTo(3);
    assertThat(Word.age(changed, 0x1234)).isZero();
    assertThat(Word.check(changed)).isZero();
    assertThat(Word.binding(changed)).isEqualTo(0xFFFFF);
    for (long flag : new long[] {Word.REPLY, Word.MAPPED, Word.REFRESHES, Word.AROUND, Word.PROXIED}) {
      assertThat(Word.has(changed, flag)).isTrue();
    }
  }
}
