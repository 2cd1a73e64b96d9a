package io.lb4j.benchmarks;

import com.lmax.disruptor.EventPoller;
import com.lmax.disruptor.RingBuffer;
import com.lmax.disruptor.YieldingWaitStrategy;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.HdrHistogram.Histogram;
import org.jctools.queues.varhandle.SpscVarHandleArrayQueue;
import org.openjdk.jmh.annotations.AuxCounters;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Group;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/**
 * From one thread's offer to the other thread's hands: one message at a time at a fixed pace, so that nothing queues
 * and the hop alone is measured. Both threads spin and need a core each. {@code p50}, {@code p99} and {@code p999} are
 * nanoseconds of each iteration, with what reading the clock takes in them; JMH adds them up over iterations, the
 * report takes their median. The score itself is how often the threads looked.
 */
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Fork(2)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
public class HandOverLatencyBenchmark {
  private static final int CAPACITY = 4096;
  private static final long LONGEST_NS = 1_000_000_000L;

  /** What travels. */
  static final class Message {
    private long sentNs;
  }

  /** Says when the next message is due. */
  @State(Scope.Thread)
  public static class Pace {
    /** Nanoseconds from one message to the next. */
    @Param("2000")
    public long periodNs;

    private final Message[] messages = new Message[2 * CAPACITY]; // more than can be on their way
    private int next;
    private long dueNs;

    /** Makes the messages. */
    @Setup
    public void make() {
      for (int i = 0; i < messages.length; i++) {
        messages[i] = new Message();
      }
      dueNs = System.nanoTime();
    }

    /** The next message, with the time; null while none is due. */
    Message poll() {
      long nowNs = System.nanoTime();
      if (dueNs - nowNs > 0) {
        Thread.onSpinWait();
        return null;
      }
      dueNs = Math.max(dueNs + periodNs, nowNs - periodNs); // lost time is not caught up with
      Message message = messages[next];
      next = next + 1 & messages.length - 1;
      message.sentNs = nowNs;
      return message;
    }
  }

  /** What the receiving thread has seen. */
  @State(Scope.Thread)
  @AuxCounters(AuxCounters.Type.EVENTS)
  public static class Seen {
    private final Histogram histogram = new Histogram(LONGEST_NS, 3);
    private boolean stale;

    /** Begins an iteration; what was sent before it does not count. */
    @Setup(Level.Iteration)
    public void clear() {
      histogram.reset();
      stale = true;
    }

    void see(Message message) {
      if (message == null) {
        stale = false; // the ring is empty: whatever comes is new
        Thread.onSpinWait();
      } else if (!stale) {
        histogram.recordValue(Math.min(LONGEST_NS, Math.max(0, System.nanoTime() - message.sentNs)));
      }
    }

    /**
     * Half of the hops took no longer.
     *
     * @return nanoseconds
     */
    public long p50() {
      return histogram.getValueAtPercentile(50);
    }

    /**
     * 99 of 100 hops took no longer.
     *
     * @return nanoseconds
     */
    public long p99() {
      return histogram.getValueAtPercentile(99);
    }

    /**
     * 999 of 1,000 hops took no longer.
     *
     * @return nanoseconds
     */
    public long p999() {
      return histogram.getValueAtPercentile(99.9);
    }

    /**
     * Hops that were measured.
     *
     * @return a count
     */
    public long hops() {
      return histogram.getTotalCount();
    }
  }

  /** The rings, empty at first. */
  @State(Scope.Group)
  public static class Rings {
    private final SpscVarHandleArrayQueue<Message> spsc = new SpscVarHandleArrayQueue<>(CAPACITY);
    private final ArrayBlockingQueue<Message> blocking = new ArrayBlockingQueue<>(CAPACITY);
    private final RingBuffer<Message[]> disruptor =
        RingBuffer.createSingleProducer(() -> new Message[1], CAPACITY, new YieldingWaitStrategy());
    private final EventPoller<Message[]> poller = disruptor.newPoller();
    private final EventPoller.Handler<Message[]> keep = (slot, sequence, last) -> {
      this.polled = slot[0];
      return false;
    };
    private Message polled;

    /** Lets the ring know its reader. */
    @Setup
    public void join() {
      disruptor.addGatingSequences(poller.getSequence());
    }

    private Message pollDisruptor() throws Exception {
      polled = null;
      poller.poll(keep);
      return polled;
    }
  }

  /** Sends what is due. */
  @Benchmark
  @Group("spsc")
  public void spscSend(Rings rings, Pace pace) {
    Message message = pace.poll();
    if (message != null) {
      rings.spsc.offer(message);
    }
  }

  /** Looks. */
  @Benchmark
  @Group("spsc")
  public void spscReceive(Rings rings, Seen seen) {
    seen.see(rings.spsc.poll());
  }

  /** Sends what is due. */
  @Benchmark
  @Group("baselineBlockingQueue")
  public void blockingSend(Rings rings, Pace pace) {
    Message message = pace.poll();
    if (message != null) {
      rings.blocking.offer(message);
    }
  }

  /** Looks. */
  @Benchmark
  @Group("baselineBlockingQueue")
  public void blockingReceive(Rings rings, Seen seen) {
    seen.see(rings.blocking.poll());
  }

  /** Sends what is due. */
  @Benchmark
  @Group("baselineDisruptor")
  public void disruptorSend(Rings rings, Pace pace) {
    Message message = pace.poll();
    if (message != null && rings.disruptor.hasAvailableCapacity(1)) {
      long slot = rings.disruptor.next();
      rings.disruptor.get(slot)[0] = message;
      rings.disruptor.publish(slot);
    }
  }

  /** Looks. */
  @Benchmark
  @Group("baselineDisruptor")
  public void disruptorReceive(Rings rings, Seen seen) throws Exception {
    seen.see(rings.pollDisruptor());
  }
}
