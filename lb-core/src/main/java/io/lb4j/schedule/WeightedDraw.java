package io.lb4j.schedule;

/**
 * Turns random numbers into candidates, in proportion to their weights: a {@link WeightedRange} from which a candidate
 * can be left out. Immutable, shared.
 */
final class WeightedDraw {
  private final WeightedRange range;
  private final long total;
  private final long[] start;
  private final int[] width;

  WeightedDraw(Roster roster) {
    this.range = new WeightedRange(roster);
    this.total = range.total();
    this.start = range.starts();
    this.width = Weights.reduced(roster.weights());
  }

  /** A candidate. */
  int any(long random) {
    return range.at(HashRange.index(random, total));
  }

  /** A candidate other than one; there have to be two. */
  int anyBut(int left, long random) {
    long point = HashRange.index(random, total - width[left]);
    return range.at(point < start[left] ? point : point + width[left]);
  }
}
