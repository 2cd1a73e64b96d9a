package io.lb4j.benchmarks;

import com.lmax.disruptor.EventPoller;
import com.lmax.disruptor.RingBuffer;
import com.lmax.disruptor.YieldingWaitStrategy;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.jctools.queues.varhandle.SpscVarHandleArrayQueue;
import org.openjdk.jmh.annotations.AuxCounters;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Group;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/**
 * Frames from one thread to another, by rings of 4,096. The counter {@code taken} is what arrived; attempts that found
 * a ring full or empty are not in it.
 */
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Fork(2)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
public class HandOverBenchmark {
  private static final int CAPACITY = 4096;
  private static final int BURST = 32;

  /** What arrived. */
  @State(Scope.Thread)
  @AuxCounters(AuxCounters.Type.OPERATIONS)
  public static class Arrived {
    /** Frames. */
    public long taken;

    /** Counts from 0 in each iteration. */
    @Setup
    public void clear() {
      taken = 0;
    }
  }

  /** The rings, empty at first. */
  @State(Scope.Group)
  public static class Rings {
    private final ByteBuf frame = Unpooled.directBuffer(64, 64);
    private final SpscVarHandleArrayQueue<ByteBuf> spsc = new SpscVarHandleArrayQueue<>(CAPACITY);
    private final ArrayBlockingQueue<ByteBuf> blocking = new ArrayBlockingQueue<>(CAPACITY);
    private final RingBuffer<ByteBuf[]> disruptor =
        RingBuffer.createSingleProducer(() -> new ByteBuf[1], CAPACITY, new YieldingWaitStrategy());
    private final EventPoller<ByteBuf[]> poller = disruptor.newPoller();

    /** Lets the ring know its reader. */
    @Setup
    public void join() {
      disruptor.addGatingSequences(poller.getSequence());
    }
  }

  /** Offers a burst. */
  @Benchmark
  @Group("spsc")
  public void spscOffer(Rings rings) {
    for (int i = 0; i < BURST && rings.spsc.offer(rings.frame); i++) {}
  }

  /** Polls a burst. */
  @Benchmark
  @Group("spsc")
  public void spscPoll(Rings rings, Arrived arrived) {
    for (int i = 0; i < BURST && rings.spsc.poll() != null; i++) {
      arrived.taken++;
    }
  }

  /** Offers a burst. */
  @Benchmark
  @Group("baselineBlockingQueue")
  public void blockingOffer(Rings rings) {
    for (int i = 0; i < BURST && rings.blocking.offer(rings.frame); i++) {}
  }

  /** Polls a burst. */
  @Benchmark
  @Group("baselineBlockingQueue")
  public void blockingPoll(Rings rings, Arrived arrived) {
    for (int i = 0; i < BURST && rings.blocking.poll() != null; i++) {
      arrived.taken++;
    }
  }

  /** Claims and publishes one slot after another. */
  @Benchmark
  @Group("baselineDisruptor")
  public void disruptorPublish(Rings rings) {
    RingBuffer<ByteBuf[]> ring = rings.disruptor;
    for (int i = 0; i < BURST && ring.hasAvailableCapacity(1); i++) {
      long slot = ring.next();
      ring.get(slot)[0] = rings.frame;
      ring.publish(slot);
    }
  }

  /** Polls what there is, a burst at most. */
  @Benchmark
  @Group("baselineDisruptor")
  public void disruptorPoll(Rings rings, Arrived arrived) throws Exception {
    int[] left = {BURST};
    rings.poller.poll((slot, sequence, last) -> {
      arrived.taken++;
      return --left[0] > 0;
    });
  }
}
