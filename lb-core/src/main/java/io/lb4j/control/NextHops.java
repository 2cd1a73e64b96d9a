package io.lb4j.control;

import io.lb4j.neighbor.NeighborTable;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashSet;
import java.util.Set;
import java.util.function.LongSupplier;

/**
 * Which next hops stay known: those of the present snapshot, those that are fixed, and those of snapshots that a worker
 * may still work by, so that a change costs no frame that is under way. Guarded by the registry's lock.
 */
final class NextHops implements ControlTask {
  private static final long LOOK_NS = 100_000_000L;
  private static final long IDLE_NS = 1_000_000_000L;

  private record Former(Set<Integer> ids, long generation) {}

  private final NeighborTable neighbors;
  private final LongSupplier adoptedGeneration;
  private final Set<Integer> fixed = new HashSet<>();
  private final Deque<Former> former = new ArrayDeque<>(); // the oldest first
  private Set<Integer> inUse = Set.of();

  /**
   * None.
   *
   * @param neighbors where they are registered
   * @param adoptedGeneration the youngest generation that all workers have taken over
   */
  NextHops(NeighborTable neighbors, LongSupplier adoptedGeneration) {
    this.neighbors = neighbors;
    this.adoptedGeneration = adoptedGeneration;
  }

  /** Keeps a next hop for good. */
  void fix(int id) {
    fixed.add(id);
  }

  /** Takes over what a snapshot needs that is about to be published. */
  void settle(Set<Integer> needed, long generation) {
    Set<Integer> gone = new HashSet<>(inUse);
    gone.removeAll(needed);
    if (!gone.isEmpty()) {
      former.add(new Former(gone, generation));
    }
    inUse = Set.copyOf(needed);
    forget();
  }

  /** Forgets those that no worker needs any more. */
  @Override
  public long tick(long nowNs) {
    if (!former.isEmpty()) {
      forget();
    }
    return nowNs + (former.isEmpty() ? IDLE_NS : LOOK_NS);
  }

  private void forget() {
    long adopted = adoptedGeneration.getAsLong();
    while (!former.isEmpty() && former.peek().generation <= adopted) {
      former.remove();
    }
    Set<Integer> kept = new HashSet<>(fixed);
    kept.addAll(inUse);
    former.forEach(before -> kept.addAll(before.ids));
    neighbors.retain(kept);
  }
}
