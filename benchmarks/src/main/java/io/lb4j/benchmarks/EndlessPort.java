package io.lb4j.benchmarks;

import io.lb4j.address.MacAddress;
import io.lb4j.frame.FrameBatch;
import io.lb4j.frame.FrameMarks;
import io.lb4j.port.Port;
import io.lb4j.port.PortCounters;
import io.lb4j.port.PortQueue;
import io.lb4j.port.PortStatus;
import io.lb4j.port.PortTraits;
import io.lb4j.wire.TcpHeader;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.PooledByteBufAllocator;
import java.util.List;
import java.util.concurrent.atomic.AtomicLongArray;
import java.util.concurrent.locks.LockSupport;
import org.HdrHistogram.Histogram;
import org.HdrHistogram.Recorder;
import org.jspecify.annotations.Nullable;

/**
 * A port in memory whose network costs next to nothing: each queue has a frame of every one of its flows in memory,
 * brings them round and round in random order, and counts what is sent. Each flow is opened by a SYN and an ACK before
 * plain segments come. At most {@link #WINDOW} frames of a queue are on their way, so that no ring between threads
 * overflows: the balancer alone decides the pace; or one frame after another at a fixed pace, and the port records how
 * long each was on its way. Queues belong to threads as {@link PortQueue} says.
 */
final class EndlessPort implements Port {
  /** Frames on their way, at most. */
  static final int WINDOW = 512;

  private static final int SLOT_BYTES = 128;
  private static final int HANDSHAKES = 2 * WINDOW;
  private static final int OPENING_FRAMES = 2; // of each flow
  private static final int STAMPED = 1 << 30; // in an acknowledgment number, which nobody looks at: a stamp's index
  private static final int STAMPS = 4 * WINDOW;
  private static final long LONGEST_NS = 1_000_000_000L;

  private final PortTraits traits =
      new PortTraits(MacAddress.of(FramePool.BALANCER_MAC), 1500, List.of(), false, false, false);
  private final Queue[] queues;
  private final long periodNs;
  private volatile boolean closed;

  private final class Queue implements PortQueue {
    private static final int APART = 32; // longs from what other threads write

    private final ByteBuf frames;
    private final int frameBytes;
    private final int[] order;
    private final AtomicLongArray counts = new AtomicLongArray(2 * APART);
    private int begun;
    private int opened;
    private int position;
    private final long[] stampsNs = new long[STAMPS]; // the rings between the threads make them visible
    private final Recorder onTheirWay = new Recorder(LONGEST_NS, 3);
    private long received;
    private long dueNs;
    private int sentInBurst;
    private volatile @Nullable Thread sleeper;

    Queue(Flows flows, int first, int count) {
      order = Flows.shuffled(count);
      frames = PooledByteBufAllocator.DEFAULT.directBuffer(count * SLOT_BYTES);
      FramePool pool = new FramePool(flows);
      ByteBuf frame = pool.frames[0];
      frameBytes = frame.readableBytes();
      for (int i = 0; i < count; i++) {
        pool.write(frame, first + i, TcpHeader.SYN);
        frames.setBytes(i * SLOT_BYTES, frame, 0, frameBytes);
      }
      pool.release();
    }

    long sent() {
      return counts.getAcquire(APART);
    }

    @Override
    public int receive(FrameBatch batch, int ingress) {
      if (periodNs > 0 && opened == order.length) {
        return receiveAtPace(batch, ingress);
      }
      int most = closed ? 0 : (int) Math.min(batch.room(), WINDOW - (received - sent()));
      for (int i = 0; i < most; i++) {
        int at = (opened < order.length ? nextOfOpening() : nextOfKnown()) * SLOT_BYTES;
        FramePool.address(frames, at);
        batch.add(frames, at, frameBytes, FrameMarks.NONE, ingress);
      }
      received += Math.max(0, most);
      return Math.max(0, most);
    }

