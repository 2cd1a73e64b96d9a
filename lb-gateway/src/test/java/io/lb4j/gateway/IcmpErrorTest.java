package io.lb4j.gateway;

import static org.assertj.core.api.Assertions.assertThat;

import io.lb4j.frame.Verdict;
import io.lb4j.testkit.FrameBuilder;
import io.lb4j.wire.TcpHeader;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** ICMP errors in both directions (RFC 5508, sections 4 and 7). */
class IcmpErrorTest {
  private static final int ROUTER = 9;
  private static final int MTU = 1400;

  /** Family, protocol of the packet, type and code of the error. */
  static Stream<Arguments> errors() {
    int[][] v4 = {{3, 0}, {3, 1}, {3, 2}, {3, 3}, {3, 4}, {3, 9}, {3, 13}, {11, 0}, {11, 1}, {12, 0}};
    int[][] v6 = {{1, 0}, {1, 1}, {1, 3}, {1, 4}, {2, 0}, {3, 0}, {3, 1}, {4, 0}, {4, 1}};
    List<Arguments> rows = new ArrayList<>();
    for (int protocol : new int[] {Packet.TCP, Packet.UDP, Packet.ICMP}) {
      Arrays.stream(v4).forEach(error -> rows.add(Arguments.of(false, protocol, error[0], error[1])));
      Arrays.stream(v6).forEach(error -> rows.add(Arguments.of(true, protocol, error[0], error[1])));
    }
    return rows.stream();
  }

  static Stream<Arguments> errorsAboutSegments() {
    return errors().filter(row -> !row.get()[1].equals(Packet.ICMP));
  }

  /** A packet of an inside host, as it leaves. */
  private static Packet leave(Network net, int protocol) {
    FrameBuilder frame = net.from(1, net.peer(1));
    frame =
        switch (protocol) {
          case Packet.TCP -> frame.tcp(5001, 80, TcpHeader.SYN).numbers(1000, 0);
          case Packet.UDP -> frame.udp(5001, 80).payload(Frames.bytes(33, 1));
          default -> Frames.echo(frame, net.v6, 5001);
        };
    return net.fromInside(frame).forwarded();
  }

  /** The same packet as the inside host sent it, but for the time to live. */
  private static void assertRestored(Network net, Packet quote, Packet left) {
    assertThat(quote.source()).isEqualTo(net.inside(1));
    assertThat(quote.destination()).isEqualTo(net.peer(1));
    if (left.protocol == Packet.TCP || left.protocol == Packet.UDP) {
      assertThat(quote.sourcePort()).isEqualTo(5001);
      assertThat(quote.destinationPort()).isEqualTo(80);
    } else {
      assertThat(quote.icmpIdentifier()).isEqualTo(5001);
    }
    assertThat(quote.ipChecksumIsRight()).isTrue();
    assertThat(quote.timeToLive()).isEqualTo(left.timeToLive());
  }

  private static Network taken(boolean v6) {
    Network net = Network.nat(v6);
    net.open(false, 2, 5001, net.peer(5), 80);
    net.open(true, 2, 5001, net.peer(5), 80);
    net.fromInside(Frames.echo(net.from(2, net.peer(5)), v6, 5001)).forwarded();
    return net;
  }

  @Requirement("N29")
  @Requirement("N13")
  @ParameterizedTest
  @MethodSource("errors")
  void shouldTranslateAnErrorFromOutsideWhoeverSendsIt(boolean v6, int protocol, int type, int code) {
    try (Network net = taken(v6)) {
      Packet left = leave(net, protocol);
      FrameBuilder frame = net.to(net.external(1), net.peer(ROUTER));
      Packet error = net.fromOutside(Frames.error(frame, type, code, MTU, Frames.quoteOf(left))).forwarded();
      assertThat(error.link).isEqualTo(Network.INSIDE);
      assertThat(error.destinationMac()).isEqualTo(Network.mac(1));
      assertThat(error.source()).isEqualTo(net.peer(ROUTER));
      assertThat(error.destination()).isEqualTo(net.inside(1));
      assertThat(error.timeToLive()).isEqualTo(63);
      assertThat(error.icmpType()).isEqualTo(type);
      assertThat(error.icmpCode()).isEqualTo(code);
      assertThat(error.icmpWord()).isEqualTo(MTU);
      assertRestored(net, error.quote(), left);
      assertThat(error.quote().packet()).hasSize(Frames.quoteOf(left).length);
    }
  }

