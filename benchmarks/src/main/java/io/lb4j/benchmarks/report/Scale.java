package io.lb4j.benchmarks.report;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** Where an axis ends and what stands at it. Stateless. */
final class Scale {
  private static final int FEWEST_TICKS = 4;

  private Scale() {}

  /** The first round number that no value exceeds. */
  static double top(List<Double> values) {
    double most = values.stream().filter(value -> !value.isNaN()).mapToDouble(Double::doubleValue).max().orElse(1);
    double step = step(most);
    return Math.max(step, Math.ceil(most / step) * step);
  }

  private static double step(double most) {
    double rough = Math.max(most, 1e-9) / FEWEST_TICKS;
    double power = Math.pow(10, Math.floor(Math.log10(rough)));
    double digit = rough / power;
    return power * (digit >= 5 ? 5 : digit >= 2 ? 2 : 1);
  }

  static List<Double> ticks(double top) {
    double step = step(top);
    List<Double> ticks = new ArrayList<>();
    for (int i = 0; i * step <= top * 1.001; i++) {
      ticks.add(i * step);
    }
    return ticks;
  }

  /** A tick as it is read: 50, 0.5, 1,000. */
  static String label(double tick) {
    return tick == Math.rint(tick) ? String.format(Locale.ROOT, "%,.0f", tick) : Double.toString(tick);
  }
}
