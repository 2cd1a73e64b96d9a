package io.lb4j.topology;

import io.lb4j.address.InterfaceAddress;
import io.lb4j.address.IpAddress;
import io.lb4j.address.IpPrefix;
import io.lb4j.settings.ConfigurationError;
import io.lb4j.settings.ConfigurationException;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * The balancer's interfaces and routes. Immutable, shared; built and asked by the control thread.
 */
public final class Topology {
  private final List<Link> links;
  private final List<Route> routes;

  /**
   * Checks and keeps interfaces and routes.
   *
   * @param links in the order of their indices
   * @param routes in any order; the longest prefix wins
   * @throws ConfigurationException when two interfaces share a name or an address, or a router is not on any link
   */
  public Topology(List<Link> links, List<Route> routes) {
    this.links = List.copyOf(links);
    this.routes =
        routes.stream().sorted(Comparator.comparingInt((Route r) -> r.to().length()).reversed()).toList();
    Set<Object> seen = new HashSet<>();
    for (Link link : links) {
      String setting = "interface " + link.name();
      if (!seen.add(link.name())) {
        throw new ConfigurationException(
            ConfigurationError.DUPLICATE_NAME, setting, link.name(), "two interfaces have this name");
      }
      link.addresses().forEach(own -> requireNew(seen, setting + ": address", own.address()));
    }
    links.forEach(link -> checkGateways(link, seen));
    for (Route route : routes) {
      if (route.to().address().isV6() != route.via().isV6()) {
        throw new ConfigurationException(
            ConfigurationError.FAMILY_MISMATCH, "route " + route.to(), route.via(), "the router is of another family");
      }
      if (ownerOf(route.via()).isPresent()) {
        throw new ConfigurationException(
            ConfigurationError.ROUTE_TO_ITSELF, "route " + route.to(), route.via(), "is the balancer's own address");
      }
      if (linkOf(route.via()).isEmpty()) {
        throw new ConfigurationException(
            ConfigurationError.UNKNOWN_NAME,
            "route " + route.to(),
            route.via(),
            "no interface is connected to the router's subnet");
      }
    }
  }

  private void checkGateways(Link link, Set<Object> seen) {
    String setting = "interface " + link.name() + ": gateway-addresses";
    for (IpAddress gateway : link.gatewayAddresses()) {
      Optional<Link> owner = ownerOf(gateway);
      if (owner.isPresent() || gateway.equals(link.mac().linkLocal())) {
        throw new ConfigurationException(
            ConfigurationError.GATEWAY_ADDRESS_IN_USE,
            setting,
            gateway,
            "is an address of interface " + owner.orElse(link).name());
      }
      if (!link.isOnLink(gateway) && !gateway.isLinkLocal()) {
        throw new ConfigurationException(
            ConfigurationError.GATEWAY_ADDRESS_NOT_ON_LINK, setting, gateway, "is in no subnet of the interface");
      }
      if (routes.stream().anyMatch(route -> route.via().equals(gateway))) {
        throw new ConfigurationException(
            ConfigurationError.GATEWAY_ADDRESS_IN_USE, setting, gateway, "is a router's address, by a route");
      }
      requireNew(seen, setting, gateway);
    }
  }

  private static void requireNew(Set<Object> seen, String setting, IpAddress address) {
    if (!seen.add(address)) {
      throw new ConfigurationException(
          ConfigurationError.DUPLICATE_NAME, setting, address, "the address is declared twice");
    }
  }

  /**
   * All interfaces.
   *
   * @return in the order of their indices
   */
  public List<Link> links() {
    return links;
  }

  /**
   * The interfaces and their addresses, for messages.
   *
   * @return in order, for example {@code [eth0 [192.0.2.5/24]]}
   */
  public String addressText() {
    return links.stream().map(link -> link.name() + " " + link.addresses()).toList().toString();
  }

  /**
   * All routes.
   *
   * @return longest prefix first
   */
  public List<Route> routes() {
    return routes;
  }

  /**
   * The routes of a family.
   *
   * @param v6 which
   * @return longest prefix first
   */
  public List<Route> routes(boolean v6) {
    return routes.stream().filter(route -> route.to().address().isV6() == v6).toList();
  }

  /**
   * The connected subnets.
   *
   * @return in the order of the interfaces, each once
   */
  public List<IpPrefix> subnets() {
    return links.stream()
        .flatMap(link -> link.addresses().stream())
        .map(InterfaceAddress::network)
        .distinct()
        .toList();
  }

  /**
   * The connected subnet that holds an address.
   *
   * @param address the address asked about
   * @return the first of them, or nothing
   */
  public Optional<IpPrefix> subnetOf(IpAddress address) {
    return subnets().stream().filter(subnet -> subnet.contains(address)).findFirst();
  }

  /**
   * The interface whose subnet holds an address.
   *
   * @param address a neighbour
   * @return the first that is connected, or nothing
   */
  public Optional<Link> linkOf(IpAddress address) {
    return links.stream().filter(link -> link.isOnLink(address)).findFirst();
  }

  /**
   * The interface that owns an address.
   *
   * @param address one of ours, or not
   * @return nothing when it is not
   */
  public Optional<Link> ownerOf(IpAddress address) {
    return links.stream().filter(link -> link.owns(address)).findFirst();
  }

  /**
   * Where packets for a destination go first: the destination itself when it is on a link, else the router of the
   * longest matching route.
   *
   * @param destination any address
   * @return nothing when there is no route
   */
  public Optional<IpAddress> nextHop(IpAddress destination) {
    if (linkOf(destination).isPresent()) {
      return Optional.of(destination);
    }
    return routes.stream().filter(route -> route.to().contains(destination)).map(Route::via).findFirst();
  }
}
