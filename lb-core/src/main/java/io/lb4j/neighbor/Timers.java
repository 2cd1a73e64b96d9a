package io.lb4j.neighbor;

import io.lb4j.frame.FrameOutput;
import java.util.PriorityQueue;

/**
 * The link layer's timers in the order of their deadlines, equal ones in the order they were set. Guarded by its lock;
 * {@link #changed()} may be read by any thread.
 */
final class Timers {
  /** Far enough ahead that no comparison reaches it, near enough that none wraps. */
  static final long NEVER_NS = Long.MAX_VALUE >> 1;

  private final PriorityQueue<Timer> armed =
      new PriorityQueue<>(
          (a, b) -> {
            int order = Long.signum(a.deadlineNs - b.deadlineNs);
            return order != 0 ? order : Long.signum(a.sequence - b.sequence);
          });

  private long sequence;
  private volatile boolean changed;

  /** Sets a timer, or sets it anew. */
  void arm(Timer timer, long deadlineNs) {
    cancel(timer);
    timer.deadlineNs = deadlineNs;
    timer.sequence = sequence++;
    timer.armed = true;
    armed.add(timer);
    changed = true;
  }

  /** Whether a timer was set since {@link #expire} ended: its answer may be too late. */
  boolean changed() {
    return changed;
  }

  /** Stops a timer; harmless when it is not set. */
  void cancel(Timer timer) {
    if (timer.armed) {
      timer.armed = false;
      armed.remove(timer);
    }
  }

  /**
   * Lets timers expire whose deadline was reached.
   *
   * @param most how many at most
   * @return the next deadline, which is in the past when there was more to do; far in the future when there is none
   */
  long expire(long nowNs, FrameOutput out, int most) {
    for (int i = 0; i < most; i++) {
      Timer next = armed.peek();
      if (next == null || nowNs - next.deadlineNs < 0) {
        break;
      }
      armed.poll();
      next.armed = false;
      next.action.expire(nowNs, out);
    }
    changed = false;
    return nextDeadline(nowNs);
  }

  private long nextDeadline(long nowNs) {
    Timer next = armed.peek();
    return next == null ? nowNs + NEVER_NS : next.deadlineNs;
  }

  int size() {
    return armed.size();
  }
}
