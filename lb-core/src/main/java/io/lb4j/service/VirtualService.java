package io.lb4j.service;

import io.lb4j.address.IpAddress;
import io.lb4j.address.IpPrefix;
import io.lb4j.flow.FlowTimeouts;
import io.lb4j.monitor.Monitor;
import io.lb4j.monitor.Monitors;
import io.lb4j.monitor.Observation;
import io.lb4j.monitor.Watermark;
import io.lb4j.persistence.PersistenceScope;
import io.lb4j.persistence.SourceIpPersistence;
import io.lb4j.schedule.Scheduler;
import io.lb4j.settings.ConfigurationError;
import io.lb4j.settings.ConfigurationException;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.function.UnaryOperator;

/**
 * A virtual service: virtual addresses, ports and a protocol, served by real servers. Immutable, shared; changes make a
 * new one. Frames are matched by the longest prefix first, then by the fewest ports.
 */
public final class VirtualService {
  private final String name;
  private final List<IpPrefix> vips;
  private final Protocol protocol;
  private final PortRange ports;
  private final ForwardingMethod forwarding;
  private final Scheduler scheduler;
  private final SourceIpPersistence persistence;
  private final FlowTimeouts timeouts;
  private final boolean enabled;
  private final ServicePolicies policies;
  private final List<RealServer> servers;
  private final Map<String, RealServer> byIdentity = new HashMap<>();
  private final Monitors monitors;
  private final Optional<Observation> observation;
  private final Watermark watermark;

  VirtualService(VirtualServiceBuilder from) {
    this.protocol = from.protocol;
    this.ports = from.ports;
    this.vips = List.copyOf(from.vips);
    this.name = from.name != null ? from.name : defaultName();
    this.forwarding = from.forwarding;
    this.scheduler = from.scheduler;
    this.persistence = from.persistence;
    this.timeouts = from.timeouts;
    this.enabled = from.enabled;
    this.policies = from.policies();
    this.servers = List.copyOf(from.servers);
    this.monitors = from.monitors;
    this.observation = from.observation;
    this.watermark = from.watermark;
    check();
  }

  private String defaultName() {
    return protocol.name().toLowerCase(java.util.Locale.ROOT) + "-" + vips.get(0).address() + "-" + ports;
  }

  private void check() {
    String setting = "service " + name;
    if (forwarding == null) {
      throw new ConfigurationException(
          ConfigurationError.MISSING, setting + ": forwarding", "none", "a forwarding method is needed");
    }
    boolean v6 = isV6();
    for (IpPrefix vip : vips) {
      if (vip.address().isV6() != v6) {
        throw new ConfigurationException(
            ConfigurationError.FAMILY_MISMATCH, setting + ": vip", vip, "not of the first virtual address's family");
      }
      boolean unusable = vip.address().isMulticast() || vip.address().isLoopback() || vip.length() == 0;
      if (unusable || vip.address().isUnspecified()) {
        throw new ConfigurationException(
            ConfigurationError.NOT_UNICAST, setting + ": vip", vip, "cannot be a virtual address");
      }
    }
    if (policies.onePacket() && protocol != Protocol.UDP) {
      throw new ConfigurationException(
          ConfigurationError.CONTRADICTION, setting + ": one-packet", true, "is for UDP: a connection has many packets");
    }
    if (policies.resetOnIdle() && protocol != Protocol.TCP) {
      throw new ConfigurationException(
          ConfigurationError.CONTRADICTION, setting + ": reset-on-idle", true, "is for TCP: UDP knows no resets");
    }
    if (observation.isPresent() && protocol != Protocol.TCP) {
      throw new ConfigurationException(
          ConfigurationError.CONTRADICTION, setting + ": observation", "on", "is for TCP: a datagram needs no answer");
    }
    checkPersistence(setting);
    if (!policies.slowStart().isZero() && !scheduler.hashInputs().isEmpty()) {
      throw new ConfigurationException(
          ConfigurationError.CONTRADICTION,
          setting + ": slow-start",
          policies.slowStart(),
          "the scheduler " + scheduler.name() + " places a flow by its hash and cannot send a part of it elsewhere");
    }
    Set<String> names = new HashSet<>();
    for (RealServer server : servers) {
      String serverSetting = setting + ": server " + server.name();
      if (!names.add(server.name()) || byIdentity.putIfAbsent(server.identity(), server) != null) {
        throw new ConfigurationException(
            ConfigurationError.DUPLICATE_NAME, serverSetting, server.identity(), "name or address is declared twice");
      }
      if (server.address().isV6() != v6) {
        throw new ConfigurationException(
            ConfigurationError.FAMILY_MISMATCH, serverSetting, server.address(), "not of the virtual address's family");
      }
      if (vips.stream().anyMatch(vip -> vip.contains(server.address()))) {
        throw new ConfigurationException(
            ConfigurationError.VIP_IS_SERVER, serverSetting, server.address(), "is a virtual address of the service");
      }
      monitors(server).list().forEach(monitor -> checkPort(monitor, server));
    }
  }

