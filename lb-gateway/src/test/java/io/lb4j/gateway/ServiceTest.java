package io.lb4j.gateway;

import static org.assertj.core.api.Assertions.assertThat;

import io.lb4j.counters.ServerCounts;
import io.lb4j.frame.FrameMarks;
import io.lb4j.frame.Verdict;
import io.lb4j.schedule.Schedulers;
import io.lb4j.service.EchoPolicy;
import io.lb4j.service.VirtualService;
import io.lb4j.service.VirtualServiceBuilder;
import io.lb4j.testkit.FrameBuilder;
import io.lb4j.wire.TcpHeader;
import java.util.HashSet;
import java.util.Set;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Services whose servers have the balancer as their gateway. */
class ServiceTest {
  private static final int SYN = TcpHeader.SYN;
  private static final int ACK = TcpHeader.ACK;
  private static final int FIN = TcpHeader.FIN;

  private static Network open(boolean v6, int servers) {
    return Network.options(v6)
        .sessions(2048)
        .service(Network.web(v6, servers).scheduler(Schedulers.roundRobin()))
        .service(Network.dns(v6, servers).scheduler(Schedulers.roundRobin()))
        .open();
  }

  private static FrameBuilder request(Network net, int port, int flags, int sequence, int acknowledgment) {
    return net.to(net.vip(), net.peer(1)).tcp(port, 80, flags).numbers(sequence, acknowledgment);
  }

  private static FrameBuilder reply(Network net, int server, int port, int flags, int sequence, int acknowledgment) {
    return net.from(server, net.peer(1)).tcp(8080, port, flags).numbers(sequence, acknowledgment);
  }

  private static int serverOf(Network net, Packet packet) {
    for (int server = 1; server <= 9; server++) {
      if (packet.destination().equals(net.inside(server))) {
        return server;
      }
    }
    throw new AssertionError("no server: " + packet);
  }

  /** A connection of a client; answers its server. */
  private static int connect(Network net, int port) {
    int server = serverOf(net, net.fromOutside(request(net, port, SYN, 1000, 0)).forwarded());
    net.fromInside(reply(net, server, port, SYN | ACK, 5000, 1001)).forwarded();
    net.fromOutside(request(net, port, ACK, 1001, 5001)).forwarded();
    return server;
  }

  private static void close(Network net, int port, int server) {
    net.fromOutside(request(net, port, FIN | ACK, 1001, 5001)).forwarded();
    net.fromInside(reply(net, server, port, FIN | ACK, 5001, 1002)).forwarded();
    net.fromOutside(request(net, port, ACK, 1002, 5002)).forwarded();
  }

  @ParameterizedTest
  @CsvSource({"false,false,false", "false,true,false", "true,false,false", "true,true,false", "false,true,true",
    "true,true,true", "false,false,true", "true,false,true"})
  void shouldTranslateRequestsAndReplies(boolean v6, boolean tcp, boolean singleArm) {
    Network.Options options = Network.options(v6).service(tcp ? Network.web(v6, 1) : Network.dns(v6, 1));
    try (Network net = (singleArm ? options.singleArm() : options).open()) {
      int servicePort = tcp ? 80 : 53;
      int serverPort = tcp ? 8080 : 5353;
      byte[] data = Frames.bytes(55, 3);
      FrameBuilder request = Network.transport(net.to(net.vip(), net.peer(1)), tcp, 3000, servicePort, SYN);
      Packet in = net.fromOutside(request.payload(data)).forwarded();
      assertThat(in.link).isEqualTo(singleArm ? Network.OUTSIDE : Network.INSIDE);
      assertThat(in.destinationMac()).isEqualTo(Network.mac(1));
      assertThat(in.sourceMac()).isEqualTo(singleArm ? Network.OUTSIDE_MAC : Network.INSIDE_MAC);
      assertThat(in.from()).as("the server sees who asks").isEqualTo(net.peer(1) + " 3000");
      assertThat(in.to()).isEqualTo(net.inside(1) + " " + serverPort);
      assertThat(in.timeToLive()).isEqualTo(63);
      assertThat(in.payload()).isEqualTo(data);

      FrameBuilder reply = Network.transport(net.from(1, net.peer(1)), tcp, serverPort, 3000, SYN | ACK);
      Packet out = net.fromInside(reply.payload(data)).forwarded();
      assertThat(out.link).isEqualTo(Network.OUTSIDE);
      assertThat(out.destinationMac()).isEqualTo(Network.ROUTER_MAC);
      assertThat(out.from()).isEqualTo(net.vip() + " " + servicePort);
      assertThat(out.to()).isEqualTo(net.peer(1) + " 3000");
      assertThat(out.timeToLive()).isEqualTo(63);
      assertThat(out.payload()).isEqualTo(data);
    }
  }

