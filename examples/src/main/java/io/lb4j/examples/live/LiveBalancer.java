package io.lb4j.examples.live;

import io.lb4j.core.LoadBalancer;
import io.lb4j.core.LoadBalancerBuilder;
import io.lb4j.core.Statistics;
import io.lb4j.examples.config.Configuration;
import io.lb4j.examples.config.ConfigurationFileException;
import io.lb4j.examples.config.InterfaceDeclaration;
import io.lb4j.examples.report.PlanReport;
import io.lb4j.examples.report.StatisticsReport;
import io.lb4j.pcap.live.LivePort;
import io.lb4j.pcap.live.LivePorts;
import io.lb4j.port.LastingPort;
import io.lb4j.port.Port;
import io.lb4j.port.PortException;
import io.lb4j.service.Plan;
import io.lb4j.settings.Finding;
import io.lb4j.settings.Severity;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;

/** A balancer on live interfaces, until a signal ends it. Owned by one thread, the control thread. */
public final class LiveBalancer implements AutoCloseable {
  private final LoadBalancer balancer;
  private final Path file;
  private final PrintWriter err;
  private final RunningConfiguration configuration;
  private final Host host;
  private final PortWatch ports;
  private final Renewals renewals;

  /** A balancer that was built from a file, and is started by {@link #run}. */
  LiveBalancer(
      LoadBalancer balancer,
      Configuration configuration,
      Host host,
      List<LastingPort> ports,
      Path file,
      PrintWriter err) {
    this.balancer = balancer;
    this.host = host;
    this.ports = new PortWatch(ports);
    this.renewals = new Renewals(ports, host, System.nanoTime());
    this.configuration = new RunningConfiguration(balancer, configuration, host);
    this.file = file;
    this.err = err;
  }

  /**
   * Opens the interfaces and builds the balancer; no frame flows yet.
   *
   * @param configuration checked
   * @param file read again on SIGHUP
   * @param beside how it lives with the host's kernel
   * @param err takes warnings
   * @return to be run, and closed by the caller
   * @throws ConfigurationFileException when the library refuses the configuration, or the kernel holds a virtual
   *     address
   */
  public static LiveBalancer open(
      Configuration configuration, Path file, Beside beside, PrintWriter err)
      throws ConfigurationFileException {
    return open(configuration, file, new HostRules(beside), LivePorts::openAll, err);
  }

  /** The same, beside a host and by a way to open interfaces that are given. */
  static LiveBalancer open(
      Configuration configuration,
      Path file,
      Host host,
      Function<List<LivePorts>, List<LivePort>> opener,
      PrintWriter err)
      throws ConfigurationFileException {
    Rehearsal.hiding(host.hidden(configuration), configuration).build().close();
    host.check(configuration);
    host.warn(configuration, text -> warn(err, text));
    Deque<Runnable> opened = new ArrayDeque<>();
    opened.push(host::close);
    try {
      host.raise(configuration, text -> say(err, text));
      LoadBalancerBuilder builder = configuration.builder().announcements(configuration.announcements());
      List<LivePorts> ways =
          configuration.interfaces().stream().map(link -> link.port().hide(host.hidden(configuration))).toList();
      List<LivePort> first = opener.apply(ways);
      first.forEach(live -> opened.push(live.port()::close));
      List<LastingPort> ports = new ArrayList<>();
      for (int i = 0; i < first.size(); i++) {
        say(err, first.get(i).choice());
        ports.add(lasting(first.get(i), ways.get(i)));
        add(builder, configuration.interfaces().get(i), ports.get(i));
      }
      LiveBalancer live = new LiveBalancer(configuration.build(builder), configuration, host, ports, file, err);
      opened.clear(); // it closes them
      live.warnOf(configuration, live.balancer.findings());
      return live;
    } finally {
      closeAll(opened);
    }
  }

  /** A port that is opened anew, by the same {@code io}, when its interface was removed and is back. */
  private static LastingPort lasting(LivePort first, LivePorts way) {
    return new LastingPort(first.port(), () -> way.io(first.io()).open().port());
  }

  /** The last first, and each of them also when another one cannot be closed. */
  private static void closeAll(Deque<Runnable> opened) {
    if (!opened.isEmpty()) {
      try {
        opened.pop().run();
      } finally {
        closeAll(opened);
      }
    }
  }

  private static void add(LoadBalancerBuilder builder, InterfaceDeclaration link, Port port) {
    builder.networkInterface(link.name(), options -> {
      options.port(port);
      if (!link.addresses().isEmpty()) {
        options.address(link.addresses().toArray(String[]::new));
      }
      return link.declare(options);
    });
  }

  private static void warn(PrintWriter err, String text) {
    err.println("lb run: warning: " + text);
    err.flush();
  }

