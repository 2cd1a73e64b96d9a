package io.lb4j.dataplane;

import io.lb4j.counters.WorkerCounters;
import io.lb4j.schedule.ActiveFlows;
import io.lb4j.schedule.Picker;
import org.jspecify.annotations.Nullable;

/** One worker's picker over a pool. Owned by that worker. */
final class PoolPicker implements ActiveFlows {
  private final Pool pool;
  private final WorkerCounters counters;
  private final @Nullable Picker picker;

  PoolPicker(Pool pool, WorkerCounters counters, @Nullable PoolPicker previous) {
    this.pool = pool;
    this.counters = counters;
    boolean unchanged = previous != null && previous.pool.schedule() == pool.schedule();
    Picker before = previous == null ? null : previous.picker;
    this.picker = unchanged || pool.schedule() == null ? before : pool.schedule().newPicker(before);
  }

  @Override
  public int of(int candidate) {
    return counters.active(pool.candidates()[candidate]);
  }

  /** The binding of the server for a new flow; 0 when the pool is empty. */
  int pick(long hash) {
    int[] candidates = pool.candidates();
    return candidates.length == 0 ? 0 : candidates[picker.pick(hash, this)];
  }

  /** The server for a new flow, with a place taken: the picked one, else the next after it that has one. */
  @Nullable Binding pickWithPlace(long hash, ForwardingTable table) {
    int[] candidates = pool.candidates();
    int length = candidates.length;
    int candidate = length == 0 ? 0 : picker.pick(hash, this);
    for (int tries = 0; tries < length; tries++) {
      Binding binding = table.binding(candidates[candidate]);
      if (binding != null && binding.takePlace()) {
        return binding;
      }
      candidate = candidate + 1 == length ? 0 : candidate + 1;
    }
    return null;
  }
}