  @Requirement("N29")
  @Requirement("N35")
  @ParameterizedTest
  @CsvSource({"false,6", "false,17", "false,1", "true,6", "true,17", "true,58"})
  void shouldRestoreAWholeQuotedPacketWithItsChecksums(boolean v6, int protocol) {
    try (Network net = taken(v6)) {
      Packet left = leave(net, protocol);
      FrameBuilder frame = net.to(net.external(1), net.peer(ROUTER));
      Packet error =
          net.fromOutside(Frames.error(frame, v6 ? 1 : 3, 1, 0, left.packet())).forwarded();
      assertThat(error.quote().transportChecksumIsRight()).isTrue();
      assertRestored(net, error.quote(), left);
    }
  }

  @Requirement("N30")
  @ParameterizedTest
  @MethodSource("errors")
  void shouldTranslateAnErrorFromInside(boolean v6, int protocol, int type, int code) {
    try (Network net = taken(v6)) {
      Packet left = leave(net, protocol);
      FrameBuilder reply = net.to(net.external(1), net.peer(1));
      reply =
          switch (protocol) {
            case Packet.TCP -> reply.tcp(80, left.sourcePort(), TcpHeader.SYN | TcpHeader.ACK).numbers(5000, 1001);
            case Packet.UDP -> reply.udp(80, left.sourcePort()).payload(Frames.bytes(33, 2));
            default -> Frames.echoReply(reply, v6, left.icmpIdentifier());
          };
      Packet arrived = net.fromOutside(reply).forwarded();
      Packet error =
          net.fromInside(Frames.error(net.from(1, net.peer(1)), type, code, MTU, Frames.quoteOf(arrived))).forwarded();
      assertThat(error.link).isEqualTo(Network.OUTSIDE);
      assertThat(error.destinationMac()).isEqualTo(Network.ROUTER_MAC);
      assertThat(error.source()).isEqualTo(net.external(1));
      assertThat(error.destination()).isEqualTo(net.peer(1));
      assertThat(error.timeToLive()).isEqualTo(63);
      assertThat(error.icmpType()).isEqualTo(type);
      assertThat(error.icmpCode()).isEqualTo(code);
      assertThat(error.icmpWord()).isEqualTo(MTU);
      Packet quote = error.quote();
      assertThat(quote.source()).isEqualTo(net.peer(1));
      assertThat(quote.destination()).isEqualTo(net.external(1));
      assertThat(quote.ipChecksumIsRight()).isTrue();
      if (protocol == Packet.ICMP) {
        assertThat(quote.icmpIdentifier()).isEqualTo(left.icmpIdentifier());
      } else {
        assertThat(quote.sourcePort()).isEqualTo(80);
        assertThat(quote.destinationPort()).isEqualTo(left.sourcePort());
      }
      if (v6) {
        assertThat(quote.transportChecksumIsRight()).isTrue();
      }
    }
  }

  @Requirement("N30")
  @BothFamilies
  void shouldHideAnInsideRouterBehindAPublicAddress(boolean v6) {
    try (Network net = taken(v6)) {
      Packet left = leave(net, Packet.UDP);
      Packet arrived = net.udpIn(net.peer(1), 80, left.sourcePort()).forwarded();
      FrameBuilder frame = net.from(ROUTER, net.peer(1));
      Packet error = net.fromInside(Frames.error(frame, v6 ? 3 : 11, 0, 0, Frames.quoteOf(arrived))).forwarded();
      assertThat(error.source()).isIn(net.external(1), net.own(Network.OUTSIDE));
      assertThat(error.quote().to()).isEqualTo(net.external(1) + " " + left.sourcePort());
    }
  }

