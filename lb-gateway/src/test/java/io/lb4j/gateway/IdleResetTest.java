package io.lb4j.gateway;

import static org.assertj.core.api.Assertions.assertThat;

import io.lb4j.counters.ServerCounts;
import io.lb4j.flow.FlowRecord;
import io.lb4j.flow.FlowState;
import io.lb4j.flow.FlowTimeouts;
import io.lb4j.frame.Verdict;
import io.lb4j.service.VirtualService;
import io.lb4j.service.VirtualServiceBuilder;
import io.lb4j.testkit.FrameBuilder;
import io.lb4j.wire.InternetChecksum;
import io.lb4j.wire.TcpHeader;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Both ends of a connection that was silent for too long are reset, with the numbers that they expect. */
class IdleResetTest {
  private static final int SYN = TcpHeader.SYN;
  private static final int ACK = TcpHeader.ACK;
  private static final int RST = TcpHeader.RST;
  private static final int FIN = TcpHeader.FIN;
  private static final int WINDOW_OFFSET = 14;
  private static final int PORT = 3000;
  private static final int CLIENT_ISN = 0xFFFF_FFF0;
  private static final int SERVER_ISN = 0x7FFF_FF00;
  private static final FlowTimeouts SHORT =
      new FlowTimeouts(
          Duration.ofSeconds(2), Duration.ofSeconds(10), Duration.ofSeconds(2), Duration.ofSeconds(2), Duration.ofSeconds(2));

  private static VirtualServiceBuilder service(boolean v6, Gateway method) {
    return VirtualService.tcp(Network.vip(v6), 80)
        .named("web")
        .forwarding(method)
        .timeouts(SHORT)
        .resetOnIdle(true)
        .realServer("s1", Network.inside(v6, 1), s -> s.port(8080));
  }

  private static Network open(boolean v6) {
    return Network.options(v6).service(service(v6, Gateway.create())).open();
  }

  private static Network.Result client(Network net, int flags, int sequence, int acknowledgment, int length) {
    FrameBuilder frame = net.to(net.vip(), net.peer(1)).tcp(PORT, 80, flags);
    return net.fromOutside(frame.numbers(sequence, acknowledgment).payload(new byte[length]));
  }

  private static Network.Result server(
      Network net, String to, int port, int flags, int sequence, int acknowledgment, int length) {
    FrameBuilder frame = net.from(1, to).tcp(8080, port, flags);
    return net.fromInside(frame.numbers(sequence, acknowledgment).payload(new byte[length]));
  }

  private static Network.Result server(Network net, int flags, int sequence, int acknowledgment, int length) {
    return server(net, net.peer(1), PORT, flags, sequence, acknowledgment, length);
  }

  /** Shakes hands; answers the client's port as the server knows it. */
  private static int connect(Network net, String client) {
    int port = client(net, SYN, CLIENT_ISN, 0, 0).forwarded().sourcePort();
    server(net, client, port, SYN | ACK, SERVER_ISN, CLIENT_ISN + 1, 0).forwarded();
    client(net, ACK, CLIENT_ISN + 1, SERVER_ISN + 1, 0).forwarded();
    return port;
  }

  private static void connect(Network net) {
    connect(net, net.peer(1));
  }

  private static ServerCounts counts(Network net) {
    return net.balancer.statistics().services().get(0).servers().get(0).counts();
  }

  private static List<String> frames(List<Packet> sent) {
    return sent.stream().map(packet -> packet.link + " " + ByteBufUtil.hexDump(packet.bytes)).toList();
  }

  /** A frame without a window, padded with zeros. */
  private static String frame(int link, FrameBuilder builder) {
    ByteBuf frame = builder.build();
    int tcp = frame.readableBytes() - TcpHeader.MINIMUM_LENGTH;
    int checksum = frame.getUnsignedShort(tcp + TcpHeader.CHECKSUM_OFFSET);
    int window = frame.getUnsignedShort(tcp + WINDOW_OFFSET);
    frame.setShort(tcp + WINDOW_OFFSET, 0);
    frame.setShort(tcp + TcpHeader.CHECKSUM_OFFSET, InternetChecksum.replace(checksum, window, 0));
    frame.writeZero(Math.max(0, 60 - frame.readableBytes()));
    byte[] bytes = ByteBufUtil.getBytes(frame);
    frame.release();
    return link + " " + ByteBufUtil.hexDump(bytes);
  }

