package io.lb4j.examples.live;

import io.lb4j.core.Statistics;
import io.lb4j.examples.report.Json;
import io.lb4j.examples.report.StatisticsReport;
import io.lb4j.frame.Verdict;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.LinkedHashMap;
import java.util.Map;

/** Statistics of a running balancer, one line each time. Owned by one thread. */
final class StatisticsLine {
  private long received;
  private long transmitted;
  private long dropped;
  private long atNs;

  StatisticsLine(long nowNs) {
    atNs = nowNs;
  }

  /** All counts, as one JSON object. */
  static String json(Statistics statistics, PortWatch ports, boolean totals) {
    Map<String, Object> tree = new LinkedHashMap<>();
    tree.put("time", Instant.now().truncatedTo(ChronoUnit.MILLIS).toString());
    tree.put("totals", totals);
    tree.putAll(StatisticsReport.tree(statistics));
    tree.put("ports", ports.tree());
    return Json.line(tree);
  }

  /** Rates since the last line, and the flows now. */
  String compact(Statistics statistics, PortWatch ports, long nowNs) {
    double seconds = Math.max(1, nowNs - atNs) / 1e9;
    long drops = statistics.verdicts().entrySet().stream()
        .filter(entry -> entry.getKey().isDrop())
        .mapToLong(Map.Entry::getValue)
        .sum();
    String text = Instant.now().truncatedTo(ChronoUnit.SECONDS)
        + "  in " + rate(statistics.received() - received, seconds)
        + "  out " + rate(statistics.transmitted() - transmitted, seconds)
        + "  dropped " + rate(drops - dropped, seconds)
        + "  flows " + (statistics.flowTable().size() + statistics.flowTable().sessions())
        + "  forwarded in all " + statistics.verdicts().getOrDefault(Verdict.FORWARD, 0L)
        + (ports.missed() > 0 ? "  missed in all " + ports.missed() : "");
    received = statistics.received();
    transmitted = statistics.transmitted();
    dropped = drops;
    atNs = nowNs;
    return text;
  }

  private static String rate(long frames, double seconds) {
    return Math.round(frames / seconds) + "/s";
  }
}
