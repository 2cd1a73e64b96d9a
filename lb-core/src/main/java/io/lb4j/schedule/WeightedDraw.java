package io.lb4j.schedule;

import org.jspecify.annotations.Nullable;

/**
 * Turns random numbers into candidates, in proportion to their weights: a {@link WeightedRange} from which a candidate
 * can be left out, spelled out point by point where that takes little memory. Immutable, shared.
 */
final class WeightedDraw {
  private final WeightedRange range;
  private final char @Nullable [] slots;
  private final long total;
  private final long[] start;
  private final int[] width;

  WeightedDraw(Roster roster) {
    this.range = new WeightedRange(roster);
    this.total = range.total();
    this.slots = total <= HashSlots.MAX_SIZE ? range.slots() : null;
    this.start = range.starts();
    this.width = Weights.reduced(roster.weights());
  }

  /** A candidate. */
  int any(long random) {
    return at(HashRange.index(random, total));
  }

  /** A candidate other than one; there have to be two. */
  int anyBut(int left, long random) {
    long point = HashRange.index(random, total - width[left]);
    return at(point < start[left] ? point : point + width[left]);
  }

  private int at(long point) {
    return slots != null ? slots[(int) point] : range.at(point);
  }
}
