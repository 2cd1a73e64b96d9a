package io.lb4j.dsr;

import static org.assertj.core.api.Assertions.assertThat;

import io.lb4j.address.IpAddress;
import io.lb4j.address.MacAddress;
import io.lb4j.frame.FrameMarks;
import io.lb4j.frame.Verdict;
import io.lb4j.testkit.FrameBuilder;
import io.lb4j.wire.TcpHeader;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class NeighborScenarioTest {
  static final String PEER_MAC = "02:00:00:00:00:20";

  /** A server that no configuration has a MAC address of. */
  static String peer(boolean v6) {
    return v6 ? "2001:db8:5::20" : "192.0.2.20";
  }

  private static Lan silent(boolean v6) {
    return new Lan(v6, b -> b.service(Lan.tcp(v6).realServer("s1", peer(v6))));
  }

  private static ByteBuf syn(Lan lan, int port) {
    return lan.frame(1).tcp(port, 80, TcpHeader.SYN).build();
  }

  private static ByteBuf arp(int operation, String senderMac, String sender, String targetMac, String target) {
    ByteBuf frame = Unpooled.buffer();
    boolean request = operation == 1;
    mac(frame, request ? "ff:ff:ff:ff:ff:ff" : targetMac);
    mac(frame, senderMac);
    frame.writeShort(0x0806).writeShort(1).writeShort(0x0800).writeShort(0x0604).writeShort(operation);
    mac(frame, senderMac);
    frame.writeBytes(IpAddress.of(sender).octets());
    mac(frame, request ? "00:00:00:00:00:00" : targetMac);
    return frame.writeBytes(IpAddress.of(target).octets()).writeZero(18);
  }

  private static void mac(ByteBuf to, String mac) {
    to.writeShort((int) (MacAddress.of(mac).value() >>> 32)).writeInt((int) MacAddress.of(mac).value());
  }

  static void setMac(ByteBuf frame, int at, String mac) {
    frame.setShort(at, (int) (MacAddress.of(mac).value() >>> 32)).setInt(at + 2, (int) MacAddress.of(mac).value());
  }

  /** The rest of an advertisement with the link-layer address of its target. */
  static byte[] message(int flags, String target, int option, String mac) {
    ByteBuf rest = Unpooled.buffer();
    rest.writeInt(flags).writeBytes(IpAddress.of(target).octets()).writeByte(option).writeByte(1);
    mac(rest, mac);
    byte[] bytes = new byte[rest.readableBytes()];
    rest.readBytes(bytes);
    return bytes;
  }

  /** What it answers when it is asked for. */
  static ByteBuf reply(Lan lan) {
    if (!lan.v6) {
      return arp(2, PEER_MAC, peer(false), Lan.LB_MAC, "192.0.2.5");
    }
    return FrameBuilder.from(peer(true), "2001:db8:5::5")
        .macs(Lan.LB_MAC, PEER_MAC)
        .timeToLive(255)
        .icmp(136, 0, message(0x6000_0000, peer(true), 2, PEER_MAC))
        .build();
  }

  private static List<String> requestsFor(Lan lan) {
    String target = ByteBufUtil.hexDump(IpAddress.of(peer(lan.v6)).octets());
    return lan.sent.stream()
        .filter(frame -> frame.startsWith(lan.v6 ? "86dd" : "0806", 24))
        .filter(frame -> frame.contains(target))
        .toList();
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void shouldHoldTheFirstFramesAskForTheServerAndReleaseThemInOrderAndRewritten(boolean v6) {
    try (Lan lan = silent(v6)) {
      List<String> held = new ArrayList<>();
      for (int n = 0; n < 5; n++) {
        ByteBuf frame = syn(lan, 4000 + n);
        held.add(ByteBufUtil.hexDump(frame).substring(24));
        assertThat(lan.process(frame, FrameMarks.NONE, n)).isEqualTo(Verdict.HOLD);
      }
      lan.after(0);
      assertThat(requestsFor(lan)).hasSize(1);
      assertThat(lan.balancer.statistics().held()).isEqualTo(5);
      lan.sent.clear();

      lan.process(reply(lan), FrameMarks.NONE, 99);
      lan.after(0);

      assertThat(lan.sent.stream().map(frame -> frame.substring(24))).isEqualTo(held);
      assertThat(lan.sent).allMatch(frame -> frame.startsWith((PEER_MAC + Lan.LB_MAC).replace(":", "")));
      assertThat(lan.ended).containsExactly("0 FORWARD", "1 FORWARD", "2 FORWARD", "3 FORWARD", "4 FORWARD");
      assertThat(lan.process(syn(lan, 4000), FrameMarks.NONE, 0)).isEqualTo(Verdict.FORWARD);
      assertThat(lan.stats("s1").counts().frames()).isEqualTo(6);
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void shouldAskThreeTimesAndThenEndTheHeldFramesAsUnreachable(boolean v6) {
    try (Lan lan = silent(v6)) {
      assertThat(lan.process(syn(lan, 4000), FrameMarks.NONE, 1)).isEqualTo(Verdict.HOLD);
      lan.after(0);
      for (int step = 0; step < 40; step++) {
        lan.after(100);
      }
      assertThat(requestsFor(lan)).hasSize(3);
      assertThat(lan.ended).containsExactly("1 NEIGHBOR_UNREACHABLE");
      assertThat(lan.process(syn(lan, 4001), FrameMarks.NONE, 2)).isEqualTo(Verdict.NEIGHBOR_UNREACHABLE);
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void shouldAnswerForTheVirtualAddress(boolean v6) {
    try (Lan lan = silent(v6)) {
      ByteBuf question =
          v6
              ? FrameBuilder.from("2001:db8:5::1", "ff02::1:ff00:100")
                  .macs("33:33:ff:00:01:00", Lan.ROUTER_MAC)
                  .timeToLive(255)
                  .icmp(135, 0, message(0, lan.vip(), 1, Lan.ROUTER_MAC))
                  .build()
              : arp(1, Lan.ROUTER_MAC, "192.0.2.1", Lan.ROUTER_MAC, lan.vip());
      assertThat(lan.process(question, FrameMarks.NONE, 0)).isEqualTo(Verdict.ANSWER);
      String answer = lan.path.last().egress() >= 0 ? ByteBufUtil.hexDump(question) : lan.sent.get(0);
      assertThat(answer).startsWith((Lan.ROUTER_MAC + Lan.LB_MAC).replace(":", ""));
      assertThat(answer).contains(ByteBufUtil.hexDump(IpAddress.of(lan.vip()).octets()));
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void shouldLeaveQuestionsForOthersUnanswered(boolean v6) {
    try (Lan lan = silent(v6)) {
      ByteBuf question =
          v6
              ? FrameBuilder.from("2001:db8:5::1", "ff02::1:ff00:199")
                  .macs("33:33:ff:00:01:99", Lan.ROUTER_MAC)
                  .timeToLive(255)
                  .icmp(135, 0, message(0, "2001:db8:5::199", 1, Lan.ROUTER_MAC))
                  .build()
              : arp(1, Lan.ROUTER_MAC, "192.0.2.1", Lan.ROUTER_MAC, "192.0.2.199");
      assertThat(lan.process(question, FrameMarks.NONE, 0)).isEqualTo(Verdict.PASS);
      assertThat(lan.sent).isEmpty();
    }
  }
}
