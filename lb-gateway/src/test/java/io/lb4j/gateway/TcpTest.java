package io.lb4j.gateway;

import static org.assertj.core.api.Assertions.assertThat;

import io.lb4j.frame.FrameMarks;
import io.lb4j.frame.Verdict;
import io.lb4j.testkit.FrameBuilder;
import io.lb4j.wire.TcpHeader;
import java.util.List;
import java.util.function.Consumer;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The states of a connection, seen from both sides (RFC 5382, sections 4.2 and 4.3; RFC 7857, section 2). */
@Tag("memory")
class TcpTest {
  private static final int SYN = TcpHeader.SYN;
  private static final int ACK = TcpHeader.ACK;
  private static final int SYN_ACK = SYN | ACK;

  private static Network.Result out(Network net, int flags, int sequence, int acknowledgment) {
    return net.tcpOut(1, 5000, net.peer(1), 80, flags, sequence, acknowledgment);
  }

  private static Network.Result in(Network net, int flags, int sequence, int acknowledgment) {
    return net.tcpIn(net.peer(1), 80, 5000, flags, sequence, acknowledgment);
  }

  /** Whether a conversation makes a connection that outlives an opening one. */
  private static boolean establishes(boolean v6, Consumer<Network> conversation) {
    try (Network net = Network.nat(v6)) {
      conversation.accept(net);
      net.afterSeconds(241);
      return in(net, ACK, 5001, 1001).verdict() == Verdict.FORWARD;
    }
  }

  @Requirement("N17")
  @BothFamilies
  void shouldEstablishByThreeSegments(boolean v6) {
    assertThat(establishes(v6, net -> net.connect(1, 5000, net.peer(1), 80))).isTrue();
  }

  @Requirement("N17")
  @BothFamilies
  void shouldEstablishByThreeSegmentsThatAreRepeated(boolean v6) {
    assertThat(
            establishes(
                v6,
                net -> {
                  out(net, SYN, 1000, 0).forwarded();
                  out(net, SYN, 1000, 0).forwarded();
                  in(net, SYN_ACK, 5000, 1001).forwarded();
                  in(net, SYN_ACK, 5000, 1001).forwarded();
                  out(net, ACK, 1001, 5001).forwarded();
                  in(net, SYN_ACK, 5000, 1001).forwarded();
                  out(net, ACK, 1001, 5001).forwarded();
                }))
        .isTrue();
  }

  @Requirement("N17")
  @BothFamilies
  void shouldEstablishBySimultaneousOpen(boolean v6) {
    assertThat(
            establishes(
                v6,
                net -> {
                  out(net, SYN, 1000, 0).forwarded();
                  assertThat(in(net, SYN, 5000, 0).forwarded().to()).isEqualTo(net.inside(1) + " 5000");
                  out(net, SYN_ACK, 1000, 5001).forwarded();
                  in(net, SYN_ACK, 5000, 1001).forwarded();
                  out(net, ACK, 1001, 5001).forwarded();
                }))
        .isTrue();
  }

  @Requirement("N17")
  @BothFamilies
  void shouldEstablishByFourSegmentsWhenSynAndAcknowledgmentComeApart(boolean v6) {
    assertThat(
            establishes(
                v6,
                net -> {
                  out(net, SYN, 1000, 0).forwarded();
                  in(net, ACK, 5000, 1001);
                  in(net, SYN, 5000, 0).forwarded();
                  out(net, ACK, 1001, 5001).forwarded();
                  in(net, ACK, 5001, 1001).forwarded();
                }))
        .isTrue();
  }

  @Requirement("N20")
  @BothFamilies
  void shouldNotEstablishByAnEndlessHandshake(boolean v6) {
    assertThat(
            establishes(
                v6,
                net -> {
                  out(net, SYN, 1000, 0).forwarded();
                  in(net, SYN_ACK, 5000, 1001).forwarded();
                  out(net, SYN, 1000, 0).forwarded();
                  in(net, SYN_ACK, 5000, 1001).forwarded();
                }))
        .isFalse();
  }

  @Requirement("N17")
  @BothFamilies
  void shouldLetAConnectionBeginFromOutsideWhenTheFilterAdmitsIt(boolean v6) {
    try (Network net = Network.nat(v6, b -> b.filtering(Filtering.ENDPOINT_INDEPENDENT))) {
      net.open(true, 1, 5000, net.peer(2), 80);
      in(net, SYN, 5000, 0).forwarded();
      out(net, SYN_ACK, 1000, 5001).forwarded();
      in(net, ACK, 5001, 1001).forwarded();
      net.afterSeconds(7_400);
      assertThat(in(net, ACK, 5001, 1001).forwarded().to()).isEqualTo(net.inside(1) + " 5000");
    }
  }

