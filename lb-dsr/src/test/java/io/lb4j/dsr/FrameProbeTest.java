package io.lb4j.dsr;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lb4j.address.IpAddress;
import io.lb4j.dataplane.FrameProbes;
import io.lb4j.frame.Verdict;
import io.lb4j.monitor.FrameProber;
import io.lb4j.monitor.ProbeReason;
import io.lb4j.monitor.ProbeResult;
import io.lb4j.wire.IpProtocol;
import io.netty.buffer.UnpooledByteBufAllocator;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Many probes that are frames at once, and what bounds and ends them. */
class FrameProbeTest extends ProbeScenario {
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