  /** What the client gets, from the virtual address. */
  private static Packet toClient(List<Packet> sent) {
    return sent.stream().filter(packet -> packet.link == Network.OUTSIDE).findFirst().orElseThrow();
  }

  private static Packet toServer(List<Packet> sent) {
    return sent.stream().filter(packet -> packet.link == Network.INSIDE).findFirst().orElseThrow();
  }

  private static void assertTold(Network net, List<Packet> sent, int toClient, int toServer) {
    assertThat(sent).hasSize(2);
    for (Packet reset : sent) {
      assertThat(reset.flags()).isEqualTo(RST);
      assertThat(reset.acknowledgment()).isZero();
      assertThat(reset.payload()).isEmpty();
    }
    assertThat(toClient(sent).from()).isEqualTo(net.vip() + " 80");
    assertThat(toClient(sent).to()).isEqualTo(net.peer(1) + " " + PORT);
    assertThat(toClient(sent).sequence()).isEqualTo(toClient);
    assertThat(toServer(sent).to()).isEqualTo(net.inside(1) + " 8080");
    assertThat(toServer(sent).sequence()).isEqualTo(toServer);
    assertThat(counts(net).idleResets()).isEqualTo(1);
    assertThat(counts(net).idleUntold()).isZero();
    assertThat(net.path.sessions()).isZero();
  }

  // ---- what is sent --------------------------------------------------------------------------------------------

  @BothFamilies
  void shouldResetBothEndsByteForByte(boolean v6) {
    try (Network net = open(v6)) {
      connect(net);
      assertThat(net.afterSeconds(9)).isEmpty();
      List<Packet> sent = net.afterSeconds(4);
      FrameBuilder toClient =
          FrameBuilder.from(net.vip(), net.peer(1))
              .macs(Network.ROUTER_MAC, Network.OUTSIDE_MAC)
              .tcp(80, PORT, RST)
              .numbers(SERVER_ISN + 1, 0);
      FrameBuilder toServer =
          FrameBuilder.from(net.peer(1), net.inside(1))
              .macs(Network.mac(1), Network.INSIDE_MAC)
              .tcp(PORT, 8080, RST)
              .numbers(CLIENT_ISN + 1, 0);
      assertThat(frames(sent))
          .containsExactlyInAnyOrder(frame(Network.OUTSIDE, toClient), frame(Network.INSIDE, toServer));
      assertTold(net, sent, SERVER_ISN + 1, CLIENT_ISN + 1);
    }
  }

  /** What an end expects next is what it has acknowledged, not what the other one has sent. */
  @BothFamilies
  void shouldUseWhatWasAcknowledgedWhereDataWasLost(boolean v6) {
    try (Network net = open(v6)) {
      connect(net);
      client(net, ACK, CLIENT_ISN + 1, SERVER_ISN + 1, 100).forwarded();
      server(net, ACK, SERVER_ISN + 1, CLIENT_ISN + 101, 50).forwarded();
      client(net, ACK, CLIENT_ISN + 101, SERVER_ISN + 51, 300).forwarded();
      server(net, ACK, SERVER_ISN + 51, CLIENT_ISN + 101, 700).forwarded();
      assertTold(net, net.afterSeconds(13), SERVER_ISN + 51, CLIENT_ISN + 101);
    }
  }

  @BothFamilies
  void shouldNotGoBackForASegmentThatCameLate(boolean v6) {
    try (Network net = open(v6)) {
      connect(net);
      client(net, ACK, CLIENT_ISN + 1, SERVER_ISN + 1000, 0).forwarded();
      client(net, ACK, CLIENT_ISN + 1, SERVER_ISN + 500, 0).forwarded();
      assertTold(net, net.afterSeconds(13), SERVER_ISN + 1000, CLIENT_ISN + 1);
    }
  }

  @BothFamilies
  void shouldRecoverFromANumberThatSomebodyForged(boolean v6) {
    try (Network net = open(v6)) {
      connect(net);
      client(net, ACK, CLIENT_ISN + 1, SERVER_ISN + 0x4000_0000, 0).forwarded();
      client(net, ACK | RST, CLIENT_ISN + 77, SERVER_ISN + 9, 0).forwarded();
      client(net, ACK, CLIENT_ISN + 1, SERVER_ISN + 1, 0).forwarded();
      assertTold(net, net.afterSeconds(13), SERVER_ISN + 1, CLIENT_ISN + 1);
    }
  }

