package io.lb4j.gateway;

import static org.assertj.core.api.Assertions.assertThat;

import io.lb4j.counters.ServerCounts;
import io.lb4j.frame.Verdict;
import io.lb4j.testkit.FrameBuilder;
import io.lb4j.wire.TcpHeader;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.util.List;

/** Replies that wait because nobody has told yet where the client is. */
class HeldReplyTest {
  private static final int PORT = 3000;
  private static final int SYN = TcpHeader.SYN;
  private static final int ACK = TcpHeader.ACK;

  /** A host of the outside subnet that the configuration does not name. */
  private static String client(Network net) {
    return Network.near(net.v6, 150);
  }

  private static FrameBuilder request(Network net, int flags, int sequence, int acknowledgment) {
    return net.to(net.vip(), client(net)).tcp(PORT, 80, flags).numbers(sequence, acknowledgment);
  }

  private static FrameBuilder reply(Network net, int flags, int sequence) {
    return net.from(1, client(net)).tcp(8080, PORT, flags).numbers(sequence, 1001);
  }

  /** Off the heap, as a port brings it: the only frames that go the short way. */
  private static ByteBuf direct(FrameBuilder frame) {
    ByteBuf built = frame.build();
    return Unpooled.directBuffer(built.readableBytes()).writeBytes(built);
  }

  /** A session is established once both sides have acknowledged, whether or not what they said has arrived. */
  @BothFamilies
  void shouldCountNoFrameToTheServer(boolean v6) {
    try (Network net = Network.options(v6).service(Network.web(v6, 1)).open()) {
      net.fromOutside(request(net, SYN, 1000, 0)).forwarded();
      assertThat(net.fromInside(reply(net, SYN | ACK, 5000)).verdict()).isEqualTo(Verdict.HOLD);
      net.fromOutside(request(net, ACK, 1001, 5001)).forwarded();
      ByteBuf data = direct(reply(net, ACK, 5001).payload(new byte[100]));
      assertThat(net.burst(List.of(data), List.of(Network.INSIDE))).containsExactly(Verdict.HOLD);
      data.release();

      net.process(Network.OUTSIDE, Frames.neighborAnswer(net, Network.OUTSIDE, client(net), "02:00:00:00:03:09"));
      net.afterSeconds(1);
      assertThat(net.ended).containsExactly("0 FORWARD", "0 FORWARD");
      ServerCounts counts = net.balancer.statistics().services().get(0).servers().get(0).counts();
      assertThat(counts.frames()).as("the client's SYN and acknowledgment").isEqualTo(2);
      assertThat(counts.replyFrames()).as("of frames that waited").isZero();
    }
  }
}
