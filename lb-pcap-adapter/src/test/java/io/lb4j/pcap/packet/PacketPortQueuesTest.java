package io.lb4j.pcap.packet;

import static org.assertj.core.api.Assertions.assertThat;

import io.lb4j.frame.FrameBatch;
import io.lb4j.frame.FrameMarks;
import io.lb4j.frame.FrameView;
import io.lb4j.testkit.FrameBuilder;
import io.netty.buffer.ByteBuf;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Several queues share what arrives: each frame once, and all of a flow, both its directions, in one of them. */
@Tag("root")
@Timeout(60)
class PacketPortQueuesTest extends PacketPortFixture {
  private static final int QUEUES = 4;
  private static final int FLOWS = 64;
  private static final int ROUNDS = 10;

  @ParameterizedTest
  @EnumSource(value = Latency.class, names = {"BULK", "LOW"})
  void shouldKeepAFlowOnOneQueueAndUseThemAll(Latency latency) {
    PacketPort left = open(PacketPort.builder(pair.left).latency(latency).queues(QUEUES));
    PacketPort right = open(pair.right, latency);
    int sent = 0;
    for (int round = 0; round < ROUNDS; round++) {
      for (int flow = 0; flow < FLOWS; flow++) {
        ByteBuf frame = frameOf(flow, (round & 1) == 0);
        assertThat(right.queue(0).transmit(frame, 0, frame.readableBytes(), FrameMarks.NONE)).isTrue();
        sent += 1 - right.queue(0).flush();
        frame.release();
      }
    }
    Map<Integer, Set<Integer>> queuesOfFlow = new HashMap<>();
    Set<Integer> used = new HashSet<>();
    int received = 0;
    long deadlineNs = System.nanoTime() + PATIENCE_NS;
    while (received < sent && System.nanoTime() - deadlineNs < 0) {
      for (int queue = 0; queue < QUEUES; queue++) {
        received += take(left, queue, queuesOfFlow, used);
      }
    }
    assertThat(received).isEqualTo(sent);
    assertThat(left.counters().receivedFrames()).as("over all queues").isEqualTo(sent);
    assertThat(left.counters().missedFrames()).isZero();
    assertThat(queuesOfFlow).hasSize(FLOWS).allSatisfy((flow, queues) -> assertThat(queues).hasSize(1));
    assertThat(used).hasSize(QUEUES);
  }

  private static int take(PacketPort port, int queue, Map<Integer, Set<Integer>> queuesOfFlow, Set<Integer> used) {
    FrameBatch batch = new FrameBatch();
    int got = port.queue(queue).receive(batch, queue);
    for (int i = 0; i < got; i++) {
      FrameView view = batch.get(i);
      int sourcePort = view.buffer().getUnsignedShort(view.start() + 34);
      int destinationPort = view.buffer().getUnsignedShort(view.start() + 36);
      int flow = Math.max(sourcePort, destinationPort) - 40_000;
      queuesOfFlow.computeIfAbsent(flow, any -> new HashSet<>()).add(queue);
      used.add(queue);
    }
    port.queue(queue).release();
    return got;
  }

  private static ByteBuf frameOf(int flow, boolean forth) {
    String client = "198.51.100." + (1 + flow % 32);
    FrameBuilder frame = forth ? FrameBuilder.from(client, "192.0.2.100") : FrameBuilder.from("192.0.2.100", client);
    return forth ? frame.udp(40_000 + flow, 53).build() : frame.udp(53, 40_000 + flow).build();
  }
}
