package io.lb4j.examples;

import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ScopeType;

/** {@code lb ctl}: asks and changes a running balancer. */
@Command(
    name = CtlCommand.NAME,
    addMethodSubcommands = false, // by Lb, when they are needed
    description = "Asks and changes a running balancer, over the control socket of lb run.",
    mixinStandardHelpOptions = true,
    synopsisSubcommandLabel = "COMMAND",
    footer = {
      "", "Exit codes: 0 done, 1 no balancer answers or it could not do it, 2 usage or configuration error."
    })
final class CtlCommand implements Runnable {
  static final String NAME = "ctl";

  private static final int MOST_BYTES = 4 << 20;
  private static final int LISTED = 1000;
  private static final String LIMIT = "list so many at most (default: " + LISTED + ")";

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
  int status() throws CommandException {
    return ask("status", Map.of());
  }

  @Command(description = "Prints what was counted per second: over 1, 10 and 60 seconds, and the peaks.")
  int rates() throws CommandException {
    return ask("rates", Map.of());
  }

  @Command(description = "Lists real servers: activity, health, flows.")
  int servers(@Parameters(paramLabel = "[SERVICE]", arity = "0..1") String service)
      throws CommandException {
    return ask("servers", service == null ? Map.of() : Map.of("service", service));
  }

  @Command(description = "Lets a server take new flows.")
  int online(@Parameters(paramLabel = "SERVICE/SERVER") String server) throws CommandException {
    return ask("online", Map.of("server", server));
  }

  @Command(description = "Sends a server no new flows but those of clients that persistence knows.")
  int drain(@Parameters(paramLabel = "SERVICE/SERVER") String server) throws CommandException {
    return ask("drain", Map.of("server", server));
  }

  @Command(description = "Sends a server nothing: its flows end.")
  int offline(@Parameters(paramLabel = "SERVICE/SERVER") String server) throws CommandException {
    return ask("offline", Map.of("server", server));
  }

  @Command(description = "Sends a server new flows while no online server can take them.")
  int standby(@Parameters(paramLabel = "SERVICE/SERVER") String server) throws CommandException {
    return ask("standby", Map.of("server", server));
  }

  @Command(description = "Changes a server's share of new flows.")
  int weight(
      @Parameters(paramLabel = "SERVICE/SERVER") String server, @Parameters(paramLabel = "WEIGHT") int weight)
      throws CommandException {
    return ask("weight", Map.of("server", server, "weight", weight));
  }

  @Command(description = "Tells what a configuration file would change, without changing it.")
  int plan(@Parameters(paramLabel = "FILE") Path file) throws CommandException {
    return ask("plan", Map.of("file", file.toString(), "text", read(file)));
  }

  @Command(description = "Applies the services of a configuration file, as a whole or not at all.")
  int apply(@Parameters(paramLabel = "FILE") Path file) throws CommandException {
    return ask("apply", Map.of("file", file.toString(), "text", read(file)));
  }

  @Command(description = "Prints the configuration that runs, in canonical form.")
  int config() throws CommandException {
    return ask("config", Map.of());
  }

  @Command(description = "Prints the last events.")
  int events(@Option(names = "--follow", description = "print events from now on instead") boolean follow)
      throws CommandException {
    return follow ? conversation().follow() : ask("events", Map.of());
  }

  @Command(description = "Lists flows; with --end ends them.")
  int flows(
      @ArgGroup(exclusive = false, heading = "Which flows:%n") FlowOptions which,
      @Option(names = "--limit", paramLabel = "N", description = LIMIT) @Nullable Integer limit,
      @Option(names = "--end", description = "end them; needs a condition, or --all") boolean end,
      @Option(names = "--all", description = "with --end: every flow") boolean all)
      throws CommandException {
    Map<String, Object> request = which == null ? new LinkedHashMap<>() : which.members();
    if (end) {
      refuseLimit(limit, "--end");
      request.put("all", all);
      return ask("end-flows", request);
    }
    return conversation().pages("flows", request, listed(limit));
  }

  @Command(description = "Lists clients that persistence remembers for a service; with --forget forgets them.")
  int clients(
      @Parameters(paramLabel = "SERVICE") String service,
      @Option(names = "--client", paramLabel = "PREFIX", description = "in this network") String client,
      @Option(names = "--server", paramLabel = "NAME", description = "of this real server") String server,
      @Option(names = "--limit", paramLabel = "N", description = LIMIT) @Nullable Integer limit,
      @Option(names = "--forget", description = "forget them; needs a condition, or --all") boolean forget,
      @Option(names = "--all", description = "with --forget: every client") boolean all)
      throws CommandException {
    Map<String, Object> request = new LinkedHashMap<>();
    request.put("service", service);
    putGiven(request, "client", client);
    putGiven(request, "server", server);
    if (forget) {
      refuseLimit(limit, "--forget");
      request.put("all", all);
      return ask("forget-clients", request);
    }
    request.put("limit", listed(limit));
    return ask("clients", request);
  }

