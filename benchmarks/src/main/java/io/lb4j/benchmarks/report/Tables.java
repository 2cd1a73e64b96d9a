package io.lb4j.benchmarks.report;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** The results of each benchmark class as a table. Immutable. */
final class Tables {
  /** Parameters that are told only where they are others. */
  private static final Map<String, String> USUAL =
      Map.of("services", "64", "servers", "4", "frameBytes", "64", "frames", "known", "persistence", "none");

  private static final List<String> KINDS =
      List.of("dsrTcp4", "dsrTcp6", "dsrUdp4", "dsrUdp6", "gatewayTcp4", "gatewayTcp6", "gatewayUdp4", "gatewayUdp6");

  private final Results results;

  Tables(Results results) {
    this.results = results;
  }

  /** Every series of a class: how its values lie, what it allocates, and how it compares with the best baseline. */
  String of(String group) {
    return switch (group) {
      case "MixedTrafficBenchmark" -> mixed();
      case "HandOverLatencyBenchmark", "WayLatencyBenchmark" -> latencies(group);
      case "ScalingBenchmark" -> scaling();
      default -> spreads(group);
    };
  }

  private String spreads(String group) {
    List<Series> rows = new ArrayList<>(results.of(group));
    rows.sort(
        Comparator.comparing((Series each) -> each.param("family"))
            .thenComparingLong(each -> number(each, "flows", "clients", "bytes"))
            .thenComparing(Tables::description)
            .thenComparing(Series::isBaseline)
            .thenComparing(Series::name));
    String unit = rows.stream().anyMatch(Series::throughput) ? "in a microsecond" : "ns";
    Table table =
        new Table(
            "of what", "", unit + ": median (min–max)", "better quartile", "B/op", "best baseline ÷ this (min–max)");
    for (Series row : rows) {
      Spread spread = row.spread();
      table.row(
          description(row),
          "`" + row.name() + "`",
          withRange(spread),
          Numbers.text(row.throughput() ? spread.upperQuartile() : spread.lowerQuartile()),
          Numbers.bytes(row.allocated().median()),
          row.isBaseline() ? "" : ratioToBaseline(row));
    }
    return table.toString();
  }

  private String ratioToBaseline(Series row) {
    Optional<Series> baseline = results.bestBaseline(row);
    if (baseline.isEmpty()) {
      return "";
    }
    String name = baseline.get().name().substring("baseline".length());
    return ratios(row.timesAsGoodAs(baseline.get())) + ", " + name;
  }

  private static long number(Series series, String... params) {
    for (String param : params) {
      if (!series.param(param).isEmpty()) {
        return Long.parseLong(series.param(param));
      }
    }
    return 0;
  }

  static String withRange(Spread spread) {
    if (spread.isEmpty()) {
      return Numbers.text(Double.NaN);
    }
    return Numbers.text(spread.median())
        + " (" + Numbers.text(spread.least()) + "–" + Numbers.text(spread.most()) + ")";
  }

  static String ratios(Spread spread) {
    return spread.isEmpty()
        ? "–"
        : Numbers.ratio(spread.median())
            + " (" + Numbers.ratio(spread.least()) + "–" + Numbers.ratio(spread.most()) + ")";
  }

  /** A series' parameters in words. */
  static String description(Series series) {
    List<String> parts = new ArrayList<>();
    if (!series.param("family").isEmpty()) {
      parts.add("IPv" + series.param("family"));
    }
    series.params().forEach((name, value) -> {
      boolean usual = value.equals(USUAL.get(name)) && !series.group().equals("SchedulerBenchmark");
      if (!name.equals("family") && !usual) {
        parts.add(words(name, value));
      }
    });
    return String.join(", ", parts);
  }

  private static String words(String name, String value) {
    return switch (name) {
      case "services" -> value.equals("1") ? "one service" : Numbers.count(value) + " services";
      case "flows", "clients", "servers" -> Numbers.count(value) + " " + name;
      case "frameBytes" -> Numbers.count(value) + "-byte frames";
      case "bytes" -> Numbers.count(value) + " bytes";
      case "mebibytes" -> Numbers.count(value) + " MiB";
      case "frames" -> value + " frames";
      case "persistence" -> value + " persistence";
      case "scheduler", "way" -> value;
      default -> name + " " + value;
    };
  }

  private String mixed() {
    Table table = new Table("flows", "kind", "ns per frame: median (min–max)");
    for (Series series : results.of("MixedTrafficBenchmark")) {
      String flows = Numbers.count(series.param("flows"));
      for (String kind : KINDS) {
        table.row(flows, kind, withRange(results.secondary(series, kind)));
      }
      table.row(flows, "mean of all kinds alone", withRange(results.secondary(series, "alone")));
      table.row(flows, "**mixed**", withRange(series.spread()));
      table.row(flows, "mixed ÷ alone", ratios(results.secondary(series, "ratio")));
      table.row(flows, "the same of the fastest passes", ratios(results.secondary(series, "ratioOfLeast")));
    }
    return table.toString();
  }

  private String latencies(String group) {
    Table table = new Table("", "p50, ns (min–max)", "p99", "p99.9");
    for (Series series : results.of(group)) {
      table.row(
          series.param("way").isEmpty() ? "`" + series.name() + "`" : series.param("way") + waiting(series),
          withRange(results.secondary(series, "p50")),
          withRange(results.secondary(series, "p99")),
          withRange(results.secondary(series, "p999")));
    }
    return table.toString();
  }

  private static String waiting(Series series) {
    String wait = series.param("waiting");
    return wait.isEmpty() ? "" : ", " + wait;
  }

  private String scaling() {
    Table table = new Table("", "flows of a worker", "million frames per second: median (min–max)", "÷ one worker");
    for (Series series : results.of("ScalingBenchmark")) {
      Optional<Series> one =
          results.of(series.group()).stream()
              .filter(each -> each.param("way").equals("one") && each.param("waiting").equals("park"))
              .filter(each -> each.has(Map.of("flows", series.param("flows"), "family", series.param("family"))))
              .findFirst();
      table.row(
          series.param("way") + ", IPv" + series.param("family") + waiting(series),
          Numbers.count(series.param("flows")),
          withRange(series.spread()),
          one.map(each -> ratios(series.timesAsGoodAs(each))).orElse(""));
    }
    return table.toString();
  }
}