  @BothFamilies
  void shouldResetAHalfClosedConnection(boolean v6) {
    try (Network net = open(v6)) {
      connect(net);
      client(net, ACK | FIN, CLIENT_ISN + 1, SERVER_ISN + 1, 0).forwarded();
      server(net, ACK, SERVER_ISN + 1, CLIENT_ISN + 2, 0).forwarded();
      assertTold(net, net.afterSeconds(13), SERVER_ISN + 1, CLIENT_ISN + 2);
    }
  }

  @BothFamilies
  void shouldResetWhatAFrameFindsExpired(boolean v6) {
    try (Network net = open(v6)) {
      connect(net);
      net.nowNs += Duration.ofSeconds(11).toNanos();
      Network.Result late = server(net, ACK, SERVER_ISN + 1, CLIENT_ISN + 1, 10);
      assertThat(late.verdict().isDrop()).isTrue();
      assertTold(net, late.sent(), SERVER_ISN + 1, CLIENT_ISN + 1);
    }
  }

  /** The client does not believe the reset of its old connection: it acknowledges nothing of the new one. */
  @BothFamilies
  void shouldOpenAnewFromTheSamePortWhenTheOldConnectionIsFoundExpired(boolean v6) {
    try (Network net = open(v6)) {
      connect(net);
      net.nowNs += Duration.ofSeconds(11).toNanos();
      Network.Result again = client(net, SYN, 9, 0, 0);
      assertThat(again.verdict()).isEqualTo(Verdict.FORWARD);
      assertThat(again.sent()).hasSize(3);
      assertThat(again.sent().subList(0, 2)).allMatch(packet -> packet.flags() == RST);
      assertThat(again.sent().get(2).flags()).isEqualTo(SYN);
      assertThat(net.path.sessions()).isEqualTo(1);
    }
  }

  @BothFamilies
  void shouldResetTheServerFromTheAddressThatItKnows(boolean v6) {
    String source = Conversations.fullNat(v6);
    try (Network net = Network.options(v6).service(service(v6, Gateway.fullNat(source))).open()) {
      int port = connect(net, source);
      List<Packet> sent = net.afterSeconds(13);
      assertTold(net, sent, SERVER_ISN + 1, CLIENT_ISN + 1);
      assertThat(toServer(sent).from()).isEqualTo(source + " " + port);
    }
  }

  /** The server has got the header as well, so it expects a higher number than the client has sent. */
  @BothFamilies
  void shouldCountTheProxyHeader(boolean v6) {
    String source = Conversations.fullNat(v6);
    int header = v6 ? 52 : 28;
    try (Network net =
        Network.options(v6).service(service(v6, Gateway.fullNat(source).withProxyProtocol())).open()) {
      int port = connect(net, source);
      client(net, ACK, CLIENT_ISN + 1, SERVER_ISN + 1, 20);
      server(net, source, port, ACK, SERVER_ISN + 1, CLIENT_ISN + 21 + header, 0).forwarded();
      List<Packet> sent = net.afterSeconds(13);
      assertTold(net, sent, SERVER_ISN + 1, CLIENT_ISN + 21 + header);
    }
  }

  /** An inside client is behind an address of ours, in a session of its own, which is over with that. */
  @BothFamilies
  void shouldResetAnInsideClientOfAService(boolean v6) {
    try (Network net = Network.options(v6).nat(b -> b).service(service(v6, Gateway.create())).open()) {
      FrameBuilder syn = net.from(2, net.vip()).tcp(PORT, 80, SYN).numbers(CLIENT_ISN, 0);
      Packet atServer = net.fromInside(syn).forwarded();
      FrameBuilder synAck = net.from(1, atServer.source()).tcp(8080, atServer.sourcePort(), SYN | ACK);
      net.fromInside(synAck.numbers(SERVER_ISN, CLIENT_ISN + 1)).forwarded();
      net.fromInside(net.from(2, net.vip()).tcp(PORT, 80, ACK).numbers(CLIENT_ISN + 1, SERVER_ISN + 1)).forwarded();
      List<Packet> sent = net.afterSeconds(13);
      assertThat(sent).hasSize(2).allMatch(packet -> packet.link == Network.INSIDE && packet.flags() == RST);
      Packet first = sent.get(0);
      assertThat(first.from()).isEqualTo(net.vip() + " 80");
      assertThat(first.to()).isEqualTo(net.inside(2) + " " + PORT);
      assertThat(first.sequence()).isEqualTo(SERVER_ISN + 1);
      assertThat(first.destinationMac()).isEqualTo(Network.mac(2));
      assertThat(sent.get(1).to()).isEqualTo(net.inside(1) + " 8080");
      List<FlowRecord> records = SavedSessionsTest.list(net);
      assertThat(records).hasSize(1);
      assertThat(records.get(0).state()).isEqualTo(FlowState.RESET);
    }
  }

