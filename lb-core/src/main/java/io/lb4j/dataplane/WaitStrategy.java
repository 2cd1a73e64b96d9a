package io.lb4j.dataplane;

/**
 * What a thread of a running balancer does while nothing waits for it: how soon it sees the next frame, for how much of
 * a processor. Immutable, shared.
 *
 * <p>All three look again at once for some rounds, so that a busy thread never sleeps. What differs is what comes then.
 */
public enum WaitStrategy {
  /**
   * Looks again and again, with the processor's hint for such loops. A frame is seen within some tens of nanoseconds.
   * Costs a processor for each thread, all the time: for threads that have one to themselves. Where there are fewer, a
   * thread that spins keeps from running the one that it waits for, until its time slice ends.
   */
  SPIN,

  /**
   * Looks again after offering the processor to other threads that want it. As quick as {@link #SPIN} while none does,
   * else later by what that one needs. The processor never rests.
   */
  YIELD,

  /**
   * Sleeps: until the thread before it rings, or, where it receives from a port, until the port has a frame. The
   * processor rests, and a frame after a pause waits for the system to wake the thread, some tens of microseconds;
   * where a thread receives from several ports that cannot be waited for together, up to 50 microseconds, or 200 when
   * nothing has come for some milliseconds, and what the system's timers add, as it sleeps so long at a time.
   */
  PARK;

  /** Rounds in which nothing was found, until a thread yields or sleeps. */
  private static final int SPINS = 100;

  /**
   * Passes one round in which nothing was found.
   *
   * @param idleRounds how many such rounds came before, without a break
   * @return whether the thread is to sleep now; what wakes it is its own affair
   */
  public boolean passRound(int idleRounds) {
    if (this == SPIN || idleRounds < SPINS) {
      Thread.onSpinWait();
      return false;
    }
    if (this == YIELD) {
      Thread.yield();
      return false;
    }
    return true;
  }
}
