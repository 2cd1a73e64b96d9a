package io.lb4j.gateway;

import static org.assertj.core.api.Assertions.assertThat;

import io.lb4j.core.ServerControl;
import io.lb4j.flow.FlowState;
import io.lb4j.frame.Verdict;
import io.lb4j.schedule.Schedulers;
import io.lb4j.service.Health;
import io.lb4j.service.LostFlows;
import io.lb4j.service.VirtualServiceBuilder;
import io.lb4j.testkit.FrameBuilder;
import io.lb4j.wire.TcpHeader;
import java.time.Duration;
import java.util.Arrays;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * What becomes of a session whose server is removed, taken offline or called down, with the first packet of the client
 * or of the server that comes afterwards.
 */
class LostSessionTest {
  private static final int SYN = TcpHeader.SYN;
  private static final int ACK = TcpHeader.ACK;
  private static final int RST = TcpHeader.RST;
  private static final int PORT = 3000;

  private enum Loss {
    REMOVED,
    OFFLINE,
    DOWN
  }

  static Stream<Arguments> losses() {
    return Stream.of(false, true)
        .flatMap(
            v6 ->
                Arrays.stream(Loss.values())
                    .flatMap(
                        loss ->
                            Arrays.stream(LostFlows.Fate.values())
                                .filter(fate -> fate != LostFlows.Fate.KEEP || loss == Loss.DOWN)
                                .flatMap(fate -> Stream.of(true, false).map(tcp -> Arguments.of(v6, loss, fate, tcp)))));
  }

  private static Network open(boolean v6, boolean tcp, LostFlows.Fate fate) {
    VirtualServiceBuilder service = tcp ? Network.web(v6, 2) : Network.dns(v6, 2);
    LostFlows fates = new LostFlows(fate, fate);
    service.scheduler(Schedulers.roundRobin()).whenServerDown(fates);
    if (fate != LostFlows.Fate.KEEP) {
      service.whenServerRemoved(fates);
    }
    return Network.options(v6).service(service).open();
  }

  private static String name(boolean tcp) {
    return tcp ? "web" : "dns";
  }

  private static Network.Result client(Network net, boolean tcp, int flags, int sequence, int acknowledgment) {
    FrameBuilder frame = Network.transport(net.to(net.vip(), net.peer(1)), tcp, PORT, tcp ? 80 : 53, flags);
    return net.fromOutside(tcp ? frame.numbers(sequence, acknowledgment) : frame.payload((byte) 1));
  }

  private static Network.Result server(Network net, boolean tcp, int number, int flags, int sequence, int acknowledgment) {
    FrameBuilder frame = Network.transport(net.from(number, net.peer(1)), tcp, tcp ? 8080 : 5353, PORT, flags);
    return net.fromInside(tcp ? frame.numbers(sequence, acknowledgment) : frame.payload((byte) 2));
  }

  /** A session of the first server, which both ends have spoken in. */
  private static void connect(Network net, boolean tcp) {
    assertThat(client(net, tcp, SYN, 1000, 0).forwarded().destination()).isEqualTo(net.inside(1));
    server(net, tcp, 1, SYN | ACK, 5000, 1001).forwarded();
    client(net, tcp, ACK, 1001, 5001).forwarded();
    assertThat(server(net, tcp, 1, ACK, 5001, 1001).forwarded().source()).isEqualTo(net.vip());
  }

  private static void lose(Network net, boolean tcp, Loss loss) {
    ServerControl server = net.balancer.service(name(tcp)).realServer("s1");
    switch (loss) {
      case REMOVED -> server.remove();
      case OFFLINE -> server.offline();
      default -> server.report(Health.DOWN);
    }
  }

  private static Network.Result nextOfClient(Network net, boolean tcp) {
    return client(net, tcp, ACK, 1001, 5001);
  }

  /** The client's packet, and what is told or answered because of it. */
  private static void assertFate(Network net, boolean tcp, LostFlows.Fate fate) {
    Network.Result next = nextOfClient(net, tcp);
    switch (fate) {
      case KEEP -> {
        assertThat(next.forwarded().destination()).isEqualTo(net.inside(1));
        assertThat(server(net, tcp, 1, ACK, 5001, 1001).forwarded().source()).isEqualTo(net.vip());
      }
      case DROP -> next.droppedSilently(Verdict.SERVER_GONE);
      case RESET -> assertTold(net, tcp, next);
      default -> assertPickedAnew(net, tcp, next);
    }
  }

  private static void assertTold(Network net, boolean tcp, Network.Result next) {
    assertThat(next.verdict()).isEqualTo(Verdict.ANSWER);
    assertThat(next.sent()).hasSize(1);
    Packet told = next.sent().get(0);
    assertThat(told.link).isEqualTo(Network.OUTSIDE);
    assertThat(told.destination()).isEqualTo(net.peer(1));
    if (tcp) {
      assertThat(told.from()).isEqualTo(net.vip() + " 80");
      assertThat(told.flags()).isEqualTo(RST);
      assertThat(told.sequence()).isEqualTo(5001);
    } else {
      assertThat(told.icmpType()).isEqualTo(net.v6 ? 1 : 3);
      assertThat(told.icmpCode()).isEqualTo(net.v6 ? 4 : 3);
    }
  }

