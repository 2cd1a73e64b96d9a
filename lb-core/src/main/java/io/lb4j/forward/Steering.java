package io.lb4j.forward;

import io.lb4j.frame.FrameView;

/**
 * Which worker a frame belongs to: both directions of a flow to one, so that workers share nothing. Immutable, safe
 * from any thread.
 */
public interface Steering {
  /**
   * The worker that a received frame goes to. Fragments go by addresses alone, so that all of a datagram meet.
   *
   * @param view parsed
   * @return 0..workers-1
   */
  int workerOf(FrameView view);

  /**
   * The worker that has a flow, which for a first fragment need not be the one it went to.
   *
   * @param view a segment, or a first fragment with its ports
   * @return 0..workers-1
   */
  int ownerOf(FrameView view);
}
