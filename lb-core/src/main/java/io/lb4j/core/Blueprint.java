package io.lb4j.core;

import io.lb4j.address.IpAddress;
import io.lb4j.control.BalancerSettings;
import io.lb4j.control.ServiceRegistry;
import io.lb4j.control.WorkerView;
import io.lb4j.neighbor.NeighborTable;
import io.lb4j.service.Plan;
import io.lb4j.service.VirtualService;
import io.lb4j.settings.ConfigurationError;
import io.lb4j.settings.ConfigurationException;
import io.lb4j.settings.Finding;
import io.lb4j.topology.Link;
import io.lb4j.topology.Route;
import io.lb4j.topology.Topology;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** What a builder was told, made into what a balancer keeps: interfaces, services, next hops. Stateless. */
final class Blueprint {
  private Blueprint() {}

  /** What building would refuse, and what it would tell. */
  static List<Finding> findings(LoadBalancerBuilder from) {
    List<Finding> findings = new ArrayList<>();
    try {
      Topology topology = topology(from);
      from.staticNeighbors.keySet().forEach(address -> neighborLink(topology, address));
      Plan plan =
          registry(from, topology, new NeighborTable(), WorkerView.NONE).plan(from.services);
      plan.errors().forEach(error -> findings.add(Finding.of(error)));
      findings.addAll(deviceFindings(from));
      findings.addAll(plan.warnings());
    } catch (ConfigurationException e) {
      findings.add(Finding.of(e));
    }
    return findings;
  }

  /** What is doubtful about the interfaces' devices. */
  static List<Finding> deviceFindings(LoadBalancerBuilder from) {
    return from.interfaces.stream().flatMap(options -> options.lint().stream()).toList();
  }

  static Topology topology(LoadBalancerBuilder from) {
    List<Link> links = new ArrayList<>();
    from.interfaces.forEach(options -> links.add(options.link(links.size())));
    if (links.isEmpty()) {
      throw new ConfigurationException(
          ConfigurationError.MISSING, "interface", "none", "a balancer needs an interface");
    }
    return new Topology(links, from.routes);
  }

  static ServiceRegistry registry(
      LoadBalancerBuilder from,
      Topology topology,
      NeighborTable neighbors,
      WorkerView view) {
    BalancerSettings settings =
        new BalancerSettings(
            from.unserved,
            from.echo,
            from.role,
            Optional.ofNullable(from.outbound),
            from.flowCapacity,
            from.workers,
            from.schedulerSeed,
            from.flowSeed);
    return new ServiceRegistry(topology, neighbors, settings, from.clock, view);
  }

  /** Neighbours whose MAC addresses were given, and routers, stay known however the services change. */
  static void keepNextHops(
      LoadBalancerBuilder from, Topology topology, NeighborTable neighbors, ServiceRegistry registry) {
    from.staticNeighbors.forEach(
        (address, mac) -> {
          int id = neighbors.register(neighborLink(topology, address).index(), address);
          neighbors.setStatic(id, mac);
          registry.keepNextHop(id);
        });
    for (Route route : topology.routes()) {
      int link = topology.linkOf(route.via()).orElseThrow().index();
      registry.keepNextHop(neighbors.register(link, route.via()));
    }
  }

  private static Link neighborLink(Topology topology, IpAddress address) {
    return topology
        .linkOf(address)
        .orElseThrow(
            () ->
                new ConfigurationException(
                    ConfigurationError.UNKNOWN_NAME,
                    "neighbor " + address,
                    address,
                    "no interface is connected to its subnet"));
  }

  /** Services in order; refused when two have one name. */
  static Map<String, VirtualService> byName(List<VirtualService> services) {
    Map<String, VirtualService> byName = new LinkedHashMap<>();
    services.forEach(service -> putNew(byName, service));
    return byName;
  }

  static void putNew(Map<String, VirtualService> services, VirtualService service) {
    if (services.putIfAbsent(service.name(), service) != null) {
      throw ServiceRegistry.twice(service);
    }
  }
}