  @EveryTransport
  void shouldKeepAClientsFlowsOnTheirServers(boolean v6, boolean tcp) {
    try (Network net = open(v6, 3)) {
      int[] servers = new int[300];
      Set<Integer> all = new HashSet<>();
      int service = tcp ? 80 : 53;
      for (int n = 0; n < servers.length; n++) {
        FrameBuilder frame = Network.transport(net.to(net.vip(), net.peer(1)), tcp, 2000 + n, service, SYN);
        servers[n] = serverOf(net, net.fromOutside(frame).forwarded());
        all.add(servers[n]);
      }
      assertThat(all).containsExactlyInAnyOrder(1, 2, 3);
      for (int n = 0; n < servers.length; n++) {
        FrameBuilder frame = Network.transport(net.to(net.vip(), net.peer(1)), tcp, 2000 + n, service, ACK);
        assertThat(serverOf(net, net.fromOutside(frame).forwarded())).isEqualTo(servers[n]);
      }
    }
  }

  @Requirement("N19")
  @BothFamilies
  void shouldKeepAnEstablishedConnectionForTwoHoursAndFourMinutes(boolean v6) {
    for (boolean alive : new boolean[] {true, false}) {
      try (Network net = open(v6, 1)) {
        connect(net, 3000);
        net.afterSeconds(alive ? 7439 : 7441);
        Verdict verdict = net.fromInside(reply(net, 1, 3000, ACK, 5001, 1001)).verdict();
        assertThat(verdict == Verdict.FORWARD).isEqualTo(alive);
      }
    }
  }

  @Requirement("N20")
  @BothFamilies
  void shouldKeepAnOpeningConnectionForFourMinutesAndNoEndlessHandshake(boolean v6) {
    for (boolean alive : new boolean[] {true, false}) {
      try (Network net = open(v6, 1)) {
        for (int n = 0; n < 2; n++) {
          net.fromOutside(request(net, 3000, SYN, 1000, 0)).forwarded();
          net.fromInside(reply(net, 1, 3000, SYN | ACK, 5000, 1001)).forwarded();
        }
        net.afterSeconds(alive ? 239 : 241);
        Verdict verdict = net.fromInside(reply(net, 1, 3000, SYN | ACK, 5000, 1001)).verdict();
        assertThat(verdict == Verdict.FORWARD).isEqualTo(alive);
      }
    }
  }

  @BothFamilies
  void shouldPlaceASynAnewAfterTheConnectionClosedWithThatVerySyn(boolean v6) {
    try (Network net = open(v6, 2)) {
      int server = connect(net, 3000);
      close(net, 3000, server);
      int next = serverOf(net, net.fromOutside(request(net, 3000, SYN, 90_000, 0)).forwarded());
      assertThat(next).as("round robin goes on").isNotEqualTo(server);
      Packet back = net.fromInside(reply(net, next, 3000, SYN | ACK, 70_000, 90_001)).forwarded();
      assertThat(back.from()).isEqualTo(net.vip() + " 80");
      assertThat(serverOf(net, net.fromOutside(request(net, 3000, ACK, 90_001, 70_001)).forwarded())).isEqualTo(next);
    }
  }

  @BothFamilies
  void shouldNotMoveALiveConnectionByAForgedSyn(boolean v6) {
    try (Network net = open(v6, 2)) {
      int server = connect(net, 3000);
      for (int n = 0; n < 3; n++) {
        assertThat(serverOf(net, net.fromOutside(request(net, 3000, SYN, 777 * n, 0)).forwarded())).isEqualTo(server);
      }
      assertThat(serverOf(net, net.fromOutside(request(net, 3000, ACK, 1001, 5001)).forwarded())).isEqualTo(server);
      net.afterSeconds(7000);
      net.fromInside(reply(net, server, 3000, ACK, 5001, 1001)).forwarded();
    }
  }

  @BothFamilies
  void shouldPlaceASynOfARemovedServersConnectionAnew(boolean v6) {
    try (Network net = open(v6, 2)) {
      for (int n = 0; n < 20; n++) {
        connect(net, 3000 + n);
      }
      net.balancer.service("web").removeRealServer("s1");
      for (int n = 0; n < 20; n++) {
        Packet placed = net.fromOutside(request(net, 3000 + n, SYN, 90_000, 0)).forwarded();
        assertThat(serverOf(net, placed)).isEqualTo(2);
      }
    }
  }