  @Requirement("N29")
  @ParameterizedTest
  @CsvSource({"false,6", "false,17", "false,1", "true,6", "true,17", "true,58"})
  void shouldDropAnErrorAboutNoMappingSilently(boolean v6, int protocol) {
    try (Network net = taken(v6);
        Network other = taken(v6)) {
      Packet left = leave(other, protocol);
      FrameBuilder frame = net.to(net.external(1), net.peer(ROUTER));
      net.fromOutside(Frames.error(frame, v6 ? 1 : 3, 1, 0, Frames.quoteOf(left)))
          .droppedSilently(Verdict.ICMP_NO_FLOW);
    }
  }

  @Requirement("N29")
  @BothFamilies
  void shouldDropAnErrorWhoseDestinationIsNotTheQuotedSource(boolean v6) {
    try (Network net = taken(v6)) {
      Packet left = leave(net, Packet.UDP);
      FrameBuilder frame = net.to(net.inside(1), net.peer(ROUTER));
      net.fromOutside(Frames.error(frame, v6 ? 1 : 3, 1, 0, Frames.quoteOf(left))).droppedSilently();
    }
  }

  /** Everything that can be wrong with an error. */
  private static List<ByteBuf> invalid(Network net, Packet left) {
    byte[] quote = Frames.quoteOf(left);
    FrameBuilder frame = net.to(net.external(1), net.peer(ROUTER));
    ByteBuf badSum = Frames.error(frame, net.v6 ? 1 : 3, 1, 0, quote).build();
    int icmp = net.v6 ? 54 : 34;
    badSum.setByte(icmp + 2, badSum.getByte(icmp + 2) ^ 0x40);
    ByteBuf empty = Frames.error(frame, net.v6 ? 1 : 3, 1, 0, new byte[0]).build();
    ByteBuf half = Frames.error(frame, net.v6 ? 1 : 3, 1, 0, Arrays.copyOf(quote, net.v6 ? 42 : 22)).build();
    return List.of(badSum, empty, half);
  }

  @Requirement("N28")
  @Requirement("N13")
  @ParameterizedTest
  @CsvSource({"false,6", "false,17", "true,6", "true,17"})
  void shouldDropInvalidErrorsAndGoOnAsBefore(boolean v6, int protocol) {
    try (Network net = taken(v6)) {
      Packet left = leave(net, protocol);
      for (ByteBuf frame : invalid(net, left)) {
        net.process(Network.OUTSIDE, frame).droppedSilently();
      }
      assertThat(net.balancer.statistics().count(Verdict.ICMP_CHECKSUM)).isEqualTo(1);
      assertThat(leave(net, protocol).from()).isEqualTo(left.from());
      boolean tcp = protocol == Packet.TCP;
      assertThat(net.knock(tcp, net.peer(1), 80, left.sourcePort()).forwarded().to())
          .isEqualTo(net.inside(1) + " 5001");
    }
  }

  /** A later fragment has no ports: what it has in their place is data. */
  @Requirement("N28")
  @BothFamilies
  void shouldDropAnErrorAboutALaterFragment(boolean v6) {
    try (Network net = taken(v6)) {
      Packet left = leave(net, Packet.UDP);
      FrameBuilder whole = FrameBuilder.from(left.source(), left.destination()).udp(left.sourcePort(), 80);
      byte[] data = new byte[48];
      Unpooled.wrappedBuffer(data).setShort(0, left.sourcePort()).setShort(2, 80);
      Unpooled.wrappedBuffer(data).setShort(8, left.sourcePort()).setShort(10, 80);
      Packet later = Packet.of(Frames.fragments(whole.payload(data).build(), 7, 16).get(1));
      assertThat(later.u16(later.transport)).isEqualTo(left.sourcePort());
      FrameBuilder frame = net.to(net.external(1), net.peer(ROUTER));
      net.fromOutside(Frames.error(frame, v6 ? 1 : 3, 1, 0, later.packet())).droppedSilently();
    }
  }

  /** RFC 1122, section 3.2.2: no ICMP error is about an ICMP error. */
  @Requirement("N28")
  @BothFamilies
  void shouldDropAnErrorAboutAnError(boolean v6) {
    try (Network net = taken(v6)) {
      Packet left = leave(net, Packet.UDP);
      Packet arrived = net.udpIn(net.peer(1), 80, left.sourcePort()).forwarded();
      FrameBuilder fromHost = net.from(1, net.peer(1));
      Packet error =
          net.fromInside(Frames.error(fromHost, v6 ? 1 : 3, v6 ? 4 : 3, 0, Frames.quoteOf(arrived))).forwarded();
      FrameBuilder frame = net.to(net.external(1), net.peer(ROUTER));
      net.fromOutside(Frames.error(frame, v6 ? 3 : 11, 0, 0, error.packet())).droppedSilently();
    }
  }