  @BothFamilies
  void shouldWaitForANextHopThatIsNotKnown(boolean v6) {
    String client = v6 ? "2001:db8:c::77" : "198.51.100.130"; // a neighbour whose MAC address nobody has told
    try (Network net = open(v6)) {
      FrameBuilder syn = FrameBuilder.from(client, net.vip()).macs(Network.OUTSIDE_MAC, "02:00:00:00:00:77");
      net.fromOutside(syn.tcp(PORT, 80, SYN).numbers(CLIENT_ISN, 0)).forwarded();
      assertThat(server(net, client, PORT, SYN | ACK, SERVER_ISN, CLIENT_ISN + 1, 0).verdict()).isEqualTo(Verdict.HOLD);
      FrameBuilder ack = FrameBuilder.from(client, net.vip()).macs(Network.OUTSIDE_MAC, "02:00:00:00:00:77");
      net.fromOutside(ack.tcp(PORT, 80, ACK).numbers(CLIENT_ISN + 1, SERVER_ISN + 1)).forwarded();
      List<Packet> sent = net.afterSeconds(13);
      assertThat(sent.stream().filter(p -> p.isIp() && p.protocol == Packet.TCP).toList())
          .as("the client's waits, and ends with the wait")
          .hasSize(1)
          .allMatch(packet -> packet.to().equals(net.inside(1) + " 8080"));
      assertThat(counts(net).idleResets()).isEqualTo(1);
    }
  }

  // ---- what is not ---------------------------------------------------------------------------------------------

  @ParameterizedTest(name = "IPv6 {0}: {1}")
  @CsvSource({
    "false,opening", "false,closed", "false,reset", "false,ended", "false,unwanted", "false,switched-off",
    "false,removed", "true,opening", "true,closed", "true,reset", "true,ended", "true,unwanted", "true,switched-off",
    "true,removed"
  })
  void shouldSendNothing(boolean v6, String when) {
    VirtualServiceBuilder service = service(v6, Gateway.create()).resetOnIdle(!when.equals("unwanted"));
    try (Network net = Network.options(v6).service(service).open()) {
      if (when.equals("opening")) {
        client(net, SYN, CLIENT_ISN, 0, 0).forwarded();
        server(net, SYN | ACK, SERVER_ISN, CLIENT_ISN + 1, 0).forwarded();
      } else {
        connect(net);
      }
      switch (when) {
        case "closed" -> {
          client(net, ACK | FIN, CLIENT_ISN + 1, SERVER_ISN + 1, 0).forwarded();
          server(net, ACK | FIN, SERVER_ISN + 1, CLIENT_ISN + 2, 0).forwarded();
        }
        case "reset" -> client(net, RST, CLIENT_ISN + 1, 0, 0).forwarded();
        case "ended" -> assertThat(net.path.translator().end(SavedSessionsTest.list(net).get(0))).isTrue();
        case "switched-off" ->
            net.balancer.replaceService(service(v6, Gateway.create()).resetOnIdle(false).build());
        case "removed" -> net.balancer.service("web").removeRealServer("s1");
        default -> {}
      }
      assertThat(net.afterSeconds(30)).isEmpty();
      assertThat(net.path.sessions()).isZero();
      if (!when.equals("removed")) {
        assertThat(counts(net).idleResets()).isZero();
        assertThat(counts(net).idleUntold()).isZero();
      }
    }
  }

