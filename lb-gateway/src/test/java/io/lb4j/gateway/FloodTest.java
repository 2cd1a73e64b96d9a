package io.lb4j.gateway;

import static org.assertj.core.api.Assertions.assertThat;

import io.lb4j.flow.FlowTableOverflow;
import io.lb4j.frame.Verdict;
import io.lb4j.schedule.Schedulers;
import io.lb4j.service.EchoPolicy;
import io.lb4j.service.VirtualService;
import io.lb4j.service.VirtualServiceBuilder;
import io.lb4j.testkit.FrameBuilder;
import io.lb4j.wire.TcpHeader;

/** Floods from outside take nothing from those who were there before, and do not shut out those who come. */
class FloodTest {
  private static FrameBuilder syn(Network net, int n) {
    return net.to(net.vip(), net.peer(2 + n % 200)).tcp(2000 + n, 80, TcpHeader.SYN);
  }

  private static FrameBuilder question(Network net, int n) {
    return net.to(net.vip(), net.peer(2 + n % 200)).udp(2000 + n, 53);
  }

  private static Verdict verdictOfAnswer(Network net) {
    return net.fromInside(net.from(1, net.peer(1)).udp(5353, 3000)).verdict();
  }

  @BothFamilies
  void shouldServeOneFamilyWhileTheOtherIsFlooded(boolean v6) {
    VirtualServiceBuilder other =
        VirtualService.tcp(Network.vip(!v6), 80)
            .named("other")
            .forwarding(Gateway.create())
            .realServer("s1", Network.inside(!v6, 1));
    try (Network net =
        Network.options(v6)
            .sessions(1024)
            .service(Network.web(v6, 1))
            .service(other)
            .with(b -> b.neighbor(Network.inside(!v6, 1), Network.mac(1)))
            .open()) {
      for (int n = 0; n < 1000; n++) {
        net.fromOutside(syn(net, n));
      }
      for (int n = 0; n < 100; n++) {
        FrameBuilder client = net.to(Network.vip(!v6), Network.peer(!v6, 7));
        net.fromOutside(client.tcp(2000 + n, 80, TcpHeader.SYN)).forwarded();
      }
    }
  }

  /** A stream of answers to one request is no half-open session, though the client says nothing more. */
  @BothFamilies
  void shouldKeepAStreamOfOneRequestThroughAFlood(boolean v6) {
    try (Network net = Network.options(v6).sessions(256).service(Network.dns(v6, 1)).open()) {
      net.fromOutside(net.to(net.vip(), net.peer(1)).udp(3000, 53)).forwarded();
      for (int round = 0; round < 20; round++) {
        net.afterSeconds(5);
        assertThat(verdictOfAnswer(net)).isEqualTo(Verdict.FORWARD);
        for (int n = 0; n < 300; n++) {
          net.fromOutside(question(net, round * 300 + n));
        }
        assertThat(verdictOfAnswer(net)).as("round %s", round).isEqualTo(Verdict.FORWARD);
        net.sent.clear();
      }
    }
  }

  @BothFamilies
  void shouldKeepAMappingThatSomebodyAnsweredThroughAFloodOfAService(boolean v6) {
    MappingBook book = new MappingBook();
    try (Network net =
        Network.options(v6).sessions(256).nat(b -> b.listener(book)).service(Network.web(v6, 1)).open()) {
      net.udpOut(1, 6001, net.peer(1), 80);
      net.udpIn(net.peer(1), 80, 6001).forwarded();
      for (int round = 0; round < 20; round++) {
        net.afterSeconds(1);
        for (int n = 0; n < 300; n++) {
          net.fromOutside(syn(net, round * 300 + n));
        }
        net.sent.clear();
      }
      assertThat(book.hasUdp(net.external(1) + " 6001")).isTrue();
      net.udpIn(net.peer(1), 80, 6001).forwarded();
    }
  }

  @BothFamilies
  void shouldAdmitAConnectionBehindAFloodOfEchoes(boolean v6) {
    try (Network net =
        Network.options(v6)
            .sessions(64)
            .with(b -> b.echo(EchoPolicy.FORWARD))
            .service(Network.web(v6, 1))
            .open()) {
      for (int n = 0; n < 100; n++) {
        net.fromOutside(Frames.echo(net.to(net.vip(), net.peer(1 + n)), v6, 100 + n));
      }
      net.fromOutside(syn(net, 1)).forwarded();
    }
  }

