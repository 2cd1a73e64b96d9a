package io.lb4j.gateway;

import static org.assertj.core.api.Assertions.assertThat;

import io.lb4j.flow.FlowTimeouts;
import io.lb4j.testkit.FrameBuilder;
import io.lb4j.wire.TcpHeader;
import java.time.Duration;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;

/** How long a mapping lives: never less than its time-out, and no second longer. */
class TimeoutTest {
  private static final int PORT = 5000;

  private static FlowTimeouts timeouts(int syn, int established, int fin, int reset, int udp) {
    return new FlowTimeouts(
        Duration.ofSeconds(syn),
        Duration.ofSeconds(established),
        Duration.ofSeconds(fin),
        Duration.ofSeconds(reset),
        Duration.ofSeconds(udp));
  }

  /** Runs a conversation twice, and asks a second before the time-out and a second after it. */
  private static void assertLivesFor(
      int seconds,
      boolean v6,
      UnaryOperator<Outbound.Builder> settings,
      Consumer<Network> conversation,
      BiConsumer<Network, Boolean> probe) {
    for (boolean alive : new boolean[] {true, false}) {
      try (Network net = Network.options(v6).nat(settings).sessions(256).open()) {
        conversation.accept(net);
        net.afterSeconds(alive ? seconds - 1 : seconds + 1);
        probe.accept(net, alive);
      }
    }
  }

  private static void probeUdp(Network net, boolean alive) {
    Network.Result result = net.udpIn(net.peer(1), 80, 5000);
    if (alive) {
      assertThat(result.forwarded().to()).isEqualTo(net.inside(1) + " " + PORT);
    } else {
      result.droppedSilently();
    }
  }

  /** A segment that does not open anything: only a session lets it through. */
  private static void probeTcp(Network net, boolean alive) {
    Network.Result result = net.tcpIn(net.peer(1), 80, 5000, TcpHeader.ACK, 5001, 1001);
    if (alive) {
      assertThat(result.forwarded().to()).isEqualTo(net.inside(1) + " " + PORT);
    } else {
      result.droppedSilently();
    }
  }

  private static void datagram(Network net) {
    net.udpOut(1, 5000, net.peer(1), 80);
  }

  @Requirement("N6")
  @BothFamilies
  void shouldKeepAUdpMappingForFiveMinutes(boolean v6) {
    assertLivesFor(300, v6, b -> b, TimeoutTest::datagram, TimeoutTest::probeUdp);
  }

  @Requirement("N6")
  @Requirement("N43")
  @BothFamilies
  void shouldKeepAUdpMappingForAsLongAsItIsTold(boolean v6) {
    FlowTimeouts shorter = timeouts(240, 7440, 240, 240, 120);
    try (Network net = Network.nat(v6, b -> b.timeouts(shorter))) {
      datagram(net);
      net.afterSeconds(119.9);
      probeUdp(net, true);
    }
    assertLivesFor(120, v6, b -> b.timeouts(shorter), TimeoutTest::datagram, TimeoutTest::probeUdp);
  }

  @Requirement("N6")
  @BothFamilies
  void shouldGiveANewMappingAfterTheTimeOut(boolean v6) {
    try (Network net = Network.nat(v6)) {
      datagram(net);
      net.afterSeconds(301);
      int taken = net.open(false, 2, 5000, net.peer(1), 80).sourcePort();
      assertThat(taken).as("the port is free again").isEqualTo(5000);
      assertThat(net.open(false, 1, 5000, net.peer(1), 80).sourcePort()).isNotEqualTo(5000);
    }
  }

  @Requirement("N7")
  @BothFamilies
  void shouldRefreshByOutboundPackets(boolean v6) {
    assertLivesFor(
        300,
        v6,
        b -> b,
        net -> {
          datagram(net);
          net.afterSeconds(250);
          datagram(net);
        },
        TimeoutTest::probeUdp);
  }

  @Requirement("N7")
  @BothFamilies
  void shouldNotRefreshByInboundPacketsUnlessToldTo(boolean v6) {
    Consumer<Network> conversation =
        net -> {
          datagram(net);
          net.afterSeconds(250);
          probeUdp(net, true);
        };
    assertLivesFor(50, v6, b -> b, conversation, TimeoutTest::probeUdp);
    assertLivesFor(300, v6, b -> b.inboundRefresh(true), conversation, TimeoutTest::probeUdp);
  }

  @Requirement("N7")
  @BothFamilies
  void shouldNotLetStrangersRefreshAMapping(boolean v6) {
    assertLivesFor(
        50,
        v6,
        b -> b.inboundRefresh(true),
        net -> {
          datagram(net);
          net.afterSeconds(250);
          net.udpIn(net.peer(2), 80, PORT).droppedSilently();
        },
        TimeoutTest::probeUdp);
  }

