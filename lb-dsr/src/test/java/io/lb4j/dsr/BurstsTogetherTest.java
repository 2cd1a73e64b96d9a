package io.lb4j.dsr;

import static org.assertj.core.api.Assertions.assertThat;

import io.lb4j.core.LoadBalancer;
import io.lb4j.dataplane.WaitStrategy;
import io.lb4j.dataplane.Worker;
import io.lb4j.frame.FrameBatch;
import io.lb4j.frame.FrameMarks;
import io.lb4j.neighbor.AnnouncementSettings;
import io.lb4j.port.PortQueue;
import io.lb4j.testkit.FrameBuilder;
import io.lb4j.wire.TcpHeader;
import io.netty.buffer.ByteBuf;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Frames that wait already leave together, up to two batches; nobody waits for frames that are not there. */
@Timeout(60)
class BurstsTogetherTest {
  /** A queue with so many frames waiting, that ends the worker when all have been received. */
  private static final class Waiting implements PortQueue {
    private final List<ByteBuf> frames = new ArrayList<>();
    private final List<String> calls = new ArrayList<>();
    private int next;
    private int handedOver;
    private Worker worker;

    Waiting(int count) {
      for (int i = 0; i < count; i++) {
        frames.add(
            FrameBuilder.from("198.51.100.1", Lan.vip(false))
                .macs(Lan.LB_MAC, Lan.ROUTER_MAC)
                .tcp(4000 + i, 80, TcpHeader.SYN)
                .padTo(60)
                .build());
      }
    }

    @Override
    public int receive(FrameBatch batch, int ingress) {
      int received = 0;
      for (; next < frames.size() && batch.room() > 0; received++) {
        ByteBuf frame = frames.get(next++);
        batch.add(frame, 0, frame.readableBytes(), FrameMarks.NONE, ingress);
      }
      if (received == 0) {
        worker.stop();
      }
      return received;
    }

    @Override
    public void release() {
      if (!calls.isEmpty() && calls.get(calls.size() - 1).startsWith("send")) {
        calls.add("release");
      }
    }

    @Override
    public boolean transmit(ByteBuf buffer, int start, int length, long marks) {
      handedOver++;
      return true;
    }

    @Override
    public int flush() {
      if (handedOver > 0) {
        calls.add("send " + handedOver);
      }
      handedOver = 0;
      return 0;
    }

    @Override
    public void await(long timeoutNs) {}
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "1 | send 1, release",
        "31 | send 31, release",
        "32 | send 32, release",
        "33 | send 33, release",
        "64 | send 64, release",
        "65 | send 64, release, send 1, release",
        "150 | send 64, release, send 64, release, send 22, release",
      })
  void shouldSendWaitingFramesTogether(int frames, String calls) {
    Waiting queue = new Waiting(frames);
    try (LoadBalancer balancer =
        LoadBalancer.builder()
            .networkInterface("eth0", i -> i.mac(Lan.LB_MAC).address("192.0.2.5/24"))
            .neighbor(Lan.server(false, 1), Lan.mac(1))
            .announcements(AnnouncementSettings.off())
            .service(Lan.withServers(Lan.tcp(false), false, 1))
            .flowTable(1024)
            .build()) {
      Worker worker = new Worker(balancer.dataPath(), List.of(queue), WaitStrategy.SPIN, System::nanoTime);
      queue.worker = worker;

      worker.run();

      assertThat(String.join(", ", queue.calls)).isEqualTo(calls);
    } finally {
      queue.frames.forEach(ByteBuf::release);
    }
  }
}
