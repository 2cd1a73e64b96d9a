package io.lb4j.service;

import io.lb4j.address.IpAddress;
import io.lb4j.address.IpPrefix;
import io.lb4j.flow.FlowTimeouts;
import io.lb4j.monitor.Monitor;
import io.lb4j.monitor.Monitors;
import io.lb4j.monitor.Observation;
import io.lb4j.monitor.Watermark;
import io.lb4j.persistence.SourceIpPersistence;
import io.lb4j.schedule.Scheduler;
import io.lb4j.schedule.Schedulers;
import io.lb4j.settings.ConfigurationError;
import io.lb4j.settings.ConfigurationException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.UnaryOperator;

/** Builds a {@link VirtualService}. Owned by its caller; refuses a wrong value at once. */
public final class VirtualServiceBuilder {
  final Protocol protocol;
  final PortRange ports;
  final List<IpPrefix> vips = new ArrayList<>();
  final List<RealServer> servers = new ArrayList<>();
  String name;
  ForwardingMethod forwarding;
  Scheduler scheduler = Schedulers.weightedLeastConnections();
  SourceIpPersistence persistence;
  FlowTimeouts timeouts;
  boolean enabled = true;
  AccessList access = ServicePolicies.DEFAULTS.access();
  ConnectionLimit limit = ServicePolicies.DEFAULTS.limit();
  Overflow overflow = ServicePolicies.DEFAULTS.overflow();
  DrainBehavior drain = ServicePolicies.DEFAULTS.drain();
  WhenAllDown whenAllDown = ServicePolicies.DEFAULTS.whenAllDown();
  LostFlows whenDown = ServicePolicies.DEFAULTS.whenDown();
  LostFlows whenRemoved = ServicePolicies.DEFAULTS.whenRemoved();
  boolean onePacket = ServicePolicies.DEFAULTS.onePacket();
  Optional<Boolean> adoption = ServicePolicies.DEFAULTS.adoption();
  boolean resetOnIdle = ServicePolicies.DEFAULTS.resetOnIdle();
  Duration slowStart = ServicePolicies.DEFAULTS.slowStart();
  Optional<String> group = ServicePolicies.DEFAULTS.group();
  Monitors monitors = Monitors.NONE;
  Optional<Observation> observation = Optional.empty();
  Watermark watermark = Watermark.NONE;

  VirtualServiceBuilder(Protocol protocol, PortRange ports) {
    this.protocol = protocol;
    this.ports = ports;
  }

  /**
   * Names the service; else it is named by protocol, address and port.
   *
   * @param newName unique among services
   * @return this
   */
  public VirtualServiceBuilder named(String newName) {
    if (newName.isBlank()) {
      throw new ConfigurationException(ConfigurationError.MISSING, "service: name", "''", "a name needs a character");
    }
    this.name = newName;
    return this;
  }

  /**
   * Adds a virtual address or prefix.
   *
   * @param vip for example {@code 192.0.2.10} or {@code 2001:db8:1::/64}
   * @return this
   */
  public VirtualServiceBuilder vip(String vip) {
    try {
      return vip(IpPrefix.of(vip));
    } catch (IllegalArgumentException e) {
      throw new ConfigurationException(
          ConfigurationError.NOT_READABLE, "service " + label() + ": vip", vip, e.getMessage());
    }
  }

  /**
   * Adds a virtual address or prefix.
   *
   * @param vip an address (full length) or a prefix
   * @return this
   */
  public VirtualServiceBuilder vip(IpPrefix vip) {
    vips.add(vip);
    return this;
  }

  /**
   * Chooses how frames reach the servers. Required.
   *
   * @param method for example {@code DirectServerReturn.create()}
   * @return this
   */
  public VirtualServiceBuilder forwarding(ForwardingMethod method) {
    this.forwarding = method;
    return this;
  }

  /**
   * Chooses who picks the server of a new flow; weighted least connections unless told otherwise.
   *
   * @param newScheduler the discipline
   * @return this
   */
  public VirtualServiceBuilder scheduler(Scheduler newScheduler) {
    this.scheduler = newScheduler;
    return this;
  }

  /**
   * Keeps a client on its server beyond one flow.
   *
   * @param newPersistence by source address; null switches it off
   * @return this
   */
  public VirtualServiceBuilder persistence(SourceIpPersistence newPersistence) {
    this.persistence = newPersistence;
    return this;
  }

