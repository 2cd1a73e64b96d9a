package io.lb4j.benchmarks.report;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/** What the project has set itself as goals, beside what was measured. Immutable. */
final class GoalTable {
  private static final String DSR = "DsrPipelineBenchmark";
  private static final String NAT = "NatPipelineBenchmark";
  private static final String NEW = "NewFlowBenchmark";
  private static final String TABLE = "FlowTableBenchmark";
  private static final String FEW = "65536";
  private static final String MILLION = "1048576";
  private static final long TEN_MILLION = 10_000_000;

  private static final Map<String, String> USUAL_DSR =
      Map.of("family", "4", "services", "64", "servers", "4", "frameBytes", "64", "frames", "known");
  private static final Map<String, String> USUAL_NAT = Map.of("family", "4", "services", "64", "frameBytes", "64");

  private final Results results;

  GoalTable(Results results) {
    this.results = results;
  }

  /** Nanoseconds, IPv4: median, least in brackets, and the goal. */
  String nanoseconds() {
    Table table = new Table("per frame, ns", "65,536 flows", "1,048,576 flows", "10,000,000 flows");
    row(table, "DSR, known flow", DSR, "batches", USUAL_DSR, 40, 52, 65);
    row(table, "gateway, either direction", NAT, "batches", USUAL_NAT, 50, 65, 78);
    row(table, "new flow", NEW, "batches", Map.of("family", "4", "persistence", "none"), 120, 200, 250);
    row(
        table,
        "new flow of a known client, source-IP persistence",
        NEW,
        "batches",
        Map.of("family", "4", "persistence", "source-ip"),
        250,
        400,
        0);
    row(table, "flow table alone, batches", TABLE, "findInBatches", Map.of("family", "4"), 10, 27, 40);
    return table.toString();
  }

  private void row(
      Table table, String what, String group, String name, Map<String, String> params, int few, int many, int most) {
    table.row(
        what,
        cell(results.find(group, name, with(params, "flows", FEW)), few, false),
        cell(results.find(group, name, with(params, "flows", MILLION)), many, false),
        most == 0 ? "" : cell(beyond(group, name, params), most, true));
  }

  /** The series with the most flows, if they are more than a million. */
  private Optional<Series> beyond(String group, String name, Map<String, String> params) {
    return results.of(group).stream()
        .filter(each -> each.name().equals(name) && each.has(params))
        .filter(each -> flows(each) > Long.parseLong(MILLION))
        .reduce((one, other) -> flows(one) >= flows(other) ? one : other);
  }

  private static long flows(Series series) {
    return Long.parseLong(series.param("flows"));
  }

  private static String cell(Optional<Series> measured, int goal, boolean tellFlows) {
    if (measured.isEmpty()) {
      return "not measured, goal " + goal;
    }
    Spread spread = measured.get().spread();
    String sign = spread.median() <= goal ? " ≤ " : " > ";
    boolean fewer = tellFlows && flows(measured.get()) != TEN_MILLION;
    return "**" + Numbers.text(spread.median()) + "** (" + Numbers.text(spread.least()) + ")" + sign + goal
        + (fewer ? ", of " + Numbers.count(measured.get().param("flows")) : "");
  }

  /** Ratios, which hold on any machine: median, and least and most of the rounds. */
  String ratios() {
    Table table = new Table("ratio", "measured (min–max)", "goal");
    for (String flows : List.of(MILLION, "10000000")) {
      String goal = flows.equals(MILLION) ? "≥ 3" : "≥ 4";
      String many = Numbers.count(flows) + " flows";
      againstBaseline(table, "DSR, " + many + ": best baseline ÷ batches", DSR, USUAL_DSR, flows, goal);
      againstBaseline(table, "gateway, " + many + ": best baseline ÷ batches", NAT, USUAL_NAT, flows, goal);
    }
    compare(table, "DSR, IPv6 ÷ IPv4", DSR, USUAL_DSR, "family", "6", "≤ 1.3");
    compare(table, "gateway, IPv6 ÷ IPv4", NAT, USUAL_NAT, "family", "6", "≤ 1.3");
    Map<String, String> oneService = with(USUAL_DSR, "services", "1");
    compare(table, "DSR, 1,024 services ÷ one", DSR, oneService, "services", "1024", "≤ 1.3");
    compare(table, "gateway, 1,024 services ÷ one", NAT, with(USUAL_NAT, "services", "1"), "services", "1024", "≤ 1.3");
    compare(table, "DSR, 256 servers ÷ 4", DSR, USUAL_DSR, "servers", "256", "alike");
    compare(table, "DSR, 1,500 bytes ÷ 64", DSR, USUAL_DSR, "frameBytes", "1500", "alike");
    compare(table, "gateway, 1,500 bytes ÷ 64", NAT, USUAL_NAT, "frameBytes", "1500", "alike");
    for (String kind : List.of("malformed", "stray", "unserved", "foreign")) {
      compare(table, "DSR, " + kind + " ÷ known frames", DSR, USUAL_DSR, "frames", kind, "≤ 1");
    }
    for (Series mixed : results.of("MixedTrafficBenchmark")) {
      String flows = Numbers.count(mixed.param("flows"));
      table.row("mixed ÷ alone, " + flows + " flows", Tables.ratios(results.secondary(mixed, "ratio")), "≤ 1.3");
    }
    workers(table, "two", "one", "two workers ÷ one", "≥ 1.7");
    workers(table, "apart", "one", "two balancers that share nothing ÷ one: what the cores allow", "reported");
    workers(table, "two", "apart", "two workers ÷ two balancers that share nothing", "reported");
    workers(table, "pipelined", "one", "pipelined on the same cores ÷ one", "reported");
    return table.toString();
  }

  private void againstBaseline(
      Table table, String what, String group, Map<String, String> params, String flows, String goal) {
    results
        .find(group, "batches", with(params, "flows", flows))
        .ifPresent(
            batches ->
                results
                    .bestBaseline(batches)
                    .ifPresent(best -> table.row(what, Tables.ratios(batches.timesAsGoodAs(best)), goal)));
  }

  /** Two series that differ in one parameter, with a million flows where both were measured so. */
  private void compare(
      Table table, String what, String group, Map<String, String> params, String param, String other, String goal) {
    for (String flows : List.of(MILLION, FEW)) {
      Optional<Series> usual = results.find(group, "batches", with(params, "flows", flows));
      Optional<Series> changed = results.find(group, "batches", with(with(params, "flows", flows), param, other));
      if (usual.isPresent() && changed.isPresent()) {
        String ratio = Tables.ratios(usual.get().timesAsGoodAs(changed.get()));
        table.row(what + ", " + Numbers.count(flows) + " flows", ratio, goal);
        return;
      }
    }
  }

  private void workers(Table table, String way, String other, String what, String goal) {
    List<Series> all = new ArrayList<>(results.of("ScalingBenchmark"));
    Optional<Series> base = all.stream().filter(each -> each.param("way").equals(other)).findFirst();
    all.stream()
        .filter(each -> base.isPresent() && each.param("way").equals(way))
        .filter(each -> each.param("flows").equals(base.get().param("flows")))
        .forEach(each -> table.row(what + ", " + each.param("waiting"), Tables.ratios(each.timesAsGoodAs(base.get())), goal));
  }

  private static Map<String, String> with(Map<String, String> params, String name, String value) {
    Map<String, String> changed = new TreeMap<>(params);
    changed.put(name, value);
    return changed;
  }
}
