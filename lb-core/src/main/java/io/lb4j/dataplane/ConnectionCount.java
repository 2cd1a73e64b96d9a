package io.lb4j.dataplane;

import io.lb4j.service.ConnectionLimit;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Connections of a service or a server over all workers, never more than its limit: a worker takes a place before it
 * begins a flow and gives it back when the flow closes. Safe from any thread; no lock, one atomic operation per flow.
 *
 * <p>Exact as soon as every worker has taken over the snapshot that brought the limit: each then adds the flows it has.
 */
public final class ConnectionCount {
  private static final long CLOSED = 1L << 63;

  private final AtomicLong state = new AtomicLong(); // lower bits: connections; CLOSED: waits for resumeAt
  private final int most;
  private final int resumeAt;

  /**
   * Nothing counted.
   *
   * @param limit not {@link ConnectionLimit#NONE}
   */
  public ConnectionCount(ConnectionLimit limit) {
    this.most = limit.most();
    this.resumeAt = limit.resumeAt();
  }

  /** Takes a place, if there is one and the limit, once reached, has opened again. */
  boolean take() {
    while (true) {
      long before = state.get();
      int count = (int) before;
      if (before < 0 || count >= most) {
        return false;
      }
      long after = count + 1 == most ? CLOSED | most : count + 1;
      if (state.compareAndSet(before, after)) {
        return true;
      }
    }
  }

  /** Adds flows that have places without having asked for them: they were there before, or live again. */
  void add(int change) {
    while (true) {
      long before = state.get();
      int count = Math.max(0, (int) before + change);
      boolean closed = count >= most || before < 0 && count > resumeAt;
      long after = closed ? CLOSED | count : count;
      if (state.compareAndSet(before, after)) {
        return;
      }
    }
  }

  void giveBack() {
    add(-1);
  }

  /**
   * Connections counted now.
   *
   * @return 0 or more
   */
  public int count() {
    return (int) state.get();
  }

  /**
   * Whether new connections are refused.
   *
   * @return true from reaching the limit until few enough are left
   */
  public boolean isClosed() {
    return state.get() < 0;
  }
}
