package io.lb4j.forward;

import io.lb4j.frame.FrameView;

/**
 * Which worker a frame belongs to: both directions of a flow to one, so that workers share nothing. Immutable, safe
 * from any thread.
 */
public interface Steering {
  /** The answer of {@link #otherOwnerOf} for most frames. */
  int NOBODY = -1;

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
   * @param view any packet but a later fragment
   * @return 0..workers-1
   */
  int ownerOf(FrameView view);

  /**
   * Who has a segment's flow when the worker of {@link #ownerOf} does not: what a server sends from its service's port
   * is nearly always a reply, and sometimes the beginning of something else.
   *
   * @param view a segment or first fragment
   * @return 0..workers-1, or {@link #NOBODY}
   */
  default int otherOwnerOf(FrameView view) {
    return NOBODY;
  }
}
