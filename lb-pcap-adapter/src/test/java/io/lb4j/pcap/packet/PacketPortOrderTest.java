package io.lb4j.pcap.packet;

import static org.assertj.core.api.Assertions.assertThat;

import io.lb4j.frame.FrameBatch;
import io.lb4j.frame.FrameMarks;
import io.lb4j.frame.FrameView;
import io.lb4j.pcap.VethPair;
import io.lb4j.port.PortQueue;
import io.lb4j.wire.TcpHeader;
import io.netty.buffer.ByteBuf;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * Frames of a flow stay in order when several processors send at the same time: one's super-frame may be whole and still
 * hidden behind another's, which is being copied, when the short frame that follows it can be seen. Each sender has a
 * processor, because one that is moved to another may itself overtake what it sent before.
 */
@Tag("root")
@Timeout(60)
class PacketPortOrderTest extends PacketPortFixture {
  private static final int FLOWS = 3;
  private static final int FRAMES = 20_000; // of each flow
  private static final int TCP = 14 + 20;
  private static final int PROCESSORS = Runtime.getRuntime().availableProcessors();
  private static final long SUPER = FrameMarks.withGso(FrameMarks.CHECKSUM_PARTIAL, 1, 1448);

  private final CountDownLatch running = new CountDownLatch(FLOWS);

  @Test
  void shouldKeepFlowsOfSeveralSendersInOrder() throws Exception {
    PacketPort left = open(pair.left, Latency.LOW);
    List<Thread> senders = IntStream.range(0, FLOWS)
        .mapToObj(flow -> sender(open(pair.right, Latency.LOW).queue(0), flow))
        .toList();
    senders.forEach(Thread::start);
    int[] last = new int[FLOWS];
    long received = 0;
    FrameBatch batch = new FrameBatch();
    PortQueue queue = left.queue(0);
    for (int got = 1; got > 0 || running.getCount() > 0;) {
      got = queue.receive(batch, 0);
      for (int i = 0; i < got; i++) {
        FrameView view = batch.get(i);
        int flow = view.buffer().getUnsignedShort(view.start() + TCP);
        int number = view.buffer().getInt(view.start() + TCP + TcpHeader.SEQUENCE_OFFSET);
        assertThat(number).as("frame of flow %d after %d", flow, last[flow]).isGreaterThan(last[flow]);
        last[flow] = number;
      }
      received += got;
      queue.release();
      batch.clear();
    }
    for (Thread sender : senders) {
      sender.join();
    }
    assertThat(received).isGreaterThan(FLOWS * FRAMES / 4);
  }

  private Thread sender(PortQueue queue, int flow) {
    return new Thread(() -> send(queue, flow), "sender of flow " + flow);
  }

  /** Super-frames and short ones by turns, each with its number and its flow's. */
  private void send(PortQueue queue, int flow) {
    VethPair.must("taskset", "-p", "-c", Integer.toString(flow % PROCESSORS), threadId());
    ByteBuf[] frames = {
      PartialFrames.unfinish(PartialFrames.frame(false, true, 100)),
      PartialFrames.unfinish(PartialFrames.frame(false, true, 3_000 + 20_000 * flow))
    };
    for (int number = 1; number <= FRAMES; number++) {
      ByteBuf frame = frames[number & 1];
      frame.setShort(TCP, flow).setInt(TCP + TcpHeader.SEQUENCE_OFFSET, number);
      queue.transmit(frame, 0, frame.readableBytes(), (number & 1) == 0 ? FrameMarks.CHECKSUM_PARTIAL : SUPER);
      queue.flush();
    }
    running.countDown();
  }

  /** The system's number of this thread. */
  private static String threadId() {
    try {
      return Files.readSymbolicLink(Path.of("/proc/thread-self")).getFileName().toString();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
