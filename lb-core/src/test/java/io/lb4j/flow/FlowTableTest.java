package io.lb4j.flow;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.lb4j.settings.ConfigurationException;
import io.lb4j.wire.DirectMemory;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

@Tag("memory")
class FlowTableTest {
  private static final long HIGH = 0x2001_0DB8_0000_0000L;
  private static final long VIP = 0xC000_0264L;
  private static final int TCP = 6;
  private static final int UDP = 17;
  private static final int TIMEOUT = 40;

  /** A flow as the test names it. */
  private record Key(boolean v6, long client, int ports, int protocol) {}

  private static final class Listener implements FlowListener {
    final List<End> ends = new ArrayList<>();
    final Set<FlowState> endedStates = new HashSet<>();
    int alive;
    int timeout = TIMEOUT;
    boolean known;

    @Override
    public boolean isKnown(int binding) {
      return known;
    }

    @Override
    public int timeoutTicks(int binding, FlowState state) {
      return timeout;
    }

    @Override
    public void onEnd(FlowTable table, int handle, End end) {
      ends.add(end);
      endedStates.add(table.state(handle));
    }

    @Override
    public void onAlive(FlowTable table, int handle) {
      alive++;
    }
  }

  private final Listener listener = new Listener();

  private FlowTable table(int capacity, FlowTableOverflow overflow) {
    FlowTable table = new FlowTable(capacity, overflow, 42, 0, listener);
    table.enableV6();
    return table;
  }

  private static int find(FlowTable table, Key key) {
    if (key.v6) {
      int hash = table.hash6(HIGH, key.client, HIGH, VIP, key.ports, key.protocol);
      return table.find6(hash, HIGH, key.client, HIGH, VIP, key.ports, key.protocol);
    }
    int hash = table.hash4(key.client, VIP, key.ports, key.protocol);
    return table.find4(hash, key.client, VIP, key.ports, key.protocol);
  }

  private static int insert(FlowTable table, Key key, FlowState state, int binding, int sequence, int tick) {
    if (key.v6) {
      int hash = table.hash6(HIGH, key.client, HIGH, VIP, key.ports, key.protocol);
      return table.insert6(hash, HIGH, key.client, HIGH, VIP, key.ports, state, binding, sequence, tick);
    }
    int hash = table.hash4(key.client, VIP, key.ports, key.protocol);
    return table.insert4(hash, key.client, VIP, key.ports, state, binding, sequence, tick);
  }

  private static Key tcp(boolean v6, int n) {
    return new Key(v6, 0xC633_6400L + n % 251, n << 16 | 80, TCP);
  }

  private static Key randomKey(SplittableRandom random, int capacity) {
    boolean udp = random.nextBoolean();
    int flow = random.nextInt(capacity * 2);
    return new Key(random.nextBoolean(), 0xC633_6400L + flow % 200, flow << 16 | 80, udp ? UDP : TCP);
  }

  private static FlowState grown(Key key) {
    return key.protocol == UDP ? FlowState.UDP : FlowState.ESTABLISHED;
  }

