package io.lb4j.examples.setup;

import io.lb4j.address.InterfaceAddress;
import io.lb4j.address.IpAddress;
import io.lb4j.address.MacAddress;
import io.lb4j.dsr.DirectServerReturn;
import io.lb4j.dsr.DsrServerSetup;
import io.lb4j.examples.config.Configuration;
import io.lb4j.examples.config.InterfaceDeclaration;
import io.lb4j.examples.live.Rehearsal;
import io.lb4j.gateway.Gateway;
import io.lb4j.gateway.GatewayServerSetup;
import io.lb4j.service.Machine;
import io.lb4j.service.RealServer;
import io.lb4j.service.VirtualService;
import io.lb4j.settings.ConfigurationError;
import io.lb4j.settings.ConfigurationException;
import io.lb4j.setup.ServerNeeds;
import io.lb4j.topology.Link;
import io.lb4j.topology.Topology;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/** A real server of a configuration file, with every service that it belongs to. Immutable, shared. */
public final class DeclaredServer {
  private static final int ANY_MTU = 1500;

  private final Configuration configuration;
  private final String name;
  private final Machine machine;
  private final List<VirtualService> services;

  /**
   * Looks a server up.
   *
   * @param configuration the file
   * @param name the server's name
   * @throws ConfigurationException when no service has it
   */
  public DeclaredServer(Configuration configuration, String name) {
    this.configuration = configuration;
    this.name = name;
    this.machine = Machine.of(name, configuration.services());
    this.services = configuration.services().stream().filter(this::serves).toList();
    if (services.isEmpty()) {
      String known = configuration.services().stream()
          .flatMap(service -> service.servers().stream()).map(RealServer::name).distinct().sorted()
          .collect(Collectors.joining(", "));
      throw new ConfigurationException(
          ConfigurationError.UNKNOWN_NAME, "server", name, "no service has a server of this name; there are " + known);
    }
  }

  private boolean serves(VirtualService service) {
    return service.servers().stream().anyMatch(machine::is);
  }

  /**
   * What its machine has to have.
   *
   * @return for every service together
   * @throws ConfigurationException when two modes contradict each other, or the file lacks an address
   */
  public ServerNeeds needs() {
    List<VirtualService> direct = servicesOf(DirectServerReturn.class);
    List<VirtualService> routed =
        servicesOf(Gateway.class).stream().filter(service -> !isFullNat(service)).toList();
    if (!direct.isEmpty() && !routed.isEmpty()) {
      throw new ConfigurationException(
          ConfigurationError.CONTRADICTION,
          "server " + name,
          direct.get(0).name() + " and " + routed.get(0).name(),
          "the one answers clients directly, the other through the balancer, but a machine has one default gateway;"
              + " use one mode for it, full-nat, or a second address under another name");
    }
    return direct.isEmpty()
        ? GatewayServerSetup.needs(name, services, topology())
        : DsrServerSetup.needs(name, services);
  }

  private static boolean isFullNat(VirtualService service) {
    return service.forwarding() instanceof Gateway gateway && !gateway.sources().isEmpty();
  }

  private List<VirtualService> servicesOf(Class<?> method) {
    return services.stream().filter(service -> method.isInstance(service.forwarding())).toList();
  }

  private Topology topology() {
    List<Link> links = new ArrayList<>();
    for (InterfaceDeclaration link : configuration.interfaces()) {
      List<InterfaceAddress> addresses = Rehearsal.addresses(link).stream().map(InterfaceAddress::of).toList();
      List<IpAddress> gateways = link.gatewayAddresses().stream().map(IpAddress::of).toList();
      MacAddress mac = link.mac().orElse(MacAddress.of(0));
      links.add(new Link(links.size(), link.name(), mac, ANY_MTU, addresses, true, false, false, gateways));
    }
    return new Topology(links, List.of());
  }
}
