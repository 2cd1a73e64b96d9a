package io.lb4j.gateway;

import io.lb4j.address.InterfaceAddress;
import io.lb4j.address.IpAddress;
import io.lb4j.service.Machine;
import io.lb4j.service.RealServer;
import io.lb4j.service.VirtualService;
import io.lb4j.settings.ConfigurationError;
import io.lb4j.settings.ConfigurationException;
import io.lb4j.setup.ServerNeeds;
import io.lb4j.topology.Link;
import io.lb4j.topology.Topology;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.TreeMap;
import java.util.Map;

/**
 * What the gateway asks of a real server's machine: the balancer's address in its subnet as default gateway, and nobody
 * who tells it of a shorter way. Full NAT asks nothing.
 *
 * <pre>{@code
 * ServerNeeds needs = GatewayServerSetup.needs("rs1", services, topology);
 * String script = SetupScript.apply(needs, SetupTarget.of(SetupFlavour.IPROUTE2));
 * }</pre>
 *
 * <p>Pure functions; safe from any thread.
 */
public final class GatewayServerSetup {
  private GatewayServerSetup() {}

  /**
   * What all services of this method ask of a machine. A server of the same name in several services is one machine,
   * with several addresses where they differ; so are servers of several names with one address. Where the interface
   * has a gateway address for the server's subnet, that one is the gateway, because it moves along with a pair of
   * balancers; else the interface's own.
   *
   * @param server the server's name
   * @param services those of other methods ask nothing, but can say which names are one machine
   * @param topology the balancer's interfaces with their addresses
   * @return its addresses and gateways
   * @throws ConfigurationException when no such service has the server, the balancer has no address in its subnet, or
   *     it would need two gateways of a family
   */
  public static ServerNeeds needs(String server, Collection<VirtualService> services, Topology topology) {
    Machine machine = Machine.of(server, services);
    List<IpAddress> addresses = new ArrayList<>();
    Map<IpAddress, String> gateways = new TreeMap<>();
    for (VirtualService service : services) {
      if (!(service.forwarding() instanceof Gateway gateway)) {
        continue;
      }
      for (RealServer candidate : service.servers()) {
        if (machine.is(candidate)) {
          addresses.add(candidate.address());
          if (gateway.sources().isEmpty()) {
            gateways.put(gatewayOf(service, candidate, topology), service.name());
          }
        }
      }
    }
    if (addresses.isEmpty()) {
      throw new ConfigurationException(
          ConfigurationError.UNKNOWN_NAME, "server", server, "no service of the gateway has a server of this name");
    }
    String method = gateways.isEmpty() ? "full NAT, which asks nothing of it" : "gateway";
    return new ServerNeeds(server, method, addresses, List.of(), List.copyOf(gateways.keySet()));
  }

  private static IpAddress gatewayOf(VirtualService service, RealServer server, Topology topology) {
    Optional<Link> link = topology.linkOf(server.address());
    if (link.isEmpty()) {
      throw new ConfigurationException(
          ConfigurationError.SERVER_NOT_ON_LINK,
          "service " + service.name() + ": server " + server.name() + ": address",
          server.address(),
          "is in no subnet of the balancer's interfaces " + topology.addressText());
    }
    InterfaceAddress own = link.get().addresses().stream()
        .filter(address -> address.network().contains(server.address())).findFirst().orElseThrow();
    return moving(link.get(), own).orElse(own.address());
  }

  /** One in the server's subnet before a link-local one. */
  private static Optional<IpAddress> moving(Link link, InterfaceAddress own) {
    return link.gatewayAddresses().stream().filter(own.network()::contains).findFirst()
        .or(() -> link.gatewayAddresses().stream()
            .filter(address -> own.address().isV6() && address.isV6() && address.isLinkLocal()).findFirst());
  }
}
