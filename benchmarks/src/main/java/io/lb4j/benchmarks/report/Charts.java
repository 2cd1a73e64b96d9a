package io.lb4j.benchmarks.report;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** The pictures, by file name; those of which nothing was measured are left out. Immutable. */
final class Charts {
  private static final String DSR = "DsrPipelineBenchmark";
  private static final String NAT = "NatPipelineBenchmark";
  private static final String PER_FRAME = "nanoseconds per frame, median";
  private static final String MILLION = "1048576";

  /** What each picture shows, by its file. */
  static final Map<String, String> NAMES = names();

  private static final Map<String, String> USUAL_DSR =
      Map.of("flows", MILLION, "family", "4", "services", "64", "servers", "4", "frameBytes", "64", "frames", "known");
  private static final Map<String, String> USUAL_NAT =
      Map.of("flows", MILLION, "family", "4", "services", "64", "frameBytes", "64");

  private final Results results;
  private final Map<String, String> files = new LinkedHashMap<>();

  Charts(Results results) {
    this.results = results;
    byFlows();
    tableByFlows();
    bySize("cost-by-services.svg", "How cost grows with services", "services", List.of("1", "64", "1024"));
    bySize("cost-by-servers.svg", "How cost grows with servers", "servers", List.of("4", "16", "256"));
    bySize("cost-by-frame-size.svg", "How cost grows with frames", "frameBytes", List.of("64", "1500"));
    schedulers();
    againstBaselines("dsr-against-baselines.svg", "Direct server return, 1,048,576 IPv4 flows", DSR, USUAL_DSR);
    againstBaselines("gateway-against-baselines.svg", "Gateway, 1,048,576 IPv4 flows", NAT, USUAL_NAT);
    workers();
    handOver();
  }

  private static Map<String, String> names() {
    Map<String, String> names = new LinkedHashMap<>();
    names.put("dsr-against-baselines.svg", "Direct server return against maps and a Netty handler");
    names.put("gateway-against-baselines.svg", "The gateway against maps");
    names.put("cost-by-flows.svg", "Nanoseconds per frame by established flows");
    names.put("find-by-flows.svg", "Nanoseconds to find a flow by flows in the table");
    names.put("cost-by-services.svg", "Nanoseconds per frame by services");
    names.put("cost-by-servers.svg", "Nanoseconds per frame by servers of a service");
    names.put("scheduler-by-servers.svg", "Nanoseconds to choose a server by servers of the service");
    names.put("cost-by-frame-size.svg", "Nanoseconds per frame by bytes of a frame");
    names.put("frames-by-workers.svg", "Million frames per second by workers");
    names.put("hand-over.svg", "Frames per microsecond from one thread to another");
    names.put("hop.svg", "Nanoseconds of a hop from thread to thread");
    return names;
  }

  /** SVG texts. */
  Map<String, String> files() {
    return files;
  }

  private void add(String file, LineChart chart) {
    if (!chart.isEmpty()) {
      files.put(file, chart.toString());
    }
  }

  private void add(String file, BarChart chart) {
    if (!chart.isEmpty()) {
      files.put(file, chart.toString());
    }
  }

  private List<Double> along(String group, String name, Map<String, String> usual, String param, List<String> values) {
    List<Double> line = new ArrayList<>();
    for (String value : values) {
      Map<String, String> params = new TreeMap<>(usual);
      params.put(param, value);
      line.add(results.median(group, name, params));
    }
    return line;
  }

  private static Map<String, String> v6(Map<String, String> params) {
    Map<String, String> changed = new TreeMap<>(params);
    changed.put("family", "6");
    return changed;
  }

  private void byFlows() {
    List<String> counts = List.of("65536", MILLION, "4000000", "10000000");
    List<String> places = List.of("64 K", "1 M", "4 M", "10 M");
    LineChart chart = new LineChart("How cost grows with flows", PER_FRAME, "established flows", places);
    chart.line("direct server return", false, along(DSR, "batches", USUAL_DSR, "flows", counts));
    chart.line("direct server return, IPv6", false, along(DSR, "batches", v6(USUAL_DSR), "flows", counts));
    chart.line("gateway", false, along(NAT, "batches", USUAL_NAT, "flows", counts));
    chart.line("gateway, IPv6", false, along(NAT, "batches", v6(USUAL_NAT), "flows", counts));
    Map<String, String> opening = Map.of("family", "4", "persistence", "none");
    chart.line("new flow", false, along("NewFlowBenchmark", "batches", opening, "flows", counts));
    chart.line("DSR with a HashMap", true, along(DSR, "baselineHashMap", USUAL_DSR, "flows", counts));
    chart.line("gateway with a HashMap", true, along(NAT, "baselineHashMap", USUAL_NAT, "flows", counts));
    add("cost-by-flows.svg", chart);
  }

