package io.lb4j.gateway;

import static org.assertj.core.api.Assertions.assertThat;

import io.lb4j.address.IpAddress;
import io.lb4j.frame.Verdict;
import io.lb4j.service.VirtualService;
import io.lb4j.service.VirtualServiceBuilder;
import io.lb4j.testkit.FrameBuilder;
import io.lb4j.wire.TcpHeader;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Servers in the virtual address's own subnet, which see the balancer as their client, and learn of the real one by the
 * PROXY protocol, version 2: a header before the first byte of each connection.
 */
class FullNatTest {
  private static final int SYN = TcpHeader.SYN;
  private static final int ACK = TcpHeader.ACK;
  private static final int PSH = TcpHeader.PSH;
  private static final int CLIENT = 0x7FFFFFF0;
  private static final int SERVER = 0xFFFFFFF0;
  private static final byte[] SIGNATURE = {0x0D, 0x0A, 0x0D, 0x0A, 0x00, 0x0D, 0x0A, 0x51, 0x55, 0x49, 0x54, 0x0A};

  private static Network open(boolean v6, boolean tcp, boolean proxyProtocol) {
    Gateway method = Gateway.fullNat(Network.external(v6, 1));
    VirtualServiceBuilder service =
        tcp ? VirtualService.tcp(Network.vip(v6), 80) : VirtualService.udp(Network.vip(v6), 80);
    return Network.options(v6)
        .singleArm()
        .sessions(2048)
        .service(
            service
                .named("web")
                .forwarding(proxyProtocol ? method.withProxyProtocol() : method)
                .realServer("s1", Network.near(v6, 1), s -> s.port(8080)))
        .open();
  }

  private static int headerLength(boolean v6) {
    return v6 ? 52 : 28;
  }

  private static FrameBuilder client(Network net, int flags, int sequence, int acknowledgment) {
    return net.to(net.vip(), net.peer(1)).tcp(3000, 80, flags).numbers(sequence, acknowledgment);
  }

  /** A segment of the server to the port that it knows its client by. */
  private static FrameBuilder server(Network net, int port, int flags, int sequence, int acknowledgment) {
    return FrameBuilder.from(Network.near(net.v6, 1), net.external(1))
        .macs(Network.OUTSIDE_MAC, Network.nearMac(1))
        .tcp(8080, port, flags)
        .numbers(sequence, acknowledgment);
  }

  /** Shakes hands; answers the port that the server knows the client by. */
  private static int connect(Network net) {
    Packet syn = net.fromOutside(client(net, SYN, CLIENT, 0)).forwarded();
    assertThat(syn.sequence()).isEqualTo(CLIENT);
    Packet synAck = net.fromOutside(server(net, syn.sourcePort(), SYN | ACK, SERVER, CLIENT + 1)).forwarded();
    assertThat(synAck.sequence()).isEqualTo(SERVER);
    assertThat(synAck.acknowledgment()).isEqualTo(CLIENT + 1);
    Packet ack = net.fromOutside(client(net, ACK, CLIENT + 1, SERVER + 1)).forwarded();
    assertThat(ack.sequence()).isEqualTo(CLIENT + 1);
    assertThat(ack.acknowledgment()).isEqualTo(SERVER + 1);
    assertThat(ack.payload()).isEmpty();
    return syn.sourcePort();
  }

  @EveryTransport
  void shouldTranslateBothAddressesInOneSubnet(boolean v6, boolean tcp) {
    try (Network net = open(v6, tcp, false)) {
      FrameBuilder request = Network.transport(net.to(net.vip(), net.peer(1)), tcp, 3000, 80, SYN);
      Packet in = net.fromOutside(request.payload(Frames.bytes(31, 1))).forwarded();
      assertThat(in.source()).isEqualTo(net.external(1));
      assertThat(in.to()).isEqualTo(Network.near(v6, 1) + " 8080");
      assertThat(in.destinationMac()).isEqualTo(Network.nearMac(1));
      assertThat(in.timeToLive()).isEqualTo(63);
      FrameBuilder reply =
          FrameBuilder.from(Network.near(v6, 1), net.external(1)).macs(Network.OUTSIDE_MAC, Network.nearMac(1));
      reply = Network.transport(reply, tcp, 8080, in.sourcePort(), SYN | ACK).payload(Frames.bytes(31, 2));
      Packet out = net.fromOutside(reply).forwarded();
      assertThat(out.from()).isEqualTo(net.vip() + " 80");
      assertThat(out.to()).isEqualTo(net.peer(1) + " 3000");
      assertThat(out.destinationMac()).isEqualTo(Network.ROUTER_MAC);
      assertThat(out.payload()).isEqualTo(Frames.bytes(31, 2));
    }
  }

