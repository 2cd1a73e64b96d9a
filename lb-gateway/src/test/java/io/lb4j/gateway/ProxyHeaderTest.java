package io.lb4j.gateway;

import static org.assertj.core.api.Assertions.assertThat;

import io.lb4j.frame.Verdict;
import io.lb4j.service.VirtualService;
import io.lb4j.service.VirtualServiceBuilder;
import io.lb4j.testkit.FrameBuilder;
import io.lb4j.wire.TcpHeader;
import io.netty.buffer.ByteBuf;
import java.util.List;

/** A client cannot put bytes of its own where the server expects the header, and the header comes once. */
class ProxyHeaderTest {
  private static final int SYN = TcpHeader.SYN;
  private static final int ACK = TcpHeader.ACK;
  private static final int PSH = TcpHeader.PSH;
  private static final int FIRST_BYTE = 1001;

  private static VirtualServiceBuilder service(boolean v6, String source) {
    return VirtualService.tcp(Network.vip(v6), 80)
        .named("web")
        .forwarding(Gateway.fullNat(source).withProxyProtocol())
        .realServer("s1", Network.near(v6, 1), s -> s.port(8080));
  }

  private static Network open(boolean v6) {
    return Network.options(v6).singleArm().service(service(v6, Network.external(v6, 1))).open();
  }

  private static int headerLength(boolean v6) {
    return v6 ? 52 : 28;
  }

  private static FrameBuilder client(Network net, int flags, int sequence, int acknowledgment) {
    return net.to(net.vip(), net.peer(1)).tcp(3000, 80, flags).numbers(sequence, acknowledgment);
  }

  private static FrameBuilder server(Network net, String to, int port, int flags, int acknowledgment) {
    return FrameBuilder.from(Network.near(net.v6, 1), to)
        .macs(Network.OUTSIDE_MAC, Network.nearMac(1))
        .tcp(8080, port, flags)
        .numbers((flags & SYN) != 0 ? 5000 : 5001, acknowledgment);
  }

  private static Network.Result reply(Network net, int port, int flags, int acknowledgment) {
    return net.fromOutside(server(net, net.external(1), port, flags, acknowledgment));
  }

  /** Shakes hands; answers the port that the server knows the client by. */
  private static int connect(Network net) {
    int port = net.fromOutside(client(net, SYN, 1000, 0)).forwarded().sourcePort();
    reply(net, port, SYN | ACK, FIRST_BYTE).forwarded();
    net.fromOutside(client(net, ACK, FIRST_BYTE, 5001)).forwarded();
    return port;
  }

  private static void assertHeaderThenData(Network net, int length) {
    Network.Result first = net.fromOutside(client(net, ACK | PSH, FIRST_BYTE, 5001).payload(new byte[length]));
    assertThat(first.verdict()).isEqualTo(Verdict.FORWARD);
    assertThat(first.sent()).hasSize(2);
    int header = headerLength(net.v6);
    assertThat(first.sent().get(0).payload()).hasSize(header).startsWith(0x0D, 0x0A, 0x0D, 0x0A, 0x00, 0x0D);
    assertThat(first.sent().get(0).sequence()).isEqualTo(FIRST_BYTE);
    assertThat(first.sent().get(1).payload()).hasSize(length);
    assertThat(first.sent().get(1).sequence()).isEqualTo(FIRST_BYTE + header);
  }

  /** The server would drop the byte that it knows and take the rest as the stream's beginning. */
  @BothFamilies
  void shouldRefuseDataThatBeginsBeforeTheFirstByte(boolean v6) {
    try (Network net = open(v6)) {
      connect(net);
      for (int before = 1; before <= 39; before += 19) {
        FrameBuilder early = client(net, ACK | PSH, FIRST_BYTE - before, 5001);
        net.fromOutside(early.payload(new byte[40])).droppedSilently(Verdict.NAT_PROTOCOL);
      }
      assertHeaderThenData(net, 40);
    }
  }

