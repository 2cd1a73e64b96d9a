package io.lb4j.frame;

/**
 * One short loop over frames, of several that frames go through together. Owned by one worker.
 *
 * <p>Steps are called through this interface, from one place, although that place could name them: a compiler that sees
 * through a call makes one loop out of all, which needs more registers than there are, and stops where calls are fifteen
 * deep, of which reading memory by address alone takes half. A call that it cannot see through costs a nanosecond for up
 * to 32 frames; what it saves was measured as up to half of their time.
 */
public interface FrameStep {
  /**
   * Works on frames in order, up to one that this step cannot work on.
   *
   * @param views frames
   * @param first the first to work on
   * @param end behind the last
   * @return behind the last that was worked on
   */
  int run(FrameView[] views, int first, int end);

  /**
   * Brings frames through steps, each of which may leave the last of them out.
   *
   * @param steps in order
   * @param views frames
   * @param first the first to work on
   * @param end behind the last
   * @return behind the last that went through all steps
   */
  static int runAll(FrameStep[] steps, FrameView[] views, int first, int end) {
    int last = end;
    for (FrameStep step : steps) {
      if (last == first) {
        return first;
      }
      last = step.run(views, first, last);
    }
    return last;
  }
}
