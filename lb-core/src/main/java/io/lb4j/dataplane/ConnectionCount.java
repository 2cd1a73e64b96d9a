package io.lb4j.dataplane;

import io.lb4j.service.ConnectionLimit;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Connections of a service or a server over all workers, never more than its limit: a worker takes a place before it
 * begins a flow, keeps it when the flow has begun and gives it back when the flow closes. Safe from any thread; no
 * lock, two atomic operations per flow.
 *
 * <p>A place that was taken and then not used closes nothing: the limit counts as reached only by connections that are
 * there, else one refused flow would shut a service until its lower bound. A new limit takes the place of an old one at
 * once. Where there was none, the count is exact as soon as every worker has taken over the snapshot that brought it:
 * each then adds the flows it has.
 *
 * <pre>
 *   state   bits 0-31 connections · bits 32-47 places taken for flows about to begin, one per worker at most
 *           bits 48-62 how often the limit was reached · bit 63 waits for resumeAt
 * </pre>
 */
public final class ConnectionCount {
  private static final long CLOSED = 1L << 63;
  private static final long PLACE = 1L << 32;
  private static final long PLACES = 0xFFFFL << 32;
  private static final int CLOSURES_SHIFT = 48;
  private static final int CLOSURES = 0x7FFF;

  private final AtomicLong state = new AtomicLong();
  private volatile ConnectionLimit limit;

  /**
   * What stands at one instant.
   *
   * @param count connections
   * @param closed whether new ones are refused
   * @param closures how often the limit was reached, modulo 2¹⁵
   */
  public record Reading(int count, boolean closed, int closures) {}

  /**
   * Nothing counted.
   *
   * @param limit not {@link ConnectionLimit#NONE}
   */
  public ConnectionCount(ConnectionLimit limit) {
    this.limit = limit;
  }

  /**
   * Puts another limit in the place of the present one; connections beyond it stay.
   *
   * @param newLimit not {@link ConnectionLimit#NONE}
   */
  public void limit(ConnectionLimit newLimit) {
    if (!newLimit.equals(limit)) {
      limit = newLimit;
      add(0);
    }
  }

  private static int count(long state) {
    return (int) state;
  }

  private static long taken(long state) {
    return (state & PLACES) >>> 32;
  }

  private static int closures(long state) {
    return (int) (state >>> CLOSURES_SHIFT) & CLOSURES;
  }

  /** Takes a place, if there is one and the limit, once reached, has opened again; keep it or give it up. */
  boolean take() {
    while (true) {
      long before = state.get();
      if (before < 0 || count(before) + taken(before) >= limit.most()) {
        return false;
      }
      if (state.compareAndSet(before, before + PLACE)) {
        return true;
      }
    }
  }

  /** The flow that a place was taken for has begun. */
  void keep() {
    change(1, PLACE);
  }

  /** The flow that a place was taken for did not begin. */
  void giveUp() {
    state.addAndGet(-PLACE);
  }

  /** Adds flows that have places without having asked for them, or takes away flows that have closed. */
  void add(int change) {
    change(change, 0);
  }

  private void change(int change, long places) {
    while (true) {
      long before = state.get();
      ConnectionLimit now = limit;
      int count = count(before) + change;
      assert count >= 0 : "more connections ended than began";
      boolean closed = count >= now.most() || before < 0 && count > now.resumeAt();
      long closures = closed && before >= 0 ? closures(before) + 1 & CLOSURES : closures(before);
      long after = (before & PLACES) - places | Math.max(0, count) | closures << CLOSURES_SHIFT | (closed ? CLOSED : 0);
      if (state.compareAndSet(before, after)) {
        return;
      }
    }
  }

  /**
   * Connections counted now.
   *
   * @return 0 or more
   */
  public int count() {
    return count(state.get());
  }

  /**
   * Whether new connections are refused.
   *
   * @return true from reaching the limit until few enough are left
   */
  public boolean isClosed() {
    return state.get() < 0;
  }

  /**
   * Connections and limit at one instant.
   *
   * @return a snapshot
   */
  public Reading read() {
    long now = state.get();
    return new Reading(count(now), now < 0, closures(now));
  }

  /**
   * The limit.
   *
   * @return connections at most
   */
  public int limit() {
    return limit.most();
  }
}
