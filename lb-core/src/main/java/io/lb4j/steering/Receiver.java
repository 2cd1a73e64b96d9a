package io.lb4j.steering;

import io.lb4j.counters.WorkerCounters;
import io.lb4j.dataplane.Apart;
import io.lb4j.dataplane.Failures;
import io.lb4j.dataplane.ForwardingTable;
import io.lb4j.dataplane.WaitStrategy;
import io.lb4j.forward.Steering;
import io.lb4j.frame.FrameBatch;
import io.lb4j.frame.FrameParser;
import io.lb4j.frame.FrameView;
import io.lb4j.frame.Verdict;
import io.lb4j.port.PortQueue;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Takes bursts from one queue of a port and gives each frame, as a copy, to its worker. The thread owns the queue's
 * receiving half and the pool of parcels. A frame that finds no room on the way to its worker is dropped and counted
 * here; all others are counted by the workers.
 */
final class Receiver extends Apart implements Runnable {
  private static final long LONGEST_WAIT_NS = 20_000_000;

  private final int number;
  private final int link;
  private final PortQueue queue;
  private final ParcelPool pool;
  private final Inbox[] inboxes;
  private final Supplier<ForwardingTable> published;
  private final WaitStrategy waiting;
  private final WorkerCounters counters;
  private final FrameBatch batch = new FrameBatch();
  private final boolean[] served;
  private final Failures failures;
  private volatile boolean running = true;
  private int idleRounds;

  /**
   * A receiver that has not begun.
   *
   * @param number of this receiver, 0..receivers-1
   * @param link index of the interface
   * @param queue whose receiving half is the thread's
   * @param pool the thread's
   * @param inboxes of all workers
   * @param published reads the latest snapshot
   * @param waiting what the thread does while there is nothing to do
   * @param links number of interfaces
   */
  Receiver(
      int number,
      int link,
      PortQueue queue,
      ParcelPool pool,
      Inbox[] inboxes,
      Supplier<ForwardingTable> published,
      WaitStrategy waiting,
      int links) {
    this.number = number;
    this.link = link;
    this.queue = queue;
    this.pool = pool;
    this.inboxes = inboxes;
    this.published = published;
    this.waiting = waiting;
    this.counters = new WorkerCounters(links);
    this.served = new boolean[inboxes.length];
    this.failures = new Failures("receiver " + number);
  }

  WorkerCounters counters() {
    return counters;
  }

  ParcelPool pool() {
    return pool;
  }

  void stop() {
    running = false;
  }

  @Override
  public void run() {
    while (running) {
      try {
        if (burst()) {
          idleRounds = 0;
        } else {
          idle();
        }
      } catch (RuntimeException | Error e) {
        failures.report(e);
      }
    }
  }

  private boolean burst() {
    batch.clear();
    boolean received = queue.receive(batch, link) > 0;
    try {
      if (received) {
        Steering steering = published.get().steering().orElse(null); // one worker has it all
        for (int i = 0; i < batch.size(); i++) {
          deliver(batch.get(i), steering);
        }
        ringBells();
      }
    } finally {
      queue.release();
    }
    return received;
  }

  private void deliver(FrameView view, @Nullable Steering steering) {
    FrameParser.parse(view);
    int worker = steering == null ? 0 : steering.workerOf(view);
    Parcel parcel = pool.take(view);
    if (parcel == null) {
      drop(view);
    } else if (inboxes[worker].fromReceivers[number].offer(parcel)) {
      served[worker] = true;
    } else {
      pool.putBack(parcel);
      drop(view);
    }
  }

  private void drop(FrameView view) {
    counters.onReceived(link, view.length());
    counters.onVerdict(link, Verdict.WORKER_QUEUE_FULL);
  }

  private void ringBells() {
    for (int worker = 0; worker < served.length; worker++) {
      if (served[worker]) {
        served[worker] = false;
        inboxes[worker].bell.ring();
      }
    }
  }

  private void idle() {
    if (!waiting.passRound(idleRounds)) {
      idleRounds++;
    } else {
      queue.await(LONGEST_WAIT_NS);
    }
  }
}