  @Requirement("N17")
  @BothFamilies
  void shouldConnectAgainFromTheSamePortAfterClosing(boolean v6) {
    try (Network net = Network.nat(v6)) {
      net.connect(1, 5000, net.peer(1), 80);
      out(net, TcpHeader.FIN | ACK, 1001, 5001).forwarded();
      in(net, TcpHeader.FIN | ACK, 5001, 1002).forwarded();
      out(net, ACK, 1002, 5002).forwarded();
      assertThat(out(net, SYN, 90_000, 0).forwarded().from()).isEqualTo(net.external(1) + " 5000");
      in(net, SYN_ACK, 70_000, 90_001).forwarded();
      out(net, ACK, 90_001, 70_001).forwarded();
      net.afterSeconds(7_400);
      in(net, ACK, 70_001, 90_001).forwarded();
    }
  }

  /** An outside host's SYN alone proves nothing; the inside host answers it with its own. */
  @Requirement("N17")
  @BothFamilies
  void shouldLetAConnectionBeginAgainFromOutside(boolean v6) {
    for (boolean reset : new boolean[] {false, true}) {
      try (Network net = Network.nat(v6, b -> b.filtering(Filtering.ENDPOINT_INDEPENDENT))) {
        net.open(true, 1, 5000, net.peer(2), 80);
        in(net, SYN, 5000, 0).forwarded();
        out(net, SYN_ACK, 1000, 5001).forwarded();
        in(net, ACK, 5001, 1001).forwarded();
        if (reset) {
          out(net, TcpHeader.RST, 1001, 0).forwarded();
        } else {
          in(net, TcpHeader.FIN | ACK, 5001, 1001).forwarded();
          out(net, TcpHeader.FIN | ACK, 1001, 5002).forwarded();
          in(net, ACK, 5002, 1002).forwarded();
        }
        net.afterSeconds(100);
        in(net, SYN, 90_000, 0).forwarded();
        out(net, SYN_ACK, 70_000, 90_001).forwarded();
        in(net, ACK, 90_001, 70_001).forwarded();
        net.afterSeconds(7_400);
        assertThat(out(net, ACK, 70_001, 90_001).forwarded().from()).isEqualTo(net.external(1) + " 5000");
      }
    }
  }

  /** Nobody acknowledged what the inside host sent. */
  @BothFamilies
  void shouldNotBelieveAForgedSynAndAcknowledgmentOnAClosedConnection(boolean v6) {
    try (Network net = Network.nat(v6)) {
      net.connect(1, 5000, net.peer(1), 80);
      out(net, TcpHeader.FIN | ACK, 1001, 5001).forwarded();
      in(net, TcpHeader.FIN | ACK, 5001, 1002).forwarded();
      in(net, SYN, 90_000, 0).forwarded();
      out(net, SYN_ACK, 70_000, 90_001).forwarded();
      in(net, ACK, 90_001, 77).forwarded();
      net.afterSeconds(250);
      assertThat(net.path.sessions()).isZero();
    }
  }

  /** RFC 5961, section 3.2: somebody who cannot see a connection cannot end it. */
  @Requirement("N21")
  @BothFamilies
  void shouldNotShortenAConnectionByABlindReset(boolean v6) {
    try (Network net = Network.nat(v6)) {
      net.connect(1, 5000, net.peer(1), 80);
      for (int sequence : new int[] {0, 1_000_000, 0x80000000, 5001 + 100_000}) {
        in(net, TcpHeader.RST, sequence, 0);
        in(net, TcpHeader.RST | ACK, sequence, 1001);
      }
      net.afterSeconds(1000);
      in(net, ACK, 5001, 1001).forwarded();
    }
  }

  /** The same for a FIN and a SYN that nobody who sees the connection would send. */
  @BothFamilies
  void shouldNotShortenAConnectionByABlindFinOrSyn(boolean v6) {
    try (Network net = Network.nat(v6)) {
      net.connect(1, 5000, net.peer(1), 80);
      for (int sequence : new int[] {0, 1_000_000, 0x80000000, 5001 + 100_000}) {
        in(net, TcpHeader.FIN | ACK, sequence, 1001);
        in(net, SYN, sequence, 0);
      }
      net.afterSeconds(1000);
      in(net, ACK, 5001, 1001).forwarded();
    }
  }

  @Requirement("N17")
  @BothFamilies
  void shouldConnectAgainFromTheSamePortAfterARefusal(boolean v6) {
    try (Network net = Network.nat(v6)) {
      out(net, SYN, 1000, 0).forwarded();
      in(net, TcpHeader.RST | ACK, 0, 1001).forwarded();
      assertThat(out(net, SYN, 3000, 0).forwarded().from()).isEqualTo(net.external(1) + " 5000");
      in(net, SYN_ACK, 9000, 3001).forwarded();
      out(net, ACK, 3001, 9001).forwarded();
      net.afterSeconds(7_400);
      in(net, ACK, 9001, 3001).forwarded();
    }
  }

