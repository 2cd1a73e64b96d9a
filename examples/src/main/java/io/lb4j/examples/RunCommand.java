package io.lb4j.examples;

import io.lb4j.examples.config.Configuration;
import io.lb4j.examples.config.ConfigurationFileException;
import io.lb4j.examples.config.DurationText;
import io.lb4j.examples.control.ControlServer;
import io.lb4j.examples.live.Beside;
import io.lb4j.examples.live.LiveBalancer;
import io.lb4j.examples.live.Signals;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;

/** {@code lb run}: live interfaces. */
@Command(
    name = "run",
    description = {
      "Balances live traffic on Linux; needs the capability CAP_NET_RAW.",
      "SIGHUP reads CONFIG again and applies the difference in services, as a whole or not at all, without breaking flows.",
      "SIGTERM and SIGINT print totals and end the command; with --drain-timeout flows may end first."
    },
    mixinStandardHelpOptions = true,
    footer = {"", "Exit codes: 0 ended by a signal, 2 usage or configuration error."})
final class RunCommand implements Callable<Integer> {
  /** Where {@code lb ctl} looks for the control socket. */
  static final String SOCKET = "/run/lb4j.sock";

  private static final String NO_SOCKET = "none";
  private static final Duration LONGEST_TIME = Duration.ofDays(7);

  @CommandLine.Spec private CommandLine.Model.CommandSpec spec;

  @Parameters(paramLabel = "CONFIG", description = "the YAML file")
  private Path file;

  @Option(names = "--json", description = "statistics as one JSON object a line")
  private boolean json;

  @Option(
      names = "--interval",
      paramLabel = "TIME",
      defaultValue = "1s",
      description = "between statistics, for example 500ms or 10s (default: ${DEFAULT-VALUE})")
  private String interval;

  @Option(
      names = "--host-ignores-vips",
      description = "an nftables ingress rule keeps virtual addresses from the host, so it may hold them")
  private boolean hostIgnoresVips;

  @Option(
      names = "--shield",
      description = {
        "keep the balancer's frames from the host's kernel by nftables rules, which go with the command:",
        "the host may then hold virtual addresses and forward packets; needs nft and CAP_NET_ADMIN as well"
      })
  private boolean shield;

  @Option(
      names = "--drain-timeout",
      paramLabel = "TIME",
      defaultValue = "0s",
      description = {
        "how long flows may go on after SIGTERM, while new ones are dropped (default: ${DEFAULT-VALUE});",
        "of use where somebody else takes the new ones, a second signal ends it"
      })
  private String drainTimeout;

  @Option(
      names = "--state",
      paramLabel = "FILE",
      description = "flows and clients are saved to it at the end and restored from it at the start")
  private Path state;

  @Option(
      names = "--control",
      paramLabel = "PATH",
      description = "the socket for lb ctl; 'none' for none (default: " + SOCKET + " where it can be made)")
  private String control;

  @Override
  public Integer call() throws IOException, CommandException, ConfigurationFileException, InterruptedException {
    LiveBalancer.Run run =
        new LiveBalancer.Run(
            interval(), json, time("--drain-timeout", drainTimeout), Optional.ofNullable(state));
    Configuration configuration = Configuration.load(file);
    CommandLine line = spec.commandLine();
    try (LiveBalancer balancer = LiveBalancer.open(configuration, file, beside(), line.getErr());
        ControlServer server = control(balancer)) {
      if (server != null) {
        line.getErr().println("lb run: lb ctl --socket " + server.path());
      }
      balancer.run(run, new Signals("HUP", "TERM", "INT"), line.getOut());
    }
    return Lb.OK;
  }

  private Beside beside() {
    if (shield && hostIgnoresVips) {
      throw new ParameterException(spec.commandLine(), "--shield and --host-ignores-vips: one of the two");
    }
    return shield ? Beside.SHIELDED : hostIgnoresVips ? Beside.IGNORED : Beside.APART;
  }

  /** The control socket, or null. Without one that was asked for by name there is no balancer either. */
  private ControlServer control(LiveBalancer balancer) throws IOException, CommandException {
    if (NO_SOCKET.equals(control)) {
      return null;
    }
    try {
      return ControlServer.open(Path.of(control == null ? SOCKET : control), balancer.configuration());
    } catch (IOException | CommandException e) {
      if (control != null) {
        throw e;
      }
      spec.commandLine().getErr().println("lb run: warning: no lb ctl, " + e.getMessage());
      return null;
    }
  }

  private Duration interval() {
    Duration time = time("--interval", interval);
    if (time.toMillis() < 100) {
      throw new ParameterException(spec.commandLine(), "--interval " + interval + ": at least 100ms");
    }
    return time;
  }

  private Duration time(String option, String text) {
    return DurationText.parse(text)
        .filter(time -> time.compareTo(LONGEST_TIME) <= 0)
        .orElseThrow(
            () -> new ParameterException(
                spec.commandLine(), option + " " + text + ": " + DurationText.FORM + ", a week at most"));
  }
}
