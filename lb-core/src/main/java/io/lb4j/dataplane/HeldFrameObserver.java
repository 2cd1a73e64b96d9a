package io.lb4j.dataplane;

import io.lb4j.frame.Verdict;

/** Hears the final verdict of a frame that was held. Called by the thread that owns the data path. */
@FunctionalInterface
public interface HeldFrameObserver {
  /**
   * A held frame ended.
   *
   * @param tag the caller's own number of the frame
   * @param verdict how it ended
   * @param ingress interface it came from
   * @param egress interface it left by, or was to leave by; -1 for none
   * @param binding the service and real server it was bound to, 0 for none
   * @param length of the frame in bytes
   */
  void onHeldFrameEnd(long tag, Verdict verdict, int ingress, int egress, int binding, int length);
}
