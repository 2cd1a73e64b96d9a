package io.lb4j.pcap.host;

import io.lb4j.port.PortException;
import io.lb4j.port.PortException.Cause;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/**
 * A child process {@code nft -i} that reads commands from this one. It ends when its input does, however this process
 * ends, and the kernel then removes the tables that it owns. Not safe: one thread at a time.
 */
final class NftSession implements AutoCloseable {
  private static final long PATIENCE_NS = 10_000_000_000L;
  private static final String END = "describe meta length"; // answered by one line, whatever the tables hold
  private static final String END_ANSWER = "meta expression";
  private static final String CLOSED = "\0";

  private final Process process;
  private final Writer commands;
  private final BlockingQueue<String> answers = new LinkedBlockingQueue<>();
  private int unanswered; // runs whose end has not come, of which nobody waits but for the last

  NftSession(Process process) {
    this.process = process;
    this.commands = process.outputWriter(StandardCharsets.UTF_8);
    Thread reader = new Thread(this::read, "lb4j-shield-" + process.pid());
    reader.setDaemon(true);
    reader.start();
  }

  /**
   * Signals that a terminal or a service manager sends to all are for the balancer to act on, and not for its child.
   */
  static NftSession start() {
    ProcessBuilder builder = new ProcessBuilder("sh", "-c", "trap '' INT TERM HUP; exec nft -i");
    builder.environment().merge("PATH", "/usr/sbin:/sbin", (path, more) -> path + ":" + more);
    builder.redirectErrorStream(true);
    try {
      return new NftSession(builder.start());
    } catch (IOException e) {
      throw new PortException(Cause.SYSTEM, "nft cannot be started: " + e.getMessage(), e);
    }
  }

  private void read() {
    try (BufferedReader lines = process.inputReader(StandardCharsets.UTF_8)) {
      lines.lines().forEach(answers::add);
    } catch (IOException | UncheckedIOException e) {
      // it has ended
    } finally {
      answers.add(CLOSED);
    }
  }

  /**
   * Does commands as one transaction.
   *
   * @return what was printed, line by line
   * @throws PortException when nft has ended, or does not answer
   */
  List<String> run(List<String> lines) {
    try {
      commands.write(String.join("; ", lines) + "\n" + END + "\n");
      commands.flush();
    } catch (IOException e) {
      // what it printed before tells why
    }
    List<String> printed = new ArrayList<>();
    long deadlineNs = System.nanoTime() + PATIENCE_NS;
    unanswered++;
    while (unanswered > 0) {
      String line = next(deadlineNs);
      if (line.equals(CLOSED)) {
        answers.add(CLOSED);
        throw printed.isEmpty() ? new PortException(Cause.SYSTEM, "the process nft has ended") : failure(printed);
      }
      if (!line.startsWith(END_ANSWER)) {
        printed.add(line);
      } else if (--unanswered > 0) {
        printed.clear(); // of a run that was given up
      }
    }
    return printed;
  }

  private String next(long deadlineNs) {
    try {
      String line = answers.poll(deadlineNs - System.nanoTime(), TimeUnit.NANOSECONDS);
      if (line == null) {
        throw new PortException(Cause.SYSTEM, "nft does not answer");
      }
      return line;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new PortException(Cause.SYSTEM, "interrupted while nft works", e);
    }
  }

  /** What went wrong, with its likely cause. */
  static PortException failure(List<String> printed) {
    String said = printed.get(0);
    if (printed.stream().anyMatch(line -> line.contains("Operation not permitted"))) {
      return new PortException(
          Cause.NOT_PERMITTED,
          "nft: " + said + "; likely cause: the capability CAP_NET_ADMIN is missing, which rules of nftables need;"
              + " or a table of this name belongs to a process elsewhere");
    }
    if (printed.stream().anyMatch(line -> line.contains("not found"))) {
      return new PortException(Cause.NOT_SUPPORTED, "nft: " + said + "; install it: apt install nftables");
    }
    return new PortException(
        Cause.NOT_SUPPORTED,
        "nft: " + said + "; rules that end with their process need Linux 5.12 and nftables 0.9.9 or later");
  }

  void onEnd(Runnable action) {
    process.onExit().thenRun(action);
  }

  boolean isAlive() {
    return process.isAlive();
  }

  @Override
  public void close() {
    try {
      commands.close();
    } catch (IOException e) {
      // it has ended
    }
    try {
      if (!process.waitFor(2, TimeUnit.SECONDS)) {
        process.destroyForcibly().waitFor(2, TimeUnit.SECONDS);
      }
    } catch (InterruptedException e) {
      process.destroyForcibly();
      Thread.currentThread().interrupt();
    }
  }
}