  @BothFamilies
  void shouldSendUdpOfARemovedServerElsewhereWithThatVeryPacket(boolean v6) {
    try (Network net = open(v6, 2)) {
      for (int n = 0; n < 20; n++) {
        net.fromOutside(net.to(net.vip(), net.peer(1)).udp(3000 + n, 53)).forwarded();
      }
      net.balancer.service("dns").removeRealServer("s1");
      for (int n = 0; n < 20; n++) {
        Packet placed = net.fromOutside(net.to(net.vip(), net.peer(1)).udp(3000 + n, 53)).forwarded();
        assertThat(serverOf(net, placed)).isEqualTo(2);
        Packet back = net.fromInside(net.from(2, net.peer(1)).udp(5353, 3000 + n)).forwarded();
        assertThat(back.from()).isEqualTo(net.vip() + " 53");
      }
    }
  }

  @BothFamilies
  void shouldEndConnectionsOfARemovedServerWithAReason(boolean v6) {
    try (Network net = open(v6, 2)) {
      int server = connect(net, 3000);
      net.balancer.service("web").removeRealServer("s" + server);
      net.fromOutside(request(net, 3000, ACK, 1001, 5001)).droppedSilently(Verdict.SERVER_GONE);
    }
  }

  @BothFamilies
  void shouldKeepSessionsWhenOtherServicesComeAndGo(boolean v6) {
    try (Network net = Network.options(v6).nat(b -> b).service(Network.web(v6, 1)).open()) {
      connect(net, 3000);
      int port = net.connect(2, 5000, net.peer(2), 80);
      net.balancer.addService(Network.dns(v6, 2).build());
      net.fromInside(reply(net, 1, 3000, ACK, 5001, 1001)).forwarded();
      assertThat(net.tcpIn(net.peer(2), 80, port, ACK, 5001, 1001).forwarded().to()).isEqualTo(net.inside(2) + " 5000");
      net.balancer.removeService("dns");
      net.fromInside(reply(net, 1, 3000, ACK, 5001, 1001)).forwarded();
      assertThat(net.tcpIn(net.peer(2), 80, port, ACK, 5001, 1001).forwarded().to()).isEqualTo(net.inside(2) + " 5000");
      net.balancer.removeService("web");
      net.fromInside(reply(net, 1, 3000, ACK, 5001, 1001)).droppedSilently();
      net.tcpIn(net.peer(2), 80, port, ACK, 5001, 1001).forwarded();
    }
  }

  @BothFamilies
  void shouldRefuseASegmentOfNoConnection(boolean v6) {
    try (Network net = open(v6, 2)) {
      net.fromOutside(request(net, 3000, ACK, 1001, 5001)).droppedSilently(Verdict.TCP_NOT_SYN);
      net.fromInside(reply(net, 1, 3000, SYN | ACK, 5000, 1001)).droppedSilently();
    }
  }

  @BothFamilies
  void shouldServeTheVirtualAddressThatServersAlsoSendFrom(boolean v6) {
    try (Network net =
        Network.options(v6)
            .outbound(b -> b.nat(Network.prefix(v6), Network.vip(v6)))
            .service(Network.web(v6, 1))
            .open()) {
      Packet out = net.fromInside(net.from(1, net.peer(2)).tcp(80, 443, SYN)).forwarded();
      assertThat(out.source()).isEqualTo(net.vip());
      assertThat(out.sourcePort()).as("the service's port is left out").isNotEqualTo(80);
      assertThat(net.fromOutside(request(net, 3000, SYN, 1000, 0)).forwarded().to())
          .isEqualTo(net.inside(1) + " 8080");
      FrameBuilder back = net.to(net.vip(), net.peer(2)).tcp(443, out.sourcePort(), SYN | ACK).numbers(5000, 2);
      assertThat(net.fromOutside(back).forwarded().to()).isEqualTo(net.inside(1) + " 80");
    }
  }

  private static ServerCounts counts(Network net) {
    return net.balancer.statistics().services().get(0).servers().get(0).counts();
  }

  @BothFamilies
  void shouldCountActiveConnectionsUntilTheyClose(boolean v6) {
    try (Network net = open(v6, 1)) {
      for (int n = 0; n < 10; n++) {
        connect(net, 3000 + n);
      }
      assertThat(counts(net).newFlows()).isEqualTo(10);
      assertThat(counts(net).active()).isEqualTo(10);
      for (int n = 0; n < 4; n++) {
        close(net, 3000 + n, 1);
      }
      net.fromInside(reply(net, 1, 3005, TcpHeader.RST | ACK, 5001, 1001)).forwarded();
      assertThat(counts(net).active()).isEqualTo(5);
      assertThat(counts(net).flows()).isEqualTo(10);
      net.afterSeconds(300);
      assertThat(counts(net).flows()).isEqualTo(5);
      net.afterSeconds(7_500);
      assertThat(counts(net).active()).isZero();
      assertThat(counts(net).flows()).isZero();
      assertThat(counts(net).newFlows()).isEqualTo(10);
    }
  }