  /**
   * Sets how long flows live without a frame; else the forwarding method decides.
   *
   * @param newTimeouts per state
   * @return this
   */
  public VirtualServiceBuilder timeouts(FlowTimeouts newTimeouts) {
    this.timeouts = newTimeouts;
    return this;
  }

  /**
   * Switches the service on or off.
   *
   * @param on false: frames for it are dropped, established flows included
   * @return this
   */
  public VirtualServiceBuilder enabled(boolean on) {
    this.enabled = on;
    return this;
  }

  /**
   * Takes over all policies of another service; the settings below change single ones.
   *
   * @param policies what was decided there
   * @return this
   */
  public VirtualServiceBuilder policies(ServicePolicies policies) {
    this.access = policies.access();
    this.limit = policies.limit();
    this.overflow = policies.overflow();
    this.drain = policies.drain();
    this.whenAllDown = policies.whenAllDown();
    this.whenDown = policies.whenDown();
    this.whenRemoved = policies.whenRemoved();
    this.onePacket = policies.onePacket();
    this.adoption = policies.adoption();
    this.resetOnIdle = policies.resetOnIdle();
    this.slowStart = policies.slowStart();
    this.group = policies.group();
    return this;
  }

  ServicePolicies policies() {
    return new ServicePolicies(
        access,
        limit,
        overflow,
        drain,
        whenAllDown,
        whenDown,
        whenRemoved,
        onePacket,
        adoption,
        resetOnIdle,
        slowStart,
        group);
  }

  /**
   * Chooses the clients that may use the service; all of them unless told otherwise.
   *
   * @param list allowed and denied prefixes
   * @return this
   */
  public VirtualServiceBuilder access(AccessList list) {
    this.access = list;
    return this;
  }

  /**
   * Bounds the connections on the service's online servers.
   *
   * @param newLimit how many, over all workers
   * @param whenReached what becomes of the next one
   * @return this
   */
  public VirtualServiceBuilder maxConnections(ConnectionLimit newLimit, Overflow whenReached) {
    this.limit = newLimit;
    this.overflow = whenReached;
    return this;
  }

  /**
   * Decides what becomes of a new flow that the limits of service and servers refuse.
   *
   * @param whenReached dropped unless told otherwise
   * @return this
   */
  public VirtualServiceBuilder overflow(Overflow whenReached) {
    this.overflow = whenReached;
    return this;
  }

  /**
   * Decides what persistence means for a server that drains.
   *
   * @param behavior clients keep coming unless told otherwise
   * @return this
   */
  public VirtualServiceBuilder drain(DrainBehavior behavior) {
    this.drain = behavior;
    return this;
  }

  /**
   * Decides where new flows go when no server is healthy.
   *
   * @param policy nowhere unless told otherwise
   * @return this
   */
  public VirtualServiceBuilder whenAllDown(WhenAllDown policy) {
    this.whenAllDown = policy;
    return this;
  }

  /**
   * Decides what becomes of flows whose server monitors call down.
   *
   * @param fates {@link LostFlows#WHEN_DOWN} unless told otherwise
   * @return this
   */
  public VirtualServiceBuilder whenServerDown(LostFlows fates) {
    this.whenDown = fates;
    return this;
  }

  /**
   * Decides what becomes of flows whose server was removed or is offline.
   *
   * @param fates {@link LostFlows#WHEN_REMOVED} unless told otherwise; none may keep flows
   * @return this
   */
  public VirtualServiceBuilder whenServerRemoved(LostFlows fates) {
    this.whenRemoved = fates.whenRemoved("service " + label() + ": when-removed");
    return this;
  }

  /**
   * Schedules every datagram by itself, without a flow: for DNS and the like, in Direct Server Return.
   *
   * @param on off unless told otherwise; for UDP only
   * @return this
   */
  public VirtualServiceBuilder onePacket(boolean on) {
    this.onePacket = on;
    return this;
  }

  /**
   * Schedules TCP segments of unknown connections like first ones, so that connections outlive a restart.
   *
   * @param on without this setting, exactly those schedulers do so that hash
   * @return this
   */
  public VirtualServiceBuilder adoptsConnections(boolean on) {
    this.adoption = Optional.of(on);
    return this;
  }

