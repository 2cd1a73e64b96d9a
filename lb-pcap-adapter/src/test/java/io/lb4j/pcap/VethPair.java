package io.lb4j.pcap;

import io.lb4j.pcap.os.Native;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Assumptions;

/**
 * Two connected interfaces of this test run alone: names nobody else uses, no IP address, IPv6 off, so that nobody
 * sends on them but the test. Removed by {@link #close()}, and at exit when a test ended badly.
 */
public final class VethPair implements AutoCloseable {
  private static final AtomicInteger COUNT = new AtomicInteger();
  private static final long LONGEST_NS = 10_000_000_000L;

  public final String left;
  public final String right;
  private final Thread remover = new Thread(this::remove);

  private VethPair(String left, String right) {
    this.left = left;
    this.right = right;
  }

  /** Makes a pair, or skips the test and says why. */
  public static VethPair create() {
    return create(1);
  }

  /** Makes a pair whose ends have several queues each way. */
  public static VethPair create(int queues) {
    Assumptions.assumeTrue(Native.LINUX, "needs Linux");
    Assumptions.assumeTrue("root".equals(System.getProperty("user.name")), "needs root to make interfaces");
    String stem = "lbt" + Long.toString(ProcessHandle.current().pid(), 36) + "n" + COUNT.incrementAndGet();
    VethPair pair = new VethPair(stem + "a", stem + "b");
    Result made = pair.make(queues);
    Assumptions.assumeTrue(made.status == 0, "cannot make a veth pair: " + made.output);
    Runtime.getRuntime().addShutdownHook(pair.remover);
    try {
      pair.raise();
      return pair;
    } catch (RuntimeException e) {
      pair.close();
      throw e;
    }
  }

  private Result make(int queues) {
    String count = Integer.toString(queues);
    return run(
        "ip", "link", "add", left, "numrxqueues", count, "numtxqueues", count, "type", "veth",
        "peer", "name", right, "numrxqueues", count, "numtxqueues", count);
  }

  /** Removes both interfaces and makes others of the same names. */
  public void replace() {
    must("ip", "link", "del", left);
    make();
  }

  /** Makes both again after they were removed. */
  public void make() {
    Result made = make(1);
    if (made.status != 0) {
      throw new IllegalStateException(made.output);
    }
    raise();
  }

  /** Moves the left end to another network namespace and back: to the system it was removed meanwhile. */
  public void moveAwayAndBack() {
    String namespace = left + "ns";
    must("ip", "netns", "add", namespace);
    try {
      must("ip", "link", "set", "dev", left, "netns", namespace);
      must("ip", "-n", namespace, "link", "set", "dev", left, "netns", Long.toString(ProcessHandle.current().pid()));
    } finally {
      must("ip", "netns", "del", namespace);
    }
    raise();
  }

  private void raise() {
    try {
      raise(left);
      raise(right);
      awaitQueue(left);
      awaitQueue(right);
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
  }

  private void raise(String device) throws IOException {
    Path sysctl = Path.of("/proc/sys/net/ipv6/conf", device, "disable_ipv6");
    if (Files.exists(sysctl)) {
      Files.writeString(sysctl, "1");
    }
    must("ip", "link", "set", "dev", device, "up");
  }

  /**
   * Until the system has seen that the other end is up, by a task of its own, it loses what is sent and says nothing.
   */
  private static void awaitQueue(String device) {
    long deadlineNs = System.nanoTime() + LONGEST_NS;
    while (must("ip", "-o", "link", "show", "dev", device).contains("qdisc noop ")) {
      if (System.nanoTime() - deadlineNs > 0) {
        throw new IllegalStateException(device + " does not come up");
      }
      LockSupport.parkNanos(1_000_000);
    }
  }

  @Override
  public void close() {
    remove();
    Runtime.getRuntime().removeShutdownHook(remover);
  }

  private void remove() {
    run("ip", "link", "del", left);
  }

  public record Result(int status, String output) {}

  public static String must(String... command) {
    Result result = run(command);
    if (result.status != 0) {
      throw new IllegalStateException(String.join(" ", command) + ": " + result.output);
    }
    return result.output;
  }

  public static Result run(String... command) {
    try {
      Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
      String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      if (!process.waitFor(60, TimeUnit.SECONDS)) {
        process.destroyForcibly();
        throw new IllegalStateException("too slow: " + String.join(" ", command));
      }
      closePipes(process);
      return new Result(process.exitValue(), output);
    } catch (IOException e) {
      return new Result(-1, e.toString());
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  /** Now; the JDK closes them at some time after the process has ended, and tests count what is open. */
  private static void closePipes(Process process) throws IOException {
    process.getInputStream().close();
    process.getOutputStream().close();
    process.getErrorStream().close();
  }
}