  private void checkPort(Monitor monitor, RealServer server) {
    if (monitor.check().needsPort() && monitoredPort(monitor, server) == 0) {
      String whose = server.monitors().isPresent() ? ": server " + server.name() : "";
      throw new ConfigurationException(
          ConfigurationError.MISSING,
          "service " + name + whose + ": monitor: port",
          "none",
          "the service has the ports " + ports + ", and " + monitor.check().type() + " asks one");
    }
  }

  private void checkPersistence(String setting) {
    PersistenceScope scope = persistence == null ? PersistenceScope.SERVICE : persistence.scope();
    if (scope == PersistenceScope.GROUP && policies.group().isEmpty()) {
      throw new ConfigurationException(
          ConfigurationError.MISSING, setting + ": group", "none", "persistence of that scope needs a group");
    }
    Set<IpAddress> addresses = new HashSet<>();
    for (RealServer server : servers) {
      if (scope.isShared() && !addresses.add(server.address())) {
        throw new ConfigurationException(
            ConfigurationError.CONTRADICTION,
            setting + ": server " + server.name(),
            server.identity(),
            "another server has the address, by which services that share their clients know servers");
      }
    }
  }

  /**
   * Begins a TCP service.
   *
   * @param vip virtual address or prefix
   * @param port 1..65535
   * @return a builder
   */
  public static VirtualServiceBuilder tcp(String vip, int port) {
    return new VirtualServiceBuilder(Protocol.TCP, PortRange.of(port)).vip(vip);
  }

  /**
   * Begins a UDP service.
   *
   * @param vip virtual address or prefix
   * @param port 1..65535
   * @return a builder
   */
  public static VirtualServiceBuilder udp(String vip, int port) {
    return new VirtualServiceBuilder(Protocol.UDP, PortRange.of(port)).vip(vip);
  }

  /**
   * Begins a service over any ports; its addresses are added with {@link VirtualServiceBuilder#vip}.
   *
   * @param protocol TCP or UDP
   * @param ports one, a range or any
   * @return a builder
   */
  public static VirtualServiceBuilder of(Protocol protocol, PortRange ports) {
    return new VirtualServiceBuilder(protocol, ports);
  }

  /**
   * A builder that holds this declaration, for a change of it.
   *
   * @return a new builder
   */
  public VirtualServiceBuilder toBuilder() {
    VirtualServiceBuilder copy = new VirtualServiceBuilder(protocol, ports);
    copy.name = name;
    copy.vips.addAll(vips);
    copy.forwarding = forwarding;
    copy.scheduler = scheduler;
    copy.persistence = persistence;
    copy.timeouts = timeouts;
    copy.enabled = enabled;
    copy.policies(policies);
    copy.servers.addAll(servers);
    copy.monitors = monitors;
    copy.observation = observation;
    copy.watermark = watermark;
    return copy;
  }

  /**
   * The same service with one server changed.
   *
   * @param serverName which
   * @param change makes the new declaration; null removes the server
   * @return a new declaration
   * @throws ConfigurationException when no server has the name
   */
  public VirtualService withServer(String serverName, UnaryOperator<RealServer> change) {
    RealServer old = requireServer(serverName);
    VirtualServiceBuilder copy = toBuilder();
    int at = servers.indexOf(old);
    if (change == null) {
      copy.servers.remove(at);
    } else {
      copy.servers.set(at, change.apply(old));
    }
    return copy.build();
  }

  /**
   * The service's name.
   *
   * @return unique among services
   */
  public String name() {
    return name;
  }

  /**
   * The virtual addresses.
   *
   * @return one or more, of one family
   */
  public List<IpPrefix> vips() {
    return vips;
  }

  /**
   * The family.
   *
   * @return true for IPv6
   */
  public boolean isV6() {
    return vips.get(0).address().isV6();
  }

  /**
   * The protocol.
   *
   * @return TCP or UDP
   */
  public Protocol protocol() {
    return protocol;
  }

  /**
   * The ports.
   *
   * @return one, a range or any
   */
  public PortRange ports() {
    return ports;
  }

  /**
   * How frames reach the servers.
   *
   * @return the declaration; control finds its provider
   */
  public ForwardingMethod forwarding() {
    return forwarding;
  }

  /**
   * Who picks the server of a new flow.
   *
   * @return the discipline
   */
  public Scheduler scheduler() {
    return scheduler;
  }

