package io.lb4j.gateway;

import io.lb4j.address.IpAddress;
import io.lb4j.address.IpPrefix;
import io.lb4j.flow.FlowTimeouts;
import io.lb4j.forward.TranslatedForwarding;
import io.lb4j.forward.TranslatorProvider;
import io.lb4j.service.Protocol;
import io.lb4j.service.RealServer;
import io.lb4j.service.VirtualService;
import io.lb4j.settings.ConfigurationError;
import io.lb4j.settings.ConfigurationException;
import io.lb4j.settings.Finding;
import io.lb4j.topology.Topology;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * Gateway: the balancer is the real servers' default gateway and translates both directions. ipvsadm calls it
 * masquerading. Immutable, shared.
 *
 * <p>A request's destination becomes the server's address and port; the client's stay, so that the server sees who
 * asks. The reply passes the balancer because it is the server's gateway, and there its source becomes the virtual
 * address again. {@link #fullNat} replaces the client's address as well: then the servers need no route through the
 * balancer and may be in the virtual address's own subnet, and see the client only through the PROXY protocol.
 */
public final class Gateway implements TranslatedForwarding {
  private static final Gateway PLAIN = new Gateway(List.of(), false);

  /** Established connections live for 2 h 4 min (RFC 5382, REQ-5), UDP for 5 minutes (RFC 4787, REQ-5). */
  static final FlowTimeouts TWO_DIRECTIONS =
      new FlowTimeouts(
          Duration.ofSeconds(240),
          Duration.ofSeconds(7440),
          Duration.ofSeconds(240),
          Duration.ofSeconds(240),
          Duration.ofSeconds(300));

  private final List<IpAddress> sources;
  private final boolean proxyProtocol;

  private Gateway(List<IpAddress> sources, boolean proxyProtocol) {
    this.sources = sources;
    this.proxyProtocol = proxyProtocol;
  }

  /**
   * Destination translation; the client's address stays.
   *
   * @return always the same object
   */
  public static Gateway create() {
    return PLAIN;
  }

  /**
   * Full NAT: source and destination are translated.
   *
   * @param sources addresses that servers see instead of the clients', which no interface holds
   * @return the method
   */
  public static Gateway fullNat(String... sources) {
    if (sources.length == 0) {
      throw new ConfigurationException(
          ConfigurationError.MISSING, "full-nat", "none", "full NAT needs an address to send from");
    }
    List<IpAddress> parsed = new ArrayList<>();
    for (String text : sources) {
      try {
        parsed.add(IpAddress.of(text));
      } catch (IllegalArgumentException e) {
        throw new ConfigurationException(ConfigurationError.NOT_READABLE, "full-nat", text, e.getMessage());
      }
    }
    return new Gateway(List.copyOf(parsed), false);
  }

  /**
   * Full NAT that tells servers the client's address by a PROXY protocol header, version 2, before the first byte of
   * each TCP connection.
   *
   * @return the method
   * @throws ConfigurationException when the method is not full NAT
   */
  public Gateway withProxyProtocol() {
    if (sources.isEmpty()) {
      throw new ConfigurationException(
          ConfigurationError.MISSING, "proxy-protocol", true, "without full-nat servers see the client's address anyway");
    }
    return new Gateway(sources, true);
  }

  /**
   * The addresses that servers see instead of the clients'.
   *
   * @return empty without full NAT
   */
  public List<IpAddress> sources() {
    return sources;
  }

  /**
   * Whether servers are told the client's address.
   *
   * @return true after {@link #withProxyProtocol}
   */
  public boolean proxyProtocol() {
    return proxyProtocol;
  }

  @Override
  public String name() {
    return "gateway";
  }

  @Override
  public TranslatorProvider translation() {
    return Outbound.none();
  }

  @Override
  public List<IpPrefix> addresses() {
    return sources.stream().map(IpPrefix::host).toList();
  }

  @Override
  public void check(VirtualService service, Topology topology) {
    String setting = "service " + service.name();
    if (sources.isEmpty()) {
      checkTopology(service, topology);
    } else {
      checkFullNat(service, topology, setting);
    }
    for (RealServer server : service.servers()) {
      if (topology.ownerOf(server.address()).isPresent()) {
        throw new ConfigurationException(
            ConfigurationError.DUPLICATE_NAME,
            setting + ": server " + server.name() + ": address",
            server.address(),
            "is the balancer's own address");
      }
      if (server.port() != 0 && service.ports().size() > 1) {
        throw new ConfigurationException(
            ConfigurationError.PORT_CHANGE,
            setting + ": server " + server.name() + ": port",
            server.port(),
            "a service of several ports cannot send them all to one");
      }
    }
  }

  private void checkFullNat(VirtualService service, Topology topology, String setting) {
    for (IpAddress source : sources) {
      if (source.isV6() != service.isV6()) {
        throw new ConfigurationException(
            ConfigurationError.FAMILY_MISMATCH, setting + ": full-nat", source, "the service is of the other family");
      }
      if (topology.ownerOf(source).isPresent()) {
        throw new ConfigurationException(
            ConfigurationError.VIP_IS_INTERFACE_ADDRESS,
            setting + ": full-nat",
            source,
            "is an address of the balancer's interface");
      }
      Optional<RealServer> server =
          service.servers().stream().filter(other -> other.address().equals(source)).findFirst();
      if (server.isPresent()) {
        throw new ConfigurationException(
            ConfigurationError.VIP_IS_SERVER,
            setting + ": full-nat",
            source,
            "is the address of server " + server.get().name());
      }
      if (service.serves(source)) {
        throw new ConfigurationException(
            ConfigurationError.NAT_OVERLAP, setting + ": full-nat", source, "is the service's own virtual address");
      }
    }
    if (proxyProtocol && service.protocol() != Protocol.TCP) {
      throw new ConfigurationException(
          ConfigurationError.NOT_SUPPORTED, setting + ": proxy-protocol", "v2", "it is for TCP");
    }
    for (RealServer server : service.servers()) {
      if (topology.nextHop(server.address()).isEmpty()) {
        throw new ConfigurationException(
            ConfigurationError.SERVER_NOT_ON_LINK,
            setting + ": server " + server.name() + ": address",
            server.address(),
            "no interface and no route leads there");
      }
    }
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
          topology
              .subnetOf(server.address())
              .orElseThrow(
                  () ->
                      new ConfigurationException(
                          ConfigurationError.SERVER_NOT_ON_LINK,
                          setting,
                          server.address(),
                          "no interface is connected to the server's subnet, so the balancer cannot be its gateway"));
      for (IpPrefix vip : service.vips()) {
        Optional<IpPrefix> vipSubnet = topology.subnetOf(vip.address());
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

  @Override
  public void lint(
      VirtualService service, Collection<VirtualService> all, Topology topology, Consumer<Finding> findings) {
    new GatewayLint(service, this, all, topology, findings).check();
  }

  @Override
  public IpAddress nextHop(RealServer server, Topology topology) {
    return topology.nextHop(server.address()).orElse(server.address());
  }

  @Override
  public FlowTimeouts timeouts() {
    return TWO_DIRECTIONS;
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Gateway that
        && sources.equals(that.sources)
        && proxyProtocol == that.proxyProtocol;
  }

  @Override
  public int hashCode() {
    return 31 * sources.hashCode() + Boolean.hashCode(proxyProtocol);
  }

  @Override
  public String toString() {
    return sources.isEmpty() ? name() : name() + " full-nat " + sources + (proxyProtocol ? " proxy-protocol" : "");
  }
}
