package io.lb4j.dsr;

import static org.assertj.core.api.Assertions.assertThat;

import io.lb4j.address.IpAddress;
import io.lb4j.core.LoadBalancer;
import io.lb4j.frame.FrameMarks;
import io.lb4j.frame.Verdict;
import io.lb4j.monitor.ProbeReason;
import io.lb4j.monitor.ProbeResult;
import io.lb4j.neighbor.AnnouncementSettings;
import io.netty.buffer.ByteBuf;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Echo requests as probes, the ways they can end, and the neighbours that have to be found first. */
class PingProbeTest extends ProbeScenario {
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
}
