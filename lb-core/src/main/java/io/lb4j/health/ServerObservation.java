package io.lb4j.health;

import io.lb4j.counters.HandshakeCounts;
import io.lb4j.monitor.Observation;

/**
 * What clients' connections have shown of one server: counts and weight at the beginning of each slice of the window,
 * and how long it is not to be used. Owned by the control thread.
 */
final class ServerObservation {
  static final int SLICES = 10;

  private static final int MOST_DOUBLINGS = 20;

  private final HandshakeCounts[] counts = new HandshakeCounts[SLICES + 1];
  private final double[] weights = new double[SLICES + 1];
  private final double[] parts = new double[SLICES + 1]; // of its weight, less in slow start
  private long first = -1; // slice of the first count that is looked at
  private long last = -1;
  private boolean inhibited;
  private long untilNs;
  private long lengthNs;
  private long inUseSinceNs;
  private int doublings;

  /** Counts, and the weight and what counts of it, as they are at the beginning of a slice. */
  void sample(long slice, HandshakeCounts now, int weight, double share) {
    boolean other = last >= 0 && now.answered() < at(last).answered(); // another server under the name
    counts[(int) (slice % counts.length)] = now;
    weights[(int) (slice % weights.length)] = weight;
    parts[(int) (slice % parts.length)] = weight * share;
    last = slice;
    first = other || first < 0 ? slice : Math.max(first, slice - SLICES);
  }

  private HandshakeCounts at(long slice) {
    return counts[(int) (slice % counts.length)];
  }

  /** Looks only at what comes from now on. */
  void forget() {
    first = last;
  }

  long first() {
    return first;
  }

  /** What was counted since a slice, as far as it is looked at. */
  HandshakeCounts since(long slice) {
    return at(last).minus(at(Math.max(slice, first)));
  }

  /** Whether new flows go to the server. */
  boolean isInUse() {
    return parts[(int) (last % parts.length)] > 0;
  }

  /** Its weight since a slice, as far as it is looked at: one that has changed counts for its time. */
  double weight(long slice) {
    return mean(weights, Math.max(slice, first));
  }

  /** So much of its weight has counted over the time that is looked at. */
  double part() {
    return mean(parts, first);
  }

  /** Slow start goes up in a line, so that half of both ends of a slice is right. */
  private double mean(double[] values, long from) {
    double sum = 0;
    for (long slice = from; slice < last; slice++) {
      sum += (values[(int) (slice % values.length)] + values[(int) ((slice + 1) % values.length)]) / 2;
    }
    return last == from ? 0 : sum / (last - from);
  }

  boolean isInhibited() {
    return inhibited;
  }

  /** Takes the server out of use, twice as long as the last time. */
  void inhibit(Observation settings, long nowNs) {
    long longestNs = settings.longest().toNanos();
    long firstNs = settings.inhibit().toNanos();
    lengthNs = firstNs > longestNs >> doublings ? longestNs : firstNs << doublings;
    doublings = Math.min(doublings + 1, MOST_DOUBLINGS);
    inhibited = true;
    untilNs = nowNs + lengthNs;
  }

  boolean isOver(long nowNs) {
    return untilNs - nowNs <= 0;
  }

  /** Tries the server again. */
  void release(long nowNs) {
    inhibited = false;
    inUseSinceNs = nowNs;
    forget();
  }

  /** A server that answers still when it was in use for as long as out of use last begins with the shortest time. */
  void forgive(Observation settings, long nowNs) {
    long neededNs = Math.max(lengthNs, settings.window().toNanos());
    boolean answers = last > first && since(last - 1).answered() > 0;
    if (doublings > 0 && answers && nowNs - inUseSinceNs >= neededNs) {
      doublings = 0;
    }
  }
}
