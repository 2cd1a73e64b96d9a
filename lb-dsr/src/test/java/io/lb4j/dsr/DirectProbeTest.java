package io.lb4j.dsr;

import static org.assertj.core.api.Assertions.assertThat;

import io.lb4j.address.MacAddress;
import io.lb4j.frame.FrameMarks;
import io.lb4j.frame.Verdict;
import io.lb4j.monitor.ProbeReason;
import io.lb4j.monitor.ProbeResult;
import io.lb4j.testkit.FrameBuilder;
import io.lb4j.wire.EthernetHeader;
import io.lb4j.wire.IpProtocol;
import io.lb4j.wire.Ipv4Header;
import io.lb4j.wire.TcpHeader;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Probes of a virtual address that a server holds without answering for it on the link, and the ways they can end. */
class DirectProbeTest extends ProbeScenario {
  private static final byte[] MSS_1460 = {2, 4, 5, (byte) 0xB4};
  private static final byte[] MSS_1440 = {2, 4, 5, (byte) 0xA0};

  // ---- TCP ----------------------------------------------------------------------------------------------------

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

  // ---- UDP -----------------------------------------------------------------------------------------------------

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void shouldTakeTheEchoReplyOfTheVirtualAddressUnlessAPortIsUnreachable(boolean v6) {
    on(v6);
    asked.direct(false, 53, lan.server(1));
    List<Asked.Frame> frames = asked.sent();
    assertThat(frames).hasSize(3);
    assertDatagram(frames.get(1));
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

  /** But for the identification, or flow label, which is any number. */
  private void assertDatagram(Asked.Frame datagram) {
    ByteBuf bytes = expected(lan.vip()).udp(datagram.port(), 53).build();
    if (lan.v6) {
      assertThat(datagram.bytes().getInt(14)).isBetween(0x6000_0000, 0x600F_FFFF);
      bytes.setInt(14, datagram.bytes().getInt(14));
    } else {
      bytes.setShort(18, datagram.bytes().getShort(18));
      Ipv4Header.updateChecksum(bytes, 14);
    }
    String sent = ByteBufUtil.hexDump(datagram.bytes(), 0, bytes.readableBytes());
    assertThat(sent).isEqualTo(ByteBufUtil.hexDump(bytes));
    bytes.release();
  }

  /** Who tries all ports out has to try all numbers as well: any router may send an error, from any address. */
  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void shouldNotBelieveAnErrorThatQuotesADatagramOfAnotherNumber(boolean v6) {
    on(v6);
    asked.direct(false, 53, lan.server(1));
    Asked.Frame datagram = of(asked.sent(), IpProtocol.UDP);
    int number = v6 ? 14 + 3 : 14 + 5;
    datagram.bytes().setByte(number, datagram.bytes().getByte(number) ^ 1);
    ends(asked.portUnreachable(v6 ? "2001:db8:9::9" : "198.51.100.9", datagram), Verdict.PASS);
    assertThat(asked.results).isEmpty();
    datagram.bytes().setByte(number, datagram.bytes().getByte(number) ^ 1);
    answers(asked.portUnreachable(lan.vip(), datagram));
    asked.assertResult(ProbeReason.REFUSED, "port 53: port unreachable");
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
}
