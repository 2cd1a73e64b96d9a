package io.lb4j.gateway;

import static org.assertj.core.api.Assertions.assertThat;

import io.lb4j.address.MacAddress;
import io.lb4j.frame.FrameMarks;
import io.lb4j.frame.Verdict;
import io.lb4j.port.MemoryPort;
import io.lb4j.port.PortTraits;
import io.lb4j.testkit.FrameBuilder;
import io.lb4j.wire.TcpHeader;
import io.netty.buffer.ByteBuf;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Packets larger than the way out, super-frames, and unfinished checksums (RFC 4787, REQ-13; RFC 8201; RFC 1191). */
class MtuTest {
  private static final long SUPER_FRAME = FrameMarks.withGso(FrameMarks.CHECKSUM_PARTIAL, 1, 1400);

  private static Network narrowOutside(boolean v6) {
    return Network.options(v6).mtu(1400, 1500).nat(b -> b).open();
  }

  private static Network narrowInside(boolean v6) {
    return Network.options(v6).mtu(1500, 1400).nat(b -> b).open();
  }

  /** The bytes of a packet without time to live and IPv4 checksum, which a router may have changed already. */
  private static byte[] withoutTimeToLive(byte[] packet, boolean v6) {
    byte[] copy = packet.clone();
    if (v6) {
      copy[7] = 0;
    } else {
      copy[8] = 0;
      copy[10] = 0;
      copy[11] = 0;
    }
    return copy;
  }

  private static void assertTooBig(Network net, Packet error, int link, byte[] original, int mtu) {
    assertThat(error.link).isEqualTo(link);
    assertThat(error.source()).isEqualTo(net.own(link));
    assertThat(error.icmpType()).isEqualTo(net.v6 ? 2 : 3);
    assertThat(error.icmpCode()).isEqualTo(net.v6 ? 0 : 4);
    assertThat(error.icmpWord()).isEqualTo(mtu);
    byte[] quote = Arrays.copyOfRange(error.bytes, error.transport + 8, error.end());
    assertThat(quote.length).isGreaterThanOrEqualTo(net.v6 ? 1000 : 28);
    assertThat(error.length()).isLessThanOrEqualTo(net.v6 ? 1280 : 576);
    byte[] expected = Arrays.copyOf(original, quote.length);
    assertThat(withoutTimeToLive(quote, net.v6)).isEqualTo(withoutTimeToLive(expected, net.v6));
  }

  @Requirement("N14")
  @EveryTransport
  void shouldTellAnInsideSenderTheMtu(boolean v6, boolean tcp) {
    try (Network net = narrowOutside(v6)) {
      net.open(tcp, 2, 5000, net.peer(1), 80);
      net.open(tcp, 1, 5000, net.peer(1), 80);
      int header = (v6 ? 40 : 20) + (tcp ? 20 : 8);
      FrameBuilder frame = Network.transport(net.from(1, net.peer(1)), tcp, 5000, 80, TcpHeader.ACK);
      byte[] original = Packet.of(frame.payload(new byte[1401 - header]).build()).packet();
      assertTooBig(net, net.fromInside(frame).error(Verdict.PACKET_TOO_BIG), Network.INSIDE, original, 1400);
      assertThat(net.fromInside(frame.payload(new byte[1400 - header])).forwarded().length()).isEqualTo(1400);
    }
  }

  @Requirement("N14")
  @EveryTransport
  void shouldTellAnOutsideSenderTheMtuWithoutNamingTheInside(boolean v6, boolean tcp) {
    try (Network net = narrowInside(v6)) {
      net.open(tcp, 1, 5000, net.peer(1), 80);
      int header = (v6 ? 40 : 20) + (tcp ? 20 : 8);
      FrameBuilder frame = Network.transport(net.to(net.external(1), net.peer(1)), tcp, 80, 5000, TcpHeader.ACK);
      byte[] original = Packet.of(frame.payload(new byte[1401 - header]).build()).packet();
      assertTooBig(net, net.fromOutside(frame).error(Verdict.PACKET_TOO_BIG), Network.OUTSIDE, original, 1400);
    }
  }

  @Requirement("N14")
  @BothFamilies
  void shouldTellClientAndServerOfAServiceTheMtu(boolean v6) {
    try (Network net = Network.options(v6).mtu(1300, 1300).service(Network.web(v6, 1)).open()) {
      net.fromOutside(net.to(net.vip(), net.peer(1)).tcp(3000, 80, TcpHeader.SYN).numbers(1000, 0)).forwarded();
      FrameBuilder request = net.to(net.vip(), net.peer(1)).tcp(3000, 80, TcpHeader.ACK).numbers(1001, 5001);
      byte[] original = Packet.of(request.payload(new byte[1400]).build()).packet();
      assertTooBig(net, net.fromOutside(request).error(Verdict.PACKET_TOO_BIG), Network.OUTSIDE, original, 1300);
      FrameBuilder reply = net.from(1, net.peer(1)).tcp(8080, 3000, TcpHeader.ACK).numbers(5001, 1001);
      original = Packet.of(reply.payload(new byte[1400]).build()).packet();
      assertTooBig(net, net.fromInside(reply).error(Verdict.PACKET_TOO_BIG), Network.INSIDE, original, 1300);
    }
  }

