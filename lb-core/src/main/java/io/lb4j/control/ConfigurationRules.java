package io.lb4j.control;

import io.lb4j.address.IpAddress;
import io.lb4j.address.IpPrefix;
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
import io.lb4j.topology.Topology;
import java.util.Collection;
import java.util.List;
import java.util.Optional;

/** The rules that concern more than one service, or a service and the topology. Safe from any thread. */
final class ConfigurationRules {
  private ConfigurationRules() {}

  /**
   * Checks all services together.
   *
   * @throws ConfigurationException for the first rule that is broken
   */
  static void check(Collection<VirtualService> services, Topology topology) {
    List<VirtualService> all = List.copyOf(services);
    for (int i = 0; i < all.size(); i++) {
      VirtualService service = all.get(i);
      for (VirtualService earlier : all.subList(0, i)) {
        checkPair(earlier, service);
      }
      checkAddresses(service, topology, all);
      checkPolicies(service);
      checkMonitors(service);
      provider(service).check(service, topology);
    }
    SharedClients.check(all);
  }

  private static void checkPolicies(VirtualService service) {
    ServicePolicies policies = service.policies();
    boolean direct = provider(service) instanceof DirectForwarding;
    String setting = "service " + service.name();
    if (policies.onePacket() && !direct) {
      throw new ConfigurationException(
          ConfigurationError.NOT_SUPPORTED,
          setting + ": one-packet",
          true,
          "a reply is translated by the session of its request, and there would be none");
    }
    boolean bounded =
        policies.limit().exists() || service.servers().stream().anyMatch(server -> server.limit().exists());
    if (policies.onePacket() && bounded) {
      throw new ConfigurationException(
          ConfigurationError.CONTRADICTION, setting + ": one-packet", true, "has no connections, so no limit of them");
    }
    if (policies.resetOnIdle() && direct) {
      throw new ConfigurationException(
          ConfigurationError.NOT_SUPPORTED,
          setting + ": reset-on-idle",
          true,
          "the servers' half of a connection does not pass here");
    }
  }

  private static void checkMonitors(VirtualService service) {
    if (provider(service) instanceof DirectForwarding) {
      return;
    }
    String setting = "service " + service.name();
    refuseDirect(setting, service.monitors());
    for (RealServer server : service.servers()) {
      server.monitors().ifPresent(own -> refuseDirect(setting + ": server " + server.name(), own));
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

  private static void checkPair(VirtualService earlier, VirtualService later) {
    if (later.conflictsWith(earlier)) {
      throw new ConfigurationException(
          ConfigurationError.SERVICES_OVERLAP,
          "service " + later.name() + ": port",
          later.ports(),
          "claims the same frames as service " + earlier.name() + " (" + earlier.vips() + " port " + earlier.ports() + ")");
    }
  }

  /**
   * Checks that nothing else has the gateway addresses.
   *
   * @throws ConfigurationException for the first that is used otherwise
   */
  static void checkGateways(
      Collection<VirtualService> services, Optional<TranslatorProvider> outbound, Topology topology) {
    for (Link link : topology.links()) {
      for (IpAddress gateway : link.gatewayAddresses()) {
        outbound.ifPresent(rules -> refuseOverlap(link, gateway, rules.addresses(), "outbound: nat"));
        services.forEach(service -> checkGateway(link, gateway, service));
      }
    }
  }

  private static void checkGateway(Link link, IpAddress gateway, VirtualService service) {
    String whose = "service " + service.name();
    refuseOverlap(link, gateway, service.vips(), whose);
    for (RealServer server : service.servers()) {
      refuseOverlap(link, gateway, List.of(IpPrefix.host(server.address())), whose + ", server " + server.name());
    }
    if (service.forwarding() instanceof TranslatedForwarding translated) {
      refuseOverlap(link, gateway, translated.addresses(), whose + ", forwarding");
    }
  }

  private static void refuseOverlap(Link link, IpAddress gateway, List<IpPrefix> others, String whose) {
    if (others.stream().anyMatch(other -> other.contains(gateway))) {
      throw new ConfigurationException(
          ConfigurationError.GATEWAY_ADDRESS_IN_USE,
          "interface " + link.name() + ": gateway-addresses",
          gateway,
          "is used by " + whose);
    }
  }

  private static void checkAddresses(VirtualService service, Topology topology, List<VirtualService> all) {
    String setting = "service " + service.name() + ": vip";
    for (Link link : topology.links()) {
      link.addresses().stream()
          .filter(own -> service.serves(own.address()))
          .findFirst()
          .ifPresent(
              own -> {
                throw new ConfigurationException(
                    ConfigurationError.VIP_IS_INTERFACE_ADDRESS,
                    setting,
                    own.address(),
                    "is an address of interface " + link.name());
              });
    }
    for (VirtualService other : all) {
      for (RealServer server : other.servers()) {
        if (service.serves(server.address())) {
          throw new ConfigurationException(
              ConfigurationError.VIP_IS_SERVER,
              setting,
              server.address(),
              "is the address of server " + server.name() + " of service " + other.name());
        }
      }
    }
  }

  /**
   * Who translates addresses: the operator's rules, else the default of the services' method.
   *
   * @throws ConfigurationException when two methods want different ones
   */
  static Optional<TranslatorProvider> translation(
      Collection<VirtualService> services, Optional<TranslatorProvider> outbound) {
    Optional<TranslatorProvider> chosen = outbound;
    for (VirtualService service : services) {
      if (outbound.isEmpty() && service.forwarding() instanceof TranslatedForwarding translated) {
        if (chosen.isPresent() && !chosen.get().equals(translated.translation())) {
          throw new ConfigurationException(
              ConfigurationError.TRANSLATORS_DIFFER,
              "service " + service.name() + ": forwarding",
              service.forwarding().name(),
              "another service's method translates by other rules");
        }
        chosen = Optional.of(translated.translation());
      }
    }
    return chosen;
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
