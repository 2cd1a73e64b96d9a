package io.lb4j.control;

import io.lb4j.address.InterfaceAddress;
import io.lb4j.address.IpAddress;
import io.lb4j.address.IpPrefix;
import io.lb4j.flow.FlowTable;
import io.lb4j.forward.DirectForwarding;
import io.lb4j.forward.ForwarderProvider;
import io.lb4j.forward.TranslatedForwarding;
import io.lb4j.forward.TranslatorProvider;
import io.lb4j.monitor.Check;
import io.lb4j.monitor.Monitors;
import io.lb4j.service.RealServer;
import io.lb4j.service.ServicePolicies;
import io.lb4j.service.VirtualService;
import io.lb4j.settings.ConfigurationError;
import io.lb4j.settings.ConfigurationException;
import io.lb4j.topology.Link;
import io.lb4j.topology.Route;
import io.lb4j.topology.Topology;
import java.util.Collection;
import java.util.List;
import java.util.Optional;

/** The rules that concern more than one service, or a service and the topology. Safe from any thread. */
final class ConfigurationRules {
  private ConfigurationRules() {}

  /**
   * Checks all services together, and tells everything that is wrong with them.
   *
   * @param services as they are to be
   * @param topology interfaces and routes
   * @param outbound the operator's rules of translation
   * @param capacity flows or sessions of each worker
   * @param findings takes what is wrong
   */
  static void check(
      Collection<VirtualService> services,
      Topology topology,
      Optional<TranslatorProvider> outbound,
      int capacity,
      Findings findings) {
    List<VirtualService> all = List.copyOf(services);
    ServerAddresses servers = new ServerAddresses(all);
    for (int i = 0; i < all.size(); i++) {
      VirtualService service = all.get(i);
      for (VirtualService earlier : all.subList(0, i)) {
        checkPair(earlier, service, findings);
      }
      checkAddresses(service, topology, servers, findings);
      if (findings.check(() -> provider(service))) {
        checkPolicies(service, findings);
        checkMonitors(service, findings);
        checkMethod(service, topology, findings);
      }
    }
    SharedClients.sets(all).forEach(set -> SharedClients.check(set, findings));
    checkGateways(all, outbound, topology, findings);
    outbound.ifPresent(rules -> checkRouters("outbound: nat", rules.addresses(), topology, findings));
    checkTranslation(all, topology, outbound, capacity, findings);
    findings.check(() -> FlowTable.checkCapacity(capacity));
  }

  /** A method's own rules, then where each server's next hop is; server by server where one of them is wrong. */
  private static void checkMethod(VirtualService service, Topology topology, Findings findings) {
    ForwarderProvider method = provider(service);
    if (findings.check(() -> method.check(service, topology))) {
      for (RealServer server : service.servers()) {
        findings.check(() -> link(server, method.nextHop(server, topology), topology));
      }
      return;
    }
    for (RealServer server : service.servers()) {
      VirtualService alone = service.toBuilder().realServers(List.of(server)).build();
      findings.check(() -> method.check(alone, topology));
    }
  }

  private static void checkTranslation(
      List<VirtualService> services,
      Topology topology,
      Optional<TranslatorProvider> outbound,
      int capacity,
      Findings findings) {
    Optional<TranslatorProvider> chosen = outbound;
    for (VirtualService service : services) {
      if (outbound.isEmpty() && service.forwarding() instanceof TranslatedForwarding translated) {
        chosen = Optional.of(chosen.orElseGet(translated::translation));
        if (!chosen.get().equals(translated.translation())) {
          findings.add(
              new ConfigurationException(
                  ConfigurationError.TRANSLATORS_DIFFER,
                  "service " + service.name() + ": forwarding",
                  service.forwarding().name(),
                  "another service's method translates by other rules"));
        }
      }
    }
    if (chosen.isEmpty()) {
      return;
    }
    TranslatorProvider rules = chosen.get();
    if (!findings.check(() -> rules.check(topology, services, capacity))) {
      services.forEach(service -> findings.check(() -> rules.check(topology, List.of(service), capacity)));
    }
  }

