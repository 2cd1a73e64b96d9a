package io.lb4j.forward;

import io.lb4j.frame.FrameView;
import io.lb4j.frame.Verdict;

/**
 * Where a packet goes whose source was translated and whose destination is ours again: through the walk once more, as
 * if it came from outside (RFC 4787, REQ-9). Owned by one worker.
 */
public interface Hairpin {
  /**
   * Walks a packet again.
   *
   * @param view rewritten in place, time to live not yet counted down
   * @return how the frame ended
   */
  Verdict again(FrameView view);
}
