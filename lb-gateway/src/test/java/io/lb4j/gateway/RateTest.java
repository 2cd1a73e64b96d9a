package io.lb4j.gateway;

import static org.assertj.core.api.Assertions.assertThat;

import io.lb4j.core.Rates;
import io.lb4j.counters.ServerCounts;
import io.lb4j.frame.Verdict;
import io.lb4j.service.VirtualService;
import io.lb4j.testkit.FrameBuilder;
import io.netty.buffer.ByteBuf;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Both directions of a server's traffic are counted, and how fast they grow. */
class RateTest {
  private static final int PIECE = 256;

  private static String source(boolean v6) {
    return v6 ? "2001:db8:5::200" : "192.0.2.200";
  }

  private static Network open(boolean v6, boolean fullNat) {
    Gateway method = fullNat ? Gateway.fullNat(source(v6)) : Gateway.create();
    return Network.options(v6)
        .service(
            VirtualService.udp(Network.vip(v6), 53).named("dns").forwarding(method)
                .realServer("s1", Network.inside(v6, 1)))
        .open();
  }

  private static FrameBuilder request(Network net, byte[] data) {
    return net.to(net.vip(), net.peer(1)).udp(3000, 53).payload(data);
  }

  private static FrameBuilder reply(Network net, Packet request, byte[] data) {
    return net.from(1, request.source()).udp(53, request.sourcePort()).payload(data);
  }

  private static ServerCounts counts(Network net) {
    return net.balancer.statistics().services().get(0).servers().get(0).counts();
  }

  private static long process(Network net, int link, ByteBuf frame) {
    int length = frame.readableBytes();
    assertThat(net.process(link, frame).verdict()).isEqualTo(Verdict.FORWARD);
    return length;
  }

  @ParameterizedTest(name = "IPv6 {0}, full NAT {1}")
  @CsvSource({"false, false", "true, false", "false, true", "true, true"})
  void shouldCountRequestsAndRepliesWholeAndInFragments(boolean v6, boolean fullNat) {
    byte[] data = Frames.bytes(700, 5);
    try (Network net = open(v6, fullNat)) {
      ByteBuf first = request(net, data).build();
      long bytes = first.readableBytes();
      Packet there = net.process(Network.OUTSIDE, first).forwarded();
      long frames = 1;
      for (ByteBuf fragment : Frames.fragments(request(net, data).build(), 7, PIECE)) {
        bytes += process(net, Network.OUTSIDE, fragment);
        frames++;
      }
      long replyBytes = process(net, Network.INSIDE, reply(net, there, data).build());
      long replyFrames = 1;
      List<ByteBuf> pieces = Frames.fragments(reply(net, there, data).build(), 8, PIECE);
      for (ByteBuf fragment : pieces) {
        replyBytes += process(net, Network.INSIDE, fragment);
        replyFrames++;
      }
      assertThat(counts(net))
          .isEqualTo(new ServerCounts(frames, bytes, 1, 1, 1, 0, 0, replyFrames, replyBytes, 0, 0));
    }
  }

  @ParameterizedTest(name = "IPv6 {0}, full NAT {1}")
  @CsvSource({"false, false", "true, false", "false, true", "true, true"})
  void shouldTellHowFastBothDirectionsGrow(boolean v6, boolean fullNat) {
    byte[] data = Frames.bytes(100, 5);
    try (Network net = open(v6, fullNat)) {
      Packet there = net.fromOutside(request(net, data)).forwarded();
      for (int second = 0; second < 20; second++) {
        for (int i = 0; i < 10; i++) {
          net.fromOutside(request(net, data)).forwarded();
          net.fromInside(reply(net, there, data)).forwarded();
          net.fromInside(reply(net, there, data)).forwarded();
        }
        net.nowNs += 1_000_000_000L;
        net.balancer.tickControl(net.nowNs);
      }
      Rates.ServerRates rates = net.balancer.rates().byService().get(0).servers().get(0);
      Rates.FlowRate lately = rates.rates().tenSeconds();
      assertThat(lately.frames()).isEqualTo(10);
      assertThat(lately.replyFrames()).isEqualTo(20);
      assertThat(lately.newFlows()).isZero();
      assertThat(lately.replyBytes()).isEqualTo(2 * lately.bytes());
      assertThat(rates.rates().peak().frames()).as("the first second had one more").isEqualTo(11);
      assertThat(rates.rates().peak().newFlows()).isEqualTo(1);
      assertThat(rates.active()).isEqualTo(new Rates.Active(1, 1));
      assertThat(net.balancer.rates().interfaces().minute().received()).isEqualTo(601 / 20.0);
    }
  }
}
