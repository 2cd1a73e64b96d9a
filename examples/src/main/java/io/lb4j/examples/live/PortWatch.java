package io.lb4j.examples.live;

import io.lb4j.port.Port;
import io.lb4j.port.PortStatus;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/**
 * What becomes of the interfaces of a running balancer: that one went down or away, and how many frames the kernel had
 * to drop because no worker took them in time. Neither is among the balancer's own counts. Owned by the control thread.
 */
final class PortWatch {
  /** Frames go on being dropped: how often that is told. */
  static final long REMIND_NS = TimeUnit.MINUTES.toNanos(1);

  private final List<Watched> ports;

  PortWatch(List<? extends Port> ports) {
    this.ports = ports.stream().map(Watched::new).toList();
  }

  /** A port, and what was told of it. */
  private static final class Watched {
    private final Port port;
    private PortStatus status = PortStatus.UP;
    private long missed;
    private boolean reminded;
    private long remindedNs;

    Watched(Port port) {
      this.port = port;
    }

    void look(long nowNs, Consumer<String> told) {
      PortStatus now = port.status();
      if (now != status) {
        status = now;
        told.accept(port.name() + text(now));
      }
      long all = port.counters().missedFrames();
      if (all > missed && (!reminded || nowNs - remindedNs >= REMIND_NS)) {
        told.accept(
            port.name() + ": " + (all - missed) + " frames were dropped by the kernel, which had no room for them because"
                + " no worker took them in time; " + all + " in all. More workers, or fewer frames");
        missed = all;
        reminded = true;
        remindedNs = nowNs;
      }
    }

    private String text(PortStatus now) {
      return switch (now) {
        case UP -> " is up again";
        case DOWN -> " is down: nothing is received or sent by it until it is up (ip link set " + port.name() + " up)";
        case GONE -> " was removed: nothing is received or sent by it until an interface of that name is there";
        case CLOSED -> " was closed";
      };
    }
  }

  /** Tells what has changed since the last look. */
  void look(long nowNs, Consumer<String> told) {
    ports.forEach(watched -> watched.look(nowNs, told));
  }

  /** The ports as members of a JSON array. */
  List<Map<String, Object>> tree() {
    List<Map<String, Object>> trees = new ArrayList<>();
    for (Watched watched : ports) {
      Map<String, Object> tree = new LinkedHashMap<>();
      tree.put("name", watched.port.name());
      tree.put("status", watched.port.status().name().toLowerCase(Locale.ROOT));
      tree.put("missed", watched.port.counters().missedFrames());
      trees.add(tree);
    }
    return trees;
  }

  /** Frames that the kernel has dropped since the ports were opened. */
  long missed() {
    return ports.stream().mapToLong(watched -> watched.port.counters().missedFrames()).sum();
  }
}