  /** A saved state has no room for whole numbers: until both ends have spoken again there is none to send. */
  @BothFamilies
  void shouldCountAConnectionWhoseNumbersAreNotKnown(boolean v6) {
    FlowRecord record;
    try (Network net = open(v6)) {
      connect(net);
      record = SavedSessionsTest.list(net).get(0);
    }
    try (Network net = open(v6)) {
      assertThat(net.path.translator().restore(record)).isTrue();
      client(net, ACK, CLIENT_ISN + 1, SERVER_ISN + 1, 0).forwarded();
      assertThat(net.afterSeconds(13)).isEmpty();
      assertThat(counts(net).idleUntold()).isEqualTo(1);
      assertThat(counts(net).idleResets()).isZero();
      assertThat(net.path.translator().restore(record)).isTrue();
      client(net, ACK, CLIENT_ISN + 1, SERVER_ISN + 1, 0).forwarded();
      server(net, ACK, SERVER_ISN + 1, CLIENT_ISN + 1, 0).forwarded();
      assertNumbers(net.afterSeconds(13));
    }
  }

  private static void assertNumbers(List<Packet> sent) {
    assertThat(sent).hasSize(2);
    assertThat(toClient(sent).sequence()).isEqualTo(SERVER_ISN + 1);
    assertThat(toServer(sent).sequence()).isEqualTo(CLIENT_ISN + 1);
  }

  /** Numbers move with the entries of the table, and a new session does not inherit those of an old one. */
  @BothFamilies
  void shouldKeepEachConnectionsOwnNumbersHoweverTheTableChanges(boolean v6) {
    int connections = 400;
    try (Network net = Network.options(v6).sessions(512).service(service(v6, Gateway.create())).open()) {
      for (int round = 0; round < 3; round++) {
        for (int n = 0; n < connections; n++) {
          int isn = 1 + n * 1_000_003 + round;
          FrameBuilder syn = net.to(net.vip(), net.peer(1)).tcp(4000 + n, 80, SYN);
          net.fromOutside(syn.numbers(isn, 0)).forwarded();
          FrameBuilder synAck = net.from(1, net.peer(1)).tcp(8080, 4000 + n, SYN | ACK);
          net.fromInside(synAck.numbers(-isn, isn + 1)).forwarded();
          FrameBuilder ack = net.to(net.vip(), net.peer(1)).tcp(4000 + n, 80, ACK);
          net.fromOutside(ack.numbers(isn + 1, -isn + 1)).forwarded();
          if (n % 3 == 0) {
            FrameBuilder reset = net.to(net.vip(), net.peer(1)).tcp(4000 + n, 80, RST);
            net.fromOutside(reset.numbers(isn + 1, 0)).forwarded();
          }
          if (n % 50 == 0) {
            net.after(Duration.ofMillis(300));
          }
        }
        List<Packet> sent = net.afterSeconds(13);
        assertThat(sent).hasSize(2 * (connections - (connections + 2) / 3));
        for (Packet reset : sent) {
          boolean toClient = reset.link == Network.OUTSIDE;
          int n = (toClient ? reset.destinationPort() : reset.sourcePort()) - 4000;
          int isn = 1 + n * 1_000_003 + round;
          assertThat(n % 3).isNotZero();
          assertThat(reset.sequence()).isEqualTo(toClient ? -isn + 1 : isn + 1);
        }
      }
    }
  }

  /** After a standstill of the clock's reader, so many connections may end at once that frames would wait for them. */
  @BothFamilies
  void shouldTellABoundedNumberOfConnectionsInOneBurst(boolean v6) {
    int connections = 1500;
    try (Network net = Network.options(v6).sessions(4096).service(service(v6, Gateway.create())).open()) {
      for (int n = 0; n < connections; n++) {
        net.fromOutside(net.to(net.vip(), net.peer(1)).tcp(4000 + n, 80, SYN).numbers(1, 0)).forwarded();
        net.fromInside(net.from(1, net.peer(1)).tcp(8080, 4000 + n, SYN | ACK).numbers(7, 2)).forwarded();
        net.fromOutside(net.to(net.vip(), net.peer(1)).tcp(4000 + n, 80, ACK).numbers(2, 8)).forwarded();
      }
      net.nowNs += Duration.ofHours(1).toNanos();
      assertThat(net.after(Duration.ZERO)).hasSize(2 * 1024);
      assertThat(counts(net).idleResets()).isEqualTo(1024);
      assertThat(counts(net).idleUntold()).isEqualTo(connections - 1024);
      assertThat(net.path.sessions()).isZero();
      assertThat(net.balancer.statistics().originated()).isEqualTo(2048);
    }
  }
}
