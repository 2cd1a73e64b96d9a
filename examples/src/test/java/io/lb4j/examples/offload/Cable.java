package io.lb4j.examples.offload;

import static org.assertj.core.api.Assertions.assertThat;

import io.lb4j.core.LoadBalancer;
import io.lb4j.examples.lab.Lab;
import io.lb4j.frame.FrameBatch;
import io.lb4j.frame.FrameView;
import io.lb4j.pcap.packet.Latency;
import io.lb4j.pcap.packet.PacketPort;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;

/**
 * A veth pair of this test run alone, without addresses: the balancer's end leaves nothing to a device, so that what is
 * unfinished when it leaves is finished by the kernel there; the far end leaves all it can, as hosts do. Owned by one
 * test.
 */
final class Cable implements AutoCloseable {
  private static final long PATIENCE_NS = 10_000_000_000L;
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

  /** Sends a frame from a far end. */
  static void send(PacketPort port, ByteBuf frame, long marks) {
    assertThat(port.queue(0).transmit(frame, 0, frame.readableBytes(), marks)).isTrue();
    assertThat(port.queue(0).flush()).isZero();
  }

  /**
   * Copies of the next frames that come to a far end.
   *
   * @param look at each as it came
   * @param balancer whose counters to tell when they do not come
   */
  static List<ByteBuf> receive(PacketPort port, int count, Consumer<FrameView> look, LoadBalancer balancer) {
    List<ByteBuf> frames = new ArrayList<>();
    FrameBatch batch = new FrameBatch();
    long end = System.nanoTime() + PATIENCE_NS;
    while (frames.size() < count) {
      assertThat(System.nanoTime() - end).as("%d of %d frames, %s", frames.size(), count, balancer.statistics()).isNegative();
      batch.clear();
      port.queue(0).await(10_000_000);
      port.queue(0).receive(batch, 0);
      for (int i = 0; i < batch.size(); i++) {
        FrameView view = batch.get(i);
        look.accept(view);
        frames.add(Unpooled.copiedBuffer(view.buffer().slice(view.start(), view.length())));
      }
      port.queue(0).release();
    }
    return frames;
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
