package io.lb4j.benchmarks.report;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** The lab's measurements as tables: medians, and the least and the most of all rounds in brackets. Immutable. */
final class LabTables {
  private static final Map<String, String> NAMES = names();

  private final LabLines lines;

  LabTables(LabLines lines) {
    this.lines = lines;
  }

  private static Map<String, String> names() {
    Map<String, String> names = new LinkedHashMap<>();
    names.put("none", "nothing between");
    names.put("routed", "routed by the kernel, no balancer");
    names.put("nft-l2", "kernel: nftables, MAC rewrite and `fwd`");
    names.put("redirect-c", "bare forwarder in C, packet sockets, MAC rewrite alone");
    names.put("nft-dnat", "kernel: nftables DNAT");
    names.put("haproxy", "haproxy, TCP");
    names.put("nginx", "nginx stream");
    names.put("netty", "Netty TCP proxy");
    names.put("lb4j", "**lb4j**");
    return names;
  }

  private static String name(String subject) {
    return NAMES.getOrDefault(subject, subject);
  }

  /** Requests and connections. */
  String requests(String topology) {
    Table table = new Table("", "requests/s, kept alive", "p99, ms", "CPU ms per 1,000: balancer, softirq, all",
        "new connections/s", "p99, ms", "CPU ms per 1,000: balancer, softirq, all");
    for (String subject : lines.subjects("peers", topology)) {
      table.row(
          name(subject),
          cell(topology, subject, "keep", "rate"),
          cell(topology, subject, "keep", "p99Ms"),
          cost(topology, subject, "keep", 1e6),
          cell(topology, subject, "close", "rate"),
          cell(topology, subject, "close", "p99Ms"),
          cost(topology, subject, "close", 1e6));
    }
    return table.toString();
  }

  /**
   * Gigabits per second, and seconds of processors per gigabyte.
   *
   * @param whats what was measured, with its heading
   */
  String bulk(String topology, Map<String, String> whats) {
    String[] headings = new String[1 + 2 * whats.size()];
    headings[0] = "Gbit/s";
    int column = 1;
    for (String heading : whats.values()) {
      headings[column++] = heading;
      headings[column++] = "CPU s per GB: balancer, softirq, all";
    }
    Table table = new Table(headings);
    for (String subject : lines.subjects("peers", topology)) {
      Object[] cells = new Object[headings.length];
      cells[0] = name(subject);
      int cell = 1;
      for (String what : whats.keySet()) {
        cells[cell++] = cell(topology, subject, what, "rate");
        cells[cell++] = cost(topology, subject, what, 1);
      }
      table.row(cells);
    }
    return table.toString();
  }

  private Map<Integer, Double> peer(String topology, String subject, String what, String figure) {
    return lines.rounds(figure, "table", "peers", "topology", topology, "subject", subject, "what", what);
  }

  private String cell(String topology, String subject, String what, String figure) {
    return range(new Spread(List.copyOf(peer(topology, subject, what, figure).values())));
  }

  private String cost(String topology, String subject, String what, double scale) {
    Map<Integer, Double> amounts = peer(topology, subject, what, "amount");
    StringBuilder cost = new StringBuilder();
    for (String figure : List.of("balancer", "softirq", "all")) {
      Spread each = LabLines.ratio(peer(topology, subject, what, figure), amounts);
      cost.append(cost.isEmpty() ? "" : ", ").append(Numbers.text(each.median() * scale));
    }
    return cost.toString();
  }

  /** Million frames per second. */
  String frames() {
    Table table = new Table("forwarding frames of 64 bytes", "Mpps");
    for (String subject : lines.subjects("forward", "")) {
      table.row(subject, range(new Spread(List.copyOf(
          lines.rounds("mpps", "table", "forward", "subject", subject).values()))));
    }
    return table.toString();
  }

  /** Round trips beside those through the kernel's bridge. */
  String roundTrips() {
    Table table = new Table("µs", "idle: p50", "p99", "÷ bridge, p50", "loaded: p50", "p99", "÷ bridge, p50");
    for (String subject : lines.subjects("roundtrip", "")) {
      table.row(subject, trip(subject, "idle", "p50Us"), trip(subject, "idle", "p99Us"), toBridge(subject, "idle"),
          trip(subject, "loaded", "p50Us"), trip(subject, "loaded", "p99Us"), toBridge(subject, "loaded"));
    }
    return table.toString();
  }

  /** What it takes to tell another thread something. */
  String wakes() {
    Table table = new Table("µs, from a thread to one that is", "p50", "p99");
    for (String subject : lines.subjects("wake", "")) {
      table.row(subject, wake(subject, "p50Us"), wake(subject, "p99Us"));
    }
    return table.toString();
  }

  private String wake(String subject, String figure) {
    return range(new Spread(List.copyOf(lines.rounds(figure, "table", "wake", "subject", subject).values())));
  }

  private Map<Integer, Double> trips(String subject, String load, String figure) {
    return lines.rounds(figure, "table", "roundtrip", "subject", subject, "load", load);
  }

  private String trip(String subject, String load, String figure) {
    return range(new Spread(List.copyOf(trips(subject, load, figure).values())));
  }

  private String toBridge(String subject, String load) {
    return Numbers.ratio(
        LabLines.ratio(trips(subject, load, "p50Us"), trips("kernel bridge", load, "p50Us")).median());
  }

  static String range(Spread spread) {
    return spread.isEmpty()
        ? "–"
        : text(spread.median()) + " (" + text(spread.least()) + "–" + text(spread.most()) + ")";
  }

  private static String text(double value) {
    return value < 1.95 ? String.format(Locale.ROOT, "%.2f", value) : Numbers.text(value);
  }
}
