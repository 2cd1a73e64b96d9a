package io.lb4j.examples.lab;

import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/** A process that runs in the lab until it is ended; its output goes to a file. Safe from any thread. */
public final class LabProcess implements AutoCloseable {
  private static final int GRACE_S = 5;

  private static volatile List<String> startOptions = List.of("-cp", System.getProperty("java.class.path"));

  private final Process process;
  private final Path log;

  private LabProcess(Process process, Path log) {
    this.process = process;
    this.log = log;
  }

  static LabProcess start(Path log, List<String> command) {
    try {
      Process process = new ProcessBuilder(command)
          .redirectErrorStream(true)
          .redirectOutput(log.toFile())
          .start();
      return new LabProcess(process, log);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /**
   * What it has printed so far.
   *
   * @return standard output and standard error together
   */
  public String output() {
    try {
      return Files.readString(log, StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /**
   * Whether it runs.
   *
   * @return false once it has ended
   */
  public boolean isAlive() {
    return process.isAlive();
  }

  /**
   * Waits until it has printed something.
   *
   * @param text what to wait for
   * @param limit how long
   * @return whether it came in time
   */
  public boolean awaitOutput(String text, Duration limit) {
    long deadlineNs = System.nanoTime() + limit.toNanos();
    while (!output().contains(text)) {
      if (!process.isAlive() || System.nanoTime() - deadlineNs > 0) {
        return output().contains(text);
      }
      Lab.pause(20);
    }
    return true;
  }

  /** Ends its standard input, which asks the lab's own clients to stop and report. */
  public void endInput() {
    try {
      process.getOutputStream().close();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /**
   * Sends it a signal.
   *
   * @param name the signal's name without SIG, for example {@code HUP}
   */
  public void signal(String name) {
    Outcome sent = Outcome.of(Duration.ofSeconds(5), List.of("kill", "-" + name, Long.toString(process.pid())));
    if (!sent.ok()) {
      throw new IllegalStateException("kill -" + name + ": " + sent.output());
    }
  }

  /**
   * Its threads, as the kernel knows them: of a longer name the first 15 letters.
   *
   * @return their names
   */
  public List<String> threads() {
    String names = "/proc/" + process.pid() + "/task/*/comm";
    return Outcome.of(Duration.ofSeconds(5), List.of("sh", "-c", "cat " + names)).output().lines().toList();
  }

  /**
   * Waits for its end.
   *
   * @param limit how long
   * @return whether it has ended
   */
  public boolean awaitEnd(Duration limit) {
    try {
      return process.waitFor(limit.toMillis(), TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    }
  }

  /**
   * How it ended.
   *
   * @return its exit status; -1 while it runs
   */
  public int status() {
    return process.isAlive() ? -1 : process.exitValue();
  }

  /** Asks it to end, and does not wait. */
  void askToEnd() {
    process.destroy();
  }

  /** Asks it to end, and after a few seconds ends it. */
  @Override
  public void close() {
    process.destroy();
    if (!awaitEnd(Duration.ofSeconds(GRACE_S))) {
      process.destroyForcibly();
      awaitEnd(Duration.ofSeconds(GRACE_S));
    }
  }

  /** How JVMs of labs start from now on: options, of which the class path is one. */
  static void startWith(Stream<String> options) {
    startOptions = options.toList();
  }

  /** Begins the command of a JVM that starts as all do; the main class follows. */
  static List<String> jvm() {
    return jvm(startOptions.toArray(String[]::new));
  }

  /** Begins the command of a JVM. */
  static List<String> jvm(String... options) {
    String java = System.getProperty("java.home") + File.separator + "bin" + File.separator + "java";
    return Stream.concat(Stream.of(java, "--enable-native-access=ALL-UNNAMED"), Stream.of(options)).toList();
  }

  /** Begins the command of a JVM that does little. */
  static List<String> java(String mainClass) {
    return Stream.of(jvm(), List.of("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", mainClass))
        .flatMap(List::stream)
        .toList();
  }
}
