package io.lb4j.benchmarks.report;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;

/** All runs of one benchmark with one choice of parameters. Owned by the report; not changed once it is read. */
final class Series {
  private final Run first;
  private final Map<Integer, List<Double>> rounds = new TreeMap<>();
  private final List<Double> all = new ArrayList<>();
  private final List<Double> allocated = new ArrayList<>();

  private Series(Run first) {
    this.first = first;
  }

  /** The series of runs, in the order in which they first appear. */
  static List<Series> of(List<Run> runs) {
    Map<List<Object>, Series> byKey = new LinkedHashMap<>();
    for (Run run : runs) {
      byKey
          .computeIfAbsent(List.of(run.group(), run.name(), run.params()), key -> new Series(run))
          .add(run);
    }
    return List.copyOf(byKey.values());
  }

  private void add(Run run) {
    rounds.computeIfAbsent(run.round(), round -> new ArrayList<>()).addAll(run.values());
    all.addAll(run.values());
    allocated.addAll(run.allocated());
  }

  String group() {
    return first.group();
  }

  String name() {
    return first.name();
  }

  Map<String, String> params() {
    return first.params();
  }

  String param(String name) {
    return params().getOrDefault(name, "");
  }

  boolean isBaseline() {
    return first.isBaseline();
  }

  boolean throughput() {
    return first.throughput();
  }

  int roundCount() {
    return rounds.size();
  }

  Spread spread() {
    return new Spread(all);
  }

  /** Bytes per operation; empty where they were not counted. */
  Spread allocated() {
    return new Spread(allocated);
  }

  /** Whether the parameters are these, whatever the others are. */
  boolean has(Map<String, String> wanted) {
    return wanted.entrySet().stream().allMatch(entry -> entry.getValue().equals(params().get(entry.getKey())));
  }

  /**
   * How many times as good this is as another: medians of the same round divided, for each round that both have.
   *
   * @return empty where they have none in common
   */
  Spread timesAsGoodAs(Series other) {
    return new Spread(
        rounds.keySet().stream()
            .filter(other.rounds::containsKey)
            .map(round -> quotient(median(rounds.get(round)), median(other.rounds.get(round))))
            .collect(Collectors.toList()));
  }

  private double quotient(double mine, double others) {
    return throughput() ? mine / others : others / mine;
  }

  private static double median(List<Double> values) {
    return new Spread(values).median();
  }
}