  @Requirement("N28")
  @Test
  void shouldDropAnErrorWithAWrongEmbeddedIpChecksum() {
    try (Network net = taken(false)) {
      byte[] quote = Frames.quoteOf(leave(net, Packet.UDP));
      quote[10] ^= 0x40;
      FrameBuilder frame = net.to(net.external(1), net.peer(ROUTER));
      net.fromOutside(Frames.error(frame, 3, 1, 0, quote)).droppedSilently();
      assertThat(leave(net, Packet.UDP).source()).isEqualTo(net.external(1));
    }
  }

  @Requirement("N28")
  @ParameterizedTest
  @CsvSource({"false,6", "false,17", "true,6", "true,17"})
  void shouldNotCheckTheEmbeddedTransportChecksumAndLeaveItWrong(boolean v6, int protocol) {
    try (Network net = taken(v6)) {
      Packet left = leave(net, protocol);
      byte[] packet = left.packet();
      packet[packet.length - 1] ^= 0x11;
      int wrongBy = Packet.ofIp(packet).checksumError();
      assertThat(wrongBy).isNotZero();
      FrameBuilder frame = net.to(net.external(1), net.peer(ROUTER));
      Packet error = net.fromOutside(Frames.error(frame, v6 ? 1 : 3, 1, 0, packet)).forwarded();
      assertThat(error.quote().checksumError()).isEqualTo(wrongBy);
      assertRestored(net, error.quote(), left);
    }
  }

  @Requirement("N28")
  @Requirement("N41")
  @ParameterizedTest
  @CsvSource({"4", "12", "40"})
  void shouldSkipEmbeddedIpOptions(int length) {
    try (Network net = taken(false)) {
      byte[] options = new byte[length];
      Arrays.fill(options, (byte) 1);
      Packet left =
          net.fromInside(net.from(1, net.peer(1)).ipOptions(options).udp(5001, 80).payload((byte) 1)).forwarded();
      FrameBuilder frame = net.to(net.external(1), net.peer(ROUTER));
      Packet error = net.fromOutside(Frames.error(frame, 3, 3, 0, Frames.quoteOf(left))).forwarded();
      assertRestored(net, error.quote(), left);
      assertThat(error.quote().ipOptions()).isEqualTo(options);
    }
  }

  /** An error whose quote is padded to its announced length and followed by extensions (RFC 4884). */
  @Requirement("N28")
  @ParameterizedTest
  @CsvSource({"false,6,11", "false,17,3", "false,17,12", "true,6,3", "true,17,1"})
  void shouldLeaveExtensionsAndPaddingAlone(boolean v6, int protocol, int type) {
    try (Network net = taken(v6)) {
      Packet left = leave(net, protocol);
      byte[] extensions = Frames.bytes(24, 5);
      byte[] padded = Arrays.copyOf(left.packet(), 128);
      ByteBuf quote = Unpooled.buffer().writeBytes(padded).writeBytes(extensions);
      byte[] bytes = new byte[quote.readableBytes()];
      quote.readBytes(bytes);
      int word = v6 ? 128 / 8 << 24 : 128 / 4 << 16;
      FrameBuilder frame = net.to(net.external(1), net.peer(ROUTER));
      Packet error = net.fromOutside(Frames.error(frame, type, 0, word, bytes)).forwarded();
      byte[] after = Arrays.copyOfRange(error.bytes, error.transport + 8, error.end());
      assertThat(error.icmpWord()).isEqualTo(word);
      assertThat(after).hasSize(bytes.length);
      assertThat(Arrays.copyOfRange(after, left.length(), after.length))
          .isEqualTo(Arrays.copyOfRange(bytes, left.length(), bytes.length));
      assertThat(error.quote().transportChecksumIsRight()).isTrue();
      assertRestored(net, error.quote(), left);
    }
  }

