package io.lb4j.steering;

import io.lb4j.dataplane.WaitStrategy;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * Lets a thread sleep until somebody has put something into one of its rings. The sleeper owns {@link #listen} and
 * {@link #sleep}; {@link #ring} is safe from any thread and cheap while nobody sleeps: a fence and a read, once per
 * burst.
 *
 * <p>Who sleeps says so, then looks into the rings once more; who rings has put something in before looking for a
 * sleeper. With a full fence between the two on either side, one of them sees the other. Where the listener never
 * sleeps, ringing costs nothing.
 */
final class Doorbell {
  private static final VarHandle SLEEPER = sleeper();

  private final boolean sleeps;

  @SuppressWarnings("unused") // by its handle
  private @Nullable Thread sleeper;

  /**
   * A bell for one thread.
   *
   * @param waiting how that thread waits
   */
  Doorbell(WaitStrategy waiting) {
    this.sleeps = waiting == WaitStrategy.PARK;
  }

  private static VarHandle sleeper() {
    try {
      return MethodHandles.lookup().findVarHandle(Doorbell.class, "sleeper", Thread.class);
    } catch (ReflectiveOperationException e) {
      throw new ExceptionInInitializerError(e);
    }
  }

  /** Wakes the sleeper, if there is one. */
  void ring() {
    if (!sleeps) {
      return;
    }
    VarHandle.fullFence();
    Thread asleep = (Thread) SLEEPER.getOpaque(this);
    if (asleep != null && SLEEPER.compareAndSet(this, asleep, null)) {
      LockSupport.unpark(asleep);
    }
  }

  /** Says that the calling thread is about to sleep. What was put in before will be seen after. */
  void listen() {
    SLEEPER.setVolatile(this, Thread.currentThread());
    VarHandle.fullFence();
  }

  /** Sleeps until the bell rings, for a time at most; may end early. */
  void sleep(long atMostNs) {
    if (SLEEPER.getOpaque(this) != null && atMostNs > 0) {
      LockSupport.parkNanos(this, atMostNs);
    }
    awake();
  }

  /** Says that the calling thread will not sleep after all. */
  void awake() {
    SLEEPER.setOpaque(this, null);
  }
}
