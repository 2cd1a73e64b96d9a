package io.lb4j.examples.report;

import io.lb4j.core.Statistics;
import io.lb4j.examples.config.Finding;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** A balancer's statistics as a tree for JSON and as tables. Safe from any thread. */
public final class StatisticsReport {
  private StatisticsReport() {}

  /**
   * The statistics as JSON members.
   *
   * @param statistics a snapshot
   * @return in the order of printing
   */
  public static Map<String, Object> tree(Statistics statistics) {
    Map<String, Object> tree = new LinkedHashMap<>();
    Map<String, Object> verdicts = new LinkedHashMap<>();
    statistics.verdicts().forEach((verdict, count) -> verdicts.put(verdict.name(), count));
    tree.put("received", statistics.received());
    tree.put("held", statistics.held());
    tree.put("verdicts", verdicts);
    tree.put("originated", statistics.originated());
    tree.put("transmitted", statistics.transmitted());
    tree.put("refused", statistics.refused());
    tree.put("interfaces", statistics.interfaces().stream().map(StatisticsReport::linkTree).toList());
    tree.put("services", statistics.services().stream().map(StatisticsReport::serviceTree).toList());
    tree.put("flowTable", flowTableTree(statistics));
    tree.put("events", eventTree(statistics));
    tree.put("law", statistics.holds());
    return tree;
  }

  /**
   * The statistics of an embedded data path as JSON members: what its caller sent is not among its own counts.
   *
   * @param statistics a snapshot
   * @param frames sent, per interface
   * @param bytes of those frames
   * @return in the order of printing
   */
  public static Map<String, Object> tree(Statistics statistics, List<Long> frames, List<Long> bytes) {
    Map<String, Object> tree = tree(statistics);
    List<Map<String, Object>> links = statistics.interfaces().stream().map(StatisticsReport::linkTree).toList();
    for (int i = 0; i < links.size(); i++) {
      links.get(i).put("transmitted", frames.get(i));
      links.get(i).put("transmittedBytes", bytes.get(i));
    }
    tree.put("interfaces", links);
    tree.put("transmitted", frames.stream().mapToLong(Long::longValue).sum());
    return tree;
  }

  private static Map<String, Object> linkTree(Statistics.InterfaceStatistics link) {
    Map<String, Object> tree = new LinkedHashMap<>();
    tree.put("name", link.name());
    tree.put("received", link.counts().received());
    tree.put("receivedBytes", link.counts().receivedBytes());
    tree.put("originated", link.counts().originated());
    tree.put("transmitted", link.counts().transmitted());
    tree.put("transmittedBytes", link.counts().transmittedBytes());
    tree.put("refused", link.counts().refused());
    return tree;
  }

  private static Map<String, Object> serviceTree(Statistics.ServiceStatistics service) {
    Map<String, Object> tree = new LinkedHashMap<>();
    tree.put("name", service.name());
    tree.put("servers", service.servers().stream().map(StatisticsReport::serverTree).toList());
    return tree;
  }

  /**
   * A server as JSON members.
   *
   * @param server of a service
   * @return in the order of printing
   */
  public static Map<String, Object> serverTree(Statistics.ServerStatistics server) {
    Map<String, Object> tree = new LinkedHashMap<>();
    tree.put("name", server.name());
    tree.put("address", server.address().toString());
    tree.put("weight", server.weight());
    tree.put("activity", server.activity().name().toLowerCase(Locale.ROOT));
    tree.put("health", server.health().health().name().toLowerCase(Locale.ROOT));
    tree.put("reason", server.health().reason());
    tree.put("detail", server.health().detail());
    tree.put("newFlows", server.counts().newFlows());
    tree.put("flows", server.counts().flows());
    tree.put("active", server.counts().active());
    tree.put("frames", server.counts().frames());
    tree.put("bytes", server.counts().bytes());
    tree.put("replyFrames", server.counts().replyFrames());
    tree.put("replyBytes", server.counts().replyBytes());
    tree.put("movedFlows", server.counts().movedFlows());
    tree.put("lostFrames", server.counts().lostFrames());
    tree.put("idleResets", server.counts().idleResets());
    tree.put("idleUntold", server.counts().idleUntold());
    return tree;
  }

  private static Map<String, Object> flowTableTree(Statistics statistics) {
    Map<String, Object> tree = new LinkedHashMap<>();
    tree.put("size", statistics.flowTable().size());
    tree.put("capacity", statistics.flowTable().capacity());
    tree.put("embryonic", statistics.flowTable().embryonic());
    tree.put("evictions", statistics.flowTable().evictions());
    tree.put("memoryBytes", statistics.flowTable().memoryBytes());
    tree.put("sessions", statistics.flowTable().sessions());
    return tree;
  }

  private static Map<String, Object> eventTree(Statistics statistics) {
    Map<String, Object> tree = new LinkedHashMap<>();
    tree.put("told", statistics.events().told());
    tree.put("suppressed", statistics.events().suppressed());
    tree.put("lost", statistics.events().lost());
    return tree;
  }

  /**
   * The statistics for people.
   *
   * @param statistics a snapshot
   * @param transmitted frames sent, as the caller counted them
   * @return tables, ended by a line break
   */
  public static String text(Statistics statistics, long transmitted) {
    StringBuilder text = new StringBuilder();
    text.append("received ").append(statistics.received());
    text.append(", transmitted ").append(transmitted);
    text.append(", originated ").append(statistics.originated());
    if (statistics.held() > 0) {
      text.append(", held ").append(statistics.held());
    }
    text.append("\n\n");
    Table verdicts = new Table("verdict", "frames", "meaning");
    statistics.verdicts().forEach((verdict, count) -> verdicts.row(verdict.name(), count, verdict.reason()));
    text.append(verdicts);
    for (Statistics.ServiceStatistics service : statistics.services()) {
      text.append("\nservice ").append(service.name()).append('\n').append(servers(service));
    }
    return text.toString();
  }

  private static Table servers(Statistics.ServiceStatistics service) {
    long all = service.servers().stream().mapToLong(server -> server.counts().newFlows()).sum();
    Table table = new Table("server", "address", "activity", "weight", "new flows", "share", "frames", "bytes");
    for (Statistics.ServerStatistics server : service.servers()) {
      table.row(
          server.name(),
          server.address(),
          server.activity().name().toLowerCase(Locale.ROOT),
          server.weight(),
          server.counts().newFlows(),
          share(server.counts().newFlows(), all),
          server.counts().frames(),
          server.counts().bytes());
    }
    return table;
  }

  private static String share(long part, long all) {
    return all == 0 ? "0.0%" : String.format(Locale.ROOT, "%.1f%%", 100.0 * part / all);
  }

  /**
   * Findings as a tree.
   *
   * @param file the file they are about
   * @param findings in the order of the file
   * @return members of a JSON object
   */
  public static Map<String, Object> tree(String file, List<Finding> findings) {
    Map<String, Object> tree = new LinkedHashMap<>();
    tree.put("file", file);
    tree.put("findings", findings.stream().map(Finding::tree).toList());
    return tree;
  }
}
