package io.lb4j.dsr;

import static org.assertj.core.api.Assertions.assertThat;

import io.lb4j.core.LoadBalancer;
import io.lb4j.dataplane.DataPath;
import io.lb4j.frame.FrameBatch;
import io.lb4j.frame.FrameMarks;
import io.lb4j.frame.Verdict;
import io.lb4j.neighbor.AnnouncementSettings;
import io.lb4j.service.VirtualService;
import io.lb4j.testkit.FrameBuilder;
import io.lb4j.wire.TcpHeader;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Servers behind an interface that takes shorter packets than that of the clients: who sends longer ones is told. */
class NarrowServersTest {
  private static final String CLIENTS_MAC = "02:00:00:00:00:05";
  private static final String SERVERS_MAC = "02:00:00:00:00:06";
  private static final int WIDE = 1500;
  private static final int NARROW = 1400;
  private static final int MOST_TOLD = 50; // at once

  private final List<String> sent = new ArrayList<>();
  private LoadBalancer balancer;
  private DataPath path;
  private boolean v6;
  private long nowNs = 1_000_000_000L;

  private void open(boolean family, int clientsMtu, int serversMtu) {
    v6 = family;
    String vip = v6 ? "2001:db8:5::100" : "192.0.2.100";
    balancer = LoadBalancer.builder()
        .networkInterface("eth0", i -> i.mac(CLIENTS_MAC).mtu(clientsMtu).address("198.51.100.5/24", "2001:db8:c::5/64"))
        .networkInterface("eth1", i -> i.mac(SERVERS_MAC).mtu(serversMtu).address("192.0.2.5/24", "2001:db8:5::5/64"))
        .neighbor(Lan.server(v6, 1), Lan.mac(1))
        .announcements(AnnouncementSettings.off())
        .flowTable(1024)
        .seed(7)
        .clock(() -> nowNs)
        .service(Lan.withServers(Lan.tcp(v6), v6, 1))
        .service(Lan.withServers(
            VirtualService.udp(vip, 53).named("dns").forwarding(DirectServerReturn.create()), v6, 1))
        .build();
    path = balancer.dataPath();
  }

  @AfterEach
  void close() {
    assertThat(balancer.statistics().holds()).isTrue();
    balancer.close();
  }

  private boolean transmit(int link, ByteBuf frame, long marks) {
    sent.add(link + " " + ByteBufUtil.hexDump(frame));
    frame.release();
    return true;
  }

  private FrameBuilder frame(boolean tcp, int flags) {
    FrameBuilder frame = v6
        ? FrameBuilder.from("2001:db8:c::7", "2001:db8:5::100")
        : FrameBuilder.from("198.51.100.7", "192.0.2.100");
    frame.macs(CLIENTS_MAC, Lan.ROUTER_MAC);
    return tcp ? frame.tcp(4000, 80, flags).numbers(flags == TcpHeader.SYN ? 1 : 2, 9) : frame.udp(4000, 53);
  }

  /** A packet of so many bytes, with headers, of a flow that is known. */
  private FrameBuilder packet(boolean tcp, int length) {
    byte[] payload = new byte[length - (v6 ? 40 : 20) - (tcp ? 20 : 8)];
    Arrays.fill(payload, (byte) 0xF1);
    return frame(tcp, TcpHeader.ACK).payload(payload);
  }

  private void begin(boolean tcp) {
    assertThat(process(frame(tcp, TcpHeader.SYN), FrameMarks.NONE)).isEqualTo(Verdict.FORWARD);
    assertThat(path.last().egress()).isOne();
  }

  private Verdict process(FrameBuilder frame, long marks) {
    return path.process(0, frame.build(), marks, 0, nowNs, this::transmit);
  }

  private Verdict processInABatch(FrameBuilder frame) {
    FrameBatch batch = new FrameBatch();
    ByteBuf bytes = frame.build();
    batch.add(bytes, 0, bytes.readableBytes(), FrameMarks.NONE, 0);
    path.process(batch, nowNs, this::transmit);
    return batch.get(0).verdict();
  }

  /** From the interface's own address, with the packet's beginning: 576 bytes at most, or 1,280. */
  private String told(FrameBuilder about, int mtu) {
    ByteBuf frame = about.build();
    int headers = v6 ? 48 : 28;
    int quoted = Math.min(frame.readableBytes() - 14, (v6 ? 1280 : 576) - headers);
    byte[] rest = new byte[4 + quoted];
    rest[2] = (byte) (mtu >>> 8);
    rest[3] = (byte) mtu;
    frame.getBytes(14, rest, 4, quoted);
    FrameBuilder error = v6
        ? FrameBuilder.from("2001:db8:c::5", "2001:db8:c::7").icmp(2, 0, rest)
        : FrameBuilder.from("198.51.100.5", "198.51.100.7").icmp(3, 4, rest);
    return "0 " + ByteBufUtil.hexDump(error.macs(Lan.ROUTER_MAC, CLIENTS_MAC).timeToLive(64).build());
  }

