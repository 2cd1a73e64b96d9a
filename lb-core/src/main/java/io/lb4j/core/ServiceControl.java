package io.lb4j.core;

import io.lb4j.service.RealServer;
import io.lb4j.service.VirtualService;
import io.lb4j.settings.ConfigurationException;

/**
 * A handle to change one service while it runs. Safe from any thread. A change is checked, compiled and published as a
 * whole; established flows stay where they are.
 */
public final class ServiceControl {
  private final LoadBalancer balancer;
  private final String name;

  ServiceControl(LoadBalancer balancer, String name) {
    this.balancer = balancer;
    this.name = name;
  }

  /**
   * The service's name.
   *
   * @return as declared
   */
  public String name() {
    return name;
  }

  /**
   * The service as it is declared now.
   *
   * @return immutable
   */
  public VirtualService declaration() {
    return balancer.declaration(name);
  }

  /** Switches the service on. */
  public void enable() {
    balancer.change(name, service -> service.toBuilder().enabled(true).build());
  }

  /** Switches the service off: its frames are dropped, its flows kept until they expire. */
  public void disable() {
    balancer.change(name, service -> service.toBuilder().enabled(false).build());
  }

  /**
   * Adds a server.
   *
   * @param server its declaration
   * @throws ConfigurationException when it does not fit the service
   */
  public void addRealServer(RealServer server) {
    balancer.change(name, service -> service.toBuilder().realServer(server).build());
  }

  /**
   * Removes a server: its TCP flows end, its UDP flows go elsewhere with their next datagram.
   *
   * @param server its name
   */
  public void removeRealServer(String server) {
    balancer.change(name, service -> service.withServer(server, null));
  }

  /**
   * A handle to one server.
   *
   * @param server its name
   * @return the handle
   * @throws ConfigurationException when the service has none of this name
   */
  public ServerControl realServer(String server) {
    declaration().requireServer(server);
    return new ServerControl(balancer, name, server);
  }
}
