package io.lb4j.benchmarks.report;

import java.util.List;

/** How values lie. Immutable. */
final class Spread {
  private final double[] sorted;

  Spread(List<Double> values) {
    sorted = values.stream().mapToDouble(Double::doubleValue).sorted().toArray();
  }

  boolean isEmpty() {
    return sorted.length == 0;
  }

  double least() {
    return quantile(0);
  }

  double lowerQuartile() {
    return quantile(0.25);
  }

  double median() {
    return quantile(0.5);
  }

  double upperQuartile() {
    return quantile(0.75);
  }

  double most() {
    return quantile(1);
  }

  /** The value below which a share of the values lies, between two of them by proportion; NaN of none. */
  double quantile(double share) {
    if (sorted.length == 0) {
      return Double.NaN;
    }
    double place = share * (sorted.length - 1);
    int below = (int) place;
    int above = Math.min(below + 1, sorted.length - 1);
    return sorted[below] + (place - below) * (sorted[above] - sorted[below]);
  }
}