  @ParameterizedTest(name = "IPv6 {0}, TCP {1}")
  @CsvSource({"false, true", "true, true", "false, false", "true, false"})
  void shouldTellTheSenderOfALongPacketHowLongItMayBe(boolean family, boolean tcp) {
    open(family, WIDE, NARROW);
    begin(tcp);
    FrameBuilder fits = packet(tcp, NARROW);
    FrameBuilder tooBig = packet(tcp, NARROW + 1);
    assertThat(process(fits, FrameMarks.NONE)).isEqualTo(Verdict.FORWARD);
    assertThat(path.last().egress()).isOne();
    assertThat(processInABatch(fits)).isEqualTo(Verdict.FORWARD);
    assertThat(sent).isEmpty();
    assertThat(process(tooBig, FrameMarks.NONE)).isEqualTo(Verdict.PACKET_TOO_BIG);
    assertThat(processInABatch(tooBig)).isEqualTo(Verdict.PACKET_TOO_BIG);
    assertThat(sent).containsExactly(told(tooBig, NARROW), told(tooBig, NARROW));
    assertThat(balancer.statistics().count(Verdict.PACKET_TOO_BIG)).isEqualTo(2);
  }

  /** Nothing is fragmented: a sender that would let it happen is told as well, and cuts the next one itself. */
  @ParameterizedTest(name = "TCP {0}")
  @ValueSource(booleans = {true, false})
  void shouldTellASenderThatLetsItsPacketsBeFragmented(boolean tcp) {
    open(false, WIDE, NARROW);
    begin(tcp);
    FrameBuilder tooBig = packet(tcp, WIDE).mayFragment(0x8F01);
    assertThat(process(tooBig, FrameMarks.NONE)).isEqualTo(Verdict.PACKET_TOO_BIG);
    assertThat(sent).containsExactly(told(tooBig, NARROW));
  }

  /** Segments count, with their headers, not what they are joined to. */
  @ParameterizedTest(name = "IPv6 {0}")
  @ValueSource(booleans = {false, true})
  void shouldJudgeASuperFrameByItsSegments(boolean family) {
    open(family, WIDE, NARROW);
    path.cutSuperFrames();
    begin(true);
    int headers = (v6 ? 40 : 20) + 20;
    long fits = FrameMarks.withGso(FrameMarks.NONE, v6 ? 4 : 1, NARROW - headers);
    long tooBig = FrameMarks.withGso(FrameMarks.NONE, v6 ? 4 : 1, NARROW - headers + 1);
    assertThat(process(packet(true, 9_000), fits)).isEqualTo(Verdict.FORWARD);
    assertThat(sent).isEmpty();
    assertThat(process(packet(true, 9_000), tooBig)).isEqualTo(Verdict.PACKET_TOO_BIG);
    assertThat(sent).containsExactly(told(packet(true, 9_000), NARROW));
  }

  @ParameterizedTest(name = "IPv6 {0}")
  @ValueSource(booleans = {false, true})
  void shouldLimitHowManyAreTold(boolean family) {
    open(family, WIDE, NARROW);
    begin(false);
    for (int i = 0; i < 3 * MOST_TOLD; i++) {
      assertThat(process(packet(false, WIDE), FrameMarks.NONE)).isEqualTo(Verdict.PACKET_TOO_BIG);
    }
    assertThat(sent).hasSize(MOST_TOLD);
    nowNs += 1_000_000;
    process(packet(false, WIDE), FrameMarks.NONE);
    assertThat(sent).hasSize(MOST_TOLD + 1);
    assertThat(balancer.statistics().count(Verdict.PACKET_TOO_BIG)).isEqualTo(3 * MOST_TOLD + 1);
  }

  /** What came in by an interface of the same length, or a shorter one, can leave as it is. */
  @ParameterizedTest(name = "IPv6 {0}")
  @ValueSource(booleans = {false, true})
  void shouldNotJudgeWhatCameInByAnInterfaceThatIsNotLonger(boolean family) {
    open(family, NARROW, WIDE);
    begin(true);
    assertThat(process(packet(true, WIDE), FrameMarks.NONE)).isEqualTo(Verdict.FORWARD);
    assertThat(sent).isEmpty();
  }
}
