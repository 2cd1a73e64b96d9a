package io.lb4j.lint;

import io.lb4j.address.InterfaceAddress;
import io.lb4j.address.IpAddress;
import io.lb4j.address.IpPrefix;
import io.lb4j.forward.TranslatedForwarding;
import io.lb4j.service.RealServer;
import io.lb4j.service.Role;
import io.lb4j.service.VirtualService;
import io.lb4j.settings.ConfigurationWarning;
import io.lb4j.settings.Finding;
import io.lb4j.topology.Link;
import io.lb4j.topology.Route;
import io.lb4j.topology.Topology;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;
import java.util.stream.Stream;

/** Interfaces and routes, by themselves and with the services. Owned by one thread. */
final class NetworkRules {
  private static final int LEAST_V6_MTU = 1280; // RFC 8200, section 5

  private final Declared declared;
  private final Topology topology;
  private final Consumer<Finding> findings;

  NetworkRules(Declared declared, Consumer<Finding> findings) {
    this.declared = declared;
    this.topology = declared.topology();
    this.findings = findings;
  }

  void check() {
    for (Link link : topology.links()) {
      overlap(link);
      ipv6Mtu(link);
      use(link);
    }
    routes();
    boolean oneMtu = topology.links().stream().mapToInt(Link::mtu).distinct().count() < 2;
    for (VirtualService service : declared.services()) {
      if (!oneMtu) {
        mtu(service);
      }
      if (service.forwarding() instanceof TranslatedForwarding method) {
        defaultRoute(service.isV6());
        if (declared.role() == Role.PASSIVE && method.addresses().isEmpty()) {
          gatewayAddress(service);
        }
      }
    }
  }

  private void overlap(Link link) {
    for (Link earlier : topology.links().subList(0, link.index())) {
      for (IpPrefix subnet : subnets(link)) {
        subnets(earlier).stream()
            .filter(other -> other.overlaps(subnet) && !subnet.address().isLinkLocal())
            .forEach(other -> findings.accept(ConfigurationWarning.LINKS_OVERLAP.at(
                "interface " + link.name() + ": addresses",
                subnet + " and " + other + " of " + earlier.name() + " overlap: hosts in both are looked for on "
                    + earlier.name() + " alone")));
      }
    }
  }

  private static List<IpPrefix> subnets(Link link) {
    return link.addresses().stream().map(InterfaceAddress::network).distinct().toList();
  }

  private void ipv6Mtu(Link link) {
    if (link.mtu() < LEAST_V6_MTU && link.addresses().stream().anyMatch(own -> own.address().isV6())) {
      findings.accept(ConfigurationWarning.MTU_BELOW_IPV6.at(
          "interface " + link.name() + ": mtu",
          link.mtu() + " bytes are less than the " + LEAST_V6_MTU + " that every IPv6 link carries"));
    }
  }

  private void use(Link link) {
    if (topology.links().size() == 1 || link.addresses().isEmpty() || !link.gatewayAddresses().isEmpty()) {
      return;
    }
    Stream<IpPrefix> vips = declared.services().stream().flatMap(service -> service.vips().stream());
    Stream<IpAddress> servers =
        declared.services().stream().flatMap(service -> service.servers().stream()).map(RealServer::address);
    Stream<IpAddress> routers = topology.routes().stream().map(Route::via);
    Stream<IpPrefix> translated =
        declared.translation().stream()
            .flatMap(rules -> Stream.concat(rules.insideHosts().stream(), rules.addresses().stream()));
    boolean used =
        Stream.concat(Stream.concat(vips, translated), Stream.concat(servers, routers).map(IpPrefix::host))
            .anyMatch(prefix -> subnets(link).stream().anyMatch(prefix::overlaps));
    if (!used) {
      findings.accept(ConfigurationWarning.INTERFACE_UNUSED.at(
          "interface " + link.name(), "no virtual address, server, router or inside host is in " + subnets(link)));
    }
  }

  private void routes() {
    Set<IpPrefix> seen = new HashSet<>(topology.subnets());
    for (Route route : topology.routes()) {
      if (!seen.add(route.to())) {
        boolean connected = topology.subnets().contains(route.to());
        findings.accept(ConfigurationWarning.ROUTE_NOT_USED.at(
            "route " + route.to(),
            connected
                ? "an interface is connected to " + route.to() + ", so nothing is sent to " + route.via()
                : "another route to " + route.to() + " comes first, so nothing is sent to " + route.via()));
      }
    }
  }

  /** Said once for each pair of interfaces. */
  private void mtu(VirtualService service) {
    for (Link clients : clientLinks(service)) {
      for (RealServer server : service.servers()) {
        topology.nextHop(server.address()).flatMap(topology::linkOf)
            .filter(link -> link.mtu() != clients.mtu())
            .ifPresent(link -> findings.accept(ConfigurationWarning.MTU_DIFFERS.at(
                "interface " + link.name() + ": mtu",
                "packets of clients have up to " + clients.mtu() + " bytes on " + clients.name() + ", those of servers"
                    + " up to " + link.mtu() + " on " + link.name() + ": larger ones need 'fragmentation needed' or"
                    + " 'packet too big' to get through")));
      }
    }
  }

  private List<Link> clientLinks(VirtualService service) {
    return service.vips().stream()
        .map(IpPrefix::address)
        .flatMap(vip -> topology.nextHop(vip).stream())
        .flatMap(hop -> topology.linkOf(hop).stream())
        .distinct()
        .toList();
  }

  /** Said once for each family. */
  private void defaultRoute(boolean v6) {
    List<Route> routes = topology.routes(v6);
    if (routes.stream().anyMatch(route -> route.to().length() == 0)) {
      return;
    }
    List<IpPrefix> subnets = topology.subnets().stream().filter(subnet -> subnet.address().isV6() == v6).toList();
    VirtualService first =
        declared.services().stream()
            .filter(service -> service.isV6() == v6 && service.forwarding() instanceof TranslatedForwarding)
            .findFirst()
            .orElseThrow();
    findings.accept(ConfigurationWarning.NO_DEFAULT_ROUTE.at(
        "service " + first.name(),
        "there is no default route (" + (v6 ? "::/0" : "0.0.0.0/0") + "), so replies reach clients in " + subnets
            + (routes.isEmpty() ? "" : " and behind the declared routes") + " only"));
  }

  private void gatewayAddress(VirtualService service) {
    for (RealServer server : service.servers()) {
      topology.linkOf(server.address())
          .filter(link ->
              link.gatewayAddresses().stream().noneMatch(gateway -> gateway.isV6() == service.isV6()))
          .ifPresent(link -> findings.accept(ConfigurationWarning.PAIR_WITHOUT_GATEWAY_ADDRESS.at(
              "interface " + link.name() + ": gateway-addresses",
              "servers that have an interface address of the other balancer as gateway keep it when that one fails")));
    }
  }
}
