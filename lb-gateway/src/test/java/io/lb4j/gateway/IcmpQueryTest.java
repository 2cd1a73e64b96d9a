package io.lb4j.gateway;

import static org.assertj.core.api.Assertions.assertThat;

import io.lb4j.frame.Verdict;
import io.lb4j.testkit.FrameBuilder;
import io.lb4j.wire.TcpHeader;
import java.util.HashSet;
import java.util.Set;
import java.util.SplittableRandom;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** ICMP queries, and what a router itself says by ICMP (RFC 5508, sections 3 and 8; RFC 1812, section 4.3). */
class IcmpQueryTest {
  private static Network.Result ask(Network net, int host, int identifier, int peer) {
    return net.fromInside(Frames.echo(net.from(host, net.peer(peer)), net.v6, identifier));
  }

  private static Network.Result answer(Network net, int peer, int identifier) {
    return net.fromOutside(Frames.echoReply(net.to(net.external(1), net.peer(peer)), net.v6, identifier));
  }

  @Requirement("N26")
  @BothFamilies
  void shouldTranslateAQueryAndItsReply(boolean v6) {
    try (Network net = Network.nat(v6)) {
      Packet out = ask(net, 1, 0x80FF, 1).forwarded();
      assertThat(out.link).isEqualTo(Network.OUTSIDE);
      assertThat(out.source()).isEqualTo(net.external(1));
      assertThat(out.destination()).isEqualTo(net.peer(1));
      assertThat(out.icmpType()).isEqualTo(v6 ? 128 : 8);
      assertThat(out.timeToLive()).isEqualTo(63);
      assertThat(out.payload()).containsExactly(9, 8, 7, 6);

      Packet back = answer(net, 1, out.icmpIdentifier()).forwarded();
      assertThat(back.link).isEqualTo(Network.INSIDE);
      assertThat(back.destinationMac()).isEqualTo(Network.mac(1));
      assertThat(back.source()).isEqualTo(net.peer(1));
      assertThat(back.destination()).isEqualTo(net.inside(1));
      assertThat(back.icmpType()).isEqualTo(v6 ? 129 : 0);
      assertThat(back.icmpIdentifier()).isEqualTo(0x80FF);
      assertThat(back.payload()).containsExactly(9, 8, 7, 6);
    }
  }

  @Requirement("N26")
  @BothFamilies
  void shouldMapAnIdentifierForAllPeersAndNeverForTwoHosts(boolean v6) {
    try (Network net = Network.nat(v6)) {
      Set<Integer> identifiers = new HashSet<>();
      for (int host = 1; host <= 50; host++) {
        int first = ask(net, host, 77, 1).forwarded().icmpIdentifier();
        assertThat(ask(net, host, 77, 2).forwarded().icmpIdentifier()).isEqualTo(first);
        assertThat(identifiers.add(first)).isTrue();
      }
      for (int host = 1; host <= 50; host++) {
        int mapped = ask(net, host, 77, 1).forwarded().icmpIdentifier();
        Packet back = answer(net, 2, mapped).forwarded();
        assertThat(back.destination()).isEqualTo(net.inside(host));
        assertThat(back.icmpIdentifier()).isEqualTo(77);
      }
    }
  }

  @Requirement("N26")
  @ParameterizedTest
  @CsvSource({"0", "65535", "1", "1023"})
  void shouldMapEveryIdentifier(int identifier) {
    for (boolean v6 : new boolean[] {false, true}) {
      try (Network net = Network.nat(v6)) {
        Packet out = ask(net, 1, identifier, 1).forwarded();
        assertThat(answer(net, 1, out.icmpIdentifier()).forwarded().icmpIdentifier()).isEqualTo(identifier);
      }
    }
  }

  /** Whatever the identifier, and whichever others are under way: a trace of a path has one for all of its probes. */
  @Requirement("N26")
  @BothFamilies
  void shouldBringTheAnswersToAllIdentifiersBack(boolean v6) {
    SplittableRandom random = new SplittableRandom(26);
    for (int first = 0; first <= 0xFFFF; first += 1 << 10) {
      try (Network net = Network.nat(v6)) {
        for (int identifier = first; identifier < first + (1 << 10); identifier += 1 + random.nextInt(8)) {
          trace(net, 1 + random.nextInt(Network.HOSTS - 1), identifier, 1 + random.nextInt(3));
        }
      }
    }
  }

