package io.lb4j.benchmarks.report;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/** What JMH writes, shortened to what the report reads. Stateless. */
final class Recorded {
  private Recorded() {}

  /** A result with one fork of these iterations. */
  static String result(String benchmark, String mode, Map<String, String> params, double... values) {
    return result(benchmark, mode, params, Map.of("gc.alloc.rate.norm", new double[] {0.01}), values);
  }

  static String result(
      String benchmark, String mode, Map<String, String> params, Map<String, double[]> secondary, double... values) {
    String more =
        secondary.entrySet().stream()
            .map(each -> "\"" + each.getKey() + "\": " + metric(each.getValue()))
            .collect(Collectors.joining(","));
    String given =
        params.entrySet().stream()
            .map(each -> "\"" + each.getKey() + "\": \"" + each.getValue() + "\"")
            .collect(Collectors.joining(","));
    return "{\"jmhVersion\": \"1.37\", \"benchmark\": \"io.lb4j.benchmarks." + benchmark + "\", \"mode\": \"" + mode
        + "\", \"forks\": 1, \"jvmArgs\": [], \"params\": {" + given + "}, \"primaryMetric\": " + metric(values)
        + ", \"secondaryMetrics\": {" + more + "}}";
  }

  private static String metric(double... values) {
    String list = Arrays.stream(values).mapToObj(Double::toString).collect(Collectors.joining(","));
    return "{\"score\": 1.0, \"scoreError\": \"NaN\", \"scorePercentiles\": {\"0.0\": 1.0}, \"rawData\": [[" + list + "]]}";
  }

  static String file(String... results) {
    return "[" + String.join(",", results) + "]";
  }

  /** A known flow's parameters. */
  static Map<String, String> dsr(String flows, String family) {
    return Map.of(
        "flows", flows, "family", family, "services", "64", "servers", "4", "frameBytes", "64", "frames", "known");
  }

  static Results of(String... results) throws IOException {
    return new Results(JmhFile.read(1, file(results)));
  }

  static Results rounds(List<String> files) throws IOException {
    List<Run> runs = new ArrayList<>();
    for (int i = 0; i < files.size(); i++) {
      runs.addAll(JmhFile.read(i + 1, files.get(i)));
    }
    return new Results(runs);
  }
}
