package io.lb4j.gateway;

import static org.assertj.core.api.Assertions.assertThat;

import io.lb4j.frame.Verdict;
import io.lb4j.schedule.Schedulers;
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
    assertHeaderThenData(net, FIRST_BYTE, Frames.bytes(length, 1));
  }

  private static void assertHeaderThenData(Network net, int firstByte, byte[] data) {
    Network.Result first = net.fromOutside(client(net, ACK | PSH, firstByte, 5001).payload(data));
    assertHeaderThenData(first, FullNatTest.header(net, 80), firstByte, data);
  }

  private static void assertHeaderThenData(Network.Result result, byte[] header, int firstByte, byte[] data) {
    assertThat(result.verdict()).isEqualTo(Verdict.FORWARD);
    assertThat(result.sent()).hasSize(2);
    assertThat(result.sent().get(0).payload()).isEqualTo(header);
    assertThat(result.sent().get(0).sequence()).isEqualTo(firstByte);
    assertThat(result.sent().get(1).payload()).isEqualTo(data);
    assertThat(result.sent().get(1).sequence()).isEqualTo(firstByte + header.length);
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

  /** The server ignores a reset of a wrong number; the data after it would stand where the header belongs. */
  @BothFamilies
  void shouldSendTheHeaderAfterAResetThatTheServerIgnores(boolean v6) {
    try (Network net = open(v6)) {
      int port = net.fromOutside(client(net, SYN, 1000, 0)).forwarded().sourcePort();
      reply(net, port, SYN | ACK, FIRST_BYTE).forwarded();
      net.fromOutside(client(net, TcpHeader.RST, 0x777, 0)).forwarded();
      FrameBuilder wrong = client(net, ACK | PSH, FIRST_BYTE, 77).payload(new byte[40]);
      net.fromOutside(wrong).droppedSilently(Verdict.NAT_PROTOCOL);
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

  // ---- where the header belongs --------------------------------------------------------------------------------

  /** Data elsewhere than behind the SYN leaves a hole before it, which the client could fill afterwards. */
  @BothFamilies
  void shouldNotLetTheFirstSegmentChooseTheHeadersPlace(boolean v6) {
    try (Network net = open(v6)) {
      byte[] forged = FullNatTest.header(net, 80);
      int port = net.fromOutside(client(net, SYN, 1000, 0)).forwarded().sourcePort();
      reply(net, port, SYN | ACK, FIRST_BYTE).forwarded();
      int[] beside = {forged.length, 1, 1460, 8192, -8192, 1 << 30, Integer.MIN_VALUE, -1, -forged.length};
      for (int distance : beside) {
        FrameBuilder data = client(net, ACK | PSH, FIRST_BYTE + distance, 5001).payload(forged);
        net.fromOutside(data).droppedSilently(Verdict.NAT_PROTOCOL);
        net.fromOutside(client(net, ACK, FIRST_BYTE + distance, 5001)).droppedSilently(Verdict.NAT_PROTOCOL);
      }
      assertHeaderThenData(net, FIRST_BYTE, forged);
      Packet next = net.fromOutside(client(net, ACK, FIRST_BYTE + forged.length, 5001).payload(forged)).forwarded();
      assertThat(next.sequence()).isEqualTo(FIRST_BYTE + 2 * forged.length);
    }
  }

  /**
   * SYN cookies do not tell numbers that are both higher by as much from those of the handshake, should its end, or the
   * header, not have reached the server.
   */
  @BothFamilies
  void shouldRefuseAcknowledgmentsOfWhatTheServerHasNotSaid(boolean v6) {
    int header = headerLength(v6);
    try (Network net = open(v6)) {
      int port = connect(net);
      for (int more : new int[] {header, 1, -1, 8192, -8192, 1 << 30}) {
        for (int sequence : new int[] {FIRST_BYTE, FIRST_BYTE + more, FIRST_BYTE + more - header}) {
          FrameBuilder data = client(net, ACK | PSH, sequence, 5001 + more).payload(new byte[40]);
          net.fromOutside(data).droppedSilently(Verdict.NAT_PROTOCOL);
          net.fromOutside(client(net, ACK, sequence, 5001 + more)).droppedSilently(Verdict.NAT_PROTOCOL);
        }
      }
      assertHeaderThenData(net, 40);
      FrameBuilder next = client(net, ACK, FIRST_BYTE + 40, 5002).payload(new byte[40]);
      net.fromOutside(next).droppedSilently(Verdict.NAT_PROTOCOL);
      reply(net, port, SYN | ACK, FIRST_BYTE).forwarded();
      net.fromOutside(next).droppedSilently(Verdict.NAT_PROTOCOL);
      reply(net, port, ACK, FIRST_BYTE + header).forwarded();
      assertThat(net.fromOutside(next).forwarded().sequence()).isEqualTo(FIRST_BYTE + header + 40);
    }
  }

  /** The server says which of two SYNs it got; 13 bits do not tell these apart. */
  @BothFamilies
  void shouldPutTheHeaderWhereTheServersAnswerSays(boolean v6) {
    for (int second : new int[] {1000 + 8192, 1000 - 8192, 1000 + headerLength(v6), 50_000}) {
      for (int answered : new int[] {1000, second}) {
        try (Network net = open(v6)) {
          int port = net.fromOutside(client(net, SYN, 1000, 0)).forwarded().sourcePort();
          net.fromOutside(client(net, SYN, second, 0)).forwarded();
          if (answered != second) {
            net.fromOutside(client(net, SYN, answered, 0)).forwarded();
          }
          reply(net, port, SYN | ACK, answered + 1).forwarded();
          int other = answered == second ? 1001 : second + 1;
          FrameBuilder forged = client(net, ACK | PSH, other, 5001).payload(new byte[40]);
          net.fromOutside(forged).droppedSilently(Verdict.NAT_PROTOCOL);
          assertHeaderThenData(net, answered + 1, Frames.bytes(40, 2));
        }
      }
    }
  }

  /** One that the server did not believe: without it the session would seem to need no handshake any more. */
  @BothFamilies
  void shouldSendTheHeaderAfterAResetBeforeTheAnswer(boolean v6) {
    try (Network net = open(v6)) {
      int port = net.fromOutside(client(net, SYN, 1000, 0)).forwarded().sourcePort();
      net.fromOutside(client(net, TcpHeader.RST, FIRST_BYTE, 0)).forwarded();
      FrameBuilder early = client(net, ACK | PSH, FIRST_BYTE, 5001).payload(new byte[40]);
      net.fromOutside(early).droppedSilently(Verdict.NAT_PROTOCOL);
      reply(net, port, SYN | ACK, FIRST_BYTE).forwarded();
      net.fromOutside(client(net, ACK, FIRST_BYTE, 5001)).forwarded();
      assertHeaderThenData(net, 40);
    }
  }

  /** What is behind a first fragment is not seen: it could be the byte where the header belongs. */
  @BothFamilies
  void shouldRefuseFragmentsThatReachTheFirstByte(boolean v6) {
    try (Network net = open(v6)) {
      connect(net);
      byte[] nops = {1, 1, 1, 1};
      for (int before : new int[] {0, 8}) {
        FrameBuilder whole = client(net, ACK | PSH, FIRST_BYTE - before, 5001).tcpOptions(nops);
        List<ByteBuf> fragments = Frames.fragments(whole.payload(new byte[400]).build(), 77 + before, 24 + before);
        net.process(Network.OUTSIDE, fragments.get(0)).droppedSilently(Verdict.NAT_PROTOCOL);
        net.process(Network.OUTSIDE, fragments.get(1)).droppedSilently(Verdict.FRAGMENT_REFUSED);
      }
      assertHeaderThenData(net, 40);
    }
  }

  @BothFamilies
  void shouldRefuseASynWhoseDataIsInALaterFragment(boolean v6) {
    try (Network net = open(v6)) {
      byte[] nops = {1, 1, 1, 1};
      for (int known = 0; known < 2; known++) {
        FrameBuilder syn = client(net, SYN, 1000, 0).tcpOptions(nops).payload(new byte[40]);
        List<ByteBuf> fragments = Frames.fragments(syn.build(), 77 + known, 24);
        net.process(Network.OUTSIDE, fragments.get(0)).droppedSilently(Verdict.NAT_PROTOCOL);
        assertThat(net.path.sessions()).isEqualTo(known);
        net.fromOutside(client(net, SYN, 1000, 0)).forwarded();
      }
    }
  }

  /** The server may not have got that FIN: what came behind it would be the header's last bytes. */
  @BothFamilies
  void shouldRefuseDataBehindAnEndWithoutData(boolean v6) {
    try (Network net = open(v6)) {
      int port = connect(net);
      net.fromOutside(client(net, ACK | TcpHeader.FIN, FIRST_BYTE, 5001)).forwarded();
      FrameBuilder behind = client(net, ACK | PSH, FIRST_BYTE + 1, 5001).payload(new byte[headerLength(v6) - 1]);
      net.fromOutside(behind).droppedSilently(Verdict.NAT_PROTOCOL);
      reply(net, port, ACK | TcpHeader.FIN, FIRST_BYTE + 1).forwarded();
      Packet last = net.fromOutside(client(net, ACK, FIRST_BYTE + 1, 5002)).forwarded();
      assertThat(last.sequence()).isEqualTo(FIRST_BYTE + 1);
      assertHeaderThenData(net, 40);
    }
  }

  /** Where a connection that began elsewhere has its header, nobody knows here; its server may answer all the same. */
  @BothFamilies
  void shouldRefuseDataOfAConnectionThatBeganElsewhere(boolean v6) {
    VirtualServiceBuilder hashed = service(v6, Network.external(v6, 1)).scheduler(Schedulers.sourceHash());
    try (Network net = Network.options(v6).singleArm().service(hashed).open()) {
      int port = net.fromOutside(client(net, ACK, FIRST_BYTE, 5001)).forwarded().sourcePort();
      reply(net, port, ACK, FIRST_BYTE).forwarded();
      FrameBuilder data = client(net, ACK | PSH, FIRST_BYTE, 5001).payload(new byte[40]);
      net.fromOutside(data).droppedSilently(Verdict.NAT_PROTOCOL);
      net.fromOutside(client(net, SYN, 1000, 0)).forwarded();
      reply(net, port, SYN | ACK, FIRST_BYTE).forwarded();
      assertHeaderThenData(net, 40);
    }
  }

  /** A client may use one port of its own for both. */
  @BothFamilies
  void shouldKeepConnectionsToTwoServicesOfOneAddressApart(boolean v6) {
    VirtualServiceBuilder other =
        VirtualService.tcp(Network.vip(v6), 81)
            .named("other")
            .forwarding(Gateway.fullNat(Network.external(v6, 1)).withProxyProtocol())
            .realServer("s1", Network.near(v6, 1), s -> s.port(8080));
    try (Network net =
        Network.options(v6).singleArm().service(service(v6, Network.external(v6, 1))).service(other).open()) {
      connect(net);
      assertHeaderThenData(net, 40);
      byte[] data = Frames.bytes(30, 4);
      int first = FIRST_BYTE - headerLength(v6);
      int port = net.fromOutside(toOther(net, SYN, first - 1, 0)).forwarded().sourcePort();
      reply(net, port, SYN | ACK, first).forwarded();
      net.fromOutside(toOther(net, ACK, first, 5001)).forwarded();
      Network.Result result = net.fromOutside(toOther(net, ACK | PSH, first, 5001).payload(data));
      assertHeaderThenData(result, FullNatTest.header(net, 81), first, data);
      net.fromOutside(toOther(net, TcpHeader.RST, first + 30, 0)).forwarded();
      assertHeaderThenData(net, 40);
    }
  }

  private static FrameBuilder toOther(Network net, int flags, int sequence, int acknowledgment) {
    return net.to(net.vip(), net.peer(1)).tcp(3000, 81, flags).numbers(sequence, acknowledgment);
  }

  // ---- a new connection of a client that its server has forgotten ------------------------------------------------

  /** Shakes hands anew on a session that seems to be established, and sends the first data. */
  private static void assertBeginsAnew(Network net, int port, int sequence) {
    byte[] data = Frames.bytes(50, 5);
    int header = headerLength(net.v6);
    assertThat(net.fromOutside(client(net, SYN, sequence, 0)).forwarded().sequence()).isEqualTo(sequence);
    assertThat(reply(net, port, SYN | ACK, sequence + 1).forwarded().acknowledgment()).isEqualTo(sequence + 1);
    Packet ack = net.fromOutside(client(net, ACK, sequence + 1, 5001)).forwarded();
    assertThat(ack.sequence()).isEqualTo(sequence + 1);
    assertThat(reply(net, port, ACK, sequence + 1).forwarded().acknowledgment()).isEqualTo(sequence + 1);
    assertHeaderThenData(net, sequence + 1, data);
    assertThat(reply(net, port, ACK, sequence + 51 + header).forwarded().acknowledgment()).isEqualTo(sequence + 51);
    Packet next = net.fromOutside(client(net, ACK, sequence + 51, 5001).payload(data)).forwarded();
    assertThat(next.sequence()).isEqualTo(sequence + 51 + header);
  }

  @BothFamilies
  void shouldSendTheHeaderOfAConnectionThatTheServerBeginsAnew(boolean v6) {
    int header = headerLength(v6);
    for (int sequence : new int[] {50_000, 1000 + header, 1040, 1001, 1000, 999, 900, -50_000, 1000 + (1 << 31)}) {
      try (Network net = open(v6)) {
        int port = connect(net);
        assertBeginsAnew(net, port, sequence);
        assertBeginsAnew(net, port, 1000);
        reply(net, port, ACK, FIRST_BYTE + header + (1 << 30) + 1).forwarded();
        assertBeginsAnew(net, port, sequence);
        net.fromOutside(client(net, SYN, 2000, 0)).forwarded();
        reply(net, port, SYN | ACK, 2001).forwarded();
        net.fromOutside(client(net, ACK | TcpHeader.FIN, 2001, 5001)).forwarded();
        assertBeginsAnew(net, port, sequence);
      }
    }
  }

  /** A live server answers somebody's SYN with what it expects (RFC 5961, section 4). */
  @BothFamilies
  void shouldNotDisturbAConnectionByASynAlone(boolean v6) {
    int header = headerLength(v6);
    try (Network net = open(v6)) {
      int port = connect(net);
      assertHeaderThenData(net, 40);
      for (int sequence : new int[] {50_000, 1000, FIRST_BYTE + 40, -50_000}) {
        net.fromOutside(client(net, SYN, sequence, 0)).forwarded();
        Packet challenge = reply(net, port, ACK, FIRST_BYTE + 40 + header).forwarded();
        assertThat(challenge.acknowledgment()).isEqualTo(FIRST_BYTE + 40);
        Packet next = net.fromOutside(client(net, ACK, FIRST_BYTE + 40, 5001).payload(new byte[9])).forwarded();
        assertThat(next.sequence()).isEqualTo(FIRST_BYTE + 40 + header);
      }
    }
  }

  /** The server did not get the end of the handshake yet, or a copy was late. */
  @BothFamilies
  void shouldKeepTheNumbersWhenTheServerAnswersASynAgain(boolean v6) {
    int header = headerLength(v6);
    try (Network net = open(v6)) {
      int port = connect(net);
      assertHeaderThenData(net, 40);
      assertThat(reply(net, port, SYN | ACK, FIRST_BYTE).forwarded().acknowledgment()).isEqualTo(FIRST_BYTE);
      assertThat(reply(net, port, ACK, FIRST_BYTE + header + 40).forwarded().acknowledgment())
          .isEqualTo(FIRST_BYTE + 40);
      assertHeaderThenData(net, 40);
    }
  }
}