  @Requirement("N13")
  @BothFamilies
  void shouldNeitherRefreshNorEndAUdpMappingByAnErrorFromOutside(boolean v6) {
    assertLivesFor(
        100,
        v6,
        b -> b,
        net -> {
          Packet left = net.udpOut(1, 5000, net.peer(1), 80);
          net.afterSeconds(200);
          FrameBuilder error = net.to(net.external(1), net.peer(9));
          net.fromOutside(Frames.error(error, v6 ? 1 : 3, v6 ? 4 : 3, 0, Frames.quoteOf(left))).forwarded();
        },
        TimeoutTest::probeUdp);
  }

  @Requirement("N7")
  @BothFamilies
  void shouldKeepTheMappingWhileAnyPeerIsSentTo(boolean v6) {
    try (Network net = Network.nat(v6)) {
      int external = net.udpOut(1, 700, net.peer(1), 80).sourcePort();
      net.udpOut(2, 700, net.peer(1), 80);
      for (int n = 0; n < 5; n++) {
        net.afterSeconds(200);
        assertThat(net.udpOut(1, 700, net.peer(2 + n), 80).sourcePort()).isEqualTo(external);
      }
    }
  }

  @Requirement("N19")
  @BothFamilies
  void shouldKeepAnEstablishedConnectionForTwoHoursAndFourMinutes(boolean v6) {
    assertLivesFor(7440, v6, b -> b, net -> net.connect(1, 5000, net.peer(1), 80), TimeoutTest::probeTcp);
  }

  @Requirement("N19")
  @BothFamilies
  void shouldRefreshAnEstablishedConnectionByItsSegments(boolean v6) {
    assertLivesFor(
        7440,
        v6,
        b -> b,
        net -> {
          net.connect(1, 5000, net.peer(1), 80);
          net.afterSeconds(7000);
          net.tcpOut(1, 5000, net.peer(1), 80, TcpHeader.ACK, 1001, 5001).forwarded();
        },
        TimeoutTest::probeTcp);
  }

  @Requirement("N20")
  @BothFamilies
  void shouldKeepAnOpeningConnectionForFourMinutes(boolean v6) {
    for (boolean alive : new boolean[] {true, false}) {
      try (Network net = Network.nat(v6)) {
        net.open(true, 1, 5000, net.peer(1), 80);
        net.afterSeconds(alive ? 239 : 241);
        Network.Result result =
            net.tcpIn(net.peer(1), 80, 5000, TcpHeader.SYN | TcpHeader.ACK, 5000, 1001);
        assertThat(result.sent()).hasSize(alive ? 1 : 0);
        assertThat(result.verdict().isDrop()).isEqualTo(!alive);
      }
    }
  }

  private static void close(Network net) {
    net.connect(1, 5000, net.peer(1), 80);
    net.tcpOut(1, 5000, net.peer(1), 80, TcpHeader.FIN | TcpHeader.ACK, 1001, 5001).forwarded();
    net.tcpIn(net.peer(1), 80, 5000, TcpHeader.FIN | TcpHeader.ACK, 5001, 1002).forwarded();
    net.tcpOut(1, 5000, net.peer(1), 80, TcpHeader.ACK, 1002, 5002).forwarded();
  }

  @Requirement("N20")
  @BothFamilies
  void shouldKeepAClosingConnectionForFourMinutes(boolean v6) {
    assertLivesFor(240, v6, b -> b, TimeoutTest::close, TimeoutTest::probeTcp);
  }

  @Requirement("N20")
  @BothFamilies
  void shouldKeepAHalfClosedConnectionForFourMinutesAtLeast(boolean v6) {
    try (Network net = Network.nat(v6)) {
      net.connect(1, 5000, net.peer(1), 80);
      net.tcpOut(1, 5000, net.peer(1), 80, TcpHeader.FIN | TcpHeader.ACK, 1001, 5001).forwarded();
      net.tcpIn(net.peer(1), 80, 5000, TcpHeader.ACK, 5001, 1002).forwarded();
      net.afterSeconds(239);
      net.tcpIn(net.peer(1), 80, 5000, TcpHeader.ACK, 5001, 1002).forwarded();
    }
  }

  @Requirement("N20")
  @BothFamilies
  void shouldHaveTimersOfTheirOwnForOpeningAndClosing(boolean v6) {
    UnaryOperator<Outbound.Builder> settings = b -> b.timeouts(timeouts(10, 7440, 30, 20, 300));
    for (boolean alive : new boolean[] {true, false}) {
      try (Network net = Network.nat(v6, settings)) {
        net.open(true, 1, 5000, net.peer(1), 80);
        net.afterSeconds(alive ? 9 : 11);
        assertThat(net.tcpIn(net.peer(1), 80, 5000, TcpHeader.SYN | TcpHeader.ACK, 5000, 1001).verdict().isDrop())
            .isEqualTo(!alive);
      }
    }
    assertLivesFor(30, v6, settings, TimeoutTest::close, TimeoutTest::probeTcp);
  }