  @ParameterizedTest
  @CsvSource({"16", "17", "64", "1000", "4096"})
  void shouldAnswerAsAMapDoesWhateverComesAndGoes(int capacity) {
    SplittableRandom random = new SplittableRandom(capacity);
    FlowTable table = table(capacity, FlowTableOverflow.REJECT);
    Map<Key, int[]> oracle = new HashMap<>(); // binding, sequence, tick
    int tick = 0;
    int refused = 0;
    for (int step = 0; step < 200_000; step++) {
      Key key = randomKey(random, capacity);
      int handle = find(table, key);
      int[] known = oracle.get(key);
      assertKnown(table, key, handle, known, step);
      if (handle == FlowTable.MISS) {
        int[] flow = {1 + random.nextInt(FlowTable.MAX_BINDING), random.nextInt(), tick};
        int inserted = insert(table, key, grown(key), flow[0], flow[1], tick);
        if (inserted >= 0) {
          oracle.put(key, flow);
        } else {
          assertThat(inserted).isEqualTo(FlowTable.NO_ROOM);
          refused++;
        }
      } else if (random.nextInt(4) == 0) {
        table.remove(handle);
        oracle.remove(key);
      } else {
        known[1] = random.nextInt();
        known[2] = tick;
        table.update(handle, grown(key), known[1], tick);
      }
      if (random.nextInt(capacity * 2) == 0) {
        tick += random.nextInt(TIMEOUT);
        int now = tick;
        table.sweep(now * FlowTable.TICK_NS, table.buckets());
        oracle.values().removeIf(flow -> now - flow[2] > TIMEOUT);
      }
      if (table.size() != oracle.size()) {
        throw new AssertionError("step " + step + ": " + table.size() + " flows, not " + oracle.size());
      }
    }
    assertThat(refused).as("the table was full at times").isPositive();
    for (Key key : new ArrayList<>(oracle.keySet())) {
      table.remove(find(table, key));
      oracle.remove(key);
      oracle.forEach((other, flow) -> assertKnown(table, other, find(table, other), flow, -1));
      if (oracle.size() < capacity / 2) {
        break;
      }
    }
  }

  private static void assertKnown(FlowTable table, Key key, int handle, int[] known, int step) {
    boolean same =
        known == null
            ? handle == FlowTable.MISS
            : handle != FlowTable.MISS && table.binding(handle) == known[0] && table.sequence(handle) == known[1];
    if (!same) {
      throw new AssertionError("step " + step + ": " + key + " is " + handle);
    }
    if (known != null) {
      assertThat(table.state(handle)).isEqualTo(grown(key));
      assertThat(table.isV6(handle)).isEqualTo(key.v6);
      assertThat(table.sourceLow(handle)).isEqualTo(key.client);
      assertThat(table.sourceHigh(handle)).isEqualTo(key.v6 ? HIGH : 0);
    }
  }

  @ParameterizedTest
  @CsvSource({
    "false,EVICT_EMBRYONIC", "true,EVICT_EMBRYONIC", "false,REJECT", "true,REJECT", "false,EVICT_OLDEST",
    "true,EVICT_OLDEST"
  })
  void shouldLoseNoEstablishedFlowToAFloodOfTenTimesTheCapacity(boolean v6, FlowTableOverflow overflow) {
    int capacity = 4096;
    FlowTable table = table(capacity, overflow);
    int established = capacity / 2;
    for (int n = 1; n <= established; n++) {
      assertThat(insert(table, tcp(v6, n), FlowState.ESTABLISHED, n, n, 0)).isNotNegative();
    }
    for (int n = 10_000; n < 10_000 + capacity * 10; n++) {
      insert(table, tcp(v6, n), FlowState.SYN, 1, 1, 1);
      assertThat(table.embryonic()).isLessThanOrEqualTo(capacity / FlowTable.EMBRYONIC_SHARE);
    }
    for (int n = 1; n <= established; n++) {
      assertThat(find(table, tcp(v6, n))).as("established flow %d", n).isNotEqualTo(FlowTable.MISS);
    }
    assertThat(listener.endedStates).containsOnly(FlowState.SYN);
    assertThat(table.evictions()).isEqualTo(listener.ends.size()).isPositive();
    assertThat(table.size()).isLessThanOrEqualTo(capacity);
  }

  /** A flood of one family is no reason to refuse the other one. */
  @ParameterizedTest
  @CsvSource({"false,1000", "true,1000", "false,4096", "true,4096"})
  void shouldLetEachFamilyHaveHalfOpenFlowsOfItsOwn(boolean flooded, int capacity) {
    FlowTable table = table(capacity, FlowTableOverflow.EVICT_EMBRYONIC);
    int share = capacity / FlowTable.EMBRYONIC_SHARE;
    for (int n = 1; n <= 10 * capacity; n++) {
      insert(table, tcp(flooded, n), FlowState.SYN, 1, 1, 0);
    }
    assertThat(table.embryonic()).isEqualTo(share);
    for (int n = 1; n <= share; n++) {
      assertThat(insert(table, tcp(!flooded, n), FlowState.SYN, 1, 1, 0)).as("newcomer %d", n).isNotNegative();
    }
    assertThat(table.embryonic()).isEqualTo(2 * share);
    table.update(find(table, tcp(!flooded, 1)), FlowState.ESTABLISHED, 2, 0);
    table.remove(find(table, tcp(!flooded, 2)));
    assertThat(table.embryonic()).isEqualTo(2 * share - 2);
  }

