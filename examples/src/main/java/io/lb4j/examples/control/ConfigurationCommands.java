package io.lb4j.examples.control;

import io.lb4j.examples.CommandException;
import io.lb4j.examples.config.Configuration;
import io.lb4j.examples.config.ConfigurationFileException;
import io.lb4j.examples.config.Finding;
import io.lb4j.examples.live.RunningConfiguration;
import io.lb4j.examples.report.PlanReport;
import io.lb4j.service.Plan;
import io.lb4j.settings.Severity;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * {@code plan}, {@code apply} and {@code config}. The client sends a file's text, because the balancer may run where
 * the client's files cannot be seen. Owned by the control thread.
 */
final class ConfigurationCommands {
  private final RunningConfiguration running;

  ConfigurationCommands(RunningConfiguration running) {
    this.running = running;
  }

  void addTo(Commands commands) {
    commands.add("plan", (request, exchange) -> plan(request), "file", "text");
    commands.add("apply", (request, exchange) -> apply(request), "file", "text");
    commands.add("config", (request, exchange) -> config());
  }

  private Reply plan(Request request) throws CommandException, ConfigurationFileException {
    Configuration next = read(request);
    return reply(next, running.plan(next), running.restartSettings(next));
  }

  private Reply apply(Request request) throws CommandException, ConfigurationFileException {
    Configuration next = read(request);
    return reply(next, running.apply(next), running.restartSettings(next));
  }

  private static Configuration read(Request request) throws CommandException, ConfigurationFileException {
    String file = request.text("file").replaceAll("\\p{Cntrl}", "?");
    return Configuration.parse(file, request.text("text"));
  }

  private static Reply reply(Configuration next, Plan plan, List<String> restart) {
    List<Finding> findings = next.findings(plan.warnings());
    Map<String, Object> tree = new LinkedHashMap<>(PlanReport.tree(plan));
    tree.put("restart", restart);
    tree.put("findings", findings.stream().map(Finding::tree).toList());
    String rest =
        restart.isEmpty() ? "" : "left as they are until a restart: " + String.join(", ", restart) + "\n";
    String told =
        findings.stream()
            .filter(finding -> finding.severity() == Severity.WARNING)
            .map(finding -> finding + "\n")
            .collect(Collectors.joining());
    return new Reply(tree, PlanReport.text(plan) + rest + told);
  }

  private Reply config() {
    String text = running.current().text();
    return new Reply(Map.of("config", text), text);
  }
}