  @EveryTransport
  void shouldKeepTheClientsOfAServerApart(boolean v6, boolean tcp) {
    try (Network net = open(v6, tcp, false)) {
      Set<Integer> ports = new HashSet<>();
      int[] byClient = new int[200];
      for (int n = 0; n < 200; n++) {
        FrameBuilder request = Network.transport(net.to(net.vip(), net.peer(1 + n)), tcp, 3000, 80, SYN);
        byClient[n] = net.fromOutside(request).forwarded().sourcePort();
        assertThat(ports.add(byClient[n])).isTrue();
      }
      for (int n = 0; n < 200; n++) {
        FrameBuilder reply =
            FrameBuilder.from(Network.near(v6, 1), net.external(1)).macs(Network.OUTSIDE_MAC, Network.nearMac(1));
        Packet out = net.fromOutside(Network.transport(reply, tcp, 8080, byClient[n], SYN | ACK)).forwarded();
        assertThat(out.to()).isEqualTo(net.peer(1 + n) + " 3000");
      }
    }
  }

  @EveryTransport
  void shouldRefuseAStrangerOnAPortOfASession(boolean v6, boolean tcp) {
    try (Network net = open(v6, tcp, false)) {
      FrameBuilder request = Network.transport(net.to(net.vip(), net.peer(1)), tcp, 3000, 80, SYN);
      int port = net.fromOutside(request).forwarded().sourcePort();
      FrameBuilder stranger = Network.transport(net.to(net.external(1), net.peer(2)), tcp, 8080, port, ACK);
      net.fromOutside(stranger).droppedSilently();
    }
  }

  /** What the server has to be told about the client. */
  private static byte[] header(Network net) {
    return header(net, 80);
  }

  /** What the server has to be told about the client of a port: peer 1, from port 3000. */
  static byte[] header(Network net, int servicePort) {
    byte[] from = IpAddress.of(net.peer(1)).octets();
    byte[] to = IpAddress.of(net.vip()).octets();
    ByteBuf header = Unpooled.buffer().writeBytes(SIGNATURE).writeByte(0x21).writeByte(net.v6 ? 0x21 : 0x11);
    header.writeShort(net.v6 ? 36 : 12).writeBytes(from).writeBytes(to).writeShort(3000).writeShort(servicePort);
    byte[] bytes = new byte[header.readableBytes()];
    header.readBytes(bytes);
    return bytes;
  }

  private static void assertHeaderAndData(Network net, Network.Result result, byte[] data) {
    int length = headerLength(net.v6);
    assertThat(result.verdict()).isEqualTo(Verdict.FORWARD);
    assertThat(result.sent()).hasSize(2);
    Packet header = result.sent().get(0);
    assertThat(header.payload()).isEqualTo(header(net)).hasSize(length);
    assertThat(header.sequence()).isEqualTo(CLIENT + 1);
    assertThat(header.acknowledgment()).isEqualTo(SERVER + 1);
    assertThat(header.flags() & ~PSH).isEqualTo(ACK);
    Packet first = result.sent().get(1);
    assertThat(first.payload()).isEqualTo(data);
    assertThat(first.sequence()).isEqualTo(CLIENT + 1 + length);
    assertThat(first.acknowledgment()).isEqualTo(SERVER + 1);
    for (Packet packet : List.of(header, first)) {
      assertThat(packet.from()).isEqualTo(first.from());
      assertThat(packet.source()).isEqualTo(net.external(1));
      assertThat(packet.to()).isEqualTo(Network.near(net.v6, 1) + " 8080");
      assertThat(packet.destinationMac()).isEqualTo(Network.nearMac(1));
      assertThat(packet.sourceMac()).isEqualTo(Network.OUTSIDE_MAC);
    }
  }