  /** The oldest gives way, and a stream that flows is young. */
  @BothFamilies
  void shouldEvictTheOldestByItsLastPacketOfEitherDirection(boolean v6) {
    try (Network net =
        Network.options(v6)
            .with(b -> b.flowTable(64, FlowTableOverflow.EVICT_OLDEST))
            .service(Network.dns(v6, 1))
            .open()) {
      net.fromOutside(net.to(net.vip(), net.peer(1)).udp(3000, 53)).forwarded();
      net.fromOutside(net.to(net.vip(), net.peer(1)).udp(3000, 53)).forwarded();
      for (int n = 0; n < 3000; n++) {
        net.nowNs += 100_000_000L;
        assertThat(verdictOfAnswer(net)).as("packet %s", n).isEqualTo(Verdict.FORWARD);
        net.fromOutside(question(net, n));
        net.fromOutside(question(net, n));
        net.sent.clear();
      }
    }
  }

  @BothFamilies
  void shouldLetRefusedConnectionsGiveWay(boolean v6) {
    try (Network net = Network.options(v6).sessions(256).service(Network.web(v6, 1)).open()) {
      for (int n = 0; n < 1000; n++) {
        net.fromOutside(syn(net, n)).forwarded();
        FrameBuilder refusal = net.from(1, net.peer(2 + n % 200));
        net.fromInside(refusal.tcp(8080, 2000 + n, TcpHeader.RST | TcpHeader.ACK).numbers(0, 1)).forwarded();
        net.sent.clear();
      }
    }
  }

  /** Notes for PROXY headers are of established connections. */
  @BothFamilies
  void shouldAdmitAProxiedConnectionBehindThousandsOfHalfOpenOnes(boolean v6) {
    VirtualServiceBuilder service =
        VirtualService.tcp(Network.vip(v6), 80)
            .named("web")
            .forwarding(Gateway.fullNat(Network.external(v6, 1)).withProxyProtocol())
            .realServer("s1", Network.near(v6, 1), s -> s.port(8080));
    try (Network net = Network.options(v6).singleArm().sessions(1 << 17).service(service).open()) {
      for (int n = 0; n < 16_383; n++) {
        net.fromOutside(syn(net, n));
        net.sent.clear();
      }
      net.fromOutside(net.to(net.vip(), net.peer(1)).tcp(3000, 80, TcpHeader.SYN)).forwarded();
    }
  }

  @Requirement("N14")
  @BothFamilies
  void shouldTellAnInsideSenderTheMtuWhileAFloodFromOutsideUsesUpItsErrors(boolean v6) {
    try (Network net =
        Network.options(v6).mtu(1400, 1500).nat(b -> b).service(Network.web(v6, 1)).open()) {
      for (int n = 0; n < 200; n++) {
        net.fromOutside(syn(net, n).timeToLive(1));
      }
      FrameBuilder big = net.from(1, net.peer(1)).udp(6001, 80).payload(new byte[1450]);
      assertThat(net.fromInside(big).error(Verdict.PACKET_TOO_BIG).destination()).isEqualTo(net.inside(1));
    }
  }

  /** Every session that somebody off the path makes counts as half-open, whatever follows the first segment. */
  @BothFamilies
  void shouldBoundSessionsThatAreResetBeforeTheyAreOpenLikeSyns(boolean v6) {
    for (int first : new int[] {TcpHeader.SYN, TcpHeader.ACK}) {
      try (Network net =
          Network.options(v6).sessions(64).service(Network.web(v6, 1).scheduler(Schedulers.sourceHash())).open()) {
        for (int n = 0; n < 300; n++) {
          for (int flags : new int[] {first, TcpHeader.RST, TcpHeader.ACK, TcpHeader.RST}) {
            FrameBuilder forged = net.to(net.vip(), net.peer(2 + n % 200)).tcp(2000 + n, 80, flags);
            net.fromOutside(forged.numbers(7, 77)).forwarded();
          }
          net.sent.clear();
        }
        assertThat(net.path.sessions()).isLessThanOrEqualTo(16);
      }
    }
  }
}
