package io.lb4j.examples.lab;

import io.lb4j.examples.Lb;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import org.yaml.snakeyaml.LoaderOptions;
import org.yaml.snakeyaml.Yaml;
import org.yaml.snakeyaml.constructor.SafeConstructor;
import picocli.CommandLine;

/** {@code lb run} as a process in the lab's namespace {@code lb}, or another one. Safe from any thread. */
public final class Balancer implements AutoCloseable {
  private static final int PATIENCE_MS = 45_000; // a busy machine takes its time to start a JVM
  private static final long REPORT_PATIENCE_NS = 20_000_000_000L; // a busy machine, too

  private final Lab lab;
  private final Path file;
  private final Path socket;
  private final LabProcess process;

  private Balancer(Lab lab, Path file, Path socket, LabProcess process) {
    this.lab = lab;
    this.file = file;
    this.socket = socket;
    this.process = process;
  }

  /**
   * Starts the balancer.
   *
   * @param lab where
   * @param configuration what it is to do
   * @return the balancer; its addresses may take some seconds to answer
   */
  public static Balancer start(Lab lab, BalancerConfiguration configuration) {
    return start(lab, "lb", configuration);
  }

  /**
   * Starts a balancer on a host.
   *
   * @param lab where
   * @param host the namespace
   * @param configuration what it is to do
   * @return the balancer; its addresses may take some seconds to answer
   */
  public static Balancer start(Lab lab, String host, BalancerConfiguration configuration) {
    return start(lab, host, configuration, List.of(), List.of());
  }

  /**
   * Starts a balancer with options.
   *
   * @param lab where
   * @param host the namespace
   * @param configuration what it is to do
   * @param before the beginning of the command, for example {@code setpriv} with its options
   * @param options of {@code lb run}
   * @return the balancer; its addresses may take some seconds to answer
   */
  public static Balancer start(
      Lab lab, String host, BalancerConfiguration configuration, List<String> before, List<String> options) {
    Path file = lab.directory().resolve(host + ".yaml");
    Path socket = lab.directory().resolve(host + ".sock");
    write(file, configuration.text());
    List<String> command = new ArrayList<>(before);
    command.addAll(LabProcess.jvm());
    Collections.addAll(
        command, "io.lb4j.examples.Lb", "run", file.toString(), "--json", "--control", socket.toString());
    command.addAll(options);
    return new Balancer(lab, file, socket, lab.spawn(host, "balancer", command));
  }

  private static void write(Path file, String text) {
    try {
      Files.writeString(file, text);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /**
   * Changes the file and has it read again.
   *
   * @param configuration the new one
   */
  public void reload(BalancerConfiguration configuration) {
    reload(configuration.text());
  }

  /**
   * Changes the file and has it read again.
   *
   * @param text the new one
   */
  public void reload(String text) {
    write(file, text);
    process.signal("HUP");
  }

  /**
   * The file that it reads.
   *
   * @return its path
   */
  public Path file() {
    return file;
  }

  /**
   * Asks it with {@code lb ctl}.
   *
   * @param arguments command and arguments, for example {@code drain web4/s1}
   * @return what the command printed, and its exit status
   */
  public Outcome ctl(String... arguments) {
    List<String> all = new ArrayList<>(List.of("ctl", "--socket", socket.toString()));
    all.addAll(List.of(arguments));
    String[] typed = all.toArray(String[]::new);
    CommandLine line = Lb.commandLine(typed);
    StringWriter printed = new StringWriter();
    line.setOut(new PrintWriter(printed));
    line.setErr(new PrintWriter(printed));
    return new Outcome(line.execute(typed), printed.toString());
  }

  /**
   * Asks through a virtual address until a server answers.
   *
   * @param vip the virtual address
   * @param port of a web service
   * @return what the client saw
   */
  public ClientReport awaitAnswer(String vip, int port) {
    String source = vip.contains(":") ? Lab.CLIENTS6.get(0) : Lab.CLIENTS4.get(0);
    Outcome outcome = lab.java("cl", LabClient.class, "await", vip, Integer.toString(port), source,
        Integer.toString(PATIENCE_MS));
    return ClientReport.parse(outcome.output());
  }

  /**
   * What it printed: logs, and its statistics as JSON objects.
   *
   * @return all lines
   */
  public String output() {
    return process.output();
  }

  /**
   * The next statistics that it prints, which count what has happened until now.
   *
   * @return the JSON object; empty when none comes
   */
  public Map<String, Object> statistics() {
    int seen = reports().size();
    long deadlineNs = System.nanoTime() + REPORT_PATIENCE_NS;
    while (reports().size() == seen && isAlive() && System.nanoTime() - deadlineNs < 0) {
      Lab.pause(50);
    }
    List<String> reports = reports();
    return reports.size() == seen
        ? Map.of()
        : new Yaml(new SafeConstructor(new LoaderOptions())).load(reports.get(reports.size() - 1));
  }

  /** Complete lines of statistics. */
  private List<String> reports() {
    String output = output();
    String complete = output.substring(0, output.lastIndexOf('\n') + 1);
    return complete.lines().filter(line -> line.startsWith("{")).toList();
  }

  /**
   * Whether it still runs.
   *
   * @return false once it has ended
   */
  public boolean isAlive() {
    return process.isAlive();
  }

  /**
   * The process.
   *
   * @return for signals
   */
  public LabProcess process() {
    return process;
  }

  /** Ends it. */
  @Override
  public void close() {
    process.close();
  }
}