  @BothFamilies
  void shouldSendTheHeaderBeforeTheFirstDataAndShiftAllNumbersAfterwards(boolean v6) {
    byte[] data = Frames.bytes(33, 3);
    int header = headerLength(v6);
    try (Network net = open(v6, true, true)) {
      int port = connect(net);
      FrameBuilder first = client(net, ACK | PSH, CLIENT + 1, SERVER + 1).payload(data);
      assertHeaderAndData(net, net.fromOutside(first), data);

      Packet acknowledged =
          net.fromOutside(server(net, port, ACK, SERVER + 1, CLIENT + 1 + header + 33)).forwarded();
      assertThat(acknowledged.sequence()).isEqualTo(SERVER + 1);
      assertThat(acknowledged.acknowledgment()).isEqualTo(CLIENT + 1 + 33);
      assertThat(acknowledged.from()).isEqualTo(net.vip() + " 80");

      Packet second =
          net.fromOutside(client(net, ACK, CLIENT + 34, SERVER + 1).payload(data)).forwarded();
      assertThat(second.sequence()).isEqualTo(CLIENT + 34 + header);
      Packet reply =
          net.fromOutside(server(net, port, ACK, SERVER + 1, CLIENT + 1 + header + 66).payload(data)).forwarded();
      assertThat(reply.sequence()).isEqualTo(SERVER + 1);
      assertThat(reply.acknowledgment()).isEqualTo(CLIENT + 67);
      assertThat(reply.payload()).isEqualTo(data);
      Packet end = net.fromOutside(client(net, TcpHeader.FIN | ACK, CLIENT + 67, SERVER + 34)).forwarded();
      assertThat(end.sequence()).isEqualTo(CLIENT + 67 + header);
      assertThat(end.acknowledgment()).isEqualTo(SERVER + 34);
      Packet last = net.fromOutside(server(net, port, ACK, SERVER + 34, CLIENT + 68 + header)).forwarded();
      assertThat(last.acknowledgment()).isEqualTo(CLIENT + 68);
    }
  }

  @BothFamilies
  void shouldRepeatTheHeaderWithTheFirstData(boolean v6) {
    byte[] data = Frames.bytes(33, 3);
    try (Network net = open(v6, true, true)) {
      connect(net);
      for (int n = 0; n < 3; n++) {
        FrameBuilder first = client(net, ACK | PSH, CLIENT + 1, SERVER + 1).payload(data);
        assertHeaderAndData(net, net.fromOutside(first), data);
      }
    }
  }

  @BothFamilies
  void shouldNeverAcknowledgeToTheClientWhatItHasNotSent(boolean v6) {
    byte[] data = Frames.bytes(33, 3);
    int header = headerLength(v6);
    try (Network net = open(v6, true, true)) {
      int port = connect(net);
      net.fromOutside(client(net, ACK | PSH, CLIENT + 1, SERVER + 1).payload(data));
      for (int acknowledged : new int[] {0, 1, header - 1, header}) {
        Packet ack = net.fromOutside(server(net, port, ACK, SERVER + 1, CLIENT + 1 + acknowledged)).forwarded();
        assertThat(ack.acknowledgment()).as("of %s bytes", acknowledged).isEqualTo(CLIENT + 1);
      }
      Packet ack = net.fromOutside(server(net, port, ACK, SERVER + 1, CLIENT + 1 + header + 5)).forwarded();
      assertThat(ack.acknowledgment()).isEqualTo(CLIENT + 1 + 5);
    }
  }

  private static byte[] sack(int left, int right) {
    ByteBuf option = Unpooled.buffer().writeByte(1).writeByte(1).writeByte(5).writeByte(10);
    option.writeInt(left).writeInt(right);
    byte[] bytes = new byte[option.readableBytes()];
    option.readBytes(bytes);
    return bytes;
  }

  /** The server's blocks are in the client's numbers, which were shifted; the client's are in the server's. */
  @BothFamilies
  void shouldShiftSelectiveAcknowledgments(boolean v6) {
    byte[] data = Frames.bytes(33, 3);
    int header = headerLength(v6);
    try (Network net = open(v6, true, true)) {
      int port = connect(net);
      net.fromOutside(client(net, ACK | PSH, CLIENT + 1, SERVER + 1).payload(data));
      net.fromOutside(client(net, ACK, CLIENT + 67, SERVER + 1).payload(data)).forwarded();
      FrameBuilder gap = server(net, port, ACK, SERVER + 1, CLIENT + 34 + header);
      Packet told = net.fromOutside(gap.tcpOptions(sack(CLIENT + 67 + header, CLIENT + 100 + header))).forwarded();
      assertThat(told.acknowledgment()).isEqualTo(CLIENT + 34);
      assertThat(told.tcpOptions()).isEqualTo(sack(CLIENT + 67, CLIENT + 100));
      FrameBuilder other = client(net, ACK, CLIENT + 100, SERVER + 1);
      Packet untouched = net.fromOutside(other.tcpOptions(sack(SERVER + 50, SERVER + 90))).forwarded();
      assertThat(untouched.tcpOptions()).isEqualTo(sack(SERVER + 50, SERVER + 90));
      assertThat(untouched.sequence()).isEqualTo(CLIENT + 100 + header);
    }
  }