  @Requirement("N14")
  @BothFamilies
  void shouldNotAnswerAnErrorThatIsTooBig(boolean v6) {
    try (Network net = Network.options(v6).mtu(1500, v6 ? 1300 : 600).nat(b -> b).open()) {
      Packet left = net.fromInside(net.from(1, net.peer(1)).udp(5000, 80).payload(new byte[500])).forwarded();
      byte[] quote = Arrays.copyOf(left.packet(), 1400);
      FrameBuilder frame = net.to(net.external(1), net.peer(9));
      net.fromOutside(Frames.error(frame, v6 ? 1 : 3, 1, 0, quote)).droppedSilently(Verdict.PACKET_TOO_BIG);
    }
  }

  private static void assertFragments(List<Packet> sent, int mtu) {
    int next = 0;
    for (Packet packet : sent) {
      assertThat(packet.length()).isLessThanOrEqualTo(mtu);
      assertThat(packet.fragmentOffset()).as("in order").isEqualTo(next);
      assertThat(packet.dontFragment()).isFalse();
      next += packet.body().length;
    }
  }

  @Requirement("N14")
  @ParameterizedTest
  @CsvSource({"false,1400", "true,1400", "false,576", "true,601"})
  void shouldFragmentInOrderWhatMayBeFragmented(boolean tcp, int mtu) {
    byte[] data = Frames.bytes(1452, 4);
    try (Network net = Network.options(false).mtu(mtu, 1500).nat(b -> b).open()) {
      net.open(tcp, 2, 5000, net.peer(1), 80);
      int port = net.open(tcp, 1, 5000, net.peer(1), 80).sourcePort();
      FrameBuilder frame = Network.transport(net.from(1, net.peer(1)), tcp, 5000, 80, TcpHeader.ACK);
      Network.Result result = net.fromInside(frame.payload(data).mayFragment(99));
      assertThat(result.verdict()).isEqualTo(Verdict.FORWARD);
      assertThat(result.sent()).hasSizeGreaterThan(1);
      assertThat(result.sent()).allSatisfy(one -> assertThat(one.destinationMac()).isEqualTo(Network.ROUTER_MAC));
      assertFragments(result.sent(), mtu);
      Packet whole = Frames.reassemble(result.sent());
      assertThat(whole.from()).isEqualTo(net.external(1) + " " + port);
      assertThat(whole.payload()).isEqualTo(data);
      assertThat(whole.timeToLive()).isEqualTo(63);
    }
  }

  @Requirement("N14")
  @Requirement("N15")
  @Test
  void shouldFragmentFragmentsAgain() {
    byte[] data = Frames.bytes(4000, 4);
    try (Network net = Network.options(false).mtu(1500, 600).nat(b -> b).open()) {
      net.open(false, 1, 5000, net.peer(1), 80);
      FrameBuilder frame = net.to(net.external(1), net.peer(1)).udp(80, 5000).payload(data);
      List<Packet> sent = new ArrayList<>();
      for (ByteBuf fragment : Frames.fragments(frame.build(), 7, 1400)) {
        sent.addAll(net.process(Network.OUTSIDE, fragment).sent());
      }
      assertFragments(sent, 600);
      Packet whole = Frames.reassemble(sent);
      assertThat(whole.to()).isEqualTo(net.inside(1) + " 5000");
      assertThat(whole.payload()).isEqualTo(data);
    }
  }

  /** RFC 791, section 3.1: the copied flag, 0x80 of an option's type, decides whether every fragment has it. */
  @Requirement("N41")
  @Test
  void shouldCopyOptionsIntoFragmentsAsTheirFlagSays() {
    byte[] options = {(byte) 0x94, 4, 0, 0, 7, 7, 4, 0, 0, 0, 0, 0};
    byte[] data = Frames.bytes(1400, 4);
    try (Network net = Network.options(false).mtu(800, 1500).nat(b -> b).open()) {
      FrameBuilder frame = net.from(1, net.peer(1)).ipOptions(options).udp(5000, 80).payload(data).mayFragment(99);
      List<Packet> sent = net.fromInside(frame).sent();
      assertFragments(sent, 800);
      assertThat(sent.get(0).ipOptions()).isEqualTo(options);
      byte[] later = sent.get(1).ipOptions();
      assertThat(Arrays.copyOf(later, 4)).containsExactly(0x94, 4, 0, 0);
      for (int i = 4; i < later.length; i++) {
        assertThat(later[i]).as("no record route in a later fragment").isBetween((byte) 0, (byte) 1);
      }
      assertThat(Frames.reassemble(sent).payload()).isEqualTo(data);
    }
  }

