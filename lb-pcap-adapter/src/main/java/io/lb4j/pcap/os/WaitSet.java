package io.lb4j.pcap.os;

import io.lb4j.port.PortQueue;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.locks.LockSupport;

/** Waits for frames of several queues with one poll(2), or for the closing of one. Owned by their worker. */
public final class WaitSet {
  private static final long CLOSED_NAP_NS = 1_000_000;

  private final PortQueue[] queues;
  private final Pollable[] pollables; // null when one of them cannot be waited for
  private final boolean[] entered;
  private final MemorySegment pollfds;
  private final MemorySegment timespec = Arena.ofAuto().allocate(16, 8);

  /**
   * A set over queues, of which some kinds cannot be waited for.
   *
   * @param queues at least one
   */
  public WaitSet(PortQueue[] queues) {
    this.queues = queues;
    this.pollables = pollables(queues);
    this.entered = new boolean[queues.length];
    this.pollfds = Arena.ofAuto().allocate((long) descriptors() * ReceiveWait.POLLFD_SIZE, 8);
  }

  private int descriptors() {
    int sum = 0;
    for (int i = 0; pollables != null && i < pollables.length; i++) {
      sum += pollables[i].receiveWait().descriptors();
    }
    return sum;
  }

  private static Pollable[] pollables(PortQueue[] queues) {
    Pollable[] pollables = new Pollable[queues.length];
    for (int i = 0; i < queues.length; i++) {
      if (!(queues[i] instanceof Pollable pollable) || !pollable.receiveWait().isPollable()) {
        return null;
      }
      pollables[i] = pollable;
    }
    return pollables;
  }

  /** Whether this is the set over an array of queues. */
  public boolean isOver(PortQueue[] others) {
    return queues == others;
  }

  /**
   * As {@link PortQueue#awaitAny}.
   *
   * @return false when not all queues can be waited for
   */
  public boolean await(long timeoutNs) {
    if (pollables == null) {
      return false;
    }
    int open = 0; // descriptors
    boolean ready = false;
    for (int i = 0; i < pollables.length; i++) {
      entered[i] = pollables[i].beginWait();
      if (entered[i]) {
        pollables[i].receiveWait().fill(pollfds, (long) open * ReceiveWait.POLLFD_SIZE);
        open += pollables[i].receiveWait().descriptors();
        ready |= pollables[i].isReady();
      }
    }
    if (!ready && timeoutNs > 0) {
      poll(open, timeoutNs);
    }
    for (int i = 0; i < pollables.length; i++) {
      if (entered[i]) {
        pollables[i].endWait();
      }
    }
    return true;
  }

  private void poll(int descriptors, long timeoutNs) {
    if (descriptors == 0) {
      LockSupport.parkNanos(Math.min(timeoutNs, CLOSED_NAP_NS));
      return;
    }
    Libc.poll(pollfds, descriptors, timeoutNs, timespec);
    long at = 0;
    for (int i = 0; i < pollables.length; i++) {
      if (entered[i]) {
        pollables[i].receiveWait().takeErrors(pollfds, at);
        at += (long) pollables[i].receiveWait().descriptors() * ReceiveWait.POLLFD_SIZE;
      }
    }
  }
}