  /** UDP goes on with the other server; that one does not know the connection, which the client hears. */
  private static void assertPickedAnew(Network net, boolean tcp, Network.Result next) {
    Packet first = next.forwarded();
    assertThat(first.to()).isEqualTo(net.inside(2) + (tcp ? " 8080" : " 5353"));
    assertThat(first.from()).isEqualTo(net.peer(1) + " " + PORT);
    Packet back = server(net, tcp, 2, RST, 5001, 0).forwarded();
    assertThat(back.from()).isEqualTo(net.vip() + (tcp ? " 80" : " 53"));
    assertThat(back.to()).isEqualTo(net.peer(1) + " " + PORT);
    assertThat(nextOfClient(net, tcp).forwarded().destination()).isEqualTo(net.inside(2));
    assertThat(server(net, tcp, 1, ACK, 5001, 1001).verdict().isDrop()).as("the first one's answer").isTrue();
  }

  @ParameterizedTest(name = "IPv6 {0}: {1}, {2}, TCP {3}")
  @MethodSource("losses")
  void shouldDecideWithTheClientsFirstPacket(boolean v6, Loss loss, LostFlows.Fate fate, boolean tcp) {
    try (Network net = open(v6, tcp, fate)) {
      connect(net, tcp);
      lose(net, tcp, loss);
      assertFate(net, tcp, fate);
    }
  }

  /** The server's packets are not the client's answer: it still gets what is declared. */
  @ParameterizedTest(name = "IPv6 {0}: {1}, {2}, TCP {3}")
  @MethodSource("losses")
  void shouldDecideWithTheClientsFirstPacketThoughTheServerSpokeBefore(
      boolean v6, Loss loss, LostFlows.Fate fate, boolean tcp) {
    try (Network net = open(v6, tcp, fate)) {
      connect(net, tcp);
      lose(net, tcp, loss);
      Network.Result late = server(net, tcp, 1, ACK, 5001, 1001);
      if (fate == LostFlows.Fate.KEEP) {
        assertThat(late.forwarded().source()).isEqualTo(net.vip());
      } else if (fate == LostFlows.Fate.RESET) {
        assertThat(late.verdict()).isEqualTo(Verdict.ANSWER);
        assertThat(late.sent()).hasSize(1).allMatch(packet -> packet.link == Network.INSIDE);
        assertThat(late.sent()).allMatch(told -> !tcp || told.flags() == RST && told.sequence() == 1001);
      } else {
        late.droppedSilently(Verdict.SERVER_GONE);
      }
      assertFate(net, tcp, fate);
    }
  }

  static Stream<Arguments> lossesOfConnections() {
    return losses().filter(loss -> (boolean) loss.get()[3]);
  }

  @ParameterizedTest(name = "IPv6 {0}: {1}, {2}")
  @MethodSource("lossesOfConnections")
  void shouldPlaceASynAnewWhateverIsDeclared(boolean v6, Loss loss, LostFlows.Fate fate) {
    try (Network net = open(v6, true, fate)) {
      connect(net, true);
      lose(net, true, loss);
      Packet syn = client(net, true, SYN, 77_000, 0).forwarded();
      assertThat(syn.destination()).isEqualTo(net.inside(2));
      server(net, true, 2, SYN | ACK, 9000, 77_001).forwarded();
      client(net, true, ACK, 77_001, 9001).forwarded();
      assertThat(net.path.sessions()).isEqualTo(1);
    }
  }

  /** A client that never stops sending is moved at once, and its old server's place is given back. */
  @BothFamilies
  void shouldLoseNoDatagramOfAClientThatNeverStopsSending(boolean v6) {
    try (Network net = open(v6, false, LostFlows.Fate.REPICK)) {
      for (int n = 0; n < 100; n++) {
        if (n == 50) {
          lose(net, false, Loss.REMOVED);
        }
        net.after(Duration.ofMillis(10));
        Packet datagram = client(net, false, 0, 0, 0).forwarded();
        assertThat(datagram.destination()).isEqualTo(net.inside(n < 50 ? 1 : 2));
      }
      assertThat(net.path.sessions()).isEqualTo(1);
    }
  }

  // ---- a source port that is used again (CT7) ------------------------------------------------------------------

  /** Ways a connection can have ended, or be on a server that is not to get more, when its port is used again. */
  private enum Before {
    CLOSED,
    RESET_BY_CLIENT,
    RESET_BY_SERVER,
    SILENT,
    DRAINING,
    OPENING_DRAINING
  }

  static Stream<Arguments> reuses() {
    return Stream.of(false, true).flatMap(v6 -> Arrays.stream(Before.values()).map(before -> Arguments.of(v6, before)));
  }

