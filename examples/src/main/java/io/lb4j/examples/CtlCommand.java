package io.lb4j.examples;

import io.lb4j.examples.control.ControlClient;
import io.lb4j.examples.report.Json;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ScopeType;

/** {@code lb ctl}: asks and changes a running balancer. */
@Command(
    name = "ctl",
    description = "Asks and changes a running balancer, over the control socket of lb run.",
    mixinStandardHelpOptions = true,
    synopsisSubcommandLabel = "COMMAND",
    footer = {
      "", "Exit codes: 0 done, 1 no balancer answers or it could not do it, 2 usage or configuration error."
    })
final class CtlCommand implements Runnable {
  private static final int MOST_BYTES = 4 << 20;

  @CommandLine.Spec private CommandLine.Model.CommandSpec spec;

  @Option(
      names = "--socket",
      paramLabel = "PATH",
      defaultValue = RunCommand.SOCKET,
      scope = ScopeType.INHERIT,
      description = "the control socket (default: ${DEFAULT-VALUE})")
  private Path socket;

  @Option(names = "--json", scope = ScopeType.INHERIT, description = "print JSON objects, one a line")
  private boolean json;

  @Override
  public void run() {
    throw new ParameterException(spec.commandLine(), "a command is missing");
  }

  @Command(description = "Prints what was counted since the start.")
  int status() throws IOException, CommandException {
    return ask("status", Map.of());
  }

  @Command(description = "Lists real servers: activity, health, flows.")
  int servers(@Parameters(paramLabel = "[SERVICE]", arity = "0..1") String service)
      throws IOException, CommandException {
    return ask("servers", service == null ? Map.of() : Map.of("service", service));
  }

  @Command(description = "Lets a server take new flows.")
  int online(@Parameters(paramLabel = "SERVICE/SERVER") String server) throws IOException, CommandException {
    return ask("online", Map.of("server", server));
  }

  @Command(description = "Sends a server no new flows but those of clients that persistence knows.")
  int drain(@Parameters(paramLabel = "SERVICE/SERVER") String server) throws IOException, CommandException {
    return ask("drain", Map.of("server", server));
  }

  @Command(description = "Sends a server nothing: its flows end.")
  int offline(@Parameters(paramLabel = "SERVICE/SERVER") String server) throws IOException, CommandException {
    return ask("offline", Map.of("server", server));
  }

  @Command(description = "Sends a server new flows while no online server can take them.")
  int standby(@Parameters(paramLabel = "SERVICE/SERVER") String server) throws IOException, CommandException {
    return ask("standby", Map.of("server", server));
  }

  @Command(description = "Changes a server's share of new flows.")
  int weight(
      @Parameters(paramLabel = "SERVICE/SERVER") String server, @Parameters(paramLabel = "WEIGHT") int weight)
      throws IOException, CommandException {
    return ask("weight", Map.of("server", server, "weight", weight));
  }

  @Command(description = "Tells what a configuration file would change, without changing it.")
  int plan(@Parameters(paramLabel = "FILE") Path file) throws IOException, CommandException {
    return ask("plan", Map.of("file", file.toString(), "text", read(file)));
  }

  @Command(description = "Applies the services of a configuration file, as a whole or not at all.")
  int apply(@Parameters(paramLabel = "FILE") Path file) throws IOException, CommandException {
    return ask("apply", Map.of("file", file.toString(), "text", read(file)));
  }

  @Command(description = "Prints the configuration that runs, in canonical form.")
  int config() throws IOException, CommandException {
    return ask("config", Map.of());
  }

  @Command(description = "Prints the last events.")
  int events(@Option(names = "--follow", description = "print events from now on instead") boolean follow)
      throws IOException, CommandException {
    return ask("events", follow ? Map.of("follow", true) : Map.of());
  }

  private static String read(Path file) throws CommandException {
    try {
      if (Files.size(file) > MOST_BYTES) {
        throw new CommandException(file + ": larger than " + MOST_BYTES + " bytes");
      }
      return Files.readString(file, StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new CommandException(file + " cannot be read: " + e);
    }
  }

  /** Sends a request and prints the answer, and those that follow it. */
  private int ask(String command, Map<String, Object> arguments) throws CommandException {
    Map<String, Object> request = new LinkedHashMap<>();
    request.put("command", command);
    request.putAll(arguments);
    request.put("as", json ? "json" : "text");
    boolean follows = Boolean.TRUE.equals(arguments.get("follow"));
    try (ControlClient client = ControlClient.connect(socket)) {
      client.send(request);
      int exit = print(client.receive());
      while (follows && exit == Lb.OK) {
        exit = print(client.receive());
      }
      return exit;
    } catch (IOException e) {
      spec.commandLine().getErr().println("lb ctl: " + e.getMessage());
      return Lb.FAILED;
    }
  }

  private int print(Map<?, ?> reply) {
    PrintWriter out = spec.commandLine().getOut();
    if (!Boolean.TRUE.equals(reply.get("ok"))) {
      return fail(reply);
    }
    if (json) {
      out.println(Json.line(reply.get("result")));
    } else {
      out.print(reply.get("text"));
    }
    out.flush();
    return Lb.OK;
  }

  private int fail(Map<?, ?> reply) {
    if (json) {
      spec.commandLine().getOut().println(Json.line(reply));
    }
    String.valueOf(reply.get("error")).lines().forEach(line -> spec.commandLine().getErr().println("lb ctl: " + line));
    return reply.get("exit") instanceof Long exit && exit == Lb.USAGE ? Lb.USAGE : Lb.FAILED;
  }
}
