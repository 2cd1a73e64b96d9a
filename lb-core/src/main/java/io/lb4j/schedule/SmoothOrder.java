package io.lb4j.schedule;

import java.util.stream.IntStream;

/**
 * An endless order in which each candidate comes exactly weight times per cycle, evenly spread. Owned by whoever calls
 * {@link #next}.
 *
 * <p>A candidate that weighs as much as all others together has the places of a Bresenham line, so its runs are
 * floor or ceil of weight / rest long and no other candidate follows itself. The others, or all when none weighs that
 * much, are placed by {@link DeadlineOrder}.
 */
final class SmoothOrder {
  private static final int NONE = -1;

  private final long length;
  private final int dominant;
  private final long othersLength;
  private final DeadlineOrder others;
  private long position;
  private long line;

  /**
   * A new cycle.
   *
   * @param weights 1 or more each, best without a common divisor
   */
  SmoothOrder(int[] weights) {
    this.length = Weights.total(weights);
    this.dominant = dominant(weights, length);
    this.others = new DeadlineOrder(weights, IntStream.range(0, weights.length).filter(i -> i != dominant).toArray());
    this.othersLength = others.length();
  }

  private SmoothOrder(SmoothOrder source) {
    this.length = source.length;
    this.dominant = source.dominant;
    this.othersLength = source.othersLength;
    this.others = source.others.copy();
    this.position = source.position;
    this.line = source.line;
  }

  private static int dominant(int[] weights, long total) {
    for (int i = 0; i < weights.length; i++) {
      if (2L * weights[i] >= total) {
        return i;
      }
    }
    return NONE;
  }

  SmoothOrder copy() {
    return new SmoothOrder(this);
  }

  /** Picks per cycle. */
  long length() {
    return length;
  }

  /** Picks made of the running cycle. */
  long position() {
    return position;
  }

  int next() {
    position = position + 1 == length ? 0 : position + 1;
    return dominant == NONE ? others.next() : nextOnLine();
  }

  private int nextOnLine() {
    line += othersLength;
    if (line < length) {
      return dominant;
    }
    line -= length;
    return others.next();
  }

  /** Goes to a point of the cycle, with counts that differ from those of a walk by less than one each. */
  void seek(long target) {
    position = target;
    if (dominant == NONE) {
      others.seek(target);
      return;
    }
    long product = target * othersLength;
    line = Long.remainderUnsigned(product, length);
    others.seek(Long.divideUnsigned(product, length));
  }
}