  @ParameterizedTest(name = "IPv6 {0}: {1}")
  @MethodSource("reuses")
  void shouldScheduleASynFromTheSamePortWithThatVeryPacket(boolean v6, Before before) {
    try (Network net = open(v6, true, LostFlows.Fate.DROP)) {
      if (before == Before.OPENING_DRAINING) {
        client(net, true, SYN, 1000, 0).forwarded();
      } else {
        connect(net, true);
      }
      switch (before) {
        case CLOSED -> {
          client(net, true, TcpHeader.FIN | ACK, 1001, 5001).forwarded();
          server(net, true, 1, TcpHeader.FIN | ACK, 5001, 1002).forwarded();
        }
        case RESET_BY_CLIENT -> client(net, true, RST, 1001, 0).forwarded();
        case RESET_BY_SERVER -> server(net, true, 1, RST, 5001, 0).forwarded();
        case SILENT -> net.afterSeconds(250);
        default -> net.balancer.service("web").realServer("s1").drain();
      }
      Packet syn = client(net, true, SYN, 500_000, 0).forwarded();
      assertThat(syn.destination()).as("the next one's turn").isEqualTo(net.inside(2));
      assertThat(server(net, true, 2, SYN | ACK, 9000, 500_001).forwarded().from()).isEqualTo(net.vip() + " 80");
      client(net, true, ACK, 500_001, 9001).forwarded();
      assertThat(net.path.sessions()).isEqualTo(1);
      assertThat(SavedSessionsTest.list(net).get(0).state()).isEqualTo(FlowState.ESTABLISHED);
    }
  }

  /** A SYN that is sent again stays where it was, on a draining server as well. */
  @BothFamilies
  void shouldLeaveARepeatedSynWhereItWas(boolean v6) {
    try (Network net = open(v6, true, LostFlows.Fate.DROP)) {
      client(net, true, SYN, 1000, 0).forwarded();
      net.balancer.service("web").realServer("s1").drain();
      assertThat(client(net, true, SYN, 1000, 0).forwarded().destination()).isEqualTo(net.inside(1));
    }
  }

  // ---- connections that began elsewhere (CT9) ------------------------------------------------------------------

  private static Network adopting(boolean v6) {
    return Network.options(v6).service(Network.web(v6, 3).scheduler(Schedulers.sourceHash())).open();
  }

  /**
   * After a restart without a saved state the hash finds the server, and its answer proves that it knows the
   * connection.
   */
  @BothFamilies
  void shouldAdoptAConnectionThatItsServerKnows(boolean v6) {
    int number;
    try (Network before = adopting(v6)) {
      String server = client(before, true, SYN, 1000, 0).forwarded().destination();
      number = Stream.of(1, 2, 3).filter(n -> before.inside(n).equals(server)).findFirst().orElseThrow();
    }
    try (Network net = adopting(v6)) {
      FrameBuilder data = net.to(net.vip(), net.peer(1)).tcp(PORT, 80, ACK).numbers(0x7777_1001, 0x5555_5001);
      Packet first = net.fromOutside(data.payload(new byte[100])).forwarded();
      assertThat(first.to()).isEqualTo(net.inside(number) + " 8080");
      assertThat(server(net, true, number, ACK, 0x5555_5001, 0x7777_1001).forwarded().from()).isEqualTo(net.vip() + " 80");
      net.afterSeconds(300);
      assertThat(net.path.sessions()).as("it outlives an opening one").isEqualTo(1);
      net.fromOutside(data.payload(new byte[100])).forwarded();
      server(net, true, number, RST, 0x5555_5002, 0).forwarded();
      assertThat(SavedSessionsTest.list(net).get(0).state()).isEqualTo(FlowState.ESTABLISHED);
      server(net, true, number, RST, 0x5555_5001, 0).forwarded();
      assertThat(SavedSessionsTest.list(net).get(0).state()).isEqualTo(FlowState.RESET);
    }
  }

  @BothFamilies
  void shouldLetTheServerRefuseAConnectionThatItDoesNotKnow(boolean v6) {
    try (Network net = adopting(v6)) {
      Packet first = client(net, true, ACK, 1001, 5001).forwarded();
      FrameBuilder reset =
          FrameBuilder.from(first.destination(), net.peer(1)).macs(Network.INSIDE_MAC, first.destinationMac());
      Packet told = net.fromInside(reset.tcp(8080, PORT, RST).numbers(5001, 0)).forwarded();
      assertThat(told.from()).isEqualTo(net.vip() + " 80");
      assertThat(told.sequence()).isEqualTo(5001);
      assertThat(net.path.counters().handshakes(SavedSessionsTest.list(net).get(0).binding()).refused()).isZero();
      net.afterSeconds(300);
      assertThat(net.path.sessions()).isZero();
    }
  }

  /** A flood of segments of no connection counts as half-open: it costs no established session. */
  @BothFamilies
  void shouldBoundSegmentsOfNoConnectionLikeSyns(boolean v6) {
    try (Network net =
        Network.options(v6).sessions(64).service(Network.web(v6, 3).scheduler(Schedulers.sourceHash())).open()) {
      for (int n = 0; n < 300; n++) {
        net.fromOutside(net.to(net.vip(), net.peer(1 + n % 200)).tcp(2000 + n, 80, ACK).numbers(1, 1));
      }
      assertThat(net.path.sessions()).isLessThanOrEqualTo(16);
    }
  }
}
