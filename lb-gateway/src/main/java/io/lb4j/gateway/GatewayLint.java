package io.lb4j.gateway;

import io.lb4j.address.IpAddress;
import io.lb4j.address.IpPrefix;
import io.lb4j.flow.FlowTimeouts;
import io.lb4j.monitor.HttpCheck;
import io.lb4j.service.PortRange;
import io.lb4j.service.Protocol;
import io.lb4j.service.RealServer;
import io.lb4j.service.VirtualService;
import io.lb4j.settings.ConfigurationWarning;
import io.lb4j.settings.Finding;
import io.lb4j.topology.Route;
import io.lb4j.topology.Topology;
import java.util.Collection;
import java.util.Optional;
import java.util.function.Consumer;

/** Whether a service's replies come back through the balancer, and sessions live long enough. Owned by one thread. */
final class GatewayLint {
  /** A NAT may forget those that are sent to well-known ports earlier (RFC 4787, REQ-5a). */
  private static final int LAST_WELL_KNOWN_PORT = 1023;

  private final VirtualService service;
  private final Gateway gateway;
  private final Collection<VirtualService> all;
  private final Topology topology;
  private final Consumer<Finding> findings;
  private final String setting;

  GatewayLint(
      VirtualService service,
      Gateway gateway,
      Collection<VirtualService> all,
      Topology topology,
      Consumer<Finding> findings) {
    this.service = service;
    this.gateway = gateway;
    this.all = all;
    this.topology = topology;
    this.findings = findings;
    this.setting = "service " + service.name();
  }

  void check() {
    if (gateway.sources().isEmpty()) {
      router();
      otherMode();
    }
    gateway.sources().forEach(source -> reachable(setting + ": full-nat", source, topology, findings));
    if (gateway.proxyProtocol()) {
      service.servers().forEach(this::header);
    }
    service.timeouts().ifPresent(this::timeouts);
  }

  /** A router beside the servers takes replies past the balancer, or tells servers of the shorter way. */
  private void router() {
    for (Route route : topology.routes(service.isV6())) {
      Optional<RealServer> neighbor =
          service.servers().stream()
              .filter(server -> topology.subnetOf(server.address()).filter(s -> s.contains(route.via())).isPresent())
              .findFirst();
      if (neighbor.isPresent() && !holdsServer(route)) {
        findings.accept(ConfigurationWarning.ASYMMETRIC_PATH.at(
            "route " + route.to(),
            "the router " + route.via() + " to clients in " + route.to() + " is in the subnet of server "
                + neighbor.get().name() + " (" + topology.subnetOf(route.via()).orElseThrow() + "), whose replies can"
                + " go past the balancer"));
      }
    }
  }

  private boolean holdsServer(Route route) {
    return route.to().length() > 0
        && service.servers().stream().anyMatch(server -> route.to().contains(server.address()));
  }

  /** A server has one default gateway, so what it answers for a direct service comes to the balancer, too. */
  private void otherMode() {
    for (VirtualService other : all) {
      if (other.forwarding() instanceof Gateway) {
        continue;
      }
      for (RealServer server : service.servers()) {
        if (other.servers().stream().anyMatch(same -> same.address().equals(server.address()))) {
          findings.accept(bothModes(server, other));
        }
      }
    }
  }

  private Finding bothModes(RealServer server, VirtualService other) {
    String what =
        server.address() + " serves " + other.name() + " by " + other.forwarding().name() + " too, whose replies leave"
            + " by the server's default gateway, the balancer: ";
    return other.policies().onePacket()
        ? ConfigurationWarning.ASYMMETRIC_PATH.at(
            setting + ": server " + server.name(), what + "it makes no flows for " + other.name() + ", and drops them")
        : ConfigurationWarning.DIRECT_REPLIES_RETURN.at(
            setting + ": server " + server.name(), what + "they are routed, and do not bypass it");
  }

  private void header(RealServer server) {
    PortRange ports = server.port() != 0 ? PortRange.of(server.port()) : service.ports();
    service.monitors(server).list().stream()
        .filter(monitor -> monitor.check() instanceof HttpCheck)
        .map(monitor -> service.monitoredPort(monitor, server))
        .filter(ports::contains)
        .findFirst()
        .ifPresent(port -> {
          String whose = server.monitors().isPresent() ? ": server " + server.name() : "";
          findings.accept(ConfigurationWarning.MONITOR_LACKS_PROXY_HEADER.at(
              setting + whose + ": monitor",
              "server " + server.name() + " expects a PROXY header on port " + port
                  + ", and the monitor begins with its request"));
        });
  }

  private void timeouts(FlowTimeouts timeouts) {
    if (service.protocol() == Protocol.TCP) {
      established(setting + ": timeouts", timeouts, findings);
    } else if (service.ports().last() > LAST_WELL_KNOWN_PORT) {
      udp(setting + ": timeouts", timeouts, findings);
    }
  }

  /** Established TCP, RFC 5382, REQ-5. */
  static void established(String setting, FlowTimeouts timeouts, Consumer<Finding> findings) {
    long seconds = timeouts.established().toSeconds();
    if (seconds < Gateway.TWO_DIRECTIONS.established().toSeconds()) {
      findings.accept(ConfigurationWarning.TIMEOUT_BELOW_RFC.at(
          setting + ": established",
          "a connection that is silent for " + seconds + " s is forgotten; RFC 5382 asks for 2 h 4 min at least"));
    }
  }

  /** UDP, RFC 4787, REQ-5. */
  static void udp(String setting, FlowTimeouts timeouts, Consumer<Finding> findings) {
    if (timeouts.udp().toSeconds() < 120) {
      findings.accept(ConfigurationWarning.TIMEOUT_BELOW_RFC.at(
          setting + ": udp",
          "what is silent for " + timeouts.udp().toSeconds() + " s is forgotten; RFC 4787 asks for two minutes"));
    }
  }

  /** Whether anybody can send answers to an address that packets leave with. */
  static void reachable(String setting, IpAddress source, Topology topology, Consumer<Finding> findings) {
    boolean onLink = topology.subnets().stream().anyMatch((IpPrefix subnet) -> subnet.contains(source));
    if (!onLink && topology.routes(source.isV6()).isEmpty()) {
      findings.accept(ConfigurationWarning.POOL_NOT_ON_LINK.at(
          setting,
          source + " is in no interface's subnet, and there is no router that could send answers here"));
    }
  }
}
