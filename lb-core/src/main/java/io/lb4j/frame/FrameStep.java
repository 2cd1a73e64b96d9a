package io.lb4j.frame;

/**
 * One short loop over frames, of several that frames go through together. Owned by one worker.
 *
 * <p>Which frames of a batch go on is said by an {@code int}, a set with bit i for view i: {@link FrameBatch#CAPACITY}
 * is the bits it has. So frames of all kinds may come in any order and still go through each step together. A step is
 * called for each run of neighbours in the set, so that its loop counts, which compilers make much of. A set with many
 * holes is gathered first, see {@link FrameGroup}.
 *
 * <p>Steps are called through this interface, from one place, although that place could name them: a compiler that sees
 * through a call makes one loop out of all, which needs more registers than there are, and stops where calls are
 * fifteen deep, of which reading memory by address alone takes half. A call that it cannot see through costs a
 * nanosecond for up to 32 frames; what it saves was measured as up to half of their time.
 */
public interface FrameStep {
  /**
   * Works on frames, in order.
   *
   * @param views of a batch
   * @param first the first to work on
   * @param end behind the last
   * @return the set of those that this step could not work on
   */
  int run(FrameView[] views, int first, int end);

  /**
   * Brings frames through a step.
   *
   * @param step to do
   * @param views of a batch
   * @param frames the set to work on
   * @return those that the step could work on
   */
  static int run(FrameStep step, FrameView[] views, int frames) {
    int left = frames;
    int rest = frames;
    while (rest != 0) {
      int first = Integer.numberOfTrailingZeros(rest);
      int end = first + Integer.numberOfTrailingZeros(~(rest >>> first));
      left &= ~step.run(views, first, end);
      rest &= end == Integer.SIZE ? 0 : -1 << end;
    }
    return left;
  }

  /**
   * Brings frames through steps, each of which may leave some of them out.
   *
   * @param steps in order
   * @param views of a batch
   * @param frames the set to begin with
   * @return those that went through all steps
   */
  static int runAll(FrameStep[] steps, FrameView[] views, int frames) {
    int left = frames;
    for (FrameStep step : steps) {
      left = run(step, views, left);
    }
    return left;
  }
}
