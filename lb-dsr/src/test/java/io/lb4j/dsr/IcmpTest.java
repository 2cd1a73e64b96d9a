package io.lb4j.dsr;

import static org.assertj.core.api.Assertions.assertThat;

import io.lb4j.frame.FrameMarks;
import io.lb4j.frame.Verdict;
import io.lb4j.schedule.Schedulers;
import io.lb4j.service.EchoPolicy;
import io.lb4j.service.UnservedPolicy;
import io.lb4j.testkit.FrameBuilder;
import io.lb4j.wire.InternetChecksum;
import io.lb4j.wire.Ipv4Header;
import io.lb4j.wire.TcpHeader;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class IcmpTest {
  private static final int IP = 14;
  private static final String ROUTER4 = "203.0.113.9";
  private static final String ROUTER6 = "2001:db8:f::9";

  private static Lan web(boolean v6, boolean maglev) {
    return new Lan(
        v6,
        b ->
            b.service(
                Lan.withServers(
                    Lan.tcp(v6).scheduler(maglev ? Schedulers.maglev() : Schedulers.roundRobin()), v6, 3)));
  }

  private static FrameBuilder echo(Lan lan, int client, int... vlans) {
    return lan.frame(client).vlan(vlans).icmp(lan.v6 ? 128 : 8, 0, new byte[] {1, 2, 3, 4, 5, 6, 7});
  }

  private static int icmpAt(boolean v6, int network) {
    return network + (v6 ? 40 : 20);
  }

  private static void assertChecksumsRight(ByteBuf frame, boolean v6, int network) {
    int icmp = icmpAt(v6, network);
    int length =
        v6 ? frame.getUnsignedShort(network + 4) : frame.getUnsignedShort(network + 2) - Ipv4Header.MINIMUM_LENGTH;
    long pseudo = v6 ? InternetChecksum.pseudoHeader6(frame, network, 58, length) : 0;
    assertThat(InternetChecksum.fold(InternetChecksum.sum(frame, icmp, length, pseudo))).isEqualTo(0xFFFF);
    if (!v6) {
      assertThat(InternetChecksum.fold(InternetChecksum.sum(frame, network, 20, 0))).isEqualTo(0xFFFF);
    }
  }

  private static String addresses(ByteBuf frame, boolean v6, int network) {
    return v6 ? ByteBufUtil.hexDump(frame, network + 8, 32) : ByteBufUtil.hexDump(frame, network + 12, 8);
  }

  private static String swapped(String addresses) {
    int half = addresses.length() / 2;
    return addresses.substring(half) + addresses.substring(0, half);
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void shouldNotAnswerAGroupMacOrTheUnspecifiedAddress(boolean v6) {
    try (Lan lan = web(v6, false)) {
      FrameBuilder fromGroup = echo(lan, 1).macs(Lan.LB_MAC, "ff:ff:ff:ff:ff:ff");
      assertThat(lan.process(fromGroup)).isEqualTo(Verdict.SOURCE_MAC_GROUP);
      FrameBuilder fromNobody =
          FrameBuilder.from(v6 ? "::" : "0.0.0.0", lan.vip())
              .macs(Lan.LB_MAC, Lan.ROUTER_MAC)
              .icmp(v6 ? 128 : 8, 0, new byte[] {1, 2, 3, 4});
      assertThat(lan.process(fromNobody)).isEqualTo(Verdict.SOURCE_ADDRESS);
      assertThat(lan.sent).isEmpty();
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void shouldSendNoErrorAboutAFragmentOfIcmp(boolean v6) {
    try (Lan lan =
        new Lan(v6, b -> b.unserved(UnservedPolicy.REJECT).service(Lan.withServers(Lan.tcp(v6), v6, 1)))) {
      FrameBuilder first =
          lan.frame(1).icmp(v6 ? 1 : 3, 0, new byte[12]).fragment(7, 0, true);
      assertThat(lan.process(first)).isEqualTo(Verdict.PROTOCOL_NOT_SERVED);
      assertThat(lan.sent).isEmpty();
    }
  }

  @ParameterizedTest
  @CsvSource({"false,0", "true,0", "false,2", "true,2"})
  void shouldAnswerAnEchoInPlaceWithRightChecksums(boolean v6, int tags) {
    try (Lan lan = web(v6, false)) {
      ByteBuf frame = echo(lan, 1, tags == 0 ? new int[0] : new int[] {10, 20}).build();
      int network = IP + 4 * tags;
      String before = addresses(frame, v6, network);
      String data = ByteBufUtil.hexDump(frame, icmpAt(v6, network) + 4, 7);
      int length = frame.readableBytes();

      assertThat(lan.process(frame, FrameMarks.NONE, 0)).isEqualTo(Verdict.ANSWER);

      assertThat(lan.path.last().egress()).isZero();
      assertThat(frame.readableBytes()).isEqualTo(length);
      assertThat(ByteBufUtil.hexDump(frame, 0, 12)).isEqualTo((Lan.ROUTER_MAC + Lan.LB_MAC).replace(":", ""));
      assertThat(addresses(frame, v6, network)).isEqualTo(swapped(before));
      assertThat(frame.getUnsignedByte(icmpAt(v6, network))).isEqualTo((short) (v6 ? 129 : 0));
      assertThat(ByteBufUtil.hexDump(frame, icmpAt(v6, network) + 4, 7)).isEqualTo(data);
      assertChecksumsRight(frame, v6, network);
      assertThat(lan.sent).isEmpty();
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void shouldForwardEchoesOfAClientToOneServerOrDropThemAsThePolicySays(boolean v6) {
    try (Lan lan =
        new Lan(v6, b -> b.echo(EchoPolicy.FORWARD).service(Lan.withServers(Lan.tcp(v6), v6, 3)))) {
      for (int client = 1; client < 30; client++) {
        String server = lan.serverOf(echo(lan, client));
        assertThat(lan.serverOf(echo(lan, client))).isEqualTo(server);
      }
    }
    try (Lan lan = new Lan(v6, b -> b.echo(EchoPolicy.DROP).service(Lan.withServers(Lan.tcp(v6), v6, 3)))) {
      assertThat(lan.process(echo(lan, 1))).isEqualTo(Verdict.ECHO_REFUSED);
    }
  }

  /** What a router sends to the virtual address about a frame that a server sent to the client. */
  private static ByteBuf error(Lan lan, int type, int code, int port) {
    ByteBuf reply = FrameBuilder.from(lan.vip(), lan.client(1)).tcp(80, port, TcpHeader.ACK).build();
    int quoted = lan.v6 ? reply.readableBytes() - IP : 28;
    ByteBuf rest = Unpooled.buffer().writeInt(1400).writeBytes(reply, IP, quoted);
    byte[] bytes = new byte[rest.readableBytes()];
    rest.readBytes(bytes);
    return FrameBuilder.from(lan.v6 ? ROUTER6 : ROUTER4, lan.vip())
        .macs(Lan.LB_MAC, Lan.ROUTER_MAC)
        .icmp(type, code, bytes)
        .build();
  }

  @ParameterizedTest
  @CsvSource({
    "false,3,1", "false,3,3", "false,3,4", "false,11,0", "false,12,0", "true,1,0", "true,1,4", "true,2,0", "true,3,0",
    "true,4,0"
  })
  void shouldSendAnErrorToTheServerOfTheFlowUnchanged(boolean v6, int type, int code) {
    try (Lan lan = web(v6, false)) {
      for (int port = 4000; port < 4030; port++) {
        String server = lan.serverOf(lan.frame(1).tcp(port, 80, TcpHeader.SYN));
        ByteBuf frame = error(lan, type, code, port);
        String before = ByteBufUtil.hexDump(frame).substring(24);
        assertThat(lan.process(frame, FrameMarks.NONE, 0)).isEqualTo(Verdict.FORWARD);
        assertThat(lan.lastServer()).isEqualTo(server);
        assertThat(ByteBufUtil.hexDump(frame).substring(24)).isEqualTo(before);
      }
    }
  }

  @ParameterizedTest
  @CsvSource({"false,3,4", "true,2,0"})
  void shouldFindTheServerOfAnUnknownFlowByItsHash(boolean v6, int type, int code) {
    try (Lan known = web(v6, true);
        Lan stranger = web(v6, true)) {
      for (int port = 4000; port < 4100; port++) {
        String server = known.serverOf(known.frame(1).tcp(port, 80, TcpHeader.SYN));
        assertThat(stranger.process(error(stranger, type, code, port), FrameMarks.NONE, 0)).isEqualTo(Verdict.FORWARD);
        assertThat(stranger.lastServer()).isEqualTo(server);
      }
      assertThat(stranger.balancer.statistics().flowTable().size()).as("an error makes no flow").isZero();
    }
  }

  @ParameterizedTest
  @CsvSource({"false,3,4", "true,2,0"})
  void shouldReachTheServersOfTenThousandFlows(boolean v6, int type, int code) {
    try (Lan lan =
        new Lan(
            v6,
            b ->
                b.flowTable(65_536)
                    .service(Lan.withServers(Lan.tcp(v6).scheduler(Schedulers.roundRobin()), v6, 3)))) {
      String[] servers = new String[10_000];
      for (int n = 0; n < servers.length; n++) {
        servers[n] = lan.serverOf(lan.frame(1).tcp(10_000 + n, 80, TcpHeader.SYN));
        lan.serverOf(lan.frame(1).tcp(10_000 + n, 80, TcpHeader.ACK).numbers(2, 9));
      }
      for (int n = 0; n < servers.length; n++) {
        assertThat(lan.process(error(lan, type, code, 10_000 + n), FrameMarks.NONE, 0)).isEqualTo(Verdict.FORWARD);
        assertThat(lan.lastServer()).isEqualTo(servers[n]);
      }
    }
  }

  private static Lan rejecting(boolean v6) {
    return new Lan(v6, b -> b.unserved(UnservedPolicy.REJECT).service(Lan.withServers(Lan.tcp(v6), v6, 1)));
  }

  @ParameterizedTest
  @CsvSource({
    "false,6,3,3,0", "true,6,1,4,0", "false,17,3,3,0", "true,17,1,4,0", "false,47,3,2,0", "true,47,4,1,0",
    "false,6,3,3,2", "true,6,1,4,2", "false,17,3,3,1", "true,17,1,4,1"
  })
  void shouldRejectWithAValidErrorThatQuotesThePacket(boolean v6, int protocol, int type, int code, int tags) {
    try (Lan lan = rejecting(v6)) {
      int[] vlans = tags == 0 ? new int[0] : tags == 1 ? new int[] {10} : new int[] {10, 20};
      FrameBuilder unserved = lan.frame(1).vlan(vlans).payload(new byte[40]).timeToLive(33);
      unserved =
          protocol == 6
              ? unserved.tcp(4000, 9999, TcpHeader.SYN)
              : protocol == 17 ? unserved.udp(4000, 9999) : unserved.protocol(protocol);
      ByteBuf frame = unserved.build();
      int network = IP + 4 * tags;
      String packet = ByteBufUtil.hexDump(frame, network, frame.readableBytes() - network);

      assertThat(lan.process(frame, FrameMarks.NONE, 0)).isEqualTo(Verdict.ANSWER);

      assertThat(lan.sent).hasSize(1);
      ByteBuf error = Unpooled.wrappedBuffer(ByteBufUtil.decodeHexDump(lan.sent.get(0)));
      int icmp = icmpAt(v6, network);
      assertThat(ByteBufUtil.hexDump(error, 0, 12)).isEqualTo((Lan.ROUTER_MAC + Lan.LB_MAC).replace(":", ""));
      assertThat(ByteBufUtil.hexDump(error, 12, network - 12)).isEqualTo(ByteBufUtil.hexDump(frame, 12, network - 12));
      assertThat(error.getUnsignedByte(icmp)).isEqualTo((short) type);
      assertThat(error.getUnsignedByte(icmp + 1)).isEqualTo((short) code);
      assertThat(ByteBufUtil.hexDump(error, icmp + 8, packet.length() / 2)).isEqualTo(packet);
      assertThat(addresses(error, v6, network)).isEqualTo(swapped(addresses(frame, v6, network)));
      if (type == 4) {
        assertThat(error.getInt(icmp + 4)).as("points at the next header").isEqualTo(6);
      }
      assertChecksumsRight(error, v6, network);
    }
  }

  @ParameterizedTest
  @CsvSource({"false,576", "true,1280"})
  void shouldQuoteNoMoreThanAnErrorMayCarry(boolean v6, int longest) {
    try (Lan lan = rejecting(v6)) {
      lan.process(lan.frame(1).udp(4000, 9999).payload(new byte[1400]));
      ByteBuf error = Unpooled.wrappedBuffer(ByteBufUtil.decodeHexDump(lan.sent.get(0)));
      assertThat(error.readableBytes()).isEqualTo(IP + longest);
      assertChecksumsRight(error, v6, IP);
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void shouldSendFiftyErrorsAtOnceAndAThousandPerSecond(boolean v6) {
    try (Lan lan = rejecting(v6)) {
      int answered = 0;
      for (int n = 0; n < 1_000; n++) {
        answered += lan.process(lan.frame(1).udp(4000, 9999)) == Verdict.ANSWER ? 1 : 0;
      }
      assertThat(answered).isEqualTo(50);
      assertThat(lan.balancer.statistics().count(Verdict.NO_SERVICE)).isEqualTo(950);
      for (int n = 0; n < 10_000; n++) {
        lan.nowNs += 100_000;
        answered += lan.process(lan.frame(1).udp(4000, 9999)) == Verdict.ANSWER ? 1 : 0;
      }
      assertThat(answered).isEqualTo(1_050);
      assertThat(lan.sent).hasSize(1_050);
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void shouldNeverAnswerAnErrorWithAnError(boolean v6) {
    try (Lan lan = rejecting(v6)) {
      Verdict verdict = lan.process(error(lan, v6 ? 1 : 3, v6 ? 4 : 3, 4444), FrameMarks.NONE, 0);
      assertThat(verdict).isEqualTo(Verdict.ICMP_NO_FLOW);
      assertThat(lan.sent).isEmpty();
    }
  }
}