  /** Beyond the share another half-open flow gives way, however few there are in the new one's neighbourhood. */
  @ParameterizedTest
  @CsvSource({"false,16", "true,16", "false,1000", "true,1000", "false,65536", "true,65536"})
  void shouldFindAHalfOpenFlowThatGivesWayToEachNewcomerAtTheLimit(boolean v6, int capacity) {
    FlowTable table = table(capacity, FlowTableOverflow.REJECT);
    int share = capacity / FlowTable.EMBRYONIC_SHARE;
    int refused = 0;
    for (int n = 1; n <= 4 * capacity; n++) {
      refused += insert(table, tcp(v6, n), n % 2 == 0 ? FlowState.SYN : FlowState.ESTABLISHED, 1, 1, 0) < 0 ? 1 : 0;
      if (table.size() > capacity / 2) {
        break;
      }
    }
    for (int n = 100_000; n < 100_000 + 4 * capacity; n++) {
      refused += insert(table, tcp(v6, n), FlowState.SYN, 1, 1, 1) < 0 ? 1 : 0;
    }
    assertThat(refused).isZero();
    assertThat(table.embryonic()).isEqualTo(share);
    assertThat(listener.endedStates).containsExactly(FlowState.SYN);
  }

  /** Both families share one capacity. */
  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void shouldLetFlowsOfTheOtherFamilyGiveWayWhenFull(boolean full) {
    for (FlowTableOverflow overflow : FlowTableOverflow.values()) {
      for (FlowState state : new FlowState[] {FlowState.ESTABLISHED, FlowState.RESET}) {
        listener.endedStates.clear();
        FlowTable table = table(64, overflow);
        for (int n = 1; n <= 64; n++) {
          assertThat(insert(table, tcp(full, n), state, 1, 1, 0)).isNotNegative();
        }
        boolean closed = overflow == FlowTableOverflow.EVICT_EMBRYONIC && state == FlowState.RESET;
        boolean added = insert(table, tcp(!full, 100), FlowState.SYN, 1, 1, 5) >= 0;
        assertThat(added).as("%s", overflow).isEqualTo(closed || overflow == FlowTableOverflow.EVICT_OLDEST);
        assertThat(listener.endedStates).hasSize(added ? 1 : 0);
        assertThat(table.size()).isEqualTo(64);
        assertThat(insert(table, tcp(!full, 101), FlowState.SYN, 1, 1, TIMEOUT + 1)).as("expired").isNotNegative();
      }
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void shouldRefuseNewFlowsWhenFullOfEstablishedOnesUnlessToldToEvict(boolean v6) {
    for (FlowTableOverflow overflow : FlowTableOverflow.values()) {
      listener.ends.clear();
      FlowTable table = table(64, overflow);
      for (int n = 1; n <= 64; n++) {
        assertThat(insert(table, tcp(v6, n), FlowState.ESTABLISHED, 1, 1, n / 16)).isNotNegative();
      }
      int added = insert(table, tcp(v6, 100), FlowState.SYN, 1, 1, 5);
      if (overflow == FlowTableOverflow.EVICT_OLDEST) {
        assertThat(added).isNotNegative();
        assertThat(listener.ends).containsExactly(FlowListener.End.EVICTED);
      } else {
        assertThat(added).isEqualTo(FlowTable.NO_ROOM);
        assertThat(listener.ends).isEmpty();
      }
      assertThat(table.size()).isEqualTo(64);
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void shouldLetClosedFlowsGiveWayBeforeTheNewOneIsRefused(boolean v6) {
    FlowTable table = table(16, FlowTableOverflow.EVICT_EMBRYONIC);
    for (int n = 1; n <= 16; n++) {
      insert(table, tcp(v6, n), n == 9 ? FlowState.FIN : FlowState.ESTABLISHED, 1, 1, 0);
    }
    for (int n = 20; n < 200 && listener.ends.isEmpty(); n++) {
      insert(table, tcp(v6, n), FlowState.ESTABLISHED, 1, 1, 0);
    }
    assertThat(listener.endedStates).containsExactly(FlowState.FIN);
    assertThat(find(table, tcp(v6, 9))).isEqualTo(FlowTable.MISS);
  }

  @ParameterizedTest
  @CsvSource({"false,0", "true,0", "false,65530", "true,65530", "false,2147483640", "true,2147483640"})
  void shouldExpireAfterTheTimeoutAndNotBeforeAlsoWhenTheTickWraps(boolean v6, long start) {
    FlowTable table = table(64, FlowTableOverflow.REJECT);
    table.sweep(start * FlowTable.TICK_NS, 1);
    insert(table, tcp(v6, 1), FlowState.ESTABLISHED, 1, 1, (int) start);
    table.sweep((start + TIMEOUT) * FlowTable.TICK_NS, table.buckets());
    assertThat(find(table, tcp(v6, 1))).isNotEqualTo(FlowTable.MISS);
    assertThat(listener.alive).isEqualTo(1);
    table.sweep((start + TIMEOUT + 1) * FlowTable.TICK_NS, table.buckets());
    assertThat(find(table, tcp(v6, 1))).isEqualTo(FlowTable.MISS);
    assertThat(listener.ends).containsExactly(FlowListener.End.EXPIRED);
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void shouldAskForTheTimeoutOfAFreshFlowOnlyWhenItsBindingIsGone(boolean v6) {
    FlowTable table = table(64, FlowTableOverflow.REJECT);
    insert(table, tcp(v6, 1), FlowState.ESTABLISHED, 1, 1, 0);
    listener.timeout = -1;
    listener.known = true;
    table.sweep(FlowTable.FRESH_TICKS * FlowTable.TICK_NS, table.buckets());
    assertThat(find(table, tcp(v6, 1))).isNotEqualTo(FlowTable.MISS);
    assertThat(listener.alive).isEqualTo(1);
    listener.known = false;
    table.sweep(FlowTable.FRESH_TICKS * FlowTable.TICK_NS, table.buckets());
    assertThat(find(table, tcp(v6, 1))).isEqualTo(FlowTable.MISS);
  }

  @ParameterizedTest
  @CsvSource({"false,3000", "true,3000", "false,65536", "true,65536", "false,65537", "true,65537", "false,1000000000",
    "true,1000000000"})
  void shouldExpireAllAfterALargeJumpOfTheClockWithOneSweep(boolean v6, long jump) {
    FlowTable table = table(256, FlowTableOverflow.REJECT);
    for (int n = 1; n <= 100; n++) {
      insert(table, tcp(v6, n), FlowState.ESTABLISHED, 1, 1, 0);
    }
    table.sweep(jump * FlowTable.TICK_NS, 1);
    assertThat(table.size()).isZero();
    assertThat(listener.ends).hasSize(100).containsOnly(FlowListener.End.EXPIRED);
  }

  /** It was seen after the last sweep, and its time is not over. */
  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void shouldKeepWhatIsAliveThroughALargeJumpOfTheClock(boolean v6) {
    listener.timeout = 3_000;
    FlowTable table = table(256, FlowTableOverflow.REJECT);
    table.sweep(100 * FlowTable.TICK_NS, table.buckets());
    insert(table, tcp(v6, 1), FlowState.ESTABLISHED, 1, 1, 101);
    table.sweep(3_100 * FlowTable.TICK_NS, 1);
    assertThat(find(table, tcp(v6, 1))).isNotEqualTo(FlowTable.MISS);
    table.sweep(3_102 * FlowTable.TICK_NS, table.buckets());
    assertThat(find(table, tcp(v6, 1))).isEqualTo(FlowTable.MISS);
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void shouldNeverMistakeTcpForUdp(boolean v6) {
    FlowTable table = table(64, FlowTableOverflow.REJECT);
    Key udp = new Key(v6, 0xC633_6401L, 4000 << 16 | 80, UDP);
    Key same = new Key(v6, 0xC633_6401L, 4000 << 16 | 80, TCP);
    insert(table, udp, FlowState.UDP_FIRST, 5, 0, 0);
    assertThat(find(table, same)).isEqualTo(FlowTable.MISS);
    insert(table, same, FlowState.SYN, 6, 0, 0);
    assertThat(table.binding(find(table, udp))).isEqualTo(5);
    assertThat(table.binding(find(table, same))).isEqualTo(6);
    assertThat(table.embryonic()).isEqualTo(2);
    table.update(find(table, udp), FlowState.UDP, 0, 1);
    assertThat(table.embryonic()).isEqualTo(1);
  }

  @Test
  void shouldHoldAMillionIpv4FlowsIn128MiB() {
    int flows = 1_000_000;
    FlowTable table = new FlowTable(flows, FlowTableOverflow.REJECT, 1, 0, listener);
    int held = 0;
    for (int n = 0; n < flows; n++) {
      Key key = new Key(false, 0xC633_6400L + (n >>> 13), (n & 8191) + 1024 << 16 | 443, TCP);
      held += insert(table, key, FlowState.ESTABLISHED, 1 + n % 100, n, 0) >= 0 ? 1 : 0;
    }
    assertThat(table.size()).isEqualTo(held);
    assertThat(held).as("flows that found room within the probe limit").isEqualTo(flows);
    assertThat(table.memoryBytes()).isLessThanOrEqualTo(128L << 20);
  }

  @ParameterizedTest
  @ValueSource(ints = {Integer.MIN_VALUE, 0, 15, (1 << 24) + 1, Integer.MAX_VALUE})
  void shouldRefuseCapacitiesThatItCannotKeep(int capacity) {
    assertThatExceptionOfType(ConfigurationException.class)
        .isThrownBy(() -> new FlowTable(capacity, FlowTableOverflow.REJECT, 1, 0, listener))
        .withMessageContaining("16");
  }

  /** Buckets flow over, and flows of TCP and UDP share one: what the short look misses must be looked for further. */
  @Tag("addresses")
  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void shouldLookFurtherForWhateverTheShortLookMisses(boolean v6) {
    assumeTrue(DirectMemory.AVAILABLE, "memory is not reached by address here");
    FlowTable table = table(128, FlowTableOverflow.REJECT);
    int missed = 0;
    for (int n = 0; n < 100; n++) {
      Key key = new Key(v6, 0xC633_6400L + n / 2, 40_000 << 16 | 80, n % 2 == 0 ? TCP : UDP);
      insert(table, key, n % 2 == 0 ? FlowState.ESTABLISHED : FlowState.UDP, 1, 0, 0);
      for (int before = 0; before <= n; before++) {
        Key other = new Key(v6, 0xC633_6400L + before / 2, 40_000 << 16 | 80, before % 2 == 0 ? TCP : UDP);
        long place = atHome(table, other);
        assertThat(place).as("flow %d of %d", before, n).isNotEqualTo(FlowTable.NOWHERE);
        missed += place == FlowTable.ELSEWHERE ? 1 : 0;
      }
    }
    assertThat(missed).isPositive();
  }

  private static int hash(FlowTable table, Key key) {
    return key.v6
        ? table.hash6(HIGH, key.client, HIGH, VIP, key.ports, key.protocol)
        : table.hash4(key.client, VIP, key.ports, key.protocol);
  }

  private static long atHome(FlowTable table, Key key) {
    int hash = hash(table, key);
    return key.v6
        ? table.atHome6(hash, HIGH, key.client, HIGH, VIP, key.ports, key.protocol)
        : table.atHome4(hash, key.client << 32 | VIP, key.ports, key.protocol);
  }
}