  private static void trace(Network net, int host, int identifier, int peer) {
    int mapped = ask(net, host, identifier, peer).forwarded().icmpIdentifier();
    for (int probe = 0; probe < 3; probe++) {
      assertThat(ask(net, host, identifier, peer).forwarded().icmpIdentifier()).isEqualTo(mapped);
      Packet back = answer(net, peer, mapped).forwarded();
      assertThat(back.destination()).isEqualTo(net.inside(host));
      assertThat(back.icmpIdentifier()).isEqualTo(identifier);
    }
  }

  @Requirement("N26")
  @ParameterizedTest
  @CsvSource({"13,14"})
  void shouldTranslateTimestamps(int request, int reply) {
    try (Network net = Network.nat(false)) {
      byte[] rest = new byte[16];
      rest[1] = 9;
      Packet out = net.fromInside(net.from(1, net.peer(1)).icmp(request, 0, rest)).forwarded();
      assertThat(out.source()).isEqualTo(net.external(1));
      rest[0] = (byte) (out.icmpIdentifier() >> 8);
      rest[1] = (byte) out.icmpIdentifier();
      Packet back = net.fromOutside(net.to(net.external(1), net.peer(1)).icmp(reply, 0, rest)).forwarded();
      assertThat(back.destination()).isEqualTo(net.inside(1));
      assertThat(back.icmpIdentifier()).isEqualTo(9);
    }
  }

  @BothFamilies
  void shouldDropAReplyThatNobodyAskedFor(boolean v6) {
    try (Network net = Network.nat(v6)) {
      ask(net, 1, 77, 1).forwarded();
      answer(net, 1, 78).droppedSilently(Verdict.NO_MAPPING);
      answer(net, 2, 77).droppedSilently(Verdict.FILTERED);
    }
  }

  @BothFamilies
  void shouldDropAQueryWithAWrongChecksum(boolean v6) {
    try (Network net = Network.nat(v6)) {
      var frame = Frames.echo(net.from(1, net.peer(1)), v6, 77).build();
      frame.setByte(frame.writerIndex() - 1, 0x55);
      net.process(Network.INSIDE, frame).droppedSilently(Verdict.ICMP_CHECKSUM);
    }
  }

  @Requirement("N34")
  @ParameterizedTest
  @CsvSource({"5,0", "5,1", "9,0", "10,0"})
  void shouldNotForwardMessagesThatAreForOneLinkOnly(int type, int code) {
    try (Network net = Network.nat(false)) {
      net.open(false, 1, 5000, net.peer(1), 80);
      net.fromInside(net.from(1, net.peer(1)).icmp(type, code, new byte[28])).droppedSilently();
      net.fromOutside(net.to(net.external(1), net.peer(1)).icmp(type, code, new byte[28])).droppedSilently();
    }
  }

  // ---- the router's own messages -------------------------------------------------------------------------------

  @Requirement("N34")
  @BothFamilies
  void shouldAnswerAnEchoToItsOwnAddresses(boolean v6) {
    try (Network net = Network.nat(v6)) {
      Network.Result outside = net.fromOutside(Frames.echo(net.to(net.own(Network.OUTSIDE), net.peer(1)), v6, 7));
      assertThat(outside.verdict()).isEqualTo(Verdict.ANSWER);
      assertThat(outside.sent().get(0).source()).isEqualTo(net.own(Network.OUTSIDE));
      assertThat(outside.sent().get(0).destination()).isEqualTo(net.peer(1));
      Network.Result inside = net.fromInside(Frames.echo(net.from(1, net.own(Network.INSIDE)), v6, 7));
      assertThat(inside.verdict()).isEqualTo(Verdict.ANSWER);
      assertThat(inside.sent().get(0).destination()).isEqualTo(net.inside(1));
    }
  }

  private static FrameBuilder packet(FrameBuilder frame, boolean v6, int protocol) {
    return switch (protocol) {
      case Packet.TCP -> frame.tcp(5000, 80, TcpHeader.SYN);
      case Packet.UDP -> frame.udp(5000, 80).payload(Frames.bytes(17, 3));
      default -> Frames.echo(frame, v6, 5000);
    };
  }

  @Requirement("N34")
  @Requirement("N39")
  @ParameterizedTest
  @CsvSource({"false,6", "false,17", "false,1", "true,6", "true,17", "true,1"})
  void shouldTellAnInsideSenderThatTheTimeToLiveRanOut(boolean v6, int protocol) {
    try (Network net = Network.nat(v6)) {
      FrameBuilder frame = packet(net.from(1, net.peer(1)), v6, protocol).timeToLive(1);
      byte[] original = Packet.of(frame.build()).packet();
      Packet error = net.fromInside(frame).error(Verdict.TIME_EXCEEDED);
      assertThat(error.link).isEqualTo(Network.INSIDE);
      assertThat(error.destinationMac()).isEqualTo(Network.mac(1));
      assertThat(error.source()).isEqualTo(net.own(Network.INSIDE));
      assertThat(error.destination()).isEqualTo(net.inside(1));
      assertThat(error.icmpType()).isEqualTo(v6 ? 3 : 11);
      assertThat(error.icmpCode()).isZero();
      assertThat(error.icmpWord()).isZero();
      assertThat(error.quote().packet()).isEqualTo(original);
      assertThat(net.path.sessions()).as("a packet that went nowhere maps nothing").isZero();
    }
  }

