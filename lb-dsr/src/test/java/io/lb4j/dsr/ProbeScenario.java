package io.lb4j.dsr;

import static org.assertj.core.api.Assertions.assertThat;

import io.lb4j.core.LoadBalancerBuilder;
import io.lb4j.core.Statistics;
import io.lb4j.frame.Verdict;
import io.lb4j.testkit.FrameBuilder;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import java.util.List;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.AfterEach;

/** What tests of probes that are frames have in common: a balancer that asks, and the laws of its counters. */
abstract class ProbeScenario {
  Lan lan;
  Asked asked;

  final void on(boolean v6) {
    on(v6, options -> options);
  }

  final void on(boolean v6, UnaryOperator<LoadBalancerBuilder> options) {
    lan = new Lan(v6, builder -> options.apply(builder.service(Lan.withServers(Lan.tcp(v6), v6, 2))));
    asked = new Asked(lan);
  }

  /** All that was sent was the balancer's own. */
  @AfterEach
  final void shouldKeepBothLaws() {
    if (lan != null) {
      Statistics end = lan.balancer.statistics();
      assertThat(end.originated()).isEqualTo(end.transmitted() + end.refused());
      assertThat(end.count(Verdict.FORWARD)).as("no probe became a flow").isZero();
      lan.close();
    }
  }

  /** As the balancer should have sent it. */
  final FrameBuilder expected(String target) {
    return FrameBuilder.from(lan.own(), target).macs(Lan.mac(1), Lan.LB_MAC);
  }

  static void assertBytes(Asked.Frame frame, FrameBuilder expected) {
    ByteBuf bytes = expected.build();
    while (bytes.readableBytes() < 60) {
      bytes.writeByte(0);
    }
    assertThat(ByteBufUtil.hexDump(frame.bytes())).isEqualTo(ByteBufUtil.hexDump(bytes));
  }

  final FrameBuilder echoRequest(String target, byte[] rest) {
    return expected(target).icmp(lan.v6 ? 128 : 8, 0, rest);
  }

  static Asked.Frame of(List<Asked.Frame> frames, int protocol) {
    return frames.stream().filter(frame -> frame.protocol() == protocol).findFirst().orElseThrow();
  }

  final Asked.Frame echoTo(List<Asked.Frame> frames, String target) {
    return frames.stream().filter(frame -> frame.isEcho() && frame.target().equals(target)).findFirst().orElseThrow();
  }

  final void ends(FrameBuilder frame, Verdict verdict) {
    assertThat(lan.process(frame)).isEqualTo(verdict);
    assertThat(lan.path.last().egress()).isNegative();
  }

  final void answers(FrameBuilder frame) {
    ends(frame, Verdict.PROBE_ANSWERED);
  }
}