  @Command(description = "Takes the virtual addresses over.")
  int active() throws CommandException {
    return ask("active", Map.of());
  }

  @Command(description = "Leaves the virtual addresses to another balancer, at once.")
  int passive() throws CommandException {
    return ask("passive", Map.of());
  }

  @Command(description = "Lists the addresses that are the balancer's alone, and how far the claim on each is.")
  int claims() throws CommandException {
    return ask("claims", Map.of());
  }

  @Command(description = "Saves flows and clients to a file.")
  int save(
      @Parameters(paramLabel = "FILE") Path file,
      @Option(names = "--used-within", paramLabel = "TIME", description = "only what was seen since then") String within)
      throws CommandException {
    return conversation().download("save", within == null ? Map.of() : Map.of("used-within", within), file);
  }

  @Command(description = "Takes over flows and clients that were saved.")
  int restore(@Parameters(paramLabel = "FILE") Path file) throws CommandException {
    return conversation().upload("restore", file);
  }

  /** Conditions that all have to hold. Owned by the command line. */
  static final class FlowOptions {
    @Option(names = "--service", paramLabel = "NAME", description = "of this service")
    private String service;

    @Option(names = "--server", paramLabel = "NAME", description = "of this real server")
    private String server;

    @Option(names = "--client", paramLabel = "PREFIX", description = "of clients in this network")
    private String client;

    @Option(names = "--destination", paramLabel = "PREFIX", description = "to addresses in this network")
    private String destination;

    @Option(names = "--port", paramLabel = "N", description = "to this port")
    private Long port;

    @Option(names = "--protocol", paramLabel = "NAME", description = "tcp, udp, icmp or icmpv6")
    private String protocol;

    @Option(
        names = "--state",
        paramLabel = "STATE,...",
        description = "in one of: syn, established, fin, reset, udp-first, udp")
    private String state;

    @Option(names = "--kind", paramLabel = "KIND,...", description = "one of: direct, translated, outbound")
    private String kind;

    @Option(names = "--idle-at-least", paramLabel = "TIME", description = "silent for so long, for example 5m")
    private String least;

    @Option(names = "--idle-at-most", paramLabel = "TIME", description = "heard of since then")
    private String most;

    private FlowOptions() {}

    private Map<String, Object> members() {
      Map<String, Object> members = new LinkedHashMap<>();
      putGiven(members, "service", service);
      putGiven(members, "server", server);
      putGiven(members, "client", client);
      putGiven(members, "destination", destination);
      putGiven(members, "port", port);
      putGiven(members, "protocol", protocol);
      putGiven(members, "state", state);
      putGiven(members, "kind", kind);
      putGiven(members, "idle-at-least", least);
      putGiven(members, "idle-at-most", most);
      return members;
    }
  }

  /** Who wants an end of some has to hear that it would be an end of all. */
  private static void refuseLimit(@Nullable Integer limit, String option) throws CommandException {
    if (limit != null) {
      throw new CommandException(
          "--limit " + limit + ": is for listing, and " + option + " is for all that the conditions mean; leave it out,"
              + " or add conditions");
    }
  }

  private static int listed(@Nullable Integer limit) throws CommandException {
    if (limit != null && limit < 1) {
      throw new CommandException("--limit " + limit + ": has to be 1 or more");
    }
    return limit == null ? LISTED : limit;
  }

  private static void putGiven(Map<String, Object> members, String key, Object value) {
    if (value != null) {
      members.put(key, value);
    }
  }

  private static String read(Path file) throws CommandException {
    try {
      if (Files.size(file) > MOST_BYTES) {
        throw new CommandException(file + ": larger than " + MOST_BYTES + " bytes");
      }
      return Files.readString(file, StandardCharsets.UTF_8);
    } catch (CharacterCodingException e) {
      throw new CommandException(file + ": is not UTF-8; write it in UTF-8");
    } catch (IOException e) {
      throw new CommandException(CtlConversation.words(e));
    }
  }

  private int ask(String command, Map<String, Object> arguments) throws CommandException {
    return conversation().ask(command, arguments);
  }

  private CtlConversation conversation() {
    CommandLine line = spec.commandLine();
    return new CtlConversation(socket, json, line.getOut(), line.getErr());
  }
}
