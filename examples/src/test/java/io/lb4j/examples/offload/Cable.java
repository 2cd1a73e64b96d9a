package io.lb4j.examples.offload;

import io.lb4j.examples.lab.Lab;
import io.lb4j.pcap.packet.Latency;
import io.lb4j.pcap.packet.PacketPort;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * A veth pair of this test run alone, without addresses: the balancer's end leaves nothing to a device, so that what is
 * unfinished when it leaves is finished by the kernel there; the far end leaves all it can, as hosts do. Owned by one test.
 */
final class Cable implements AutoCloseable {
  private static final AtomicInteger COUNT = new AtomicInteger();

  final String near;
  final String far;
  private final Thread remover = new Thread(this::remove);

  Cable() {
    String stem = "lbs" + Long.toString(ProcessHandle.current().pid(), 36) + "n" + COUNT.incrementAndGet();
    near = stem + "a";
    far = stem + "b";
    must("ip", "link", "add", near, "type", "veth", "peer", "name", far);
    Runtime.getRuntime().addShutdownHook(remover);
    quiet(near);
    quiet(far);
    must("ethtool", "-K", near, "tx", "off", "tso", "off", "gso", "off");
    must("ip", "link", "set", near, "up");
    must("ip", "link", "set", far, "up");
  }

  /** Why no cable can be made here; empty when one can. */
  static String obstacle() {
    return Lab.obstacle().orElse("");
  }

  /** Nobody sends on it but the test. */
  private static void quiet(String device) {
    try {
      Path setting = Path.of("/proc/sys/net/ipv6/conf", device, "disable_ipv6");
      if (Files.exists(setting)) {
        Files.writeString(setting, "1");
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Sets the longest packet of both ends. */
  void mtu(int bytes) {
    must("ip", "link", "set", near, "mtu", Integer.toString(bytes));
    must("ip", "link", "set", far, "mtu", Integer.toString(bytes));
  }

  static PacketPort open(String device) {
    return PacketPort.builder(device).latency(Latency.BULK).ringSize(4 << 20).open();
  }

  @Override
  public void close() {
    remove();
    Runtime.getRuntime().removeShutdownHook(remover);
  }

  private void remove() {
    run("ip", "link", "del", near);
  }

  private static void must(String... command) {
    String problem = run(command);
    if (!problem.isEmpty()) {
      throw new IllegalStateException(String.join(" ", command) + ": " + problem);
    }
  }

  private static String run(String... command) {
    try {
      Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
      String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      int status = process.waitFor();
      return status == 0 ? "" : status + " " + output;
    } catch (IOException e) {
      return e.toString();
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }
}
