package io.lb4j.dsr;

import static org.assertj.core.api.Assertions.assertThat;

import io.lb4j.core.LoadBalancer;
import io.lb4j.dataplane.WaitStrategy;
import io.lb4j.dataplane.Worker;
import io.lb4j.frame.FrameBatch;
import io.lb4j.frame.FrameMarks;
import io.lb4j.neighbor.AnnouncementSettings;
import io.lb4j.port.PortQueue;
import io.lb4j.service.UnservedPolicy;
import io.lb4j.testkit.FrameBuilder;
import io.lb4j.wire.TcpHeader;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A burst fails whose first half was given to the port already: the port sends it before its memory is released. */
@Timeout(60)
class FlushAfterFailureTest {
  /** Reads frames at its flush, as a port does that keeps their addresses. */
  private static final class ReadingAtFlush implements PortQueue {
    private final List<ByteBuf> toReceive = new ArrayList<>();
    private final List<ByteBuf> given = new ArrayList<>();
    private final List<String> asGiven = new ArrayList<>();
    private final List<String> changed = new ArrayList<>();
    private final boolean flushFails;
    private int next;
    private int batches;
    private int sent;
    private ByteBuf own; // the last frame that the balancer made
    private Worker worker;

    ReadingAtFlush(boolean flushFails) {
      this.flushFails = flushFails;
    }

    @Override
    public int receive(FrameBatch batch, int ingress) {
      int received = 0;
      for (; next < toReceive.size() && batch.room() > 0; received++) {
        ByteBuf frame = toReceive.get(next++);
        batch.add(frame, 0, frame.readableBytes(), FrameMarks.NONE, ingress);
      }
      batches += received > 0 ? 1 : 0;
      if (received == 0) {
        worker.stop();
      }
      return received;
    }

    @Override
    public void release() {}

    @Override
    public boolean transmit(ByteBuf buffer, int start, int length, long marks) {
      given.add(buffer);
      asGiven.add(ByteBufUtil.hexDump(buffer, start, length));
      own = toReceive.contains(buffer) ? own : buffer;
      return true;
    }

    @Override
    public int flush() {
      for (int i = 0; i < given.size(); i++) {
        ByteBuf frame = given.get(i);
        String now = frame.refCnt() == 0 ? "released" : ByteBufUtil.hexDump(frame, 0, frame.writerIndex());
        if (!now.equals(asGiven.get(i))) {
          changed.add(i + ": " + now);
        }
      }
      boolean fails = flushFails && sent == 0 && !given.isEmpty();
      sent += given.size();
      given.clear();
      asGiven.clear();
      if (fails) {
        throw new IllegalStateException("nothing can be sent");
      }
      return 0;
    }

    @Override
    public void await(long timeoutNs) {}
  }

  /** The first server; fails for the second batch. */
  private static int pick(ReadingAtFlush queue) {
    if (queue.batches == 2) {
      throw new IllegalStateException("a defect");
    }
    return 0;
  }

  private static FrameBuilder from(int client) {
    return FrameBuilder.from("198.51.100." + client, Lan.vip(false)).macs(Lan.LB_MAC, Lan.ROUTER_MAC).padTo(60);
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void shouldSendWhatThePortWasGivenBeforeItsMemoryIsReleased(boolean flushFails) {
    ReadingAtFlush queue = new ReadingAtFlush(flushFails);
    queue.toReceive.add(from(1).udp(4000, 9).build()); // answered by a frame of the balancer's own
    for (int n = 1; n <= 40; n++) {
      queue.toReceive.add(from(1).tcp(4000 + n, 80, TcpHeader.SYN).build());
    }
    try (LoadBalancer balancer =
        LoadBalancer.builder()
            .networkInterface("eth0", i -> i.mac(Lan.LB_MAC).address("192.0.2.5/24"))
            .neighbor(Lan.server(false, 1), Lan.mac(1))
            .announcements(AnnouncementSettings.off())
            .unserved(UnservedPolicy.REJECT)
            .service(Lan.withServers(Lan.tcp(false).scheduler(new PickingScheduler(() -> pick(queue))), false, 1))
            .flowTable(1024)
            .build()) {
      queue.worker = new Worker(balancer.dataPath(), List.of(queue), WaitStrategy.SPIN, System::nanoTime);

      queue.worker.run();

      assertThat(queue.changed).as("before the flush").isEmpty();
      assertThat(queue.sent).as("the first batch; the second failed").isEqualTo(32);
      assertThat(queue.own.refCnt()).as("released at last").isZero();
    } finally {
      queue.toReceive.forEach(ByteBuf::release);
    }
  }
}
