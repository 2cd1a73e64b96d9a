package io.lb4j.dsr;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lb4j.address.IpAddress;
import io.lb4j.address.MacAddress;
import io.lb4j.core.LoadBalancer;
import io.lb4j.core.LoadBalancerBuilder;
import io.lb4j.core.Statistics;
import io.lb4j.dataplane.FrameProbes;
import io.lb4j.frame.FrameMarks;
import io.lb4j.frame.Verdict;
import io.lb4j.monitor.FrameProber;
import io.lb4j.monitor.ProbeReason;
import io.lb4j.monitor.ProbeResult;
import io.lb4j.neighbor.AnnouncementSettings;
import io.lb4j.testkit.FrameBuilder;
import io.lb4j.wire.EthernetHeader;
import io.lb4j.wire.IpProtocol;
import io.lb4j.wire.Ipv4Header;
import io.lb4j.wire.TcpHeader;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.UnpooledByteBufAllocator;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Probes that are frames, and every way they can end. */
class FrameProbeTest {
  private static final byte[] MSS_1460 = {2, 4, 5, (byte) 0xB4};
  private static final byte[] MSS_1440 = {2, 4, 5, (byte) 0xA0};

  private Lan lan;
  private Asked asked;

  private void on(boolean v6) {
    on(v6, options -> options);
  }

  private void on(boolean v6, UnaryOperator<LoadBalancerBuilder> options) {
    lan = new Lan(v6, builder -> options.apply(builder.service(Lan.withServers(Lan.tcp(v6), v6, 2))));
    asked = new Asked(lan);
  }

  /** All that was sent was the balancer's own. */
  @AfterEach
  void shouldKeepBothLaws() {
    if (lan != null) {
      Statistics end = lan.balancer.statistics();
      assertThat(end.originated()).isEqualTo(end.transmitted() + end.refused());
      assertThat(end.count(Verdict.FORWARD)).as("no probe became a flow").isZero();
      lan.close();
    }
  }

  /** As the balancer should have sent it. */
  private FrameBuilder expected(String target) {
    return FrameBuilder.from(lan.own(), target).macs(Lan.mac(1), Lan.LB_MAC);
  }

  private static void assertBytes(Asked.Frame frame, FrameBuilder expected) {
    ByteBuf bytes = expected.build();
    while (bytes.readableBytes() < 60) {
      bytes.writeByte(0);
    }
    assertThat(ByteBufUtil.hexDump(frame.bytes())).isEqualTo(ByteBufUtil.hexDump(bytes));
  }

  private FrameBuilder echoRequest(String target, byte[] rest) {
    return expected(target).icmp(lan.v6 ? 128 : 8, 0, rest);
  }

  private static Asked.Frame of(List<Asked.Frame> frames, int protocol) {
    return frames.stream().filter(frame -> frame.protocol() == protocol).findFirst().orElseThrow();
  }

  private Asked.Frame echoTo(List<Asked.Frame> frames, String target) {
    return frames.stream().filter(frame -> frame.isEcho() && frame.target().equals(target)).findFirst().orElseThrow();
  }

  private void ends(FrameBuilder frame, Verdict verdict) {
    assertThat(lan.process(frame)).isEqualTo(verdict);
    assertThat(lan.path.last().egress()).isNegative();
  }

  private void answers(FrameBuilder frame) {
    ends(frame, Verdict.PROBE_ANSWERED);
  }

