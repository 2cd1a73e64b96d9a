package io.lb4j.examples.check;

import io.lb4j.address.InterfaceAddress;
import io.lb4j.address.IpAddress;
import io.lb4j.address.IpPrefix;
import io.lb4j.address.MacAddress;
import io.lb4j.examples.config.Configuration;
import io.lb4j.examples.config.InterfaceDeclaration;
import io.lb4j.examples.live.Rehearsal;
import io.lb4j.settings.ConfigurationException;
import io.lb4j.topology.Link;
import io.lb4j.topology.Route;
import io.lb4j.topology.Topology;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** The interfaces and routes of a configuration, and questions about them. Immutable, shared. */
final class Network {
  private static final int ANY_MTU = 1500;

  private final Topology topology;

  private Network(Topology topology) {
    this.topology = topology;
  }

  /** The network, unless the library refuses it or the addresses are known on the live host only. */
  static Optional<Network> of(Configuration configuration) {
    List<Link> links = new ArrayList<>();
    for (InterfaceDeclaration link : configuration.interfaces()) {
      List<InterfaceAddress> addresses = Rehearsal.addresses(link).stream().map(InterfaceAddress::of).toList();
      if (addresses.isEmpty()) {
        return Optional.empty();
      }
      MacAddress mac = link.mac().orElse(MacAddress.of(0));
      links.add(new Link(links.size(), link.name(), mac, ANY_MTU, addresses, true, false, false));
    }
    try {
      return Optional.of(new Network(new Topology(links, configuration.routes())));
    } catch (ConfigurationException e) {
      return Optional.empty();
    }
  }

  Topology topology() {
    return topology;
  }

  /** The connected subnet that holds an address. */
  Optional<IpPrefix> subnetOf(IpAddress address) {
    return subnets().stream().filter(subnet -> subnet.contains(address)).findFirst();
  }

  /** All connected subnets. */
  List<IpPrefix> subnets() {
    return topology.links().stream()
        .flatMap(link -> link.addresses().stream())
        .map(InterfaceAddress::network)
        .distinct()
        .toList();
  }

  /** Routes of a family that lead to everybody. */
  List<Route> defaultRoutes(boolean v6) {
    return topology.routes().stream()
        .filter(route -> route.to().length() == 0 && route.to().address().isV6() == v6)
        .toList();
  }

  /** Routes of a family. */
  List<Route> routes(boolean v6) {
    return topology.routes().stream().filter(route -> route.to().address().isV6() == v6).toList();
  }
}
