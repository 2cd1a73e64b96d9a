package io.lb4j.core;

/**
 * The times of the last looks at all counts, and what each count was at them. Guarded by the sampler's lock; of fixed
 * size.
 */
final class RateHistory {
  /** Looks that are remembered: a minute of them and some. */
  static final int LOOKS = 64;

  static final long SECOND_NS = 1_000_000_000L;

  private static final int MASK = LOOKS - 1;

  private final long[] timesNs = new long[LOOKS];
  private int last; // number of the last look; the first one is 0, at which nothing was counted

  RateHistory(long nowNs) {
    timesNs[0] = nowNs;
  }

  /** Begins the next look, after every series was told its growth; each is to be settled then. */
  void look(long nowNs) {
    last++;
    timesNs[last & MASK] = nowNs;
  }

  long lastNs() {
    return timesNs[last & MASK];
  }

  /** The earlier look whose age is nearest to a window; {@code last} when there is none since {@code first}. */
  private int before(long windowNs, int first) {
    int oldest = Math.max(first, last - MASK);
    int best = last;
    long bestDistance = Long.MAX_VALUE;
    for (int look = last - 1; look >= oldest; look--) {
      long distance = Math.abs(lastNs() - timesNs[look & MASK] - windowNs);
      if (distance < bestDistance) {
        bestDistance = distance;
        best = look;
      }
    }
    return best;
  }

  /** Some counts that only grow, from one look on. */
  final class Series {
    private final int width;
    private final long[] values;
    private final double[] peaks;
    private final int first;
    private final long[] sums;
    private long active;
    private long activeNow;
    private long peakActive;

    /** Nothing was counted until the last look; what comes after that is its growth. */
    Series(int width) {
      this.width = width;
      this.values = new long[LOOKS * width];
      this.peaks = new double[width];
      this.sums = new long[width];
      this.first = last;
    }

    /** Adds to what the present look has seen; one series may be the sum of several. */
    void grow(int count, long by) {
      sums[count] += by;
    }

    /** What is active, to be told once per look. */
    void active(long flows) {
      activeNow = flows;
    }

    /** Ends the present look. */
    void settle() {
      double seconds = Math.max(1, lastNs() - timesNs[last - 1 & MASK]) / (double) SECOND_NS;
      for (int count = 0; count < width; count++) {
        long before = values[(last - 1 & MASK) * width + count];
        values[(last & MASK) * width + count] = sums[count];
        peaks[count] = Math.max(peaks[count], (sums[count] - before) / seconds);
      }
      active = activeNow;
      peakActive = Math.max(peakActive, activeNow);
    }

    /** All counts' rates per second over about a window. */
    double[] rates(long windowNs) {
      int from = before(windowNs, first);
      double[] rates = new double[width];
      if (from != last) {
        double seconds = (lastNs() - timesNs[from & MASK]) / (double) SECOND_NS;
        for (int count = 0; count < width; count++) {
          long growth = values[(last & MASK) * width + count] - values[(from & MASK) * width + count];
          rates[count] = growth / seconds;
        }
      }
      return rates;
    }

    double[] peaks() {
      return peaks.clone();
    }

    Rates.Active active() {
      return new Rates.Active(active, peakActive);
    }
  }
}
