package io.lb4j.dsr;

import static org.assertj.core.api.Assertions.assertThat;

import io.lb4j.address.MacAddress;
import io.lb4j.core.LoadBalancer;
import io.lb4j.frame.FrameBatch;
import io.lb4j.frame.FrameMarks;
import io.lb4j.frame.Verdict;
import io.lb4j.neighbor.AnnouncementSettings;
import io.lb4j.port.MemoryPort;
import io.lb4j.port.PortQueue;
import io.lb4j.port.PortTraits;
import io.lb4j.port.PortWrapper;
import io.lb4j.service.VirtualService;
import io.lb4j.testkit.FrameBuilder;
import io.lb4j.wire.TcpHeader;
import io.netty.buffer.AbstractByteBufAllocator;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.UnpooledByteBufAllocator;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What fails in a burst, memory for example, costs this burst: the thread that carried it goes on, and so do others. */
@Timeout(60)
class FailedBurstTest {
  private static final int WORKER_QUEUE = 32;
  private static final long PATIENCE_NS = TimeUnit.SECONDS.toNanos(10);

  private final MemoryPort wire = new MemoryPort("eth0", traits(), 1, 1024);
  private final MemoryPort twoQueues = new MemoryPort("eth0", traits(), 2, 1024); // which one worker does not receive
  private final AtomicInteger failures = new AtomicInteger();
  private volatile Part failing = Part.NONE;
  private MemoryPort port;

  private enum Part {
    NONE,
    PICKER,
    ALLOCATOR,
    RECEIVE,
    TRANSMIT,
    FLUSH
  }

  private static PortTraits traits() {
    return new PortTraits(MacAddress.of(Lan.LB_MAC), 1500, List.of(), false, true, true);
  }

  private void failIn(Part part) {
    if (failing == part) {
      failures.incrementAndGet();
      throw new OutOfMemoryError("as Netty's OutOfDirectMemoryError");
    }
  }

  /** The first server, if any. */
  private int pick() {
    failIn(Part.PICKER);
    return 0;
  }

  private final class ExhaustedAllocator extends AbstractByteBufAllocator {
    ExhaustedAllocator() {
      super(true);
    }

    @Override
    protected ByteBuf newHeapBuffer(int initialCapacity, int maxCapacity) {
      failIn(Part.ALLOCATOR);
      return UnpooledByteBufAllocator.DEFAULT.heapBuffer(initialCapacity, maxCapacity);
    }

    @Override
    protected ByteBuf newDirectBuffer(int initialCapacity, int maxCapacity) {
      failIn(Part.ALLOCATOR);
      return UnpooledByteBufAllocator.DEFAULT.directBuffer(initialCapacity, maxCapacity);
    }

    @Override
    public boolean isDirectBufferPooled() {
      return false;
    }
  }

  private final class FailingPort extends PortWrapper {
    FailingPort() {
      super(port);
    }

    @Override
    public PortQueue queue(int index) {
      PortQueue queue = super.queue(index);
      return new PortQueue() {
        @Override
        public int receive(FrameBatch batch, int ingress) {
          int received = queue.receive(batch, ingress);
          if (received > 0) {
            failIn(Part.RECEIVE);
          }
          return received;
        }

        @Override
        public void release() {
          queue.release();
        }

        @Override
        public boolean transmit(ByteBuf buffer, int start, int length, long marks) {
          failIn(Part.TRANSMIT);
          return queue.transmit(buffer, start, length, marks);
        }

        @Override
        public int flush() {
          failIn(Part.FLUSH);
          return queue.flush();
        }

        @Override
        public void await(long timeoutNs) {
          queue.await(timeoutNs);
        }
      };
    }
  }

  private LoadBalancer start(boolean pipelined) {
    port = pipelined ? twoQueues : wire;
    (pipelined ? wire : twoQueues).close();
    LoadBalancer balancer =
        LoadBalancer.builder()
            .networkInterface("eth0", i -> i.port(new FailingPort()).mac(Lan.LB_MAC).address("192.0.2.5/24"))
            .neighbor(Lan.server(false, 1), Lan.mac(1))
            .announcements(AnnouncementSettings.off())
            .flowTable(1024)
            .workerQueue(WORKER_QUEUE)
            .allocator(new ExhaustedAllocator())
            .service(Lan.withServers(Lan.tcp(false).scheduler(new PickingScheduler(this::pick)), false, 1))
            .service(
                VirtualService.tcp(Lan.vip(false), 81)
                    .named("unresolved")
                    .forwarding(DirectServerReturn.create())
                    .realServer("s2", Lan.server(false, 2)))
            .build();
    balancer.start();
    return balancer;
  }