    private int receiveAtPace(FrameBatch batch, int ingress) {
      long nowNs = System.nanoTime();
      if (closed || dueNs - nowNs > 0 || received - sent() >= WINDOW) {
        return 0;
      }
      dueNs = Math.max(dueNs + periodNs, nowNs); // lost time is not caught up with
      int at = nextOfKnown() * SLOT_BYTES;
      int stamp = (int) (received++ & STAMPS - 1);
      FramePool.address(frames, at);
      frames.setInt(FramePool.acknowledgment(frames, at), STAMPED | stamp);
      batch.add(frames, at, frameBytes, FrameMarks.NONE, ingress);
      stampsNs[stamp] = nowNs;
      return 1;
    }

    private int nextOfKnown() {
      int flow = order[position];
      position = position + 1 == order.length ? 0 : position + 1;
      return flow;
    }

    /** Few handshakes are open at a time, and a SYN has been sent before its memory becomes the next segment. */
    private int nextOfOpening() {
      if (begun < order.length && begun - opened < HANDSHAKES) {
        return order[begun++];
      }
      int flow = order[opened++];
      FramePool.acknowledge(frames, flow * SLOT_BYTES);
      return flow;
    }

    @Override
    public void release() {}

    @Override
    public boolean transmit(ByteBuf buffer, int start, int length, long marks) {
      sentInBurst++;
      if (periodNs > 0) {
        int number = buffer.getInt(FramePool.acknowledgment(buffer, start));
        if ((number & STAMPED) != 0) {
          long elapsedNs = System.nanoTime() - stampsNs[number & STAMPS - 1];
          onTheirWay.recordValue(Math.max(0, Math.min(LONGEST_NS, elapsedNs)));
        }
      }
      return true;
    }

    @Override
    public int flush() {
      counts.set(APART, counts.getPlain(APART) + sentInBurst);
      sentInBurst = 0;
      Thread asleep = sleeper;
      if (asleep != null) {
        sleeper = null;
        LockSupport.unpark(asleep);
      }
      return 0;
    }

    /** Sleeps until something has been sent, as a device's interrupt would wake the thread. */
    @Override
    public void await(long timeoutNs) {
      sleeper = Thread.currentThread();
      if (periodNs > 0) {
        LockSupport.parkNanos(this, Math.min(timeoutNs, 50_000));
      } else if (received - sent() >= WINDOW) {
        LockSupport.parkNanos(this, timeoutNs);
      }
      sleeper = null;
    }
  }

  /** A port with so many flows for each queue. */
  EndlessPort(boolean v6, int queueCount, int flowsOfQueue) {
    this(v6, queueCount, flowsOfQueue, 0);
  }

  /** A port that brings a frame to each queue in every period once flows are established; 0 brings all it can. */
  EndlessPort(boolean v6, int queueCount, int flowsOfQueue, long periodNs) {
    this.periodNs = periodNs;
    Flows flows = new Flows(v6);
    queues = new Queue[queueCount];
    for (int i = 0; i < queueCount; i++) {
      queues[i] = new Queue(flows, i * flowsOfQueue, flowsOfQueue);
    }
  }

  /** Frames sent since the beginning. Safe from any thread. */
  long sent() {
    long sum = 0;
    for (Queue queue : queues) {
      sum += queue.sent();
    }
    return sum;
  }

  /** Takes over how long the frames of the first queue were on their way since it was last asked. For one thread. */
  void drainTo(Histogram histogram) {
    histogram.add(queues[0].onTheirWay.getIntervalHistogram());
  }

  /** Frames after which every flow is established. */
  long opening() {
    long sum = 0;
    for (Queue queue : queues) {
      sum += (long) OPENING_FRAMES * queue.order.length;
    }
    return sum;
  }

  @Override
  public String name() {
    return "endless";
  }

  @Override
  public PortTraits traits() {
    return traits;
  }

  @Override
  public int queues() {
    return queues.length;
  }

  @Override
  public PortQueue queue(int index) {
    return queues[index];
  }

  @Override
  public void join(MacAddress address) {}

  @Override
  public PortStatus status() {
    return closed ? PortStatus.CLOSED : PortStatus.UP;
  }

  @Override
  public PortCounters counters() {
    return new PortCounters(sent(), 0, 0, sent(), 0, 0);
  }

  @Override
  public void close() {
    if (!closed) {
      closed = true;
      for (Queue queue : queues) {
        queue.frames.release();
      }
    }
  }
}
