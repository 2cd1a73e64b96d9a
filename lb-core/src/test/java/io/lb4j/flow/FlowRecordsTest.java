package io.lb4j.flow;

import static org.assertj.core.api.Assertions.assertThat;

import io.lb4j.address.IpAddress;
import io.lb4j.address.IpPrefix;
import io.lb4j.flow.FlowRecord.Kind;
import java.util.ArrayList;
import java.util.BitSet;
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
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

@Tag("memory")
class FlowRecordsTest {
  private static final int TCP = 6;
  private static final int UDP = 17;
  private static final int TIMEOUT = 1000;
  private static final int NOW = 70_000; // ticks have gone round once

  private final List<FlowListener.End> ends = new ArrayList<>();

  private FlowTable table(int capacity, long seed) {
    FlowListener listener =
        new FlowListener() {
          @Override
          public int timeoutTicks(int binding, FlowState state) {
            return TIMEOUT;
          }

          @Override
          public void onEnd(FlowTable table, int handle, End end) {
            ends.add(end);
          }

          @Override
          public void onAlive(FlowTable table, int handle) {}
        };
    FlowTable table = new FlowTable(capacity, FlowTableOverflow.EVICT_OLDEST, seed, 0, listener);
    table.enableV6();
    return table;
  }

  private static IpAddress client(boolean v6, int n) {
    return v6 ? IpAddress.v6(0x2001_0DB8_000C_0000L, n) : IpAddress.v4(0xC612_0000 + n);
  }

  private static IpAddress vip(boolean v6) {
    return IpAddress.of(v6 ? "2001:db8:5::100" : "192.0.2.100");
  }

  private static FlowRecord record(boolean v6, int client, int port, FlowState state, int binding, int age) {
    boolean udp = state == FlowState.UDP || state == FlowState.UDP_FIRST;
    return new FlowRecord(
        Kind.DIRECT,
        udp ? UDP : TCP,
        client(v6, client),
        port,
        vip(v6),
        udp ? 53 : 80,
        null,
        0,
        binding,
        state,
        udp ? 0 : client * 77_777_777,
        0,
        age * FlowTable.TICK_NS);
  }

  private static List<FlowRecord> random(int count, SplittableRandom random) {
    FlowState[] states = FlowState.values();
    Map<String, FlowRecord> flows = new HashMap<>();
    while (flows.size() < count) {
      FlowState state = states[1 + random.nextInt(states.length - 1)];
      FlowRecord flow =
          record(
              random.nextBoolean(),
              random.nextInt(40_000),
              1 + random.nextInt(65_535),
              state,
              1 + random.nextInt(FlowTable.MAX_BINDING),
              random.nextInt(TIMEOUT + 1));
      flows.putIfAbsent(flow.source() + " " + flow.sourcePort() + " " + flow.protocol(), flow);
    }
    return List.copyOf(flows.values());
  }

  private static List<FlowRecord> list(FlowTable table, int places, int most, FlowMatch match, int tick) {
    FlowRecords records = new FlowRecords(table);
    List<FlowRecord> listed = new ArrayList<>();
    for (int cursor = 0; cursor >= 0; ) {
      int before = listed.size();
      cursor = records.list(cursor, places, most, match, tick, listed::add);
      assertThat(listed.size() - before).isLessThanOrEqualTo(Math.min(places, most));
    }
    return listed;
  }

  private void restoreAll(FlowTable table, List<FlowRecord> flows, int tick) {
    FlowRecords records = new FlowRecords(table);
    for (FlowRecord flow : flows) {
      assertThat(records.restore(flow, tick)).isEqualTo(TakeOver.TAKEN_OVER);
    }
  }

