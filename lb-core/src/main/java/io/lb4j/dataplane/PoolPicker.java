package io.lb4j.dataplane;

import io.lb4j.counters.WorkerCounters;
import io.lb4j.schedule.ActiveFlows;
import io.lb4j.schedule.Picker;
import org.jspecify.annotations.Nullable;

/** One worker's picker over a pool: the discipline's pick, within limits and slow start. Owned by that worker. */
final class PoolPicker implements ActiveFlows {
  /** How often the discipline is asked for another server before all are tried in turn. */
  private static final int MORE_PICKS = 3;

  private final Pool pool;
  private final WorkerCounters counters;
  private final int[] candidates;
  private final Binding[] bindings;
  private final @Nullable Picker picker;
  private final ActiveFlows unlessFull = new UnlessFull();
  private @Nullable SlowStart slowStart;
  private int nextTry;

  PoolPicker(Pool pool, ForwardingTable table, WorkerCounters counters, @Nullable PoolPicker previous) {
    this.pool = pool;
    this.counters = counters;
    this.candidates = pool.candidates();
    this.bindings = new Binding[candidates.length];
    for (int i = 0; i < candidates.length; i++) {
      bindings[i] = table.binding(candidates[i]);
    }
    boolean unchanged = previous != null && previous.pool.schedule() == pool.schedule();
    Picker before = previous == null ? null : previous.picker;
    this.picker = unchanged || pool.schedule() == null ? before : pool.schedule().newPicker(before);
    this.slowStart =
        pool.ramp() == null ? null : new SlowStart(pool, previous == null ? null : previous.slowStart, before);
  }

  /** A server that is held back looks busiest of all. */
  @Override
  public int of(int candidate) {
    return isHeld(candidate) ? Integer.MAX_VALUE : counters.active(candidates[candidate]);
  }

  @Override
  public long responseNs(int candidate) {
    return pool.responses()[candidate].smoothedNs();
  }

  /** The server for a new flow; null when the pool is empty. */
  @Nullable Binding pick(long hash, long nowNs) {
    return bindings.length == 0 ? null : picked(admitted(Picker.pick(picker, hash, this), hash, this), nowNs);
  }

  /** The same, as a binding id; 0 when the pool is empty. */
  int pickBinding(long hash, long nowNs) {
    if (candidates.length == 0) {
      return 0;
    }
    return slowStart == null ? candidates[Picker.pick(picker, hash, this)] : pick(hash, nowNs).id();
  }

  /** The server for a new flow, with a place taken; null when none has one. */
  @Nullable Binding pickWithPlace(long hash, long nowNs) {
    if (bindings.length == 0 || bindings[0].isServiceFull()) {
      return null;
    }
    int candidate = Picker.pick(picker, hash, unlessFull);
    for (int attempt = 1; ; attempt++) {
      int admitted = admitted(candidate, hash, unlessFull);
      if (bindings[admitted].takePlace()) {
        return picked(admitted, nowNs);
      }
      if (attempt > MORE_PICKS) {
        return anyWithPlace(nowNs);
      }
      candidate = picker.pickAgain(hash, attempt, unlessFull);
    }
  }

  /** Goes on after the last one found here; a server in slow start takes too much before a client is refused. */
  private @Nullable Binding anyWithPlace(long nowNs) {
    int length = bindings.length;
    int candidate = nextTry;
    for (int tries = 0; tries < 2 * length; tries++) {
      candidate = candidate < length ? candidate : 0;
      boolean passedOver = tries < length && isHeld(candidate);
      if (!passedOver && bindings[candidate].takePlace()) {
        nextTry = candidate + 1;
        return picked(candidate, nowNs);
      }
      candidate++;
    }
    return null;
  }

  private boolean isHeld(int candidate) {
    return slowStart != null && slowStart.isHeld(candidate);
  }

  private int admitted(int candidate, long hash, ActiveFlows active) {
    return isHeld(candidate) ? slowStart.pickSettled(hash, active) : candidate;
  }

  private Binding picked(int candidate, long nowNs) {
    if (slowStart != null) {
      slowStart.onPicked(candidate, nowNs);
      slowStart = slowStart.isOver(nowNs) ? null : slowStart;
    }
    return bindings[candidate];
  }

  /** The same, but servers that hold as many connections as they may look busiest of all. */
  private final class UnlessFull implements ActiveFlows {
    @Override
    public int of(int candidate) {
      return bindings[candidate].isFull() ? Integer.MAX_VALUE : PoolPicker.this.of(candidate);
    }

    @Override
    public long responseNs(int candidate) {
      return PoolPicker.this.responseNs(candidate);
    }
  }
}