  @Requirement("N25")
  @Requirement("N13")
  @ParameterizedTest
  @MethodSource("errorsAboutSegments")
  void shouldNotEndAConnectionOrMappingByAnyError(boolean v6, int protocol, int type, int code) {
    boolean tcp = protocol == Packet.TCP;
    try (Network net = Network.nat(v6)) {
      int port = tcp ? net.connect(1, 5001, net.peer(1), 80) : net.udpOut(1, 5001, net.peer(1), 80).sourcePort();
      FrameBuilder data = Network.transport(net.from(1, net.peer(1)), tcp, 5001, 80, TcpHeader.ACK).numbers(1001, 5001);
      Packet left = net.fromInside(data).forwarded();
      for (int n = 0; n < 3; n++) {
        FrameBuilder frame = net.to(net.external(1), net.peer(ROUTER));
        net.fromOutside(Frames.error(frame, type, code, MTU, Frames.quoteOf(left))).forwarded();
      }
      net.afterSeconds(tcp ? 7_400 : 299);
      FrameBuilder back = net.to(net.external(1), net.peer(1));
      Packet arrived =
          net.fromOutside(Network.transport(back, tcp, 80, port, TcpHeader.ACK).numbers(5001, 1001)).forwarded();
      assertThat(arrived.to()).isEqualTo(net.inside(1) + " 5001");
    }
  }

  // ---- services ------------------------------------------------------------------------------------------------

  @Requirement("N29")
  @ParameterizedTest
  @CsvSource({"false,3,4", "false,11,0", "true,2,0", "true,1,4"})
  void shouldBringAnErrorAboutAReplyToTheServer(boolean v6, int type, int code) {
    try (Network net = Network.options(v6).service(Network.web(v6, 1)).open()) {
      net.fromOutside(net.to(net.vip(), net.peer(1)).tcp(3000, 80, TcpHeader.SYN).numbers(1000, 0)).forwarded();
      Packet reply =
          net.fromInside(net.from(1, net.peer(1)).tcp(8080, 3000, TcpHeader.SYN | TcpHeader.ACK).numbers(5000, 1001))
              .forwarded();
      assertThat(reply.from()).isEqualTo(net.vip() + " 80");
      FrameBuilder frame = net.to(net.vip(), net.peer(ROUTER));
      Packet error = net.fromOutside(Frames.error(frame, type, code, MTU, Frames.quoteOf(reply))).forwarded();
      assertThat(error.destinationMac()).isEqualTo(Network.mac(1));
      assertThat(error.source()).isEqualTo(net.peer(ROUTER));
      assertThat(error.destination()).isEqualTo(net.inside(1));
      assertThat(error.icmpWord()).isEqualTo(MTU);
      assertThat(error.quote().from()).isEqualTo(net.inside(1) + " 8080");
      assertThat(error.quote().to()).isEqualTo(net.peer(1) + " 3000");
      assertThat(error.quote().ipChecksumIsRight()).isTrue();
    }
  }

  @Requirement("N30")
  @ParameterizedTest
  @CsvSource({"false,3,3", "false,3,4", "true,1,4", "true,2,0"})
  void shouldBringAServersErrorToTheClientFromTheVirtualAddress(boolean v6, int type, int code) {
    try (Network net = Network.options(v6).service(Network.dns(v6, 1)).open()) {
      Packet request = net.fromOutside(net.to(net.vip(), net.peer(1)).udp(3000, 53).payload((byte) 1)).forwarded();
      Packet error =
          net.fromInside(Frames.error(net.from(1, net.peer(1)), type, code, MTU, Frames.quoteOf(request))).forwarded();
      assertThat(error.source()).isEqualTo(net.vip());
      assertThat(error.destination()).isEqualTo(net.peer(1));
      assertThat(error.quote().from()).isEqualTo(net.peer(1) + " 3000");
      assertThat(error.quote().to()).isEqualTo(net.vip() + " 53");
      assertThat(error.quote().ipChecksumIsRight()).isTrue();
      assertThat(net.fromOutside(net.to(net.vip(), net.peer(1)).udp(3000, 53)).forwarded().to())
          .isEqualTo(net.inside(1) + " 5353");
    }
  }
}