  @BothFamilies
  void shouldSendTheHeaderWithTheFirstByteAlone(boolean v6) {
    byte[] data = Frames.bytes(33, 3);
    int header = headerLength(v6);
    try (Network net = open(v6, true, true)) {
      connect(net);
      Network.Result later = net.fromOutside(client(net, ACK, CLIENT + 34, SERVER + 1).payload(data));
      assertThat(later.forwarded().sequence()).as("overtook the first").isEqualTo(CLIENT + 34 + header);
      assertHeaderAndData(net, net.fromOutside(client(net, ACK, CLIENT + 1, SERVER + 1).payload(data)), data);
    }
  }

  /** RFC 7323, section 3.2: where timestamps were agreed on, a segment without one may be dropped. */
  @BothFamilies
  void shouldGiveTheHeaderTheTimestampOfTheFirstData(boolean v6) {
    byte[] timestamps = {1, 1, 8, 10, 0, 0, 0, 99, 0, 0, 0, 77};
    try (Network net = open(v6, true, true)) {
      connect(net);
      FrameBuilder first = client(net, ACK, CLIENT + 1, SERVER + 1).tcpOptions(timestamps).payload((byte) 1);
      Network.Result result = net.fromOutside(first);
      assertThat(result.sent()).hasSize(2);
      assertThat(result.sent().get(0).payload()).isEqualTo(header(net));
      assertThat(result.sent().get(0).tcpOptions()).isEqualTo(timestamps);
      assertThat(result.sent().get(1).tcpOptions()).isEqualTo(timestamps);
    }
  }

  @BothFamilies
  void shouldSendTheHeaderWhenDataComesWithTheHandshake(boolean v6) {
    byte[] data = Frames.bytes(33, 3);
    try (Network net = open(v6, true, true)) {
      int port = net.fromOutside(client(net, SYN, CLIENT, 0)).forwarded().sourcePort();
      net.fromOutside(server(net, port, SYN | ACK, SERVER, CLIENT + 1)).forwarded();
      FrameBuilder first = client(net, ACK | PSH, CLIENT + 1, SERVER + 1).payload(data);
      assertHeaderAndData(net, net.fromOutside(first), data);
    }
  }

  @BothFamilies
  void shouldShiftTheNumberOfAReset(boolean v6) {
    try (Network net = open(v6, true, true)) {
      connect(net);
      net.fromOutside(client(net, ACK, CLIENT + 1, SERVER + 1).payload(new byte[33]));
      Packet reset = net.fromOutside(client(net, TcpHeader.RST, CLIENT + 34, 0)).forwarded();
      assertThat(reset.sequence()).isEqualTo(CLIENT + 34 + headerLength(v6));
    }
  }

  @Requirement("N29")
  @BothFamilies
  void shouldBringAnErrorAboutAReplyToTheServer(boolean v6) {
    try (Network net = open(v6, true, false)) {
      int port = connect(net);
      Packet reply = net.fromOutside(server(net, port, ACK, SERVER + 1, CLIENT + 1)).forwarded();
      FrameBuilder frame = net.to(net.vip(), net.peer(9));
      Packet error =
          net.fromOutside(Frames.error(frame, v6 ? 2 : 3, v6 ? 0 : 4, 1300, Frames.quoteOf(reply))).forwarded();
      assertThat(error.destinationMac()).isEqualTo(Network.nearMac(1));
      assertThat(error.destination()).isEqualTo(Network.near(v6, 1));
      assertThat(error.icmpWord()).isEqualTo(1300);
      assertThat(error.quote().from()).isEqualTo(Network.near(v6, 1) + " 8080");
      assertThat(error.quote().to()).isEqualTo(net.external(1) + " " + port);
      assertThat(error.quote().sequence()).isEqualTo(SERVER + 1);
    }
  }