  /** A keep-alive repeats the byte before the next one, and brings no data that counts (RFC 9293, section 3.8.4). */
  @BothFamilies
  void shouldLetAKeepAliveBeforeTheFirstDataPass(boolean v6) {
    try (Network net = open(v6)) {
      connect(net);
      FrameBuilder keepAlive = client(net, ACK, FIRST_BYTE - 1, 5001).payload((byte) 0);
      assertThat(net.fromOutside(keepAlive).forwarded().sequence()).isEqualTo(FIRST_BYTE - 1);
      assertHeaderThenData(net, 40);
    }
  }

  @BothFamilies
  void shouldSendTheHeaderThoughASecondSynNamedOtherNumbers(boolean v6) {
    try (Network net = open(v6)) {
      connect(net);
      net.fromOutside(client(net, SYN, 50_000, 0));
      assertHeaderThenData(net, 40);
    }
  }

  @BothFamilies
  void shouldRefuseDataThatComesWithTheSyn(boolean v6) {
    try (Network net = open(v6)) {
      net.fromOutside(client(net, SYN, 1000, 0).payload(new byte[40])).droppedSilently(Verdict.NAT_PROTOCOL);
      assertThat(net.path.sessions()).isZero();
      connect(net);
      assertHeaderThenData(net, 40);
    }
  }

  /** The header would have to go between fragments; the client sends the first data again, whole or not. */
  @BothFamilies
  void shouldRefuseTheFirstDataAsAFragment(boolean v6) {
    try (Network net = open(v6)) {
      connect(net);
      ByteBuf whole = client(net, ACK | PSH, FIRST_BYTE, 5001).payload(new byte[400]).build();
      List<ByteBuf> fragments = Frames.fragments(whole, 77, 200);
      net.process(Network.OUTSIDE, fragments.get(0)).droppedSilently(Verdict.NAT_PROTOCOL);
      net.process(Network.OUTSIDE, fragments.get(1)).droppedSilently(Verdict.FRAGMENT_REFUSED);
      assertHeaderThenData(net, 400);
    }
  }

  /** Sequence numbers come round after 4 GiB; from 2 GiB on, what is behind looks as if it were ahead. */
  @BothFamilies
  void shouldMoveAllNumbersHoweverMuchWasSent(boolean v6) {
    int header = headerLength(v6);
    try (Network net = open(v6)) {
      int port = connect(net);
      assertHeaderThenData(net, 40);
      int acknowledged = FIRST_BYTE + header + (1 << 30) + 1;
      assertThat(reply(net, port, ACK, acknowledged).forwarded().acknowledgment())
          .isEqualTo(acknowledged - header);
      int[] beyond = {1 << 30, Integer.MAX_VALUE - 100, Integer.MAX_VALUE, Integer.MIN_VALUE, -1, 0, 1, header};
      for (int sent : beyond) {
        FrameBuilder frame = client(net, ACK, FIRST_BYTE + sent, 5001).payload(new byte[10]);
        Packet packet = net.fromOutside(frame).forwarded();
        assertThat(packet.sequence()).as("after %s bytes", sent).isEqualTo(FIRST_BYTE + sent + header);
        assertThat(packet.payload()).hasSize(10);
        int all = FIRST_BYTE + sent + 10;
        assertThat(reply(net, port, ACK, all + header).forwarded().acknowledgment()).isEqualTo(all);
      }
    }
  }

  /** An inside client's request goes out translated first; the server's reply goes back both ways. */
  @BothFamilies
  void shouldBringTheReplyOfAServerToAnInsideClient(boolean v6) {
    String source = Network.external(v6, 2);
    try (Network net = Network.options(v6).nat(b -> b).service(service(v6, source)).open()) {
      Packet syn = net.fromInside(net.from(3, net.vip()).tcp(6003, 80, SYN).numbers(1000, 0)).forwarded();
      assertThat(syn.source()).isEqualTo(source);
      FrameBuilder synAck = server(net, source, syn.sourcePort(), SYN | ACK, FIRST_BYTE);
      Packet back = net.fromOutside(synAck).forwarded();
      assertThat(back.from()).isEqualTo(net.vip() + " 80");
      assertThat(back.to()).isEqualTo(net.inside(3) + " 6003");
    }
  }
}
