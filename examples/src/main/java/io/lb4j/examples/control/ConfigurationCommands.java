package io.lb4j.examples.control;

import io.lb4j.examples.CommandException;
import io.lb4j.examples.config.Configuration;
import io.lb4j.examples.config.ConfigurationFileException;
import io.lb4j.examples.live.RunningConfiguration;
import io.lb4j.examples.report.PlanReport;
import io.lb4j.service.Plan;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

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
    return reply(running.plan(next), running.restartSettings(next));
  }

  private Reply apply(Request request) throws CommandException, ConfigurationFileException {
    Configuration next = read(request);
    return reply(running.apply(next), running.restartSettings(next));
  }

  private static Configuration read(Request request) throws CommandException, ConfigurationFileException {
    String file = request.text("file").replaceAll("\\p{Cntrl}", "?");
    return Configuration.parse(file, request.text("text"));
  }

  private static Reply reply(Plan plan, List<String> restart) {
    Map<String, Object> tree = new LinkedHashMap<>(PlanReport.tree(plan));
    tree.put("restart", restart);
    String rest =
        restart.isEmpty() ? "" : "left as they are until a restart: " + String.join(", ", restart) + "\n";
    return new Reply(tree, PlanReport.text(plan) + rest);
  }

  private Reply config() {
    String text = running.current().text();
    return new Reply(Map.of("config", text), text);
  }
}