  @Requirement("N14")
  @BothFamilies
  void shouldTellTheClientTheMtuInItsOwnNumbers(boolean v6) {
    try (Network net = open(v6, true, true)) {
      connect(net);
      net.fromOutside(client(net, ACK, CLIENT + 1, SERVER + 1).payload(new byte[33]));
      FrameBuilder big = client(net, ACK, CLIENT + 34, SERVER + 1).payload(new byte[1500]);
      byte[] original = Packet.of(big.build()).packet();
      Packet error = net.fromOutside(big).error(Verdict.PACKET_TOO_BIG);
      assertThat(error.destination()).isEqualTo(net.peer(1));
      assertThat(error.icmpWord()).isEqualTo(1500);
      assertThat(error.quote().to()).isEqualTo(net.vip() + " 80");
      assertThat(error.quote().sequence()).isEqualTo(CLIENT + 34);
      assertThat(error.quote().length()).isEqualTo(original.length);
    }
  }

  /** Two clients' fragments come from one address now: their identifications may be the same no more. */
  @Requirement("N36")
  @BothFamilies
  void shouldGiveFragmentsOfTwoClientsDifferentIdentifications(boolean v6) {
    byte[] data = Frames.bytes(2400, 3);
    try (Network net = open(v6, false, false)) {
      Set<Integer> identifications = new HashSet<>();
      for (int n = 1; n <= 50; n++) {
        FrameBuilder whole = net.to(net.vip(), net.peer(n)).udp(3000, 80).payload(data);
        int before = net.sent.size();
        Frames.fragments(whole.build(), 7, 1000).forEach(one -> net.process(Network.OUTSIDE, one));
        Packet packet = Frames.reassemble(net.sent.subList(before, net.sent.size()));
        assertThat(packet.payload()).isEqualTo(data);
        assertThat(identifications.add(net.sent.get(before).identification())).isTrue();
      }
    }
  }

  /** Segments without data before the header was sent keep their numbers. */
  @BothFamilies
  void shouldLetTheServerSpeakFirst(boolean v6) {
    byte[] data = Frames.bytes(20, 3);
    try (Network net = open(v6, true, true)) {
      int port = connect(net);
      Packet greeting = net.fromOutside(server(net, port, ACK, SERVER + 1, CLIENT + 1).payload(data)).forwarded();
      assertThat(greeting.acknowledgment()).isEqualTo(CLIENT + 1);
      Packet ack = net.fromOutside(client(net, ACK, CLIENT + 1, SERVER + 21)).forwarded();
      assertThat(ack.sequence()).isEqualTo(CLIENT + 1);
      Network.Result first = net.fromOutside(client(net, ACK, CLIENT + 1, SERVER + 21).payload(data));
      assertThat(first.sent()).hasSize(2);
      assertThat(first.sent().get(0).payload()).isEqualTo(header(net));
      assertThat(first.sent().get(0).acknowledgment()).isEqualTo(SERVER + 21);
    }
  }

  @ParameterizedTest
  @CsvSource({"false,1460", "true,1440"})
  void shouldSendAFullFirstSegmentAlthoughTheHeaderComesBeforeIt(boolean v6, int segment) {
    byte[] data = Frames.bytes(segment, 3);
    try (Network net = open(v6, true, true)) {
      connect(net);
      assertHeaderAndData(net, net.fromOutside(client(net, ACK, CLIENT + 1, SERVER + 1).payload(data)), data);
    }
  }

  /** An error about a shifted segment quotes what the client sent: RFC 5927 has it check the number. */
  @Requirement("N30")
  @BothFamilies
  void shouldRestoreTheSequenceNumberInAQuotedSegment(boolean v6) {
    byte[] data = Frames.bytes(33, 3);
    try (Network net = open(v6, true, true)) {
      connect(net);
      Packet sent = net.fromOutside(client(net, ACK | PSH, CLIENT + 1, SERVER + 1).payload(data)).sent().get(1);
      FrameBuilder frame =
          FrameBuilder.from(Network.near(v6, 1), net.external(1)).macs(Network.OUTSIDE_MAC, Network.nearMac(1));
      Packet error =
          net.fromOutside(Frames.error(frame, v6 ? 2 : 3, v6 ? 0 : 4, 1300, Frames.quoteOf(sent))).forwarded();
      assertThat(error.source()).isEqualTo(net.vip());
      assertThat(error.destination()).isEqualTo(net.peer(1));
      assertThat(error.quote().from()).isEqualTo(net.peer(1) + " 3000");
      assertThat(error.quote().to()).isEqualTo(net.vip() + " 80");
      assertThat(error.quote().sequence()).isEqualTo(CLIENT + 1);
    }
  }
}
