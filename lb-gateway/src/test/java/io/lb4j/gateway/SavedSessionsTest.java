package io.lb4j.gateway;

import static org.assertj.core.api.Assertions.assertThat;

import io.lb4j.address.IpAddress;
import io.lb4j.flow.FlowHash;
import io.lb4j.flow.FlowRecord;
import io.lb4j.flow.FlowTable;
import io.lb4j.forward.Translator;
import io.lb4j.frame.FrameKind;
import io.lb4j.frame.FrameMarks;
import io.lb4j.frame.FrameParser;
import io.lb4j.frame.FrameView;
import io.lb4j.frame.Verdict;
import io.lb4j.wire.TcpHeader;
import io.netty.buffer.ByteBuf;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.stream.Collectors;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Sessions are listed, ended by their record, and go on in another instance as if nothing had happened. */
class SavedSessionsTest {
  private static final int ROUNDS = 2500;
  private static final int STEP = 977;
  private static final long SEED = 7;
  private static final FlowHash HASH = new FlowHash(SEED);

  static List<FlowRecord> list(Network net) {
    return list(net.path.translator(), STEP);
  }

  private static List<FlowRecord> list(Translator translator, int step) {
    List<FlowRecord> records = new ArrayList<>();
    int cursor = 0;
    while (cursor >= 0) {
      cursor = translator.list(cursor, step, records::add);
    }
    return records;
  }

  private static boolean restore(Network net, FlowRecord record) {
    return net.path.translator().restore(record);
  }

  /** What happens in one network happens in the other. */
  private static void assertSame(Network one, Network other, Conversations.Frame frame, Conversations traffic) {
    Network.Result result = one.process(frame.link(), frame.frame().build());
    Network.Result second = other.process(frame.link(), frame.frame().build());
    assertThat(second.verdict()).isEqualTo(result.verdict());
    assertThat(second.sent().stream().map(Packet::toString)).isEqualTo(result.sent().stream().map(Packet::toString).toList());
    traffic.arrived(result.sent());
  }

  private static void talk(Network net, Conversations traffic, SplittableRandom random) {
    for (int round = 0; round < ROUNDS; round++) {
      Conversations.Frame frame = traffic.next();
      traffic.arrived(net.process(frame.link(), frame.frame().build()).sent());
      if (random.nextInt(80) == 0) {
        net.afterSeconds(random.nextInt(40));
      }
    }
  }

  /** Whether a frame belongs to a session, and is not the beginning of another one. */
  private static boolean isKnown(Network net, Conversations.Frame frame) {
    FrameView view = new FrameView();
    ByteBuf bytes = frame.frame().build();
    view.wrap(bytes, 0, bytes.readableBytes(), FrameMarks.NONE, frame.link());
    FrameParser.parse(view);
    Translator translator = net.path.translator();
    if (view.kind() != FrameKind.SEGMENT) {
      return translator.findQuery(view) != Translator.MISS;
    }
    view.setHash(
        net.v6
            ? HASH.of6(
                view.sourceHigh(),
                view.sourceLow(),
                view.destinationHigh(),
                view.destinationLow(),
                view.ports(),
                view.protocol())
            : HASH.of4(view.sourceLow() << 32 | view.destinationLow(), view.ports(), view.protocol()));
    boolean begins = view.protocol() == Packet.TCP && (view.tcpFlags() & 0x12) == TcpHeader.SYN;
    return !begins && translator.find(view) != Translator.MISS;
  }

  @ParameterizedTest(name = "IPv6 {0}, seed {1}")
  @CsvSource({"false,1", "false,2", "false,3", "true,4", "true,5", "true,6"})
  void shouldGoOnInAnotherInstanceByteForByte(boolean v6, long seed) {
    MappingBook book = new MappingBook();
    Conversations traffic = new Conversations(v6, seed);
    SplittableRandom random = new SplittableRandom(seed);
    try (Network saved = Conversations.network(v6, SEED, new MappingBook()).open();
        Network fresh = Conversations.network(v6, SEED + 1, book).open()) {
      talk(saved, traffic, random);
      List<FlowRecord> records = list(saved);
      assertThat(records).hasSizeGreaterThan(100);
      assertThat(records.stream().map(FlowRecord::kind).distinct()).hasSize(2);
      fresh.nowNs = saved.nowNs + 5 * FlowTable.TICK_NS;
      fresh.after(Duration.ZERO);
      assertThat(records).allMatch(record -> restore(fresh, record));
      assertThat(records).noneMatch(record -> restore(fresh, record));
      assertThat(fresh.path.sessions()).isEqualTo(records.size());
      assertThat(list(fresh)).containsExactlyInAnyOrderElementsOf(records);
      goOn(saved, fresh, traffic, random);
      assertCountsAreRight(fresh);
      assertThat(list(fresh)).hasSizeGreaterThan(20).allMatch(fresh.path.translator()::end);
      assertNothingIsLeft(fresh, book);
    }
  }

  /** The same packets to both, of sessions that both have; time goes on for both. */
  private static void goOn(Network saved, Network fresh, Conversations traffic, SplittableRandom random) {
    int answered = 0;
    for (int round = 0; round < ROUNDS; round++) {
      Conversations.Frame frame = traffic.next();
      if (isKnown(saved, frame)) {
        assertSame(saved, fresh, frame, traffic);
        answered++;
      }
      if (random.nextInt(100) == 0) {
        int seconds = random.nextInt(30);
        saved.afterSeconds(seconds);
        fresh.afterSeconds(seconds);
        assertThat(list(fresh)).containsExactlyInAnyOrderElementsOf(list(saved));
      }
    }
    assertThat(answered).isGreaterThan(500);
  }

