package io.lb4j.schedule;

/**
 * Candidates side by side in the order of their identities, each as wide as its weight over the greatest common
 * divisor; a hash chooses the point. Keeps no state between picks. Immutable, shared.
 */
final class WeightedRange implements Schedule, Picker {
  private final int[] order;
  private final long[] ends;
  private final long total;

  WeightedRange(Roster roster) {
    int[] weights = Weights.reduced(roster.weights());
    this.order = roster.byIdentity();
    this.ends = new long[order.length];
    long end = 0;
    for (int place = 0; place < order.length; place++) {
      end += weights[order[place]];
      ends[place] = end;
    }
    this.total = end;
  }

  long total() {
    return total;
  }

  /** The same map spelled out point by point. */
  char[] slots() {
    char[] slots = new char[Math.toIntExact(total)];
    int place = 0;
    for (int point = 0; point < slots.length; point++) {
      if (point == ends[place]) {
        place++;
      }
      slots[point] = (char) order[place];
    }
    return slots;
  }

  /** Where each candidate begins, by its position. */
  long[] starts() {
    long[] starts = new long[order.length];
    for (int place = 1; place < order.length; place++) {
      starts[order[place]] = ends[place - 1];
    }
    return starts;
  }

  @Override
  public Picker newPicker(Picker previous) {
    return this;
  }

  @Override
  public int pick(long hash, ActiveFlows active) {
    return at(HashRange.index(hash, total));
  }

  /** The candidate at a point, 0..total-1. */
  int at(long point) {
    int low = 0;
    int high = ends.length - 1;
    while (low < high) {
      int middle = (low + high) >>> 1;
      if (point < ends[middle]) {
        high = middle;
      } else {
        low = middle + 1;
      }
    }
    return order[low];
  }
}
