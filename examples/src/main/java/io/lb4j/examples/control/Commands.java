package io.lb4j.examples.control;

import io.lb4j.examples.CommandException;
import io.lb4j.examples.Lb;
import io.lb4j.examples.config.ConfigurationFileException;
import io.lb4j.examples.live.RunningConfiguration;
import io.lb4j.port.PortException;
import io.lb4j.settings.ConfigurationException;
import io.lb4j.state.WorkersBusyException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The commands by their names. A request never ends the balancer: whatever goes wrong is told to the client. */
final class Commands {
  private static final String AS = "as";

  private final Map<String, Entry> entries = new LinkedHashMap<>();

  private record Entry(List<String> keys, Command command) {}

  /**
   * All there are.
   *
   * @param running the balancer and its configuration
   * @param events that were heard of
   * @return to be asked by the control thread
   */
  static Commands of(RunningConfiguration running, EventLog events) {
    Commands commands = new Commands();
    new StatusCommands(running).addTo(commands);
    new RateCommands(running.balancer()).addTo(commands);
    new ServerCommands(running.balancer()).addTo(commands);
    new ConfigurationCommands(running).addTo(commands);
    new FlowCommands(running.balancer()).addTo(commands);
    new ClientCommands(running.balancer()).addTo(commands);
    new StateCommands(running.balancer()).addTo(commands);
    new EventCommands(events).addTo(commands);
    new RoleCommands(running.balancer()).addTo(commands);
    return commands;
  }

  /**
   * Adds a command.
   *
   * @param name as typed
   * @param command does it
   * @param keys of its arguments
   */
  void add(String name, Command command, String... keys) {
    List<String> all = new ArrayList<>(List.of(keys));
    all.add(AS);
    entries.put(name, new Entry(all, command));
  }

  /**
   * Answers a line.
   *
   * @param line from a client
   * @param exchange with it
   * @return a line without its end
   * @throws IOException when the client is gone
   */
  String answer(String line, Exchange exchange) throws IOException {
    try {
      Request request = Request.parse(line);
      Entry entry = entries.get(request.command());
      if (entry == null) {
        throw new CommandException(
            "there is no command '" + Request.shown(request.command()) + "'; there are: "
                + String.join(", ", entries.keySet()));
      }
      request.allow(entry.keys());
      return entry.command().run(request, exchange).line(isText(request));
    } catch (CommandException | ConfigurationException e) {
      return Reply.failure(Lb.USAGE, e.getMessage(), List.of());
    } catch (ConfigurationFileException e) {
      return Reply.refused(e);
    } catch (PortException | WorkersBusyException | IllegalStateException e) {
      return Reply.failure(Lb.FAILED, e.getMessage(), List.of());
    } catch (RuntimeException | OutOfMemoryError | StackOverflowError e) { // the last two by a file of that kind
      return Reply.failure(Lb.FAILED, "internal error: " + e, List.of());
    }
  }

  private static boolean isText(Request request) throws CommandException {
    String as = request.find(AS).orElse("json");
    if (!as.equals("json") && !as.equals("text")) {
      throw new CommandException("'as' has to be json or text");
    }
    return as.equals("text");
  }
}
