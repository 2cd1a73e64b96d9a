package io.lb4j.steering;

import io.lb4j.counters.WorkerCounters;
import io.lb4j.dataplane.Apart;
import io.lb4j.dataplane.Failures;
import io.lb4j.dataplane.SegmentedQueue;
import io.lb4j.dataplane.WaitStrategy;
import io.lb4j.frame.FrameMarks;
import io.lb4j.port.Port;
import io.lb4j.port.PortQueue;
import java.util.List;

/**
 * Sends what the workers let out, in the order of each worker, by all ports, and gives the parcels back. The thread
 * owns the transmitting half of one queue of every port.
 */
final class Transmitter extends Apart implements Runnable {
  private static final long LONGEST_SLEEP_NS = 20_000_000;
  private static final int BURST = 32;

  private final ParcelRing[] fromWorkers;
  private final PortQueue[] queues;
  private final boolean[] carriesGso;
  private final SegmentedQueue[] segmented; // for super-frames by ports that do not carry them
  private final int giver;
  private final WorkerCounters counters;
  private final WaitStrategy waitStrategy;
  private final Doorbell bell;
  private final Parcel[] given; // to a port and not flushed
  private final boolean[] waiting; // ports that were given something
  private final Failures failures = new Failures("transmitter");
  private volatile boolean running = true;
  private int givenCount;
  private int idleRounds;

  /**
   * A transmitter that has not begun.
   *
   * @param ports one per interface, the transmitting halves of whose first queues are the thread's
   * @param workers how many there are
   * @param capacity of the ring from each
   * @param waitStrategy what the thread does while there is nothing to do
   */
  Transmitter(List<Port> ports, int workers, int capacity, WaitStrategy waitStrategy) {
    int links = ports.size();
    this.waitStrategy = waitStrategy;
    this.bell = new Doorbell(waitStrategy);
    this.queues = new PortQueue[links];
    this.carriesGso = new boolean[links];
    this.segmented = new SegmentedQueue[links];
    this.fromWorkers = ParcelRing.array(workers, capacity);
    this.giver = workers;
    this.counters = new WorkerCounters(links);
    this.given = new Parcel[workers * BURST];
    this.waiting = new boolean[links];
    for (int link = 0; link < links; link++) {
      queues[link] = ports.get(link).queue(0);
      carriesGso[link] = ports.get(link).traits().carriesGso();
      segmented[link] = new SegmentedQueue(queues[link], link, counters);
    }
  }

  ParcelRing from(int worker) {
    return fromWorkers[worker];
  }

  Doorbell bell() {
    return bell;
  }

  WorkerCounters counters() {
    return counters;
  }

  void stop() {
    running = false;
    bell.ring();
  }

  @Override
  public void run() {
    while (running || !Inbox.areEmpty(fromWorkers)) {
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

  /** Ports read parcels until their flush, after a failure as well. */
  private boolean burst() {
    boolean worked;
    try {
      for (ParcelRing ring : fromWorkers) {
        for (int i = 0; i < BURST; i++) {
          Parcel parcel = ring.poll();
          if (parcel == null) {
            break;
          }
          given[givenCount++] = parcel;
          transmit(parcel);
        }
      }
    } finally {
      flush();
      worked = givenCount > 0;
      giveBack();
    }
    return worked;
  }

  private void transmit(Parcel parcel) {
    int link = parcel.egress;
    waiting[link] = true; // also if it fails: the port may have taken it, or some of its segments
    boolean whole = (parcel.marks & FrameMarks.GSO) == 0 || carriesGso[link];
    boolean taken =
        whole
            ? queues[link].transmit(parcel.buffer, parcel.start, parcel.length, parcel.marks)
            : segmented[link].transmit(parcel.buffer, parcel.start, parcel.length, parcel.marks);
    if (!taken) {
      refuse(parcel);
    } else if (!parcel.transmitted) {
      counters.onTransmitted(link, parcel.length);
    }
  }

  /** The worker that made a frame of the balancer's own has counted it as sent. */
  void refuse(Parcel parcel) {
    if (parcel.transmitted) {
      counters.onRefusedAtFlush(parcel.egress, 1);
    } else {
      counters.onRefused(parcel.egress);
    }
  }

  private void flush() {
    for (int link = 0; link < waiting.length; link++) {
      if (waiting[link]) {
        waiting[link] = false;
        try {
          flush(link);
        } catch (RuntimeException | Error e) {
          failures.report(e); // the other ports are to send theirs
        }
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

  private void giveBack() {
    for (int i = 0; i < givenCount; i++) {
      given[i].end(giver);
      given[i] = null;
    }
    givenCount = 0;
  }

  private void idle() {
    if (!waitStrategy.passRound(idleRounds)) {
      idleRounds++;
      return;
    }
    bell.listen();
    if (running && Inbox.areEmpty(fromWorkers)) {
      bell.sleep(LONGEST_SLEEP_NS);
    } else {
      bell.awake();
    }
  }
}