  /** Two services on one server and port, and one client port: the server must not see one connection. */
  @BothFamilies
  void shouldKeepConnectionsApartThatWouldBeOneForTheServer(boolean v6) {
    VirtualServiceBuilder other =
        VirtualService.tcp(Network.vip(v6), 81)
            .named("other")
            .forwarding(Gateway.create())
            .realServer("s1", Network.inside(v6, 1), s -> s.port(8080));
    try (Network net = Network.options(v6).service(Network.web(v6, 1)).service(other).open()) {
      connect(net, 3000);
      FrameBuilder second = net.to(net.vip(), net.peer(1)).tcp(3000, 81, SYN).numbers(7000, 0);
      Packet in = net.fromOutside(second).forwarded();
      assertThat(in.source()).isEqualTo(net.peer(1));
      assertThat(in.sourcePort()).isNotEqualTo(3000);
      Packet answer = net.fromInside(reply(net, 1, in.sourcePort(), SYN | ACK, 9000, 7001)).forwarded();
      assertThat(answer.from()).isEqualTo(net.vip() + " 81");
      assertThat(answer.to()).isEqualTo(net.peer(1) + " 3000");
      Packet out = net.fromInside(reply(net, 1, 3000, ACK, 5001, 1001)).forwarded();
      assertThat(out.from()).isEqualTo(net.vip() + " 80");
      assertThat(net.fromOutside(net.to(net.vip(), net.peer(1)).tcp(3001, 81, SYN)).forwarded().to())
          .isEqualTo(net.inside(1) + " 8080");
    }
  }

  @BothFamilies
  void shouldForwardEchoesToAServerAndBackWhenToldTo(boolean v6) {
    try (Network net =
        Network.options(v6).service(Network.web(v6, 3)).with(b -> b.echo(EchoPolicy.FORWARD)).open()) {
      Packet in = net.fromOutside(Frames.echo(net.to(net.vip(), net.peer(1)), v6, 77)).forwarded();
      int server = serverOf(net, in);
      assertThat(in.source()).isEqualTo(net.peer(1));
      assertThat(in.icmpIdentifier()).isEqualTo(77);
      Packet out = net.fromInside(Frames.echoReply(net.from(server, net.peer(1)), v6, 77)).forwarded();
      assertThat(out.source()).isEqualTo(net.vip());
      assertThat(out.destination()).isEqualTo(net.peer(1));
      assertThat(out.icmpIdentifier()).isEqualTo(77);
    }
  }

  @EveryTransport
  void shouldNotSendAPacketToAVirtualAddressOnwards(boolean v6, boolean tcp) {
    try (Network net = Network.options(v6).nat(b -> b).service(Network.web(v6, 1)).open()) {
      FrameBuilder inside = Network.transport(net.from(2, net.vip()), tcp, 5000, 81, SYN);
      net.fromInside(inside).droppedSilently();
      FrameBuilder outside = Network.transport(net.to(net.vip(), net.peer(1)), tcp, 5000, 81, SYN);
      net.fromOutside(outside).droppedSilently(Verdict.NO_SERVICE);
    }
  }

  @BothFamilies
  void shouldHoldAFrameUntilItsNextHopIsKnown(boolean v6) {
    String unknown = v6 ? "2001:db8:5::99" : "192.0.2.209";
    try (Network net =
        Network.options(v6)
            .service(
                VirtualService.udp(Network.vip(v6), 53)
                    .named("dns")
                    .forwarding(Gateway.create())
                    .realServer("s1", unknown))
            .open()) {
      FrameBuilder request = net.to(net.vip(), net.peer(1)).udp(3000, 53).payload((byte) 1);
      assertThat(net.process(Network.OUTSIDE, request.build(), FrameMarks.NONE, 4).verdict()).isEqualTo(Verdict.HOLD);
      assertThat(net.path.held()).isEqualTo(1);
      String mac = "02:00:00:00:03:09";
      net.process(Network.INSIDE, Frames.neighborAnswer(net, Network.INSIDE, unknown, mac));
      net.afterSeconds(1);
      assertThat(net.ended).containsExactly("4 FORWARD");
      Packet sent = net.sent.stream().filter(one -> one.destinationMac().equals(mac)).reduce((a, b) -> b).orElseThrow();
      assertThat(sent.from()).isEqualTo(net.peer(1) + " 3000");
      assertThat(sent.to()).isEqualTo(unknown + " 53");
      assertThat(sent.timeToLive()).isEqualTo(63);
    }
  }
}
