package io.lb4j.examples.check;

import io.lb4j.address.IpPrefix;
import io.lb4j.examples.config.Configuration;
import io.lb4j.examples.config.Finding;
import io.lb4j.examples.config.Finding.Severity;
import io.lb4j.gateway.Gateway;
import io.lb4j.service.RealServer;
import io.lb4j.service.VirtualService;
import io.lb4j.settings.ConfigurationException;
import io.lb4j.topology.Route;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * Whether requests reach the services of gateway mode, and replies come back through the balancer. Owned by one thread.
 */
final class GatewayRules {
  private final Configuration configuration;
  private final Network network;
  private final List<Finding> findings = new ArrayList<>();
  private final Set<Boolean> familiesWithoutDefault = new HashSet<>();

  GatewayRules(Configuration configuration, Network network) {
    this.configuration = configuration;
    this.network = network;
  }

  List<Finding> findings() {
    for (VirtualService service : configuration.services()) {
      if (service.forwarding() instanceof Gateway gateway) {
        refusal(service, gateway);
        reachable(service);
        defaultRoute(service);
        if (gateway.sources().isEmpty()) {
          router(service);
          otherMode(service);
        }
      }
    }
    return findings;
  }

  private void add(Severity severity, String code, String setting, String reason, String remedy) {
    findings.add(configuration.finding(severity, code, setting, reason, remedy));
  }

  /** The library stops at the first service that it refuses. */
  private void refusal(VirtualService service, Gateway gateway) {
    try {
      gateway.check(service, network.topology());
    } catch (ConfigurationException e) {
      String reason = e.value() + ": " + e.reason();
      add(Severity.ERROR, e.error().code(), e.setting(), reason, e.remedy());
    }
  }

  /** Nobody asks for an address that is in no connected subnet: a router has to send it here. */
  private void reachable(VirtualService service) {
    for (IpPrefix vip : service.vips()) {
      if (network.subnets().stream().noneMatch(subnet -> subnet.overlaps(vip))) {
        boolean routed = !network.routes(service.isV6()).isEmpty();
        String reason = vip + " is in no interface's subnet, so nobody asks for it on a link";
        add(
            routed ? Severity.INFORMATION : Severity.WARNING,
            "vip-not-on-link",
            setting(service, "vip"),
            routed ? reason + "; a router has to send it here" : reason + ", and there is no router that could send it",
            "give an interface an address in that subnet, or declare the route to the router that sends it here");
      }
    }
  }

  /** Said once for each family. */
  private void defaultRoute(VirtualService service) {
    boolean v6 = service.isV6();
    if (network.defaultRoutes(v6).isEmpty() && familiesWithoutDefault.add(v6)) {
      add(
          Severity.INFORMATION,
          "no-default-route",
          "service " + service.name(),
          "there is no default route, so replies reach clients in "
              + network.subnets().stream().filter(subnet -> subnet.address().isV6() == v6).toList()
              + (network.routes(v6).isEmpty() ? "" : " and behind the declared routes")
              + " only",
          "add a route to " + (v6 ? "::/0" : "0.0.0.0/0") + " through the clients' router, unless these are all");
    }
  }

  /** A router beside the servers takes replies past the balancer, or tells servers of the shorter way. */
  private void router(VirtualService service) {
    for (Route route : network.routes(service.isV6())) {
      Optional<RealServer> neighbor =
          service.servers().stream()
              .filter(server -> network.subnetOf(server.address()).filter(s -> s.contains(route.via())).isPresent())
              .findFirst();
      if (neighbor.isPresent() && !holdsServer(service, route)) {
        add(
            Severity.WARNING,
            "asymmetric-path",
            "route " + route.to(),
            "the router " + route.via() + " to clients in " + route.to() + " is in the subnet of server "
                + neighbor.get().name() + " (" + network.subnetOf(route.via()).orElseThrow() + "), whose replies can go"
                + " past the balancer",
            "use a router in the virtual address's subnet, or full-nat");
      }
    }
  }

  private static boolean holdsServer(VirtualService service, Route route) {
    return route.to().length() > 0
        && service.servers().stream().anyMatch(server -> route.to().contains(server.address()));
  }

  /** A server has one default gateway: the balancer for one mode, the clients' router for the other. */
  private void otherMode(VirtualService service) {
    for (VirtualService other : configuration.services()) {
      if (other.forwarding() instanceof Gateway) {
        continue;
      }
      for (RealServer server : service.servers()) {
        if (other.servers().stream().anyMatch(same -> same.address().equals(server.address()))) {
          add(
              Severity.WARNING,
              "asymmetric-path",
              setting(service, "server " + server.name()),
              server.address() + " serves " + other.name() + " by " + other.forwarding().name() + " too, whose replies"
                  + " leave by the server's default gateway: the balancer, which drops them",
              "use one mode for a server, full-nat, or another address of the server");
        }
      }
    }
  }

  private static String setting(VirtualService service, String key) {
    return "service " + service.name() + ": " + key;
  }
}