  private static FrameBuilder syn(int clientPort, int toPort) {
    return FrameBuilder.from("198.51.100.1", Lan.vip(false))
        .macs(Lan.LB_MAC, Lan.ROUTER_MAC)
        .tcp(clientPort, toPort, TcpHeader.SYN)
        .padTo(60);
  }

  private void offer(FrameBuilder frame, long marks) {
    ByteBuf built = frame.build();
    long end = System.nanoTime() + PATIENCE_NS;
    while (!port.offer(0, built, marks)) {
      assertThat(System.nanoTime() - end).as("the ring stayed full").isNegative();
      Thread.onSpinWait();
    }
    built.release();
  }

  private void awaitFailures(int count) {
    long end = System.nanoTime() + PATIENCE_NS;
    while (failures.get() < count) {
      assertThat(System.nanoTime() - end).as("%d of %d failures", failures.get(), count).isNegative();
      Thread.onSpinWait();
    }
  }

  /** A new client's SYN comes out again: all threads on its way live. */
  private void assertForwards(int clientPort) {
    offer(syn(clientPort, 80), FrameMarks.NONE);
    AtomicBoolean seen = new AtomicBoolean();
    long end = System.nanoTime() + PATIENCE_NS;
    while (!seen.get()) {
      assertThat(System.nanoTime() - end).as("frame from port %d did not come out", clientPort).isNegative();
      port.poll(
          0,
          (buffer, start, length, marks) ->
              seen.set(length == 60 && buffer.getUnsignedShort(start + 34) == clientPort));
    }
  }

  @ParameterizedTest
  @CsvSource({
    "false, PICKER", "false, RECEIVE", "false, TRANSMIT", "false, FLUSH",
    "true, PICKER", "true, RECEIVE", "true, TRANSMIT", "true, FLUSH"
  })
  void shouldGoOnAfterABurstThatFailed(boolean pipelined, Part part) {
    try (LoadBalancer balancer = start(pipelined)) {
      assertForwards(4000);
      for (int n = 1; n <= 3; n++) {
        failures.set(0);
        failing = part;
        offer(syn(5000 + n, 80), FrameMarks.NONE);
        awaitFailures(1);
        failing = Part.NONE;
        assertForwards(4000 + n);
      }
      assertThat(balancer.statistics().count(Verdict.FORWARD)).isGreaterThanOrEqualTo(4);
    }
  }

  /** A copy that could not be made leaves no trace among the frames that wait for their next hops. */
  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void shouldGoOnWhenThereIsNoMemoryForAFrameThatHasToWait(boolean pipelined) {
    try (LoadBalancer balancer = start(pipelined)) {
      assertForwards(4000);
      failing = Part.ALLOCATOR;
      offer(syn(5000, 81), FrameMarks.NONE);
      awaitFailures(1);
      failing = Part.NONE;
      assertForwards(4001);
      assertThat(balancer.statistics().held()).isZero();
    }
  }

  /** More super-frames than a receiver has parcels: each of them fails, and none takes a parcel with it. */
  @Test
  void shouldReceiveAgainWhenThereIsMemoryForSuperFrames() {
    try (LoadBalancer balancer = start(true)) {
      assertForwards(4000);
      failing = Part.ALLOCATOR;
      long marks = FrameMarks.withGso(FrameMarks.NONE, 1, 1448);
      for (int n = 1; n <= 3 * WORKER_QUEUE; n++) {
        offer(syn(5000 + n, 80).padTo(20_000), marks);
        awaitFailures(n);
      }
      failing = Part.NONE;
      for (int n = 1; n <= 2 * WORKER_QUEUE; n++) {
        assertForwards(6000 + n);
      }
      assertThat(balancer.statistics().count(Verdict.WORKER_QUEUE_FULL)).isZero();
    }
  }
}