  /**
   * Resets both ends of an established connection that was silent for its time-out. For methods that see both halves.
   *
   * @param on off unless told otherwise
   * @return this
   */
  public VirtualServiceBuilder resetOnIdle(boolean on) {
    this.resetOnIdle = on;
    return this;
  }

  /**
   * Lets a server that has recovered, or was added, reach its weight by and by.
   *
   * @param period up to an hour; 0 for at once
   * @return this
   */
  public VirtualServiceBuilder slowStart(Duration period) {
    if (period.isNegative() || period.compareTo(Duration.ofHours(1)) > 0) {
      throw new ConfigurationException(
          ConfigurationError.OUT_OF_RANGE, "service " + label() + ": slow-start", period, "not in 0..1 h");
    }
    this.slowStart = period;
    return this;
  }

  /**
   * Puts the service into a group, whose services share their clients where persistence has that scope.
   *
   * @param name of the group
   * @return this
   */
  public VirtualServiceBuilder group(String name) {
    if (name.isBlank()) {
      throw new ConfigurationException(
          ConfigurationError.MISSING, "service " + label() + ": group", "''", "a name needs a character");
    }
    this.group = Optional.of(name);
    return this;
  }

  /**
   * Watches the servers. Without this nobody does, and servers are taken to be up unless the host reports otherwise.
   *
   * @param monitor for each server that has none of its own
   * @return this
   */
  public VirtualServiceBuilder monitor(Monitor monitor) {
    return monitors(Monitors.of(monitor));
  }

  /**
   * Watches the servers by several monitors, or by none.
   *
   * @param newMonitors for each server that has none of its own
   * @return this
   */
  public VirtualServiceBuilder monitors(Monitors newMonitors) {
    this.monitors = newMonitors;
    return this;
  }

  /**
   * Watches the servers by the clients' connections, beside the monitors; for TCP.
   *
   * @param newObservation what is concluded from what; null switches it off, as it is unless told otherwise
   * @return this
   */
  public VirtualServiceBuilder observation(Observation newObservation) {
    this.observation = Optional.ofNullable(newObservation);
    return this;
  }

  /**
   * Keeps servers in use when too many of them seem to be down.
   *
   * @param newWatermark {@link Watermark#NONE} unless told otherwise
   * @return this
   */
  public VirtualServiceBuilder watermark(Watermark newWatermark) {
    this.watermark = newWatermark;
    return this;
  }

  /**
   * Adds a real server of weight 1 on the service's own port.
   *
   * @param serverName unique within the service
   * @param address where it is
   * @return this
   */
  public VirtualServiceBuilder realServer(String serverName, String address) {
    return realServer(serverName, address, options -> options);
  }

  /**
   * Adds a real server.
   *
   * @param serverName unique within the service
   * @param address where it is
   * @param options weight, port and activity
   * @return this
   */
  public VirtualServiceBuilder realServer(
      String serverName, String address, UnaryOperator<RealServer.Options> options) {
    IpAddress parsed;
    try {
      parsed = IpAddress.of(address);
    } catch (IllegalArgumentException e) {
      throw new ConfigurationException(
          ConfigurationError.NOT_READABLE,
          "service " + label() + ": server " + serverName + ": address",
          address,
          e.getMessage());
    }
    return realServer(options.apply(new RealServer.Options()).build(serverName, parsed));
  }

  /**
   * Adds a real server.
   *
   * @param server its declaration
   * @return this
   */
  public VirtualServiceBuilder realServer(RealServer server) {
    servers.add(server);
    return this;
  }

  /**
   * Puts other real servers in the place of all those so far.
   *
   * @param all their declarations, in order
   * @return this
   */
  public VirtualServiceBuilder realServers(List<RealServer> all) {
    servers.clear();
    servers.addAll(all);
    return this;
  }

  private String label() {
    return name != null ? name : protocol + " port " + ports;
  }

  /**
   * Checks the whole and builds the declaration.
   *
   * @return an immutable service
   * @throws ConfigurationException naming setting, value and remedy
   */
  public VirtualService build() {
    if (vips.isEmpty()) {
      throw new ConfigurationException(
          ConfigurationError.MISSING, "service " + label() + ": vip", "none", "a virtual address is needed");
    }
    return new VirtualService(this);
  }
}
