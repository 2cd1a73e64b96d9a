package io.lb4j.gateway;

import io.lb4j.address.InterfaceAddress;
import io.lb4j.address.IpAddress;
import io.lb4j.address.IpPrefix;
import io.lb4j.flow.FlowTimeouts;
import io.lb4j.forward.Forwarder;
import io.lb4j.forward.ForwarderProvider;
import io.lb4j.service.RealServer;
import io.lb4j.service.VirtualService;
import io.lb4j.settings.ConfigurationError;
import io.lb4j.settings.ConfigurationException;
import io.lb4j.topology.Topology;
import java.time.Duration;
import java.util.Optional;

/**
 * Gateway: the balancer is the real servers' default gateway and translates both directions. ipvsadm calls it
 * masquerading. Immutable, shared.
 *
 * <p>This version checks a service's topology, the part that most set-ups get wrong, and then refuses to build: frames
 * are not translated yet. {@link #checkTopology} is the rule book alone, for tools that look at a configuration.
 */
public final class Gateway implements ForwarderProvider {
  private static final Gateway INSTANCE = new Gateway();

  /** Established connections live for 2 h 4 min (RFC 5382, REQ-5), UDP for 5 minutes (RFC 4787, REQ-5). */
  private static final FlowTimeouts TWO_DIRECTIONS =
      new FlowTimeouts(
          Duration.ofSeconds(240),
          Duration.ofSeconds(7440),
          Duration.ofSeconds(240),
          Duration.ofSeconds(240),
          Duration.ofSeconds(300));

  private Gateway() {}

  /**
   * The method.
   *
   * @return always the same object
   */
  public static Gateway create() {
    return INSTANCE;
  }

  @Override
  public String name() {
    return "gateway";
  }

  /**
   * Checks a service's topology, and refuses it in any case.
   *
   * @throws ConfigurationException for the topology rule that is broken, else {@link ConfigurationError#NOT_SUPPORTED}
   */
  @Override
  public void check(VirtualService service, Topology topology) {
    checkTopology(service, topology);
    throw new ConfigurationException(
        ConfigurationError.NOT_SUPPORTED,
        "service " + service.name() + ": forwarding",
        name(),
        "this version does not translate frames yet");
  }

  /**
   * Checks that replies can come back through the balancer: every server is in a subnet of one of its interfaces, and
   * none in a virtual address's own subnet, from where it would answer a neighbouring client directly.
   *
   * @param service to be forwarded
   * @param topology interfaces and routes
   * @throws ConfigurationException naming both prefixes, or the server that is on no link
   */
  public static void checkTopology(VirtualService service, Topology topology) {
    for (RealServer server : service.servers()) {
      String setting = "service " + service.name() + ": server " + server.name() + ": address";
      IpPrefix serverSubnet =
          subnet(server.address(), topology)
              .orElseThrow(
                  () ->
                      new ConfigurationException(
                          ConfigurationError.SERVER_NOT_ON_LINK,
                          setting,
                          server.address(),
                          "no interface is connected to the server's subnet, so the balancer cannot be its gateway"));
      for (IpPrefix vip : service.vips()) {
        Optional<IpPrefix> vipSubnet = subnet(vip.address(), topology);
        if (vipSubnet.filter(serverSubnet::overlaps).isPresent()) {
          throw new ConfigurationException(
              ConfigurationError.SAME_SUBNET,
              setting,
              server.address(),
              "the server's subnet " + serverSubnet + " and the virtual address's subnet " + vipSubnet.get() + " overlap");
        }
      }
    }
  }

  private static Optional<IpPrefix> subnet(IpAddress address, Topology topology) {
    return topology.links().stream()
        .flatMap(link -> link.addresses().stream())
        .map(InterfaceAddress::network)
        .filter(network -> network.contains(address))
        .findFirst();
  }

  @Override
  public IpAddress nextHop(RealServer server, Topology topology) {
    return server.address();
  }

  @Override
  public FlowTimeouts timeouts() {
    return TWO_DIRECTIONS;
  }

  /**
   * Never reached: {@link #check} refuses every service.
   *
   * @throws IllegalStateException always
   */
  @Override
  public Forwarder newForwarder() {
    throw new IllegalStateException("a gateway service was built although check() refuses it");
  }
}
