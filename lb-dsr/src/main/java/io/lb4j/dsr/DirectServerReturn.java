package io.lb4j.dsr;

import io.lb4j.address.IpAddress;
import io.lb4j.flow.FlowTimeouts;
import io.lb4j.forward.DirectForwarding;
import io.lb4j.forward.Forwarder;
import io.lb4j.monitor.Check;
import io.lb4j.monitor.Monitor;
import io.lb4j.service.RealServer;
import io.lb4j.service.VirtualService;
import io.lb4j.settings.ConfigurationError;
import io.lb4j.settings.ConfigurationException;
import io.lb4j.settings.ConfigurationWarning;
import io.lb4j.settings.Finding;
import io.lb4j.topology.Topology;
import java.util.Collection;
import java.util.List;
import java.util.function.Consumer;

/**
 * Direct Server Return: the client's frame is re-addressed to a real server of the same subnet, which holds the virtual
 * address on its loopback and answers the client past the balancer. ipvsadm calls it direct routing, or "gatewaying".
 *
 * <p>Between input and output a frame differs in bytes 0 to 11, the two MAC addresses, and nowhere else: the time to
 * live stays, and the port cannot change. The source MAC becomes ours, because a switch that saw the router's would
 * learn the router on the balancer's port. Immutable, shared.
 */
public final class DirectServerReturn implements DirectForwarding {
  private static final DirectServerReturn INSTANCE = new DirectServerReturn();

  private DirectServerReturn() {}

  /**
   * The method.
   *
   * @return always the same object
   */
  public static DirectServerReturn create() {
    return INSTANCE;
  }

  @Override
  public String name() {
    return "dsr";
  }

  @Override
  public void check(VirtualService service, Topology topology) {
    for (RealServer server : service.servers()) {
      String setting = "service " + service.name() + ": server " + server.name();
      boolean samePort = service.ports().size() == 1 && server.port() == service.ports().first();
      if (server.port() != 0 && !samePort) {
        throw new ConfigurationException(
            ConfigurationError.PORT_CHANGE,
            setting + ": port",
            server.port(),
            "Direct Server Return leaves the packet as it is, so the service's port " + service.ports() + " stays");
      }
      if (topology.ownerOf(server.address()).isPresent()) {
        throw new ConfigurationException(
            ConfigurationError.DUPLICATE_NAME,
            setting + ": address",
            server.address(),
            "is the balancer's own address");
      }
      if (topology.linkOf(server.address()).isEmpty()) {
        throw new ConfigurationException(
            ConfigurationError.SERVER_NOT_ON_LINK,
            setting + ": address",
            server.address(),
            "is in no subnet of the balancer's interfaces " + topology.addressText());
      }
    }
  }

  /** A server without the virtual address answers every question but the one that matters. */
  @Override
  public void lint(
      VirtualService service, Collection<VirtualService> all, Topology topology, Consumer<Finding> findings) {
    for (RealServer server : service.servers()) {
      List<Monitor> monitors = service.monitors(server).list();
      boolean asks =
          monitors.stream().map(Monitor::check).anyMatch(c -> c instanceof Check.Direct || c instanceof Check.Own);
      if (!monitors.isEmpty() && !asks) {
        String whose = server.monitors().isPresent() ? ": server " + server.name() : "";
        findings.accept(ConfigurationWarning.MONITOR_MISSES_VIP.at(
            "service " + service.name() + whose + ": monitor",
            monitors.get(0).check().type() + " asks for the servers' own addresses, and is content with a server that"
                + " drops what is for " + service.vips().get(0).address()));
      }
    }
  }

  @Override
  public IpAddress nextHop(RealServer server, Topology topology) {
    return server.address();
  }

  @Override
  public FlowTimeouts timeouts() {
    return FlowTimeouts.ONE_DIRECTION;
  }

  /** Nothing above the link layer changes: the egress writes both MAC addresses, and that is all. */
  @Override
  public Forwarder newForwarder() {
    return (frame, target, egress) -> egress.send(frame, target.link(), target.neighbor());
  }

  @Override
  public boolean changesLinkLayerOnly() {
    return true;
  }
}