  @Requirement("N34")
  @Requirement("N39")
  @ParameterizedTest
  @CsvSource({"false,false", "false,true", "true,false", "true,true"})
  void shouldTellAnOutsideSenderThatTheTimeToLiveRanOutWithoutNamingTheInside(boolean v6, boolean tcp) {
    try (Network net = Network.nat(v6)) {
      net.open(tcp, 1, 5000, net.peer(1), 80);
      FrameBuilder frame =
          Network.transport(net.to(net.external(1), net.peer(1)), tcp, 80, 5000, TcpHeader.SYN).timeToLive(1);
      byte[] original = Packet.of(frame.build()).packet();
      Packet error = net.fromOutside(frame).error(Verdict.TIME_EXCEEDED);
      assertThat(error.link).isEqualTo(Network.OUTSIDE);
      assertThat(error.source()).isEqualTo(net.own(Network.OUTSIDE));
      assertThat(error.destination()).isEqualTo(net.peer(1));
      assertThat(error.quote().packet()).isEqualTo(original);
    }
  }

  @Requirement("N39")
  @BothFamilies
  void shouldTellAClientOfAServiceThatTheTimeToLiveRanOut(boolean v6) {
    try (Network net = Network.options(v6).service(Network.web(v6, 1)).open()) {
      FrameBuilder frame = net.to(net.vip(), net.peer(1)).tcp(3000, 80, TcpHeader.SYN).timeToLive(1);
      byte[] original = Packet.of(frame.build()).packet();
      Packet error = net.fromOutside(frame).error(Verdict.TIME_EXCEEDED);
      assertThat(error.icmpType()).isEqualTo(v6 ? 3 : 11);
      assertThat(error.quote().packet()).isEqualTo(original);
      net.fromOutside(net.to(net.vip(), net.peer(1)).tcp(3000, 80, TcpHeader.SYN)).forwarded();
      FrameBuilder reply = net.from(1, net.peer(1)).tcp(8080, 3000, TcpHeader.SYN | TcpHeader.ACK).timeToLive(1);
      assertThat(net.fromInside(reply).error(Verdict.TIME_EXCEEDED).destination()).isEqualTo(net.inside(1));
    }
  }

  @Requirement("N39")
  @ParameterizedTest
  @CsvSource({"false,2", "false,128", "false,255", "true,2", "true,128", "true,255"})
  void shouldCountTheTimeToLiveDownByOne(boolean v6, int timeToLive) {
    try (Network net = Network.nat(v6)) {
      FrameBuilder out = net.from(1, net.peer(1)).udp(5000, 80).timeToLive(timeToLive);
      assertThat(net.fromInside(out).forwarded().timeToLive()).isEqualTo(timeToLive - 1);
      FrameBuilder in = net.to(net.external(1), net.peer(1)).udp(80, 5000).timeToLive(timeToLive);
      assertThat(net.fromOutside(in).forwarded().timeToLive()).isEqualTo(timeToLive - 1);
    }
  }

  @Requirement("N39")
  @BothFamilies
  void shouldNotAnswerAnErrorWhoseTimeToLiveRanOut(boolean v6) {
    try (Network net = Network.nat(v6)) {
      Packet left = net.udpOut(1, 5000, net.peer(1), 80);
      FrameBuilder frame = net.to(net.external(1), net.peer(9)).timeToLive(1);
      net.fromOutside(Frames.error(frame, v6 ? 1 : 3, 1, 0, Frames.quoteOf(left))).droppedSilently();
    }
  }

  @Requirement("N34")
  @BothFamilies
  void shouldTellTheSenderThatNoRouteLeadsThere(boolean v6) {
    try (Network net = Network.options(v6).withoutDefaultRoute().nat(b -> b).open()) {
      Packet error = net.fromInside(net.from(1, net.peer(1)).udp(5000, 80)).error(Verdict.NO_ROUTE);
      assertThat(error.source()).isEqualTo(net.own(Network.INSIDE));
      assertThat(error.icmpType()).isEqualTo(v6 ? 1 : 3);
      assertThat(error.icmpCode()).isZero();
      assertThat(net.path.sessions()).isZero();
    }
  }
}
