package io.lb4j.benchmarks.report;

import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** The goals on the wire, each a ratio within a round, beside what was measured. Immutable. */
final class LabGoals {
  private static final List<String> PROXIES = List.of("haproxy", "nginx", "netty", "vproxy");

  private final LabLines lines;
  private final Table table = new Table("ratio", "measured (min–max)", "goal", "");

  LabGoals(LabLines lines) {
    this.lines = lines;
  }

  /** The table. */
  String text() {
    Map<String, String> bulk = Map.of("one", "one stream", "down", "one stream to the client", "four", "four streams");
    for (String what : List.of("one", "down", "four")) {
      peers("gateway, " + bulk.get(what) + " ÷ nftables DNAT", "dual", what, "nft-dnat", 0.6);
      proxy("gateway, " + bulk.get(what), what, 1);
    }
    peers("gateway, requests ÷ nftables DNAT", "dual", "keep", "nft-dnat", 0.8);
    proxy("gateway, requests", "keep", 1.3);
    peers("gateway, new connections ÷ nftables DNAT", "dual", "close", "nft-dnat", 0.8);
    proxy("gateway, new connections", "close", 1.3);
    peers("DSR, downloads of 1 MB ÷ nothing between", "direct", "1m", "none", 0.95);
    peers("DSR, downloads of 16 MB ÷ nothing between", "direct", "16m", "none", 0.95);
    peers("DSR, requests ÷ kernel's MAC rewrite", "direct", "keep", "nft-l2", 0.9);
    frames("pcap, Java ÷ C", "pcap", "pcap, C");
    frames("packet, Java ÷ C", "packet bulk", "packet, C");
    frames("AF_XDP spinning, Java ÷ C", "xdp spin", "xdp spin, C");
    for (String through : List.of("", "gateway, ")) {
      trips(through + "packet low spin", 2);
      String polling = through + (through.isEmpty() ? "packet low poll" : "packet low park");
      trips(polling, 4);
      trips(polling + ", one processor", 4);
    }
    boundOfGateway("requests", "keep");
    boundOfGateway("new connections", "close");
    for (String what : List.of("one", "down", "four")) {
      boundOfGateway(bulk.get(what), what);
    }
    reportedPeers("DSR, new connections: C ÷ kernel's MAC rewrite", "direct", "close", "redirect-c", "nft-l2");
    reportedPeers("DSR, new connections: lb4j ÷ C", "direct", "close", "lb4j", "redirect-c");
    for (String what : List.of("1m", "16m")) {
      String name = "DSR, downloads of " + (what.equals("1m") ? "1 MB" : "16 MB");
      reportedPeers(name + ": C ÷ nothing between", "direct", what, "redirect-c", "none");
      reportedPeers(name + ": lb4j ÷ C", "direct", what, "lb4j", "redirect-c");
    }
    reportedTrips("packet low spin, C", "kernel bridge");
    reportedTrips("packet low poll, C", "kernel bridge");
    reportedTrips("packet low poll, one processor, C", "kernel bridge");
    reportedTrips("packet low spin", "packet low spin, C");
    reportedTrips("packet low poll", "packet low poll, C");
    return table.toString();
  }

  private Map<Integer, Double> rates(String topology, String subject, String what) {
    return lines.rounds("rate", "table", "peers", "topology", topology, "subject", subject, "what", what);
  }

  private void peers(String name, String topology, String what, String than, double goal) {
    row(name, LabLines.ratio(rates(topology, "lb4j", what), rates(topology, than, what)), goal, true);
  }

  private void proxy(String name, String what, double goal) {
    bestProxy(what).ifPresent(best -> peers(name + " ÷ the best proxy's (" + best + ")", "dual", what, best, goal));
  }

  private Optional<String> bestProxy(String what) {
    return PROXIES.stream()
        .filter(proxy -> !rates("dual", proxy, what).isEmpty())
        .max(Comparator.comparing(proxy -> new Spread(List.copyOf(rates("dual", proxy, what).values())).median()));
  }

  /** What a process in C with the same sockets reaches, which translates nothing. */
  private void boundOfGateway(String of, String what) {
    String name = "gateway, " + of + ": ";
    bestProxy(what).ifPresent(
        best -> reportedPeers(name + "C ÷ the best proxy's (" + best + ")", "dual", what, "redirect-c", best));
    reportedPeers(name + "C ÷ nftables DNAT", "dual", what, "redirect-c", "nft-dnat");
    reportedPeers(name + "lb4j ÷ C", "dual", what, "lb4j", "redirect-c");
  }

  private void reportedPeers(String name, String topology, String what, String subject, String than) {
    reported(name, LabLines.ratio(rates(topology, subject, what), rates(topology, than, what)));
  }

  private Map<Integer, Double> mpps(String subject) {
    return lines.rounds("mpps", "table", "forward", "subject", subject);
  }

  private void frames(String name, String java, String c) {
    row("frames of 64 bytes: " + name, LabLines.ratio(mpps(java), mpps(c)), 0.9, true);
  }

  private Map<Integer, Double> halves(String subject) {
    return lines.rounds("p50Us", "table", "roundtrip", "subject", subject, "load", "idle");
  }

  private void trips(String subject, double goal) {
    row("round trip, p50: " + subject + " ÷ kernel bridge", LabLines.ratio(halves(subject), halves("kernel bridge")),
        goal, false);
  }

  /**
   * What a process in C needs is the least that can be asked of one in Java: no goal of ours, but the measure of ours.
   */
  private void reportedTrips(String subject, String than) {
    reported("round trip, p50: " + subject + " ÷ " + than, LabLines.ratio(halves(subject), halves(than)));
  }

  private void reported(String name, Spread ratio) {
    if (!ratio.isEmpty()) {
      table.row(name, measured(ratio), "reported", "");
    }
  }

  private void row(String name, Spread ratio, double goal, boolean atLeast) {
    if (ratio.isEmpty()) {
      return;
    }
    boolean holds = atLeast ? ratio.median() >= goal : ratio.median() <= goal;
    table.row(name, measured(ratio), (atLeast ? "≥ " : "≤ ") + Numbers.ratio(goal), holds ? "reached" : "**missed**");
  }

  private static String measured(Spread ratio) {
    return Numbers.ratio(ratio.median()) + " (" + Numbers.ratio(ratio.least()) + "–" + Numbers.ratio(ratio.most()) + ")";
  }
}
