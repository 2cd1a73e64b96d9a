package io.lb4j.examples.live;

import io.lb4j.port.LastingPort;
import io.lb4j.port.PortException;
import io.lb4j.port.PortException.Cause;
import io.lb4j.port.PortStatus;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/**
 * Opens interfaces anew that were removed and are there again, as a tunnel or VLAN is when the network is configured
 * anew. Owned by the control thread.
 */
final class Renewals {
  /** How often is looked for them. */
  static final long EVERY_NS = TimeUnit.SECONDS.toNanos(1);

  private static final Set<Cause> NOT_YET = EnumSet.of(Cause.NOT_FOUND, Cause.DOWN);

  private final List<Lasting> ports;
  private final Host host;
  private long nextNs;

  /** A port, and why it could not be opened when that was told last. */
  private static final class Lasting {
    final LastingPort port;
    String refusal = "";

    Lasting(LastingPort port) {
      this.port = port;
    }
  }

  Renewals(List<LastingPort> ports, Host host, long nowNs) {
    this.ports = ports.stream().map(Lasting::new).toList();
    this.host = host;
    this.nextNs = nowNs + EVERY_NS;
  }

  /** Looks when it is time; tells what was opened, and once why something was not. */
  void look(long nowNs, Consumer<String> told) {
    if (nextNs - nowNs <= 0) {
      nextNs = nowNs + EVERY_NS;
      ports.stream().filter(lasting -> lasting.port.status() == PortStatus.GONE).forEach(gone -> renew(gone, told));
    }
  }

  /** The shield first: a kernel that sees the frames answers them. */
  private void renew(Lasting gone, Consumer<String> told) {
    String name = gone.port.name();
    try {
      host.renew(name);
      if (gone.port.renew()) {
        gone.refusal = "";
        told.accept(name + " was removed and is there again: it was opened anew, flows go on");
      }
    } catch (PortException e) {
      if (!NOT_YET.contains(e.reason()) && !gone.refusal.equals(e.getMessage())) {
        gone.refusal = e.getMessage();
        told.accept(name + " was removed and is there again, but cannot be opened anew: " + e.getMessage());
      }
    }
  }
}
