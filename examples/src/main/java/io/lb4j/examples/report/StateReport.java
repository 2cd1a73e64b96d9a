package io.lb4j.examples.report;

import io.lb4j.flow.TakeOver;
import io.lb4j.state.RestoreReport;
import io.lb4j.state.SaveReport;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;

/** What became of saved flows and clients, in words and as a tree for JSON. Safe from any thread. */
public final class StateReport {
  private StateReport() {}

  /**
   * What was saved, in words.
   *
   * @param report of the balancer
   * @return a line
   */
  public static String text(SaveReport report) {
    return "saved " + report.flows() + " flows, " + report.clients() + " clients";
  }

  /**
   * What was saved, as JSON members.
   *
   * @param report of the balancer
   * @return in the order of printing
   */
  public static Map<String, Object> tree(SaveReport report) {
    Map<String, Object> tree = new LinkedHashMap<>();
    tree.put("flows", report.flows());
    tree.put("clients", report.clients());
    return tree;
  }

  /**
   * What was restored, in words.
   *
   * @param report of the balancer
   * @return a line, for example {@code restored 7 flows (2 no-server), 5 clients}
   */
  public static String text(RestoreReport report) {
    return "restored " + report.flowsRestored() + " flows" + skipped(report.flowsSkipped()) + ", "
        + report.clientsRestored() + " clients" + skipped(report.clientsSkipped());
  }

  private static String skipped(Map<TakeOver, Long> fates) {
    StringBuilder text = new StringBuilder();
    fates.forEach((fate, count) -> text.append(text.isEmpty() ? " (" : ", ").append(count).append(' ').append(word(fate)));
    return text.isEmpty() ? "" : text.append(')').toString();
  }

  private static String word(TakeOver fate) {
    return fate.name().toLowerCase(Locale.ROOT).replace('_', '-');
  }

  /**
   * What was restored, as JSON members.
   *
   * @param report of the balancer
   * @return in the order of printing
   */
  public static Map<String, Object> tree(RestoreReport report) {
    Map<String, Object> tree = new LinkedHashMap<>();
    tree.put("flows", fates(report.flows()));
    tree.put("clients", fates(report.clients()));
    return tree;
  }

  private static Map<String, Object> fates(Map<TakeOver, Long> counts) {
    Map<String, Object> tree = new LinkedHashMap<>();
    for (TakeOver fate : TakeOver.values()) {
      if (counts.containsKey(fate)) {
        tree.put(word(fate), counts.get(fate));
      }
    }
    return tree;
  }
}