  @ParameterizedTest
  @CsvSource({"1, 4096, 4096", "2, 1, 4096", "3, 4096, 1", "4, 7, 3"})
  void shouldGiveBackEveryFlowAsItWasThroughATableOfAnotherSeedAndSize(long seed, int places, int most) {
    SplittableRandom random = new SplittableRandom(seed);
    List<FlowRecord> flows = random(300, random);
    FlowTable first = table(2_000, seed);
    restoreAll(first, flows, NOW);
    List<FlowRecord> saved = list(first, places, most, FlowMatch.ALL, NOW);
    assertThat(saved).containsExactlyInAnyOrderElementsOf(flows);
    FlowTable second = table(1_300, ~seed);
    restoreAll(second, saved, 5);
    assertThat(second.size()).isEqualTo(300);
    assertThat(second.embryonic()).isEqualTo(first.embryonic());
    assertThat(list(second, 4096, 4096, FlowMatch.ALL, 5)).containsExactlyInAnyOrderElementsOf(flows);
    assertThat(ends).isEmpty();
  }

  /** A flow keeps its place: what comes and goes between two steps hides no other one and shows none twice. */
  @Test
  void shouldListEachFlowOnceThatStaysWhileOthersComeAndGo() {
    SplittableRandom random = new SplittableRandom(11);
    FlowTable table = table(1_000, 3);
    List<FlowRecord> flows = random(800, random);
    List<FlowRecord> staying = flows.subList(0, 150);
    List<FlowRecord> coming = flows.subList(150, 800);
    restoreAll(table, staying, NOW);
    FlowRecords records = new FlowRecords(table);
    List<FlowRecord> listed = new ArrayList<>();
    Set<FlowRecord> there = new HashSet<>();
    for (int cursor = 0; cursor >= 0; ) {
      cursor = records.list(cursor, 16, 4, FlowMatch.ALL, NOW, listed::add);
      for (int i = 0; i < 20; i++) {
        FlowRecord flow = coming.get(random.nextInt(coming.size()));
        if (there.remove(flow)) {
          assertThat(records.end(flow)).isTrue();
        } else if (table.size() < 700 && records.restore(flow, NOW) == TakeOver.TAKEN_OVER) {
          there.add(flow);
        }
      }
    }
    assertThat(listed).containsAll(staying);
    assertThat(listed.stream().filter(staying::contains)).doesNotHaveDuplicates();
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void shouldNotTakeOverWhatIsThereAlready(boolean v6) {
    FlowTable table = table(100, 1);
    FlowRecords records = new FlowRecords(table);
    FlowRecord known = record(v6, 1, 4000, FlowState.ESTABLISHED, 7, 0);
    restoreAll(table, List.of(known), NOW);
    assertThat(records.restore(record(v6, 1, 4000, FlowState.FIN, 9, 0), NOW)).isEqualTo(TakeOver.ALREADY_THERE);
    assertThat(list(table, 4096, 4096, FlowMatch.ALL, NOW)).containsExactly(known);
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void shouldNotTakeOverWhatHasExpired(boolean v6) {
    FlowTable table = table(100, 1);
    FlowRecords records = new FlowRecords(table);
    assertThat(records.restore(record(v6, 1, 4000, FlowState.UDP, 7, TIMEOUT + 1), NOW)).isEqualTo(TakeOver.EXPIRED);
    assertThat(records.restore(record(v6, 1, 4000, FlowState.UDP, 7, TIMEOUT), NOW)).isEqualTo(TakeOver.TAKEN_OVER);
    assertThat(list(table, 4096, 4096, FlowMatch.ALL, NOW + 1)).as("nor list it").isEmpty();
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void shouldLetNoFlowGiveWayToASavedOne(boolean v6) {
    FlowTable table = table(64, 1);
    FlowRecords records = new FlowRecords(table);
    for (int n = 1; n <= 64; n++) {
      assertThat(records.restore(record(v6, n, 4000, FlowState.ESTABLISHED, 7, 500), NOW))
          .isEqualTo(TakeOver.TAKEN_OVER);
    }
    assertThat(records.restore(record(v6, 65, 4000, FlowState.ESTABLISHED, 7, 0), NOW)).isEqualTo(TakeOver.NO_ROOM);
    assertThat(ends).isEmpty();
    assertThat(table.evictions()).isZero();
  }

  @ParameterizedTest
  @EnumSource(names = {"SYN", "UDP_FIRST"})
  void shouldKeepTheShareOfHalfOpenFlows(FlowState state) {
    FlowTable table = table(64, 1);
    FlowRecords records = new FlowRecords(table);
    for (int n = 1; n <= 16; n++) {
      assertThat(records.restore(record(false, n, 4000, state, 7, 0), NOW)).isEqualTo(TakeOver.TAKEN_OVER);
    }
    assertThat(records.restore(record(false, 17, 4000, state, 7, 0), NOW)).isEqualTo(TakeOver.NO_ROOM);
    assertThat(table.embryonic()).isEqualTo(16);
    assertThat(ends).isEmpty();
  }

  @Test
  void shouldEndTheFlowOfARecordOnlyWhileItIsWithTheSameServer() {
    FlowTable table = table(64, 1);
    FlowRecords records = new FlowRecords(table);
    FlowRecord flow = record(true, 1, 4000, FlowState.ESTABLISHED, 7, 0);
    restoreAll(table, List.of(flow), NOW);
    assertThat(records.end(record(true, 1, 4000, FlowState.ESTABLISHED, 8, 0))).isFalse();
    assertThat(records.end(flow)).isTrue();
    assertThat(records.end(flow)).isFalse();
    assertThat(table.size()).isZero();
    assertThat(ends).containsExactly(FlowListener.End.REMOVED);
  }

  /** The walk through the table and the test of a record mean the same. */
  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8})
  void shouldMeanTheSameFlowsInTheTableAndAsRecords(long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    List<FlowRecord> flows = random(600, random);
    FlowTable table = table(2_000, seed);
    restoreAll(table, flows, NOW);
    for (int i = 0; i < 50; i++) {
      FlowMatch match = randomMatch(random);
      List<FlowRecord> meant = flows.stream().filter(match::matches).toList();
      assertThat(list(table, 64, 9, match, NOW)).as("%s", match).containsExactlyInAnyOrderElementsOf(meant);
    }
    FlowMatch match = randomMatch(random);
    int meant = (int) flows.stream().filter(match::matches).count();
    FlowRecords records = new FlowRecords(table);
    int ended = 0;
    for (int cursor = 0; cursor < records.places(); cursor += 100) {
      ended += records.end(cursor, 100, match, NOW);
    }
    assertThat(ended).isEqualTo(meant);
    assertThat(table.size()).isEqualTo(600 - meant);
    assertThat(list(table, 64, 9, match, NOW)).isEmpty();
  }

  private static FlowMatch randomMatch(SplittableRandom random) {
    BitSet bindings = new BitSet();
    for (int i = 0; i < FlowTable.MAX_BINDING / 2; i++) {
      bindings.set(random.nextInt(FlowTable.MAX_BINDING));
    }
    boolean v6 = random.nextBoolean();
    IpPrefix clients = IpPrefix.of(client(v6, random.nextInt(40_000)), v6 ? 115 : 19);
    return new FlowMatch(
        random.nextInt(8) == 0 ? Set.of(Kind.OUTBOUND) : random.nextBoolean() ? null : Set.of(Kind.DIRECT),
        random.nextBoolean() ? null : bindings,
        random.nextInt(3) == 0 ? random.nextBoolean() ? TCP : UDP : 0,
        random.nextBoolean() ? null : Set.of(FlowState.SYN, FlowState.UDP, FlowState.ESTABLISHED),
        random.nextInt(3) == 0 ? clients : null,
        random.nextInt(3) == 0 ? IpPrefix.host(vip(random.nextBoolean())) : null,
        random.nextInt(3) == 0 ? 53 : 0,
        random.nextBoolean() ? 0 : random.nextInt(TIMEOUT) * FlowTable.TICK_NS,
        random.nextBoolean() ? Long.MAX_VALUE : random.nextInt(TIMEOUT) * FlowTable.TICK_NS);
  }
}
