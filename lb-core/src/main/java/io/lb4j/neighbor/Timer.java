package io.lb4j.neighbor;

import io.lb4j.frame.FrameOutput;

/** One deadline and what is done then. Guarded by the link layer's lock. */
final class Timer {
  final Expiry action;

  // written by Timers alone
  long deadlineNs;
  long sequence;
  boolean armed;

  /** What is done at the deadline; it may set the timer anew. */
  @FunctionalInterface
  interface Expiry {
    void expire(long nowNs, FrameOutput out);
  }

  Timer(Expiry action) {
    this.action = action;
  }
}