  // ---- ping ----------------------------------------------------------------------------------------------------

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void shouldTakeAnEchoReplyForAnAnswer(boolean v6) {
    on(v6);
    asked.ping(lan.server(1));
    Asked.Frame request = asked.only();
    assertBytes(request, echoRequest(lan.server(1), request.echoed()));
    lan.nowNs += 3_000_000;
    answers(asked.echoReply(request));
    assertThat(asked.result()).isEqualTo(ProbeResult.answered(3_000_000));
    ends(asked.echoReply(request), Verdict.PASS);
    asked.untilTheEnd();
    assertThat(asked.results).hasSize(1);
    assertThat(asked.sent()).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void shouldAskOnceMoreHalfWayAndThenGiveUp(boolean v6) {
    on(v6);
    asked.ping(lan.server(1));
    Asked.Frame first = asked.only();
    lan.after(999);
    assertThat(asked.sent()).isEmpty();
    lan.after(1);
    assertThat(asked.only()).isEqualTo(first);
    lan.after(999);
    assertThat(asked.results).isEmpty();
    lan.after(1);
    asked.assertResult(ProbeReason.TIMED_OUT, lan.server(1));
    assertThat(asked.result().elapsedNs()).isNegative();
    assertThat(asked.sent()).isEmpty();
    ends(asked.echoReply(first), Verdict.PASS);
  }

  @Test
  void shouldNotRepeatWhatHasNoTimeForAnAnswer() {
    on(false);
    lan.balancer.frameProber().ping(IpAddress.of(lan.server(1)), Duration.ofMillis(300), asked.results::add);
    lan.after(0);
    assertThat(asked.sent()).hasSize(1);
    lan.after(299);
    assertThat(asked.sent()).isEmpty();
    assertThat(asked.results).isEmpty();
    lan.after(1);
    asked.assertResult(ProbeReason.TIMED_OUT);
  }

  @Test
  void shouldNotAskAgainWhenItIsOverAnyway() {
    on(false);
    asked.ping(lan.server(1));
    asked.sent();
    lan.after(5_000);
    assertThat(asked.sent()).isEmpty();
    asked.assertResult(ProbeReason.TIMED_OUT);
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void shouldTellWhenToBeCalledNext(boolean v6) {
    on(v6);
    lan.balancer.frameProber().ping(IpAddress.of(lan.server(1)), Duration.ofMillis(900), asked.results::add);
    assertThat(lan.path.hasCommands()).isTrue();
    assertThat(lan.path.tick(lan.nowNs, lan::transmit) - lan.nowNs).isEqualTo(450_000_000);
    lan.nowNs += 450_000_000;
    assertThat(lan.path.tick(lan.nowNs, lan::transmit) - lan.nowNs).isEqualTo(450_000_000);
    lan.nowNs += 450_000_000;
    lan.path.tick(lan.nowNs, lan::transmit);
    asked.assertResult(ProbeReason.TIMED_OUT);
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void shouldPingAcrossARouter(boolean v6) {
    String router = v6 ? "2001:db8:5::1" : "192.0.2.1";
    String far = v6 ? "2001:db8:f::9" : "203.0.113.9";
    on(v6, b -> b.route(v6 ? "2001:db8:f::/64" : "203.0.113.0/24", router).neighbor(router, Lan.ROUTER_MAC));
    asked.ping(far);
    Asked.Frame request = asked.only();
    assertThat(request.destinationMac()).isEqualTo(Lan.ROUTER_MAC);
    assertThat(request.target()).isEqualTo(far);
    answers(asked.echoReply(request));
    assertThat(asked.result().ok()).isTrue();
  }

  @ParameterizedTest
  @CsvSource({
    "false, 3, 0, no route to the network", "false, 3, 1, host unreachable", "false, 3, 10, administratively prohibited",
    "false, 11, 0, time to live exceeded", "true, 1, 0, no route to the network", "true, 1, 3, host unreachable",
    "true, 1, 1, administratively prohibited", "true, 3, 0, time to live exceeded"
  })
  void shouldBelieveAnErrorAboutItsEchoRequest(boolean v6, int type, int code, String words) {
    on(v6);
    String router = v6 ? "2001:db8:5::1" : "192.0.2.1";
    asked.ping(lan.server(1));
    answers(asked.error(router, type, code, asked.only()));
    asked.assertResult(ProbeReason.UNREACHABLE, words, router);
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void shouldLeaveAnErrorToTheHostThatQuotesAnotherPacket(boolean v6) {
    on(v6);
    asked.ping(lan.server(1));
    Asked.Frame request = asked.only();
    int quoted = 14;
    int sequence = quoted + (v6 ? 40 : 20) + 6;
    for (int at : new int[] {quoted + (v6 ? 23 : 15), quoted + (v6 ? 39 : 19), sequence + 1}) {
      ByteBuf other = request.bytes().copy();
      other.setByte(at, other.getByte(at) ^ 1);
      assertThat(lan.process(asked.hostUnreachable(lan.server(1), new Asked.Frame(other, v6))))
          .isEqualTo(Verdict.PASS);
    }
    ends(asked.error(lan.server(1), v6 ? 2 : 4, 0, request), Verdict.PROBE_ANSWERED);
    assertThat(asked.results).as("too big, or to be slower, says nothing").isEmpty();
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void shouldFailWithoutAWayOrAnAddress(boolean v6) {
    on(v6);
    asked.ping(v6 ? "2001:db8:f::9" : "203.0.113.9");
    asked.assertResult(ProbeReason.UNREACHABLE, "no interface and no route");
    asked.results.clear();
    asked.direct(true, 80, v6 ? "2001:db8:f::9" : "203.0.113.9");
    asked.assertResult(ProbeReason.UNREACHABLE, "no interface is connected");
    assertThat(asked.sent()).isEmpty();
  }

  @Test
  void shouldFailOnAnInterfaceWithoutAnAddressOfTheFamily() {
    try (LoadBalancer balancer =
        LoadBalancer.builder()
            .networkInterface("eth0", i -> i.mac(Lan.LB_MAC).address("192.0.2.5/24").hostStack(false))
            .announcements(AnnouncementSettings.off())
            .build()) {
      List<ProbeResult> results = new ArrayList<>();
      IpAddress vip = IpAddress.of("2001:db8:5::100");
      balancer.frameProber().direct(vip, 80, true, IpAddress.of("192.0.2.11"), Asked.TIMEOUT, results::add);
      balancer.dataPath().tick(0, (link, frame, marks) -> false);
      assertThat(results).hasSize(1);
      assertThat(results.get(0).reason()).isEqualTo(ProbeReason.FAILED);
      assertThat(results.get(0).detail()).isEqualTo("interface eth0 has no IPv6 address to ask from");
    }
  }

  // ---- neighbours ----------------------------------------------------------------------------------------------

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void shouldAskForAnUnknownNeighborAndSendWhenItAnswers(boolean v6) {
    on(v6);
    String server = NeighborScenarioTest.peer(v6);
    asked.ping(server);
    Asked.Frame solicitation = asked.only();
    assertThat(solicitation.bytes().getUnsignedShort(12)).isEqualTo(v6 ? 0x86DD : 0x0806);
    lan.after(5);
    assertThat(asked.sent()).isEmpty();
    assertThat(lan.process(NeighborScenarioTest.reply(lan), FrameMarks.NONE, 0))
        .isEqualTo(Verdict.PASS);
    Asked.Frame request = asked.only();
    assertThat(request.destinationMac()).isEqualTo(NeighborScenarioTest.PEER_MAC);
    lan.nowNs += 1_000_000;
    answers(asked.echoReply(request));
    assertThat(asked.result()).as("the neighbour's time is not the server's").isEqualTo(ProbeResult.answered(1_000_000));
  }

  @ParameterizedTest
  @CsvSource({"false, false", "false, true", "true, false", "true, true"})
  void shouldSayThatTheNeighborDoesNotAnswer(boolean v6, boolean direct) {
    on(v6);
    String server = NeighborScenarioTest.peer(v6);
    if (direct) {
      asked.direct(true, 80, server);
    } else {
      asked.ping(server);
    }
    asked.untilTheEnd();
    asked.assertResult(ProbeReason.NO_NEIGHBOR, server, v6 ? "neighbour discovery" : "ARP", "eth0");
  }

  @Test
  void shouldSayThatTheRouterDoesNotAnswer() {
    on(false, b -> b.route("203.0.113.0/24", "192.0.2.1"));
    asked.ping("203.0.113.9");
    asked.untilTheEnd();
    asked.assertResult(ProbeReason.NO_NEIGHBOR, "router 192.0.2.1");
  }

  /** The data path's back-off would let a server that came back go unnoticed for a minute. */
  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void shouldAskAgainForANeighborThatFailedBefore(boolean v6) {
    on(v6);
    String server = NeighborScenarioTest.peer(v6);
    for (int probe = 0; probe < 8; probe++) {
      asked.ping(server);
      asked.untilTheEnd();
      lan.after(3_000);
    }
    asked.results.clear();
    asked.sent();
    asked.ping(server);
    assertThat(asked.sent()).as("asked for at once").hasSize(1);
    lan.process(NeighborScenarioTest.reply(lan), FrameMarks.NONE, 0);
    answers(asked.echoReply(asked.only()));
    assertThat(asked.result().ok()).isTrue();
  }

  // ---- a virtual address, TCP ----------------------------------------------------------------------------------

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void shouldOpenAConnectionAndResetIt(boolean v6) {
    on(v6);
    asked.direct(true, 80, lan.server(1));
    List<Asked.Frame> frames = asked.sent();
    assertThat(frames).hasSize(3);
    assertBytes(frames.get(0), echoRequest(lan.server(1), frames.get(0).echoed()));
    assertBytes(frames.get(1), echoRequest(lan.vip(), frames.get(1).echoed()));
    Asked.Frame syn = frames.get(2);
    assertBytes(
        syn,
        expected(lan.vip())
            .tcp(syn.port(), 80, TcpHeader.SYN)
            .numbers(syn.sequence(), 0)
            .window(64_240)
            .tcpOptions(v6 ? MSS_1440 : MSS_1460));
    lan.nowNs += 2_000_000;
    answers(asked.synAck(syn));
    assertThat(asked.result()).isEqualTo(ProbeResult.answered(2_000_000));
    assertBytes(
        asked.only(),
        expected(lan.vip()).tcp(syn.port(), 80, TcpHeader.RST).numbers(syn.sequence() + 1, 0).window(0));
    ends(asked.synAck(syn), Verdict.PASS);
    asked.untilTheEnd();
    assertThat(asked.sent()).isEmpty();
    assertThat(asked.results).hasSize(1);
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void shouldTakeAResetForARefusal(boolean v6) {
    on(v6);
    asked.direct(true, 80, lan.server(1));
    Asked.Frame syn = of(asked.sent(), IpProtocol.TCP);
    FrameBuilder reset = asked.from(lan.vip()).tcp(80, syn.port(), TcpHeader.RST | TcpHeader.ACK);
    answers(reset.numbers(0, syn.sequence() + 1));
    asked.assertResult(ProbeReason.REFUSED, lan.vip(), "port 80 is closed", lan.server(1));
    assertThat(asked.sent()).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void shouldMissTheVirtualAddressOfAServerThatAnswersForItselfAlone(boolean v6) {
    on(v6);
    asked.direct(true, 80, lan.server(1));
    answers(asked.echoReply(echoTo(asked.sent(), lan.server(1))));
    lan.after(1_000);
    assertThat(asked.sent()).as("repeated without what was answered").hasSize(2);
    asked.untilTheEnd();
    asked.assertResult(
        ProbeReason.DSR_VIP_MISSING,
        lan.server(1) + " answers for itself but not as " + lan.vip(),
        "ip addr add " + lan.vip() + (v6 ? "/128" : "/32") + " dev lo");
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void shouldTellASilentPortFromAMissingAddress(boolean v6) {
    on(v6);
    asked.direct(true, 80, lan.server(1));
    List<Asked.Frame> frames = asked.sent();
    answers(asked.echoReply(echoTo(frames, lan.server(1))));
    answers(asked.echoReply(echoTo(frames, lan.vip())));
    asked.untilTheEnd();
    assertThat(asked.only().protocol()).as("the SYN alone is repeated").isEqualTo(IpProtocol.TCP);
    asked.assertResult(ProbeReason.TIMED_OUT, lan.server(1) + " holds " + lan.vip(), "nothing answers on port 80");
  }

  @ParameterizedTest
  @CsvSource({"false, true", "true, true", "false, false", "true, false"})
  void shouldTimeOutWhenNothingAnswers(boolean v6, boolean tcp) {
    on(v6);
    asked.direct(tcp, 80, lan.server(1));
    assertThat(asked.sent()).hasSize(3);
    lan.after(1_000);
    assertThat(asked.sent()).hasSize(3);
    lan.after(999);
    assertThat(asked.results).isEmpty();
    lan.after(1);
    asked.assertResult(ProbeReason.TIMED_OUT, lan.server(1), lan.vip());
    assertThat(asked.sent()).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void shouldLeaveWrongAnswersToTheHost(boolean v6) {
    on(v6);
    asked.direct(true, 80, lan.server(1));
    List<Asked.Frame> frames = asked.sent();
    Asked.Frame syn = of(frames, IpProtocol.TCP);
    int synAck = TcpHeader.SYN | TcpHeader.ACK;
    ends(asked.synAck(syn).numbers(9_000, syn.sequence()), Verdict.PASS);
    ends(asked.synAck(syn).numbers(9_000, syn.sequence() + 2), Verdict.PASS);
    ends(asked.from(lan.vip()).tcp(81, syn.port(), synAck).numbers(1, syn.sequence() + 1), Verdict.PASS);
    ends(asked.from(lan.vip()).tcp(80, syn.port() ^ 1, synAck).numbers(1, syn.sequence() + 1), Verdict.PASS);
    ends(asked.from(lan.server(1)).tcp(80, syn.port(), synAck).numbers(1, syn.sequence() + 1), Verdict.PASS);
    ends(asked.synAck(syn).tcp(80, syn.port(), TcpHeader.ACK), Verdict.PASS);
    ends(asked.from(lan.vip()).tcp(80, syn.port(), TcpHeader.RST).numbers(syn.sequence() + 1, 0), Verdict.PASS);
    ends(asked.from(lan.vip()).udp(80, syn.port()), Verdict.PASS);
    Asked.Frame echo = echoTo(frames, lan.vip());
    for (int i = 0; i < 12; i++) {
      byte[] rest = echo.echoed();
      rest[i] ^= 1;
      ends(asked.from(lan.vip()).icmp(v6 ? 129 : 0, 0, rest), Verdict.PASS);
    }
    ends(asked.from(lan.server(2)).icmp(v6 ? 129 : 0, 0, echo.echoed()), Verdict.PASS);
    ends(asked.from(lan.vip()).icmp(v6 ? 129 : 0, 1, echo.echoed()), Verdict.PASS);
    ByteBuf damaged = asked.echoReply(echo).build();
    damaged.setByte(14 + (v6 ? 40 : 20) + 2, damaged.getByte(14 + (v6 ? 40 : 20) + 2) ^ 1);
    assertThat(lan.process(damaged, FrameMarks.NONE, 0)).isEqualTo(Verdict.ICMP_CHECKSUM);
    assertThat(asked.results).isEmpty();
    answers(asked.synAck(syn));
    assertThat(asked.result().ok()).isTrue();
  }

  // ---- a virtual address, UDP ----------------------------------------------------------------------------------

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void shouldTakeTheEchoReplyOfTheVirtualAddressUnlessAPortIsUnreachable(boolean v6) {
    on(v6);
    asked.direct(false, 53, lan.server(1));
    List<Asked.Frame> frames = asked.sent();
    assertThat(frames).hasSize(3);
    assertBytes(frames.get(1), expected(lan.vip()).udp(frames.get(1).port(), 53));
    assertBytes(frames.get(2), echoRequest(lan.vip(), frames.get(2).echoed()));
    lan.nowNs += 4_000_000;
    answers(asked.echoReply(frames.get(2)));
    assertThat(lan.path.hasCommands()).as("wants to be called in a moment").isTrue();
    assertThat(lan.path.tick(lan.nowNs, lan::transmit) - lan.nowNs).isEqualTo(500_000_000);
    lan.after(499);
    assertThat(asked.results).isEmpty();
    lan.after(1);
    assertThat(asked.result()).isEqualTo(ProbeResult.answered(4_000_000));
    assertThat(asked.sent()).isEmpty();
  }

  @ParameterizedTest
  @CsvSource({"false, true", "true, true", "false, false", "true, false"})
  void shouldTakePortUnreachableForARefusal(boolean v6, boolean afterEcho) {
    on(v6);
    asked.direct(false, 53, lan.server(1));
    List<Asked.Frame> frames = asked.sent();
    if (afterEcho) {
      answers(asked.echoReply(frames.get(2)));
      lan.after(490);
    }
    answers(asked.portUnreachable(lan.vip(), frames.get(1)));
    asked.assertResult(ProbeReason.REFUSED, "port 53: port unreachable, says " + lan.vip());
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void shouldTakeADatagramForAnAnswer(boolean v6) {
    on(v6);
    asked.direct(false, 53, lan.server(1));
    Asked.Frame datagram = of(asked.sent(), IpProtocol.UDP);
    ends(asked.from(lan.vip()).udp(54, datagram.port()).payload((byte) 1), Verdict.PASS);
    answers(asked.from(lan.vip()).udp(53, datagram.port()).payload((byte) 1));
    assertThat(asked.result().ok()).isTrue();
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void shouldMissTheVirtualAddressOfAUdpService(boolean v6) {
    on(v6);
    asked.direct(false, 53, lan.server(1));
    answers(asked.echoReply(echoTo(asked.sent(), lan.server(1))));
    asked.untilTheEnd();
    asked.assertResult(ProbeReason.DSR_VIP_MISSING, "ip addr add " + lan.vip());
  }

  /** Near the end no quarter of the time is left to wait for "port unreachable". */
  @Test
  void shouldNeverTakeLongerThanItsTime() {
    on(false);
    asked.direct(false, 53, lan.server(1));
    Asked.Frame echo = echoTo(asked.sent(), lan.vip());
    lan.after(1_000);
    lan.after(990);
    answers(asked.echoReply(echo));
    lan.after(9);
    assertThat(asked.results).isEmpty();
    lan.after(1);
    assertThat(asked.result()).isEqualTo(ProbeResult.answered(1_990_000_000L));
  }

  // ---- servers that send the probe on --------------------------------------------------------------------------

  @ParameterizedTest
  @CsvSource({"false, true", "true, true", "false, false", "true, false"})
  void shouldMissTheAddressWhenItsProbeComesBack(boolean v6, boolean tcp) {
    on(v6);
    asked.direct(tcp, 80, lan.server(1));
    Asked.Frame probe = of(asked.sent(), tcp ? IpProtocol.TCP : IpProtocol.UDP);
    ends(lan, returned(probe), Verdict.OWN_FRAME);
    asked.assertResult(ProbeReason.DSR_VIP_MISSING, lan.server(1) + " sends frames for " + lan.vip() + " on");
    ends(lan, returned(probe), Verdict.SOURCE_SPOOFED);
    assertThat(lan.path.flows().size()).as("it is nobody's connection, however late it comes").isZero();
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void shouldNotAnswerItsOwnEchoRequest(boolean v6) {
    on(v6);
    asked.direct(true, 80, lan.server(1));
    Asked.Frame request = echoTo(asked.sent(), lan.vip());
    ends(lan, returned(request), Verdict.OWN_FRAME);
    ends(lan, returned(request), Verdict.SOURCE_SPOOFED);
    asked.assertResult(ProbeReason.DSR_VIP_MISSING, lan.server(1) + " sends frames for " + lan.vip() + " on");
  }

  /**
   * As a server forwards it: a hop further, from the server's MAC address to whom the virtual address is resolved to.
   */
  private ByteBuf returned(Asked.Frame frame) {
    ByteBuf bytes = frame.bytes().copy();
    EthernetHeader.setAddresses(bytes, 0, MacAddress.of(Lan.LB_MAC).value(), MacAddress.of(Lan.mac(1)).value());
    bytes.setByte(lan.v6 ? 14 + 7 : 14 + 8, 63);
    if (!lan.v6) {
      Ipv4Header.updateChecksum(bytes, 14);
    }
    return bytes;
  }

  private static void ends(Lan lan, ByteBuf frame, Verdict verdict) {
    assertThat(lan.process(frame, FrameMarks.NONE, 0)).isEqualTo(verdict);
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void shouldMissTheAddressWhenTheServerCannotSendItsProbeOn(boolean v6) {
    on(v6);
    asked.direct(true, 80, lan.server(1));
    answers(asked.hostUnreachable(lan.server(1), of(asked.sent(), IpProtocol.TCP)));
    asked.assertResult(ProbeReason.DSR_VIP_MISSING, "sends frames for " + lan.vip() + " on");
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void shouldBelieveTheVirtualAddressThatItIsUnreachable(boolean v6) {
    on(v6);
    asked.direct(true, 80, lan.server(1));
    answers(asked.hostUnreachable(lan.vip(), of(asked.sent(), IpProtocol.TCP)));
    asked.assertResult(ProbeReason.UNREACHABLE, "host unreachable, says " + lan.vip());
  }

  @Test
  void shouldMissTheAddressWhenTheServerSendsARedirect() {
    on(false);
    asked.direct(true, 80, lan.server(1));
    List<Asked.Frame> frames = asked.sent();
    ends(asked.error(lan.server(1), 5, 1, echoTo(frames, lan.server(1))), Verdict.PASS);
    assertThat(asked.results).isEmpty();
    answers(asked.error(lan.server(1), 5, 1, of(frames, IpProtocol.TCP)));
    asked.assertResult(ProbeReason.DSR_VIP_MISSING, "sends frames for " + lan.vip() + " on");
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void shouldTakeAFilterOfEchoRequestsForASignOfLife(boolean v6) {
    on(v6);
    asked.direct(true, 80, lan.server(1));
    List<Asked.Frame> frames = asked.sent();
    int type = v6 ? 1 : 3;
    int prohibited = v6 ? 1 : 13;
    answers(asked.error(lan.server(1), type, prohibited, echoTo(frames, lan.server(1))));
    answers(asked.error(lan.vip(), type, prohibited, echoTo(frames, lan.vip())));
    assertThat(asked.results).isEmpty();
    answers(asked.error(lan.vip(), type, prohibited, of(frames, IpProtocol.TCP)));
    asked.assertResult(ProbeReason.REFUSED, "administratively prohibited");
  }

  // ---- several, and bounds -------------------------------------------------------------------------------------

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void shouldTellProbesInFlightApart(boolean v6) {
    on(v6);
    List<Asked.Frame> syns = new ArrayList<>();
    List<List<ProbeResult>> results = new ArrayList<>();
    for (int i = 0; i < 50; i++) {
      List<ProbeResult> own = new ArrayList<>();
      results.add(own);
      lan.balancer
          .frameProber()
          .direct(
              IpAddress.of(lan.vip()), 80, true, IpAddress.of(lan.server(1 + i % 3)), Asked.TIMEOUT, own::add);
      lan.after(0);
      syns.add(of(asked.sent(), IpProtocol.TCP));
    }
    assertThat(syns.stream().map(Asked.Frame::port).collect(Collectors.toSet())).hasSize(50);
    assertThat(syns.stream().map(Asked.Frame::sequence).collect(Collectors.toSet())).hasSize(50);
    for (int i = 49; i >= 0; i -= 2) {
      answers(asked.synAck(syns.get(i)));
      assertThat(results.get(i)).hasSize(1);
    }
    asked.untilTheEnd();
    for (int i = 0; i < 50; i++) {
      assertThat(results.get(i)).hasSize(1);
      assertThat(results.get(i).get(0).ok()).isEqualTo(i % 2 == 1);
    }
  }

  @Test
  void shouldRefuseMoreProbesThanItCanKeep() {
    on(false, b -> b.allocator(new UnpooledByteBufAllocator(false, true))); // 8,192 frames without leak detection
    FrameProber prober = lan.balancer.frameProber();
    for (int i = 0; i < FrameProbes.MAXIMUM_IN_FLIGHT; i++) {
      prober.ping(IpAddress.of(lan.server(1)), Asked.TIMEOUT, asked.results::add);
    }
    assertThat(asked.results).isEmpty();
    prober.ping(IpAddress.of(lan.server(1)), Asked.TIMEOUT, asked.results::add);
    asked.assertResult(ProbeReason.FAILED, "4096 probes are in flight already");
    asked.results.clear();
    lan.after(0);
    Set<String> different = Set.copyOf(lan.sent);
    assertThat(different).hasSize(FrameProbes.MAXIMUM_IN_FLIGHT);
    answers(asked.echoReply(asked.sent().get(7)));
    asked.results.clear();
    asked.ping(lan.server(1));
    assertThat(asked.sent()).as("there is room again").hasSize(1);
    asked.untilTheEnd();
    assertThat(asked.results).hasSize(FrameProbes.MAXIMUM_IN_FLIGHT);
  }

  @Test
  void shouldEndAllProbesWhenItIsClosed() {
    on(false);
    FrameProber prober = lan.balancer.frameProber();
    asked.ping(lan.server(1));
    asked.direct(true, 80, "192.0.2.19");
    prober.ping(IpAddress.of(lan.server(1)), Asked.TIMEOUT, asked.results::add);
    assertThat(asked.results).isEmpty();
    lan.path.close();
    assertThat(asked.results).hasSize(3).allMatch(result -> result.reason() == ProbeReason.FAILED);
    prober.ping(IpAddress.of(lan.server(1)), Asked.TIMEOUT, asked.results::add);
    assertThat(asked.results).hasSize(4);
    asked.untilTheEnd();
    lan.path.close();
    assertThat(asked.results).hasSize(4);
  }

  @Test
  void shouldSurviveAConsumerThatThrows() {
    on(false);
    lan.balancer
        .frameProber()
        .ping(
            IpAddress.of(lan.server(1)),
            Asked.TIMEOUT,
            result -> {
              throw new IllegalStateException("by intent");
            });
    lan.after(0);
    answers(asked.echoReply(asked.only()));
  }

  @Test
  void shouldFailWhenThePortTakesNothing() {
    on(false);
    lan.balancer.frameProber().ping(IpAddress.of(lan.server(1)), Asked.TIMEOUT, asked.results::add);
    for (int i = 0; i <= 20; i++) {
      lan.path.tick(
          lan.nowNs,
          (link, frame, marks) -> {
            frame.release();
            return false;
          });
      lan.nowNs += 100_000_000;
    }
    asked.assertResult(ProbeReason.FAILED, "interface eth0 takes no frame");
  }

  @Test
  void shouldRefuseTimeOutsAndPortsThatCannotBe() {
    on(false);
    FrameProber prober = lan.balancer.frameProber();
    IpAddress server = IpAddress.of(lan.server(1));
    for (Duration timeout : List.of(Duration.ZERO, Duration.ofNanos(-1), Duration.ofHours(2))) {
      assertThatThrownBy(() -> prober.ping(server, timeout, asked.results::add))
          .isInstanceOf(IllegalArgumentException.class);
    }
    IpAddress vip = IpAddress.of(lan.vip());
    for (int port : new int[] {0, 65_536}) {
      assertThatThrownBy(() -> prober.direct(vip, port, true, server, Asked.TIMEOUT, asked.results::add))
          .isInstanceOf(IllegalArgumentException.class);
    }
  }

  @Test
  void shouldSendTheSameBytesForTheSameSeed() {
    on(false);
    asked.direct(true, 80, lan.server(1));
    List<String> first = List.copyOf(lan.sent);
    shouldKeepBothLaws();
    on(false);
    asked.direct(true, 80, lan.server(1));
    assertThat(lan.sent).isEqualTo(first);
  }

  /** A kernel beside us has the address too: what is no answer stays its own, what is one ends here. */
  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void shouldFindAnswersWithAKernelBesideIt(boolean v6) {
    lan = new Lan(v6, true, builder -> builder.service(Lan.withServers(Lan.tcp(v6), v6, 2)));
    asked = new Asked(lan);
    asked.direct(true, 80, lan.server(1));
    List<Asked.Frame> frames = asked.sent();
    ends(asked.from(lan.vip()).icmp(v6 ? 129 : 0, 0, new byte[12]), Verdict.PASS);
    answers(asked.echoReply(echoTo(frames, lan.vip())));
    answers(asked.synAck(of(frames, IpProtocol.TCP)));
    assertThat(asked.result().ok()).isTrue();
  }
}