  /**
   * The interface that leads to a server.
   *
   * @throws ConfigurationException when none does
   */
  static int link(RealServer server, IpAddress nextHop, Topology topology) {
    return topology
        .linkOf(nextHop)
        .orElseThrow(
            () ->
                new ConfigurationException(
                    ConfigurationError.SERVER_NOT_ON_LINK,
                    "server " + server.name() + ": address",
                    server.address(),
                    "no interface is connected to the next hop " + nextHop))
        .index();
  }

  private static void checkPolicies(VirtualService service, Findings findings) {
    ServicePolicies policies = service.policies();
    boolean direct = provider(service) instanceof DirectForwarding;
    String setting = "service " + service.name();
    boolean bounded =
        policies.limit().exists() || service.servers().stream().anyMatch(server -> server.limit().exists());
    if (policies.onePacket() && !direct) {
      String reason = "a reply is translated by the session of its request, and there would be none";
      findings.add(
          new ConfigurationException(ConfigurationError.NOT_SUPPORTED, setting + ": one-packet", true, reason));
    }
    if (policies.onePacket() && bounded) {
      String reason = "has no connections, so no limit of them";
      findings.add(
          new ConfigurationException(ConfigurationError.CONTRADICTION, setting + ": one-packet", true, reason));
    }
    if (policies.resetOnIdle() && direct) {
      String reason = "the servers' half of a connection does not pass here";
      findings.add(
          new ConfigurationException(ConfigurationError.NOT_SUPPORTED, setting + ": reset-on-idle", true, reason));
    }
  }

  private static void checkMonitors(VirtualService service, Findings findings) {
    if (provider(service) instanceof DirectForwarding) {
      return;
    }
    String setting = "service " + service.name();
    findings.check(() -> refuseDirect(setting, service.monitors()));
    for (RealServer server : service.servers()) {
      String own = setting + ": server " + server.name();
      findings.check(() -> server.monitors().ifPresent(monitors -> refuseDirect(own, monitors)));
    }
  }

  private static void refuseDirect(String setting, Monitors monitors) {
    if (monitors.list().stream().anyMatch(monitor -> monitor.check() instanceof Check.Direct)) {
      throw new ConfigurationException(
          ConfigurationError.NOT_SUPPORTED,
          setting + ": monitor",
          "dsr",
          "servers hold the virtual address in Direct Server Return alone");
    }
  }

  private static void checkPair(VirtualService earlier, VirtualService later, Findings findings) {
    if (later.conflictsWith(earlier)) {
      findings.add(
          new ConfigurationException(
              ConfigurationError.SERVICES_OVERLAP,
              "service " + later.name() + ": port",
              later.ports(),
              "claims the same frames as service "
                  + earlier.name()
                  + " ("
                  + earlier.vips()
                  + " port "
                  + earlier.ports()
                  + ")"));
    }
  }

  /** Nothing else has the gateway addresses. */
  private static void checkGateways(
      Collection<VirtualService> services,
      Optional<TranslatorProvider> outbound,
      Topology topology,
      Findings findings) {
    for (Link link : topology.links()) {
      for (IpAddress gateway : link.gatewayAddresses()) {
        outbound.ifPresent(rules -> checkOverlap(link, gateway, rules.addresses(), "outbound: nat", findings));
        services.forEach(service -> checkGateway(link, gateway, service, findings));
      }
    }
  }

  private static void checkGateway(Link link, IpAddress gateway, VirtualService service, Findings findings) {
    String whose = "service " + service.name();
    checkOverlap(link, gateway, service.vips(), whose, findings);
    for (RealServer server : service.servers()) {
      List<IpPrefix> host = List.of(IpPrefix.host(server.address()));
      checkOverlap(link, gateway, host, whose + ", server " + server.name(), findings);
    }
    if (service.forwarding() instanceof TranslatedForwarding translated) {
      checkOverlap(link, gateway, translated.addresses(), whose + ", forwarding", findings);
    }
  }

