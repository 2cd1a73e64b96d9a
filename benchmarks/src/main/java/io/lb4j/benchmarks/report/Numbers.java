package io.lb4j.benchmarks.report;

import java.util.Locale;

/** How numbers are written: with as many digits as they can be trusted for. Stateless. */
final class Numbers {
  private Numbers() {}

  /** Two digits after the point below 1, one below 20, else none; a dash for what was not measured. */
  static String text(double value) {
    if (Double.isNaN(value)) {
      return "–";
    }
    double size = Math.abs(value);
    return String.format(Locale.ROOT, size < 1 ? "%.2f" : size < 20 ? "%.1f" : "%,.0f", value);
  }

  /** A ratio, always with a digit after the point. */
  static String ratio(double value) {
    return Double.isNaN(value) ? "–" : String.format(Locale.ROOT, value < 2 ? "%.2f" : "%.1f", value);
  }

  /** Bytes per operation; what JMH itself allocates is less than half a byte. */
  static String bytes(double value) {
    return Double.isNaN(value) ? "–" : value < 0.5 ? "0" : String.format(Locale.ROOT, "%,.0f", value);
  }

  /** A count of flows or services. */
  static String count(String digits) {
    return String.format(Locale.ROOT, "%,d", Long.parseLong(digits));
  }
}