  private void tableByFlows() {
    String group = "FlowTableBenchmark";
    List<String> counts = List.of("65536", MILLION, "10000000");
    Map<String, String> v4 = Map.of("family", "4");
    LineChart chart =
        new LineChart("Finding a flow", "nanoseconds, median", "flows in the table", List.of("64 K", "1 M", "10 M"));
    chart.line("batches of 32", false, along(group, "findInBatches", v4, "flows", counts));
    chart.line("batches of 32, IPv6", false, along(group, "findInBatches", Map.of("family", "6"), "flows", counts));
    chart.line("one by one", false, along(group, "findAlone", v4, "flows", counts));
    chart.line("HashMap", true, along(group, "baselineHashMap", v4, "flows", counts));
    chart.line("ConcurrentHashMap", true, along(group, "baselineConcurrentHashMap", v4, "flows", counts));
    chart.line("Agrona", true, along(group, "baselineAgrona", v4, "flows", counts));
    add("find-by-flows.svg", chart);
  }

  private void bySize(String file, String title, String param, List<String> values) {
    List<String> places = values.stream().map(Numbers::count).toList();
    String axis = param.equals("frameBytes") ? "bytes of a frame" : param + (param.equals("servers") ? " of a service" : "");
    LineChart chart = new LineChart(title + ", 1,048,576 IPv4 flows", PER_FRAME, axis, places);
    chart.line("direct server return", false, along(DSR, "batches", USUAL_DSR, param, values));
    if (!param.equals("servers")) {
      chart.line("gateway", false, along(NAT, "batches", USUAL_NAT, param, values));
    }
    add(file, chart);
  }

  private void schedulers() {
    List<String> counts = List.of("4", "16", "256");
    LineChart chart = new LineChart("Choosing a server", "nanoseconds, median", "servers of the service", counts);
    for (String name : List.of("rr", "wrr", "wlc", "p2c", "sh", "maglev", "hrw")) {
      chart.line(name, false, along("SchedulerBenchmark", "pick", Map.of("scheduler", name), "servers", counts));
    }
    add("scheduler-by-servers.svg", chart);
  }

  private void againstBaselines(String file, String title, String group, Map<String, String> params) {
    BarChart chart = new BarChart(title, PER_FRAME + "; less is better");
    chart.bar("batches of 32", false, results.median(group, "batches", params));
    chart.bar("single frames", false, results.median(group, "singleFrames", params));
    chart.bar("HashMap", true, results.median(group, "baselineHashMap", params));
    chart.bar("ConcurrentHashMap", true, results.median(group, "baselineConcurrentHashMap", params));
    chart.bar("Agrona", true, results.median(group, "baselineAgrona", params));
    chart.bar("Caffeine", true, results.median(group, "baselineCaffeine", params));
    chart.bar("Netty handler, HashMap", true, results.median(group, "baselineNettyHandler", params));
    add(file, chart);
  }

  private void workers() {
    BarChart chart = new BarChart("Workers on two cores", "million frames per second, median; more is better");
    for (Series series : results.of("ScalingBenchmark")) {
      String way = series.param("way");
      String name =
          switch (way) {
            case "one" -> "one worker";
            case "two" -> "two workers";
            case "apart" -> "two balancers";
            default -> "two workers, " + way;
          };
      String waiting = series.param("waiting");
      chart.bar(waiting.equals("park") ? name : name + ", " + waiting, false, series.spread().median());
    }
    add("frames-by-workers.svg", chart);
  }

  private void handOver() {
    BarChart chart = new BarChart("From one thread to another", "frames per microsecond, median; more is better");
    for (Series series : results.of("HandOverBenchmark")) {
      chart.bar(series.name().replace("baseline", ""), series.isBaseline(), series.spread().median());
    }
    add("hand-over.svg", chart);
    BarChart hops = new BarChart("One hop from thread to thread", "nanoseconds, median of p50; less is better");
    for (Series series : results.of("HandOverLatencyBenchmark")) {
      hops.bar(series.name().replace("baseline", ""), series.isBaseline(), results.secondary(series, "p50").median());
    }
    add("hop.svg", hops);
  }
}
