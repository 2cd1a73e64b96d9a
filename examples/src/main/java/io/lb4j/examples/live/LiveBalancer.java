package io.lb4j.examples.live;

import io.lb4j.core.LoadBalancer;
import io.lb4j.core.LoadBalancerBuilder;
import io.lb4j.core.Statistics;
import io.lb4j.examples.CommandException;
import io.lb4j.examples.config.Configuration;
import io.lb4j.examples.config.ConfigurationFileException;
import io.lb4j.examples.config.InterfaceDeclaration;
import io.lb4j.examples.report.StatisticsReport;
import io.lb4j.pcap.PcapPort;
import io.lb4j.port.Port;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** A balancer on live interfaces, until a signal ends it. Owned by one thread, the control thread. */
public final class LiveBalancer implements AutoCloseable {
  private final LoadBalancer balancer;
  private final Path file;
  private final PrintWriter err;
  private Configuration configuration;

  private LiveBalancer(LoadBalancer balancer, Configuration configuration, Path file, PrintWriter err) {
    this.balancer = balancer;
    this.configuration = configuration;
    this.file = file;
    this.err = err;
  }

  /**
   * Opens the interfaces and builds the balancer; no frame flows yet.
   *
   * @param configuration checked
   * @param file read again on SIGHUP
   * @param hostIgnoresVips whether the kernel may hold virtual addresses
   * @param err takes warnings
   * @return to be run, and closed by the caller
   * @throws IOException when the host cannot be looked at
   * @throws CommandException when the kernel holds a virtual address
   * @throws ConfigurationFileException when the library refuses the configuration
   */
  public static LiveBalancer open(
      Configuration configuration, Path file, boolean hostIgnoresVips, PrintWriter err)
      throws IOException, CommandException, ConfigurationFileException {
    new Rehearsal(configuration).build().close();
    HostRules.check(configuration, hostIgnoresVips, text -> warn(err, text));
    List<Port> ports = new ArrayList<>();
    try {
      LoadBalancerBuilder builder = configuration.builder().announcements(configuration.announcements());
      for (InterfaceDeclaration link : configuration.interfaces()) {
        ports.add(open(link));
        add(builder, link, ports.get(ports.size() - 1));
      }
      LiveBalancer live = new LiveBalancer(configuration.build(builder), configuration, file, err);
      ports.clear(); // the balancer closes them
      return live;
    } finally {
      ports.forEach(Port::close);
    }
  }

  private static Port open(InterfaceDeclaration link) {
    PcapPort.Builder options = PcapPort.builder(link.name());
    link.mac().ifPresent(options::mac);
    return options.open();
  }

  private static void add(LoadBalancerBuilder builder, InterfaceDeclaration link, Port port) {
    builder.networkInterface(link.name(), options -> {
      options.port(port);
      if (!link.addresses().isEmpty()) {
        options.address(link.addresses().toArray(String[]::new));
      }
      return link.mtu() > 0 ? options.mtu(link.mtu()) : options;
    });
  }

  private static void warn(PrintWriter err, String text) {
    err.println("lb run: warning: " + text);
    err.flush();
  }

  /**
   * Balances until SIGTERM or SIGINT, then prints totals.
   *
   * @param interval between statistics
   * @param json whether they are JSON
   * @param out takes them
   * @throws InterruptedException when the thread is interrupted
   */
  public void run(Duration interval, boolean json, PrintWriter out) throws InterruptedException {
    Signals signals = new Signals("HUP", "TERM", "INT");
    balancer.start();
    err.println("lb run: balancing " + configuration.services().size() + " services; SIGHUP reads " + file + " again");
    err.flush();
    StatisticsLine line = new StatisticsLine(System.nanoTime());
    long nextNs = System.nanoTime() + interval.toNanos();
    while (true) {
      String signal = signals.poll(nextNs - System.nanoTime());
      if (signal == null) {
        nextNs += interval.toNanos();
        Statistics now = balancer.statistics();
        out.println(json ? StatisticsLine.json(now, false) : line.compact(now, System.nanoTime()));
        out.flush();
      } else if (signal.equals("HUP")) {
        reload();
      } else {
        break;
      }
    }
    balancer.close();
    Statistics totals = balancer.statistics();
    out.print(
        json ? StatisticsLine.json(totals, true) + "\n" : "\n" + StatisticsReport.text(totals, totals.transmitted()));
    out.flush();
  }

  /** Applies the file as it is now; a bad one changes nothing. */
  private void reload() {
    try {
      Configuration changed = Configuration.load(file);
      new Rehearsal(changed).build().close();
      List<String> fixed = configuration.restartSettings(changed);
      if (!fixed.isEmpty()) {
        warn(err, file + ": these settings need a restart: " + String.join(", ", fixed));
      }
      List<String> done =
          new ServiceChanges(balancer, balancer.services(), changed.services())
              .apply(refused -> warn(err, changed.refused(refused).getMessage()));
      configuration = changed;
      err.println("lb run: " + file + ": " + (done.isEmpty() ? "no changes" : String.join(", ", done)));
    } catch (ConfigurationFileException e) {
      warn(err, "ignored: " + e.getMessage());
    }
    err.flush();
  }

  @Override
  public void close() {
    balancer.close();
  }
}
