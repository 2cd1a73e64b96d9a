package io.lb4j.service;

import io.lb4j.address.IpAddress;
import io.lb4j.address.IpPrefix;
import io.lb4j.flow.FlowTimeouts;
import io.lb4j.persistence.SourceIpPersistence;
import io.lb4j.schedule.Scheduler;
import io.lb4j.schedule.Schedulers;
import io.lb4j.settings.ConfigurationError;
import io.lb4j.settings.ConfigurationException;
import java.util.ArrayList;
import java.util.List;
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
