package io.lb4j.examples.report;

import io.lb4j.service.FlowEffect;
import io.lb4j.service.Plan;
import io.lb4j.service.ServiceChange;
import io.lb4j.service.ServiceChange.Kind;
import io.lb4j.service.ServiceChange.ServerChange;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.StringJoiner;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** What a plan does, in words, as a table and as a tree for JSON. Safe from any thread. */
public final class PlanReport {
  private PlanReport() {}

  /**
   * The plan in one line.
   *
   * @param plan to be told
   * @return for example {@code added service api; changed service web (scheduler), removed server rs3; 40 flows lost}
   */
  public static String line(Plan plan) {
    if (plan.isEmpty()) {
      return "no changes";
    }
    StringJoiner line = new StringJoiner("; ");
    plan.changes().forEach(change -> line.add(words(change)));
    String flows = flows(plan);
    return flows.isEmpty() ? line.toString() : line.add(flows).toString();
  }

  private static String words(ServiceChange change) {
    String service = "service " + change.service();
    return switch (change.kind()) {
      case ADDED, REMOVED -> word(change.kind()) + " " + service;
      case CHANGED -> "changed " + service + " (" + String.join(", ", change.settings()) + ")" + servers(change, ", ");
      case SAME -> service + servers(change, ": ");
    };
  }

  private static String servers(ServiceChange change, String separator) {
    String servers =
        change.servers().stream()
            .filter(server -> server.kind() != Kind.SAME)
            .map(server -> word(server.kind()) + " server " + server.server())
            .collect(Collectors.joining(", "));
    return servers.isEmpty() ? "" : separator + servers;
  }

  private static String flows(Plan plan) {
    return Stream.of(FlowEffect.values())
        .filter(effect -> plan.flows(effect) > 0)
        .map(effect -> plan.flows(effect) + (plan.flows(effect) == 1 ? " flow " : " flows ") + word(effect))
        .collect(Collectors.joining(", "));
  }

  private static String word(Enum<?> constant) {
    return constant.name().toLowerCase(Locale.ROOT);
  }

  /**
   * The plan as a table, or a line where there is nothing to do.
   *
   * @param plan to be told
   * @return text for people, ended by a line break
   */
  public static String text(Plan plan) {
    if (plan.isEmpty()) {
      return "no changes\n";
    }
    Table table = new Table("service", "server", "change", "settings", "flows", "which are");
    for (ServiceChange change : plan.changes()) {
      table.row(change.service(), "", word(change.kind()), String.join(", ", change.settings()), "", "");
      for (ServerChange server : change.servers()) {
        String effect = server.flows() == 0 ? "" : word(server.effect());
        table.row(change.service(), server.server(), word(server.kind()), "", server.flows(), effect);
      }
    }
    return table.toString();
  }

  /**
   * The plan as JSON members.
   *
   * @param plan to be told
   * @return in the order of printing
   */
  public static Map<String, Object> tree(Plan plan) {
    Map<String, Object> flows = new LinkedHashMap<>();
    for (FlowEffect effect : FlowEffect.values()) {
      flows.put(word(effect), plan.flows(effect));
    }
    Map<String, Object> tree = new LinkedHashMap<>();
    tree.put("changes", plan.changes().stream().map(PlanReport::tree).toList());
    tree.put("flows", flows);
    return tree;
  }

  private static Map<String, Object> tree(ServiceChange change) {
    Map<String, Object> tree = new LinkedHashMap<>();
    tree.put("service", change.service());
    tree.put("change", word(change.kind()));
    tree.put("settings", List.copyOf(change.settings()));
    tree.put("servers", change.servers().stream().map(PlanReport::tree).toList());
    return tree;
  }

  private static Map<String, Object> tree(ServerChange server) {
    Map<String, Object> tree = new LinkedHashMap<>();
    tree.put("server", server.server());
    tree.put("change", word(server.kind()));
    tree.put("flows", server.flows());
    tree.put("effect", word(server.effect()));
    return tree;
  }
}
