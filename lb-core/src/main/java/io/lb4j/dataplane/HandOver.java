package io.lb4j.dataplane;

import io.lb4j.frame.FrameView;

/** The way from one worker to the others. Owned by the worker that hands over. */
public interface HandOver {
  /** Why a frame goes to another worker, which decides what may still become of it there. */
  enum Reason {
    /** A fragment: it came by its addresses alone, and the first fragment's ports have told its owner. */
    FRAGMENT,
    /** The worker that should have had the flow has it not. */
    UNKNOWN_FLOW,
    /** It was translated here and its destination is ours again: the second walk is the owner's. */
    HAIRPIN
  }

  /**
   * Gives a frame away. Its memory goes along: after true neither the view's bytes nor its buffer may be touched.
   *
   * @param view the frame as the other worker is to find it
   * @param worker its owner
   * @param reason why it goes there
   * @return false when the way is full; the frame is the caller's still
   */
  boolean handOver(FrameView view, int worker, Reason reason);
}