  /** A tag that was taken out of the bytes goes on beside them. */
  @BothFamilies
  void shouldKeepATagBesideTheBytes(boolean v6) {
    try (Network net = Network.nat(v6)) {
      long marks = FrameMarks.withVlan(FrameMarks.NONE, 0xE00A);
      ByteBuf frame = net.from(1, net.peer(1)).udp(5000, 80).build();
      assertThat(net.process(Network.INSIDE, frame, marks, 0).forwarded().marks).isEqualTo(marks);
    }
  }

  // ---- marks ---------------------------------------------------------------------------------------------------

  private static Network carrying(boolean v6, int mtu, boolean partial, boolean gso) {
    MacAddress mac = MacAddress.of(Network.OUTSIDE_MAC);
    MemoryPort port = new MemoryPort("eth0", new PortTraits(mac, 1500, List.of(), false, partial, gso), 1, 16);
    return Network.options(v6).mtu(mtu, 1500).outsidePort(port).nat(b -> b).open();
  }

  /** A frame whose checksum is the folded sum of the pseudo-header alone. */
  private static ByteBuf unfinished(FrameBuilder frame) {
    ByteBuf bytes = frame.build();
    Packet packet = Packet.of(bytes);
    int field = packet.transport + (packet.protocol == Packet.TCP ? 16 : 6);
    return bytes.setShort(field, packet.pseudoHeader());
  }

  private static FrameBuilder data(Network net, boolean tcp, int length) {
    FrameBuilder frame = Network.transport(net.from(1, net.peer(1)), tcp, 5000, 80, TcpHeader.ACK);
    return frame.numbers(1001, 5001).payload(Frames.bytes(length, 6));
  }

  private static void assertUnfinished(Packet out) {
    assertThat(out.marks & FrameMarks.CHECKSUM_PARTIAL).isEqualTo(FrameMarks.CHECKSUM_PARTIAL);
    assertThat(out.checksum() % 0xFFFF).as("sum of the pseudo-header").isEqualTo(out.pseudoHeader() % 0xFFFF);
  }

  @Requirement("N35")
  @EveryTransport
  void shouldUpdateAnUnfinishedChecksumForAddressesOnly(boolean v6, boolean tcp) {
    try (Network net = carrying(v6, 1500, true, false)) {
      net.open(tcp, 2, 5000, net.peer(1), 80);
      int port = net.open(tcp, 1, 5000, net.peer(1), 80).sourcePort();
      assertThat(port).isNotEqualTo(5000);
      ByteBuf frame = unfinished(data(net, tcp, 101));
      Packet out = net.process(Network.INSIDE, frame, FrameMarks.CHECKSUM_PARTIAL, 0).forwarded();
      assertThat(out.from()).isEqualTo(net.external(1) + " " + port);
      assertUnfinished(out);
    }
  }

  @Requirement("N35")
  @EveryTransport
  void shouldFinishAChecksumThatTheWayOutCannotCarry(boolean v6, boolean tcp) {
    try (Network net = carrying(v6, 1500, false, false)) {
      net.open(tcp, 2, 5000, net.peer(1), 80);
      net.open(tcp, 1, 5000, net.peer(1), 80);
      ByteBuf frame = unfinished(data(net, tcp, 101));
      Packet out = net.process(Network.INSIDE, frame, FrameMarks.CHECKSUM_PARTIAL, 0).forwarded();
      assertThat(out.marks).isEqualTo(FrameMarks.NONE);
      assertThat(out.checksum()).isEqualTo(out.rightChecksum());
    }
  }

  @Requirement("N14")
  @Requirement("N35")
  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void shouldFinishAChecksumBeforeFragmenting(boolean tcp) {
    try (Network net = carrying(false, 800, true, false)) {
      net.open(tcp, 1, 5000, net.peer(1), 80);
      ByteBuf frame = unfinished(data(net, tcp, 1400).mayFragment(9));
      Network.Result result = net.process(Network.INSIDE, frame, FrameMarks.CHECKSUM_PARTIAL, 0);
      assertFragments(result.sent(), 800);
      assertThat(result.sent()).allSatisfy(one -> assertThat(one.marks).isEqualTo(FrameMarks.NONE));
      assertThat(Frames.reassemble(result.sent()).transportChecksumIsRight()).isTrue();
    }
  }

