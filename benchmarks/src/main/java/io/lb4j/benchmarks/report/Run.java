package io.lb4j.benchmarks.report;

import java.util.List;
import java.util.Map;

/**
 * One benchmark with one choice of parameters, as one run of JMH has measured it. Immutable.
 *
 * @param round number of the run, so that a ratio is formed of what ran close together
 * @param group simple name of the class
 * @param name of the method or group
 * @param params in the order of their names
 * @param throughput whether more is better
 * @param values the score of each iteration of each fork
 * @param secondary further results by name, their values by iteration
 */
record Run(
    int round,
    String group,
    String name,
    Map<String, String> params,
    boolean throughput,
    List<Double> values,
    Map<String, List<Double>> secondary) {
  private static final String ALLOCATED = "gc.alloc.rate.norm";

  /** The same run with another result as its score. */
  Run of(String result, boolean moreIsBetter) {
    return new Run(
        round, group, name, params, moreIsBetter, secondary.getOrDefault(result, List.of()), secondary);
  }

  List<Double> allocated() {
    return secondary.entrySet().stream()
        .filter(entry -> entry.getKey().endsWith(ALLOCATED))
        .findFirst()
        .map(Map.Entry::getValue)
        .orElse(List.of());
  }

  boolean isBaseline() {
    return name.startsWith("baseline");
  }
}