  private static void checkOverlap(
      Link link, IpAddress gateway, List<IpPrefix> others, String whose, Findings findings) {
    if (others.stream().anyMatch(other -> other.contains(gateway))) {
      findings.add(
          new ConfigurationException(
              ConfigurationError.GATEWAY_ADDRESS_IN_USE,
              "interface " + link.name() + ": gateway-addresses",
              gateway,
              "is used by " + whose));
    }
  }

  private static void checkAddresses(
      VirtualService service, Topology topology, ServerAddresses servers, Findings findings) {
    for (Link link : topology.links()) {
      for (InterfaceAddress own : link.addresses()) {
        if (service.serves(own.address())) {
          String reason = "is an address of interface " + link.name();
          findings.add(vip(service, ConfigurationError.VIP_IS_INTERFACE_ADDRESS, own.address(), reason));
        }
      }
    }
    String setting = "service " + service.name();
    checkRouters(setting + ": vip", service.vips(), topology, findings);
    if (service.forwarding() instanceof TranslatedForwarding method) {
      checkRouters(setting + ": full-nat", method.addresses(), topology, findings);
    }
    service.vips().stream()
        .filter(IpPrefix::isHost)
        .forEach(vip -> checkUnicast(setting + ": vip", vip.address(), topology, findings));
    for (RealServer server : service.servers()) {
      checkUnicast(setting + ": server " + server.name() + ": address", server.address(), topology, findings);
    }
    for (IpPrefix vip : service.vips()) {
      servers.within(vip).forEach((address, whose) -> whose.forEach(
          reason -> findings.add(vip(service, ConfigurationError.VIP_IS_SERVER, address, reason))));
    }
  }

  /** The balancer would answer for the address that its own packets to the router are sent to. */
  private static void checkRouters(String setting, List<IpPrefix> ours, Topology topology, Findings findings) {
    for (Route route : topology.routes()) {
      if (ours.stream().anyMatch(own -> own.contains(route.via()))) {
        String reason = "is the router of the route to " + route.to();
        findings.add(
            new ConfigurationException(ConfigurationError.VIP_IS_ROUTER, setting, route.via(), reason));
      }
    }
  }

  /** What is sent to a subnet's broadcast address is everybody's. */
  private static void checkUnicast(String setting, IpAddress address, Topology topology, Findings findings) {
    for (IpPrefix subnet : topology.subnets()) {
      boolean last = (address.low() | IpPrefix.maskLow(false, subnet.length())) == 0xFFFF_FFFFL;
      if (!address.isV6() && subnet.length() < 31 && subnet.contains(address) && last) {
        String reason = "is the broadcast address of " + subnet;
        findings.add(new ConfigurationException(ConfigurationError.NOT_UNICAST, setting, address, reason));
      }
    }
  }

  private static ConfigurationException vip(
      VirtualService service, ConfigurationError error, IpAddress address, String reason) {
    return new ConfigurationException(error, "service " + service.name() + ": vip", address, reason);
  }

  /** Who translates the addresses of services that agree: the operator's rules, else the default of their method. */
  static Optional<TranslatorProvider> translation(
      Collection<VirtualService> services, Optional<TranslatorProvider> outbound) {
    return outbound.or(
        () ->
            services.stream()
                .map(VirtualService::forwarding)
                .filter(TranslatedForwarding.class::isInstance)
                .map(method -> ((TranslatedForwarding) method).translation())
                .findFirst());
  }

  /** The implementation of a service's forwarding method. */
  static ForwarderProvider provider(VirtualService service) {
    if (service.forwarding() instanceof ForwarderProvider provider
        && (provider instanceof DirectForwarding || provider instanceof TranslatedForwarding)) {
      return provider;
    }
    throw new ConfigurationException(
        ConfigurationError.NO_FORWARDER,
        "service " + service.name() + ": forwarding",
        service.forwarding().name(),
        "nothing implements this method");
  }
}