  @Requirement("N35")
  @EveryTransport
  void shouldFinishAChecksumBeforeQuoting(boolean v6, boolean tcp) {
    try (Network net = carrying(v6, 1500, true, false)) {
      net.open(tcp, 1, 5000, net.peer(1), 80);
      ByteBuf frame = unfinished(data(net, tcp, 101).timeToLive(1));
      Packet error = net.process(Network.INSIDE, frame, FrameMarks.CHECKSUM_PARTIAL, 0).error(Verdict.TIME_EXCEEDED);
      assertThat(error.marks).isEqualTo(FrameMarks.NONE);
      assertThat(error.quote().transportChecksumIsRight()).isTrue();
      assertThat(error.quote().from()).isEqualTo(net.inside(1) + " 5000");
    }
  }

  @Requirement("N14")
  @BothFamilies
  void shouldForwardASuperFrameWhoseSegmentsFit(boolean v6) {
    try (Network net = carrying(v6, 1500, true, true)) {
      net.connect(1, 5000, net.peer(1), 80);
      Packet out = net.process(Network.INSIDE, unfinished(data(net, true, 30_000)), SUPER_FRAME, 0).forwarded();
      assertThat(out.marks).isEqualTo(SUPER_FRAME);
      assertThat(out.from()).isEqualTo(net.external(1) + " 5000");
      assertThat(out.payload()).hasSize(30_000);
      assertUnfinished(out);
    }
  }

  @Requirement("N14")
  @BothFamilies
  void shouldRefuseASuperFrameWhoseSegmentsDoNotFit(boolean v6) {
    try (Network net = carrying(v6, 1400, true, true)) {
      net.connect(1, 5000, net.peer(1), 80);
      Network.Result result = net.process(Network.INSIDE, unfinished(data(net, true, 30_000)), SUPER_FRAME, 0);
      Packet error = result.error(Verdict.PACKET_TOO_BIG);
      assertThat(error.icmpWord()).isEqualTo(1400);
      assertThat(error.quote().source()).isEqualTo(net.inside(1));
    }
  }

  @BothFamilies
  void shouldRefuseASuperFrameThatTheWayOutCannotCarry(boolean v6) {
    try (Network net = carrying(v6, 1500, true, false)) {
      net.connect(1, 5000, net.peer(1), 80);
      net.process(Network.INSIDE, unfinished(data(net, true, 30_000)), SUPER_FRAME, 0)
          .droppedSilently(Verdict.GSO_NOT_CARRIED);
    }
  }

  /** Who sends the frames cuts it. */
  @BothFamilies
  void shouldLeaveASuperFrameToWhoeverCutsIt(boolean v6) {
    try (Network net = carrying(v6, 1500, true, false)) {
      net.path.cutSuperFrames();
      net.connect(1, 5000, net.peer(1), 80);
      Packet out = net.process(Network.INSIDE, unfinished(data(net, true, 30_000)), SUPER_FRAME, 0).forwarded();
      assertThat(out.marks).isEqualTo(SUPER_FRAME);
      assertUnfinished(out);
      long unclear = FrameMarks.withGso(FrameMarks.CHECKSUM_PARTIAL, 1, 0);
      net.process(Network.INSIDE, unfinished(data(net, true, 30_000)), unclear, 0)
          .droppedSilently(Verdict.GSO_NOT_CARRIED);
    }
  }

  /** As Linux does: segments first, then fragments of each. */
  @Test
  void shouldFragmentTheSegmentsOfASuperFrameThatMayBeFragmented() {
    for (boolean carries : new boolean[] {true, false}) {
      try (Network net = carrying(false, 1000, true, carries)) {
        net.connect(1, 5000, net.peer(1), 80);
        ByteBuf frame = unfinished(data(net, true, 3 * 1400 + 200).mayFragment(77));
        Network.Result result = net.process(Network.INSIDE, frame, SUPER_FRAME, 0);
        assertThat(result.verdict()).isEqualTo(Verdict.FORWARD);
        assertThat(result.sent()).hasSize(3 * 2 + 1).allMatch(packet -> packet.length() <= 1000 && packet.marks == 0);
        assertThat(result.sent().stream().filter(Packet::isFragment)).hasSize(6);
        Network.Result next = net.process(Network.INSIDE, unfinished(data(net, true, 3 * 1400 + 200).mayFragment(77)), SUPER_FRAME, 0);
        assertThat(Stream.concat(result.sent().stream(), next.sent().stream()).map(Packet::identification).distinct())
            .as("one for each segment")
            .hasSize(2 * 4);
      }
    }
  }
}
