package io.lb4j.examples.control;

import io.lb4j.core.Statistics;
import io.lb4j.core.Statistics.ServerStatistics;
import io.lb4j.core.Statistics.ServiceStatistics;
import io.lb4j.examples.live.RunningConfiguration;
import io.lb4j.examples.report.StatisticsReport;
import io.lb4j.examples.report.Table;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/** {@code status} and {@code servers}: what runs, and how it is. Owned by the control thread. */
final class StatusCommands {
  private final RunningConfiguration running;
  private final Instant begin = Instant.now().truncatedTo(ChronoUnit.SECONDS);

  StatusCommands(RunningConfiguration running) {
    this.running = running;
  }

  void addTo(Commands commands) {
    commands.add("status", (request, exchange) -> status());
    commands.add("servers", (request, exchange) -> servers(request.find("service")), "service");
  }

  private Reply status() {
    Statistics statistics = running.balancer().statistics();
    String file = running.current().file();
    Map<String, Object> tree = new LinkedHashMap<>();
    tree.put("file", file);
    tree.put("role", Request.word(running.balancer().role()));
    tree.put("since", begin.toString());
    tree.putAll(StatisticsReport.tree(statistics));
    long seconds = Duration.between(begin, Instant.now()).toSeconds();
    String head = file + ", " + tree.get("role") + ", for " + seconds + " s since " + begin + "\n";
    return new Reply(tree, head + StatisticsReport.text(statistics, statistics.transmitted()));
  }

  private Reply servers(Optional<String> wanted) {
    wanted.ifPresent(running.balancer()::service); // refuses a name that no service has
    Table table = new Table("server", "address", "activity", "health", "weight", "active", "flows", "new flows", "why");
    List<Map<String, Object>> list = new ArrayList<>();
    for (ServiceStatistics service : running.balancer().statistics().services()) {
      if (wanted.isEmpty() || service.name().equals(wanted.get())) {
        service.servers().forEach(server -> row(table, service.name(), server));
        service.servers().forEach(server -> list.add(tree(service.name(), server)));
      }
    }
    return new Reply(Map.of("servers", list), table.toString());
  }

  private static void row(Table table, String service, ServerStatistics server) {
    String reason = server.health().reason();
    String detail = server.health().detail();
    table.row(
        service + "/" + server.name(),
        server.address() + (server.port() == 0 ? "" : " port " + server.port()),
        server.activity().name().toLowerCase(Locale.ROOT),
        server.health().health().name().toLowerCase(Locale.ROOT),
        server.weight(),
        server.counts().active(),
        server.counts().flows(),
        server.counts().newFlows(),
        detail.isEmpty() ? reason : reason + ", " + detail);
  }

  private static Map<String, Object> tree(String service, ServerStatistics server) {
    Map<String, Object> tree = new LinkedHashMap<>();
    tree.put("service", service);
    tree.putAll(StatisticsReport.serverTree(server));
    return tree;
  }
}
