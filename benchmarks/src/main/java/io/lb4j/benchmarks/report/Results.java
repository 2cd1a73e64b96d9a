package io.lb4j.benchmarks.report;

import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** All series of a run. Immutable. */
final class Results {
  private final List<Run> runs;
  private final List<Series> series;

  Results(List<Run> runs) {
    this.runs = List.copyOf(runs);
    this.series = Series.of(runs.stream().map(Results::byWhatCounts).filter(run -> !run.values().isEmpty()).toList());
  }

  /** What arrived is the score of a hand-over, and half of the hops' time that of its latency. */
  private static Run byWhatCounts(Run run) {
    return switch (run.group()) {
      case "HandOverBenchmark" -> run.of("taken", true);
      default -> run;
    };
  }

  List<Series> of(String group) {
    return series.stream().filter(each -> each.group().equals(group)).toList();
  }

  Optional<Series> find(String group, String name, Map<String, String> params) {
    return of(group).stream().filter(each -> each.name().equals(name) && each.has(params)).findFirst();
  }

  /** Median of a series; NaN where it was not measured. */
  double median(String group, String name, Map<String, String> params) {
    return find(group, name, params).map(each -> each.spread().median()).orElse(Double.NaN);
  }

  /** A further result of a series, of all iterations. */
  Spread secondary(Series of, String result) {
    return new Spread(
        runs.stream()
            .filter(run -> run.group().equals(of.group()) && run.name().equals(of.name()))
            .filter(run -> run.params().equals(of.params()))
            .flatMap(run -> run.secondary().getOrDefault(result, List.of()).stream())
            .toList());
  }

  /** The best baseline with the same parameters. */
  Optional<Series> bestBaseline(Series of) {
    Comparator<Series> byMedian = Comparator.comparingDouble(each -> each.spread().median());
    return of(of.group()).stream()
        .filter(each -> each.isBaseline() && each.params().equals(of.params()))
        .min(of.throughput() ? byMedian.reversed() : byMedian);
  }
}