  /**
   * Whether, and how, a client keeps its server.
   *
   * @return nothing when it need not
   */
  public Optional<SourceIpPersistence> persistence() {
    return Optional.ofNullable(persistence);
  }

  /**
   * How long flows live without a frame.
   *
   * @return nothing when the forwarding method's own are used
   */
  public Optional<FlowTimeouts> timeouts() {
    return Optional.ofNullable(timeouts);
  }

  /**
   * Whether the service takes frames.
   *
   * @return false when it is switched off
   */
  public boolean enabled() {
    return enabled;
  }

  /**
   * What was decided about the service's flows.
   *
   * @return limits, access, drain and what becomes of flows that lose their server
   */
  public ServicePolicies policies() {
    return policies;
  }

  /**
   * Whether TCP segments of unknown connections are scheduled like first ones.
   *
   * @return as declared, else whether the scheduler hashes
   */
  public boolean adoptsConnections() {
    return policies.adoption().orElse(!scheduler.hashInputs().isEmpty());
  }

  /**
   * The real servers.
   *
   * @return in the order of declaration
   */
  public List<RealServer> servers() {
    return servers;
  }

  /**
   * A server by its name.
   *
   * @param serverName its name
   * @return nothing when the service has none of this name
   */
  public Optional<RealServer> server(String serverName) {
    return servers.stream().filter(s -> s.name().equals(serverName)).findFirst();
  }

  /**
   * A server that there has to be.
   *
   * @param serverName its name
   * @return its declaration
   * @throws ConfigurationException when no server has the name
   */
  public RealServer requireServer(String serverName) {
    return server(serverName)
        .orElseThrow(
            () ->
                new ConfigurationException(
                    ConfigurationError.UNKNOWN_NAME,
                    "service " + name + ": server",
                    serverName,
                    "the service has no such server"));
  }

  /**
   * Who watches the servers that have no monitors of their own.
   *
   * @return {@link Monitors#NONE} when nobody does
   */
  public Monitors monitors() {
    return monitors;
  }

  /**
   * Who watches a server.
   *
   * @param server one of the servers
   * @return its own monitors, else the service's
   */
  public Monitors monitors(RealServer server) {
    return server.monitors().orElse(monitors);
  }

  /**
   * The port that a monitor asks.
   *
   * @param monitor of the server
   * @param server one of the servers
   * @return the monitor's, else the server's, else the service's; 0 when the service has several
   */
  public int monitoredPort(Monitor monitor, RealServer server) {
    if (monitor.port() != 0) {
      return monitor.port();
    }
    return server.port() != 0 ? server.port() : ports.size() == 1 ? ports.first() : 0;
  }

  /**
   * Whether, and how, servers are watched by the clients' connections.
   *
   * @return nothing when they are not
   */
  public Optional<Observation> observation() {
    return observation;
  }

  /**
   * How many servers have to be well before others are taken out of use.
   *
   * @return {@link Watermark#NONE} when that does not matter
   */
  public Watermark watermark() {
    return watermark;
  }

  /**
   * A server by what it is called on every instance.
   *
   * @param identity see {@link RealServer#identity()}
   * @return nothing when the service has none of this identity
   */
  public Optional<RealServer> serverOf(String identity) {
    return Optional.ofNullable(byIdentity.get(identity));
  }

  /**
   * Whether two services claim the same frames with equal right.
   *
   * @param other another service
   * @return true when it cannot be told which of them a frame is for
   */
  public boolean conflictsWith(VirtualService other) {
    return protocol == other.protocol
        && ports.conflictsWith(other.ports)
        && vips.stream().anyMatch(other.vips::contains);
  }

  /**
   * Whether an address is one of the virtual addresses.
   *
   * @param address the address asked about
   * @return true when it is
   */
  public boolean serves(IpAddress address) {
    return vips.stream().anyMatch(vip -> vip.contains(address));
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof VirtualService that
        && name.equals(that.name)
        && vips.equals(that.vips)
        && protocol == that.protocol
        && ports.equals(that.ports)
        && forwarding.equals(that.forwarding)
        && scheduler.equals(that.scheduler)
        && Objects.equals(persistence, that.persistence)
        && Objects.equals(timeouts, that.timeouts)
        && enabled == that.enabled
        && policies.equals(that.policies)
        && monitors.equals(that.monitors)
        && observation.equals(that.observation)
        && watermark.equals(that.watermark)
        && servers.equals(that.servers);
  }

  @Override
  public int hashCode() {
    return Objects.hash(name, vips, protocol, ports, servers);
  }

  @Override
  public String toString() {
    String kind = protocol.name().toLowerCase(java.util.Locale.ROOT);
    return "service " + name + " (" + kind + " " + vips + " port " + ports + ")";
  }
}