  private static void reset(Network net) {
    net.connect(1, 5000, net.peer(1), 80);
    net.afterSeconds(1000);
    Packet reset = net.tcpIn(net.peer(1), 80, 5000, TcpHeader.RST | TcpHeader.ACK, 5001, 1001).forwarded();
    assertThat(reset.flags()).isEqualTo(TcpHeader.RST | TcpHeader.ACK);
    assertThat(reset.to()).isEqualTo(net.inside(1) + " " + PORT);
  }

  @Requirement("N21")
  @BothFamilies
  void shouldTranslateAResetAndKeepTheSessionForFourMinutes(boolean v6) {
    assertLivesFor(240, v6, b -> b, TimeoutTest::reset, TimeoutTest::probeTcp);
  }

  @Requirement("N21")
  @BothFamilies
  void shouldLiveAgainWhenTheConnectionGoesOnAfterAReset(boolean v6) {
    assertLivesFor(
        7440,
        v6,
        b -> b,
        net -> {
          reset(net);
          net.afterSeconds(100);
          net.tcpIn(net.peer(1), 80, 5000, TcpHeader.ACK, 5001, 1001).forwarded();
          net.tcpOut(1, 5000, net.peer(1), 80, TcpHeader.ACK, 1001, 5001).forwarded();
        },
        TimeoutTest::probeTcp);
  }

  @Requirement("N22")
  @BothFamilies
  void shouldNotRefreshByAnOutboundIcmpError(boolean v6) {
    assertLivesFor(
        100,
        v6,
        b -> b,
        net -> {
          datagram(net);
          net.afterSeconds(200);
          Packet provoking = net.udpIn(net.peer(1), 80, 5000).forwarded();
          FrameBuilder frame = net.from(1, net.peer(1));
          net.fromInside(Frames.error(frame, v6 ? 1 : 3, v6 ? 4 : 3, 0, Frames.quoteOf(provoking))).forwarded();
        },
        TimeoutTest::probeUdp);
  }

  @Requirement("N22")
  @BothFamilies
  void shouldNotRefreshByAnOutboundReset(boolean v6) {
    assertLivesFor(
        40,
        v6,
        b -> b,
        net -> {
          net.connect(1, 5000, net.peer(1), 80);
          net.tcpOut(1, 5000, net.peer(1), 80, TcpHeader.RST | TcpHeader.ACK, 1001, 5001).forwarded();
          net.afterSeconds(200);
          net.tcpOut(1, 5000, net.peer(1), 80, TcpHeader.RST | TcpHeader.ACK, 1001, 5001).forwarded();
        },
        TimeoutTest::probeTcp);
  }

  private static void probeEcho(Network net, boolean alive) {
    Network.Result result =
        net.fromOutside(Frames.echoReply(net.to(net.external(1), net.peer(1)), net.v6, 5000));
    if (alive) {
      assertThat(result.forwarded().destination()).isEqualTo(net.inside(1));
    } else {
      result.droppedSilently();
    }
  }

  private static Packet echo(Network net) {
    return net.fromInside(Frames.echo(net.from(1, net.peer(1)), net.v6, 5000)).forwarded();
  }

  @Requirement("N27")
  @BothFamilies
  void shouldKeepAnIcmpQueryForAMinute(boolean v6) {
    assertLivesFor(60, v6, b -> b, TimeoutTest::echo, TimeoutTest::probeEcho);
  }

  @Requirement("N27")
  @BothFamilies
  void shouldKeepAnIcmpQueryForAsLongAsItIsTold(boolean v6) {
    assertLivesFor(
        90, v6, b -> b.icmpTimeout(Duration.ofSeconds(90)), TimeoutTest::echo, TimeoutTest::probeEcho);
  }

  @Requirement("N31")
  @BothFamilies
  void shouldNeitherRefreshNorEndAQueryByAnErrorAboutIt(boolean v6) {
    assertLivesFor(
        20,
        v6,
        b -> b,
        net -> {
          Packet query = echo(net);
          net.afterSeconds(40);
          FrameBuilder error = net.to(net.external(1), net.peer(9));
          Packet told =
              net.fromOutside(Frames.error(error, v6 ? 1 : 3, 1, 0, Frames.quoteOf(query))).forwarded();
          assertThat(told.destination()).isEqualTo(net.inside(1));
        },
        TimeoutTest::probeEcho);
  }
}