  private static void assertCountsAreRight(Network net) {
    long ofServices = list(net).stream().filter(record -> record.kind() == FlowRecord.Kind.TRANSLATED).count();
    long counted =
        net.balancer.statistics().services().stream()
            .flatMap(service -> service.servers().stream())
            .mapToLong(server -> server.counts().flows())
            .sum();
    assertThat(counted).isEqualTo(ofServices);
  }

  private static void assertNothingIsLeft(Network net, MappingBook book) {
    assertThat(net.path.sessions()).isZero();
    assertThat(list(net)).isEmpty();
    assertThat(book.live).isEmpty();
    assertThat(book.events).isNotEmpty();
    net.balancer
        .statistics()
        .services()
        .forEach(
            service ->
                service
                    .servers()
                    .forEach(
                        server -> {
                          assertThat(server.counts().flows()).isZero();
                          assertThat(server.counts().active()).isZero();
                        }));
    for (int host = 0; host < 10; host++) {
      for (int peer = 1; peer <= 12; peer++) {
        String routed = net.inside(Conversations.FIRST_ROUTED_HOST + host);
        net.fromOutside(net.to(routed, net.peer(peer)).udp(1, 3000 + host)).droppedSilently(Verdict.FILTERED);
      }
    }
  }

  private static FlowRecord damaged(FlowRecord r, FlowRecord other, SplittableRandom random) {
    FlowRecord at = random.nextInt(3) == 0 ? other : r;
    FlowRecord to = random.nextInt(3) == 0 ? other : r;
    FlowRecord as = random.nextInt(3) == 0 ? other : r;
    return new FlowRecord(
        random.nextInt(20) == 0 ? other.kind() : r.kind(),
        random.nextInt(10) == 0 ? random.nextInt(80) : r.protocol(),
        at.source(),
        random.nextInt(10) == 0 ? random.nextInt(-2, 70_000) : at.sourcePort(),
        random.nextInt(30) == 0 ? IpAddress.of("0.0.0.0") : to.destination(),
        random.nextInt(10) == 0 ? random.nextInt(3) : to.destinationPort(),
        random.nextInt(10) == 0 ? null : as.translated(),
        random.nextInt(10) == 0 ? random.nextInt(70_000) : as.translatedPort(),
        random.nextInt(10) == 0 ? random.nextInt(-5, 20) : r.binding(),
        other.state(),
        random.nextInt(),
        random.nextInt(4) == 0 ? random.nextLong() : r.detail() ^ 1L << random.nextInt(64),
        random.nextInt(10) == 0 ? random.nextLong() : r.idleNs());
  }

  /** A saved state that is damaged, or somebody else's: what is taken over can be used and ended like any session. */
  @BothFamilies
  void shouldStandRecordsThatMakeNoSense(boolean v6) {
    MappingBook book = new MappingBook();
    SplittableRandom random = new SplittableRandom(5);
    Conversations traffic = new Conversations(v6, 5);
    try (Network saved = Conversations.network(v6, SEED, new MappingBook()).open();
        Network other = Conversations.network(!v6, SEED, new MappingBook()).open();
        Network fresh = Conversations.network(v6, SEED + 1, book).open()) {
      talk(saved, traffic, random);
      talk(other, new Conversations(!v6, 6), random);
      List<FlowRecord> records = list(saved);
      List<FlowRecord> foreign = list(other);
      int restored = 0;
      for (int n = 0; n < 20_000; n++) {
        FlowRecord one = records.get(random.nextInt(records.size()));
        List<FlowRecord> from = random.nextInt(10) == 0 ? foreign : records;
        FlowRecord record = damaged(one, from.get(random.nextInt(from.size())), random);
        restored += restore(fresh, record) ? 1 : 0;
        fresh.path.translator().end(damaged(record, one, random));
      }
      assertThat(restored).isGreaterThan(500);
      for (int n = 0; n < 2000; n++) {
        Conversations.Frame frame = traffic.next();
        traffic.arrived(fresh.process(frame.link(), frame.frame().build()).sent());
      }
      assertCountsAreRight(fresh);
      assertThat(list(fresh)).hasSize(fresh.path.sessions()).allMatch(fresh.path.translator()::end);
      assertNothingIsLeft(fresh, book);
    }
  }

  @BothFamilies
  void shouldListEverySessionWhateverThePartsAre(boolean v6) {
    SplittableRandom random = new SplittableRandom(3);
    try (Network net = Conversations.network(v6, SEED, new MappingBook()).open()) {
      talk(net, new Conversations(v6, 6), random);
      Set<FlowRecord> all = new HashSet<>(list(net));
      assertThat(all).hasSize(net.path.sessions());
      for (int step : new int[] {1, 7, 64, 100_000}) {
        List<FlowRecord> listed = list(net.path.translator(), step);
        assertThat(listed).hasSameSizeAs(all).containsExactlyInAnyOrderElementsOf(all);
      }
      assertThat(all.stream().map(record -> record.kind() + " " + record.state()).collect(Collectors.toSet()))
          .hasSizeGreaterThan(8);
    }
  }
}
