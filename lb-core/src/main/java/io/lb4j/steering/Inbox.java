package io.lb4j.steering;

import io.lb4j.dataplane.WaitStrategy;

/**
 * What waits for one worker: a ring from every receiver, and one from every other worker. The rings' far ends belong to
 * those threads, the near ends to the worker. Safe from any thread for all else.
 */
final class Inbox {
  final ParcelRing[] fromReceivers;
  final ParcelRing[] fromWorkers;
  final Doorbell bell;

  /** Set by other workers, taken back by this one: its timers have something to do. */
  volatile boolean tickIsDue;

  Inbox(int receivers, int workers, int capacity, WaitStrategy waiting) {
    this.bell = new Doorbell(waiting);
    this.fromReceivers = ParcelRing.array(receivers, capacity);
    this.fromWorkers = ParcelRing.array(workers, capacity);
  }

  /** Makes the worker run its timers at once. */
  void askForTick() {
    tickIsDue = true;
    bell.ring();
  }

  boolean isEmpty() {
    return areEmpty(fromReceivers) && areEmpty(fromWorkers);
  }

  static boolean areEmpty(ParcelRing[] rings) {
    for (ParcelRing ring : rings) {
      if (!ring.isEmpty()) {
        return false;
      }
    }
    return true;
  }
}
