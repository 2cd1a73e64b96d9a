package io.lb4j.neighbor;

import io.lb4j.frame.Verdict;

/** Hears how a held frame ended, for the worker's counters. Called by the worker that owns the held frames. */
@FunctionalInterface
public interface HeldFrameListener {
  /**
   * A held frame ended.
   *
   * @param tag the caller's own number of the frame, see {@link io.lb4j.frame.FrameView#tag()}
   * @param verdict {@link Verdict#FORWARD} when it was given to the output, else why it was not
   * @param ingress index of the interface it came from
   * @param egress index of the interface it was held for
   * @param binding the service and real server it was bound to, 0 for none
   * @param length of the frame in bytes
   */
  void heldFrameEnded(long tag, Verdict verdict, int ingress, int egress, int binding, int length);
}
