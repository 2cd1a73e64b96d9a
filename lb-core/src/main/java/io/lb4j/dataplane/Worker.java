package io.lb4j.dataplane;

import io.lb4j.counters.WorkerCounters;
import io.lb4j.frame.FrameBatch;
import io.lb4j.frame.FrameMarks;
import io.lb4j.frame.FrameOutput;
import io.lb4j.frame.FrameView;
import io.lb4j.frame.Verdict;
import io.lb4j.port.PortQueue;
import io.netty.buffer.ByteBuf;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import java.util.function.LongSupplier;

/**
 * Run to completion: one thread receives a burst, works on it and sends it, for one queue of every port. The thread
 * owns the data path and the queues.
 */
public final class Worker extends Apart implements Runnable {
  private static final long LONGEST_WAIT_NS = 20_000_000;
  private static final long SHORT_NAP_NS = 50_000;
  private static final long LONG_NAP_NS = 200_000;
  private static final int SHORT_NAPS = 100;
  private static final int BATCHES_TOGETHER = 2; // as many frames as a packet port sends at once

  private final DataPath dataPath;
  private final WorkerCounters counters;
  private final PortQueue[] queues;
  private final boolean[] carriesGso;
  private final SegmentedQueue[] segmented; // for super-frames by ports that do not carry them
  private final WaitStrategy waiting;
  private final LongSupplier clock;
  private final FrameBatch batch = new FrameBatch();
  private final List<ByteBuf> unsent = new ArrayList<>();
  private final FrameOutput ownFrames = this::transmit;
  private final Failures failures = new Failures("a worker");
  private volatile boolean running = true;
  private int idleRounds;
  private int naps; // since there was something to do, as far as it matters

  /**
   * A worker that has not begun.
   *
   * @param dataPath owned by the worker's thread from now on
   * @param queues one per interface, in the order of their indices
   * @param waiting what the thread does while there is nothing to do
   * @param clock nanoseconds, never running backwards
   */
  public Worker(DataPath dataPath, List<PortQueue> queues, WaitStrategy waiting, LongSupplier clock) {
    this.dataPath = dataPath;
    this.counters = dataPath.counters();
    this.queues = queues.toArray(PortQueue[]::new);
    this.carriesGso = new boolean[queues.size()];
    this.segmented = new SegmentedQueue[queues.size()];
    for (int link = 0; link < segmented.length; link++) {
      carriesGso[link] = dataPath.carriesGso(link);
      segmented[link] = new SegmentedQueue(queues.get(link), link, counters);
    }
    dataPath.cutSuperFrames();
    this.waiting = waiting;
    this.clock = clock;
  }

  /** Asks the thread to end after its present burst. Safe from any thread. */
  public void stop() {
    running = false;
  }

  @Override
  public void run() {
    long deadline = clock.getAsLong();
    while (running) {
      try {
        boolean worked = burst();
        long nowNs = clock.getAsLong();
        if (deadline - nowNs <= 0 || dataPath.hasCommands()) {
          deadline = dataPath.tick(nowNs, ownFrames);
          flush();
        }
        if (worked || dataPath.hasCommands()) {
          idleRounds = 0;
          naps = 0;
        } else {
          idle(deadline - nowNs);
        }
      } catch (RuntimeException | Error e) {
        onFailure(e);
      }
    }
  }

  /** A defect of ours or of a port, or memory is short: frames of this burst are lost, the next burst is not. */
  private void onFailure(Throwable failure) {
    failures.report(failure);
    try {
      flush();
    } catch (RuntimeException | Error e) {
      failures.report(e);
    }
  }

  private boolean burst() {
    boolean worked = false;
    for (int link = 0; link < queues.length; link++) {
      if (workOn(link)) {
        flush();
        worked = true;
      }
      queues[link].release();
    }
    return worked;
  }

  /** Batches that wait already are sent together, by one system call where the port takes so many. */
  private boolean workOn(int link) {
    int batches = 0;
    int received;
    do {
      batch.clear();
      received = queues[link].receive(batch, link);
      if (received > 0) {
        dataPath.process(batch, clock.getAsLong(), ownFrames);
        transmitBatch();
        batches++;
      }
    } while (received == FrameBatch.CAPACITY && batches < BATCHES_TOGETHER);
    return batches > 0;
  }

  private void transmitBatch() {
    for (int i = 0; i < batch.size(); i++) {
      FrameView view = batch.get(i);
      boolean leaves = view.verdict() == Verdict.FORWARD || view.verdict() == Verdict.ANSWER;
      if (leaves && view.egress() >= 0) {
        int egress = view.egress();
        if (transmit(egress, view.buffer(), view.start(), view.length(), view.marks())) {
          counters.onTransmitted(egress, view.length());
        } else {
          counters.onRefused(egress);
        }
      }
    }
  }

  /** Takes a frame of the data path's own: it is kept until the flush. */
  private boolean transmit(int link, ByteBuf frame, long marks) {
    unsent.add(frame);
    return transmit(link, frame, frame.readerIndex(), frame.readableBytes(), marks);
  }

  private boolean transmit(int link, ByteBuf buffer, int start, int length, long marks) {
    return (marks & FrameMarks.GSO) == 0 || carriesGso[link]
        ? queues[link].transmit(buffer, start, length, marks)
        : segmented[link].transmit(buffer, start, length, marks);
  }

  /** Releases memory only when all ports have sent what they were given, which may be in it. */
  private void flush() {
    for (int link = 0; link < queues.length; link++) {
      try {
        flush(link);
      } catch (RuntimeException | Error e) {
        failures.report(e); // the other ports are to send theirs
      }
    }
    if (!unsent.isEmpty()) {
      try {
        unsent.forEach(ByteBuf::release);
      } finally {
        unsent.clear();
      }
    }
  }

  private void flush(int link) {
    int refused = queues[link].flush();
    segmented[link].onFlush();
    if (refused > 0) {
      counters.onRefusedAtFlush(link, refused);
    }
  }

  /** The ports wait for frames; where one cannot wait for several the thread sleeps briefly. */
  private void idle(long untilDeadlineNs) {
    if (!waiting.passRound(idleRounds)) {
      idleRounds++;
      return;
    }
    long timeoutNs = Math.max(0, Math.min(untilDeadlineNs, LONGEST_WAIT_NS));
    if (queues.length == 1) {
      queues[0].await(timeoutNs);
    } else if (!queues[0].awaitAny(queues, timeoutNs)) {
      nap();
    }
  }

  /** Short at first, longer when nothing has come for some milliseconds: each nap costs the processor a wake-up. */
  private void nap() {
    boolean isShort = naps < SHORT_NAPS;
    naps += isShort ? 1 : 0;
    LockSupport.parkNanos(this, isShort ? SHORT_NAP_NS : LONG_NAP_NS);
  }
}