  /**
   * The balancer.
   *
   * @return closed with this
   */
  public LoadBalancer balancer() {
    return balancer;
  }

  /**
   * Its services, for whoever changes them beside SIGHUP.
   *
   * @return safe from any thread
   */
  public RunningConfiguration configuration() {
    return configuration;
  }

  /**
   * How a balancer runs. Immutable.
   *
   * @param interval between statistics
   * @param json whether they are JSON
   * @param drainTimeout how long flows may go on after the signal to end; zero ends them at once
   * @param state where flows and clients are kept from this run to the next; nothing when they are not
   */
  public record Run(Duration interval, boolean json, Duration drainTimeout, Optional<Path> state) {}

  /**
   * Balances until SIGTERM or SIGINT, then prints totals.
   *
   * @param run how
   * @param signals caught already
   * @param out takes statistics
   * @throws InterruptedException when the thread is interrupted
   */
  public void run(Run run, Signals signals, PrintWriter out) throws InterruptedException {
    Optional<StateFile> state = run.state().map(path -> new StateFile(path, this::say));
    state.ifPresent(before -> before.restore(balancer));
    balancer.start();
    say("balancing " + balancer.services().size() + " services; SIGHUP reads " + file + " again");
    StatisticsLine line = new StatisticsLine(System.nanoTime());
    long nextNs = System.nanoTime() + run.interval().toNanos();
    Draining draining = null;
    while (draining == null || !draining.isOver(System.nanoTime())) {
      renewals.look(System.nanoTime(), text -> warn(err, text));
      long waitNs = Math.min(nextNs - System.nanoTime(), Renewals.EVERY_NS);
      String signal = signals.poll(draining == null ? waitNs : Math.min(waitNs, Draining.CHECK_NS));
      if (signal == null && nextNs - System.nanoTime() <= 0) {
        nextNs += run.interval().toNanos();
        ports.look(System.nanoTime(), text -> warn(err, text));
        Statistics now = balancer.statistics();
        out.println(
            run.json() ? StatisticsLine.json(now, ports, false) : line.compact(now, ports, System.nanoTime()));
        out.flush();
      } else if ("HUP".equals(signal) && draining == null) {
        reload();
      } else if ("TERM".equals(signal) || "INT".equals(signal)) {
        if (draining != null || run.drainTimeout().isZero()) {
          break;
        }
        configuration.drain();
        draining = new Draining(balancer, System.nanoTime() + run.drainTimeout().toNanos());
        say("draining for up to " + run.drainTimeout().toSeconds() + " s; another signal ends it");
      }
    }
    balancer.close();
    state.ifPresent(after -> after.save(balancer));
    totals(run.json(), out);
  }

  private void totals(boolean json, PrintWriter out) {
    Statistics totals = balancer.statistics();
    out.print(
        json ? StatisticsLine.json(totals, ports, true) + "\n" : "\n" + StatisticsReport.text(totals, totals.transmitted()));
    out.flush();
  }

  /** Applies the file as it is now, as a whole; a bad one changes nothing. */
  private void reload() {
    try {
      Configuration changed = Configuration.load(file);
      List<String> restart = configuration.restartSettings(changed);
      if (!restart.isEmpty()) {
        warn(err, file + ": left as they are until a restart: " + String.join(", ", restart));
      }
      Plan plan = configuration.apply(changed);
      say(file + ": " + PlanReport.line(plan));
      warnOf(changed, plan.warnings());
    } catch (ConfigurationFileException e) {
      warn(err, file + " is refused, what ran before runs on:");
      e.findings().forEach(finding -> err.println("  " + finding));
    } catch (PortException | UncheckedIOException | IllegalStateException e) {
      warn(err, file + " is refused, what ran before runs on: " + e.getMessage());
    }
    err.flush();
  }

  /** The library's warnings with their lines; what is but information is for lb check. */
  private void warnOf(Configuration source, List<Finding> found) {
    source.findings(found).stream()
        .filter(finding -> finding.severity() == Severity.WARNING)
        .forEach(finding -> say(finding.toString()));
  }

  /**
   * The rules that keep a balancer's frames from the kernel, for who loads them himself.
   *
   * @param configuration of the balancer
   * @return a file for {@code nft -f}, see {@link io.lb4j.pcap.host.KernelShield#text}
   */
  public static String shieldRules(Configuration configuration) {
    return HostRules.text(configuration);
  }

  private void say(String text) {
    say(err, text);
  }

  private static void say(PrintWriter err, String text) {
    err.println("lb run: " + text);
    err.flush();
  }

  /** The shield goes last, so that the kernel never answers for the balancer. */
  @Override
  public void close() {
    try {
      balancer.close();
    } finally {
      host.close();
    }
  }
}