  @Requirement("N17")
  @BothFamilies
  void shouldCarryAConnectionForHalfADay(boolean v6) {
    try (Network net = Network.options(v6).nat(b -> b).sessions(256).open()) {
      net.connect(1, 5000, net.peer(1), 80);
      for (int n = 0; n < 6; n++) {
        net.afterSeconds(7_200);
        assertThat(in(net, ACK, 5001, 1001).forwarded().to()).isEqualTo(net.inside(1) + " 5000");
      }
      net.afterSeconds(7_441);
      in(net, ACK, 5001, 1001).droppedSilently();
    }
  }

  // ---- unsolicited SYN -----------------------------------------------------------------------------------------

  private static Network.Result unsolicited(Network net, int peerPort) {
    FrameBuilder frame = net.to(net.external(1), net.peer(1)).tcp(peerPort, 5000, SYN).numbers(5000, 0);
    return net.process(Network.OUTSIDE, frame.build(), FrameMarks.NONE, peerPort);
  }

  @Requirement("N18")
  @BothFamilies
  void shouldAnswerAnUnsolicitedSynAfterSixSeconds(boolean v6) {
    try (Network net = Network.nat(v6)) {
      FrameBuilder syn = net.to(net.external(1), net.peer(1)).tcp(80, 5000, SYN).numbers(5000, 0);
      byte[] packet = Packet.of(syn.build()).packet();
      assertThat(unsolicited(net, 80).verdict()).isEqualTo(Verdict.HOLD);
      assertThat(net.afterSeconds(5.99)).isEmpty();
      List<Packet> later = net.afterSeconds(1.01);
      assertThat(later).hasSize(1);
      Packet error = later.get(0);
      assertThat(error.link).isEqualTo(Network.OUTSIDE);
      assertThat(error.destinationMac()).isEqualTo(Network.ROUTER_MAC);
      assertThat(error.destination()).isEqualTo(net.peer(1));
      assertThat(error.icmpType()).isEqualTo(v6 ? 1 : 3);
      assertThat(error.icmpCode()).isEqualTo(v6 ? 4 : 3);
      assertThat(error.quote().packet()).isEqualTo(packet);
      assertThat(net.ended).containsExactly("80 UNSOLICITED_SYN");
      assertThat(net.path.sessions()).isZero();
      assertThat(net.afterSeconds(10)).isEmpty();
    }
  }

  @Requirement("N18")
  @BothFamilies
  void shouldDropAnUnsolicitedSynSilentlyWhenToldTo(boolean v6) {
    try (Network net = Network.nat(v6, b -> b.unsolicitedSyn(UnsolicitedSyn.SILENT))) {
      unsolicited(net, 80);
      assertThat(net.afterSeconds(8)).isEmpty();
      assertThat(net.balancer.statistics().count(Verdict.UNSOLICITED_SYN)).isEqualTo(1);
    }
  }

  @Requirement("N18")
  @BothFamilies
  void shouldDropAnUnsolicitedSynSilentlyWhenAnOutboundOneMeetsIt(boolean v6) {
    try (Network net = Network.nat(v6)) {
      assertThat(unsolicited(net, 80).verdict()).isEqualTo(Verdict.HOLD);
      net.afterSeconds(5);
      assertThat(out(net, SYN, 1000, 0).forwarded().from()).isEqualTo(net.external(1) + " 5000");
      assertThat(net.afterSeconds(4)).isEmpty();
      assertThat(net.ended).containsExactly("80 SYN_MET_OUTBOUND");
      in(net, SYN, 5000, 0).forwarded();
    }
  }

  @Requirement("N18")
  @BothFamilies
  void shouldAnswerAnUnsolicitedSynWhenTheOutboundOneIsOfAnotherConnection(boolean v6) {
    try (Network net = Network.nat(v6)) {
      unsolicited(net, 80);
      net.open(true, 1, 5000, net.peer(2), 80);
      net.open(true, 1, 5001, net.peer(1), 80);
      List<Packet> later = net.afterSeconds(7);
      assertThat(later).hasSize(1);
      assertThat(later.get(0).destination()).isEqualTo(net.peer(1));
    }
  }

  @Requirement("N18")
  @ParameterizedTest
  @CsvSource({"false,1000", "true,1000", "false,50000", "true,50000"})
  void shouldHoldABoundedNumberOfUnsolicitedSyns(boolean v6, int count) {
    try (Network net = Network.nat(v6)) {
      net.connect(1, 4000, net.peer(9), 80);
      int most = 0;
      for (int n = 0; n < count; n++) {
        Verdict verdict = unsolicited(net, 1024 + n).verdict();
        assertThat(verdict).isIn(Verdict.HOLD, Verdict.UNSOLICITED_SYN);
        most = Math.max(most, net.path.held());
      }
      assertThat(most).isBetween(1, 4096);
      net.tcpIn(net.peer(9), 80, 4000, ACK, 5001, 1001).forwarded();
      net.afterSeconds(10);
      assertThat(net.path.held()).isZero();
      net.tcpIn(net.peer(9), 80, 4000, ACK, 5001, 1001).forwarded();
    }
  }
}
