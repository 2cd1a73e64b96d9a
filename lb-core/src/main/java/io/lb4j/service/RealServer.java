package io.lb4j.service;

import io.lb4j.address.IpAddress;
import io.lb4j.monitor.Monitor;
import io.lb4j.monitor.Monitors;
import io.lb4j.schedule.Candidate;
import io.lb4j.settings.ConfigurationError;
import io.lb4j.settings.ConfigurationException;
import java.util.Optional;

/**
 * A real server of a virtual service. Immutable, shared; changes make a new one.
 *
 * @param name unique within its service
 * @param address where it is
 * @param port its port; 0 when it is the service's own
 * @param weight 0..65535; 0 takes no new flows, as {@link Activity#DRAIN}
 * @param activity what the operator wants
 * @param tier 1..255: among standby servers those of the lowest tier go first
 * @param limit connections held at most
 * @param monitors who watches it; nothing when the service's do
 */
public record RealServer(
    String name,
    IpAddress address,
    int port,
    int weight,
    Activity activity,
    int tier,
    ConnectionLimit limit,
    Optional<Monitors> monitors) {
  /** The highest tier of standby servers. */
  public static final int LAST_TIER = 255;

  /** Refuses what cannot be a server. */
  public RealServer {
    String setting = "server " + name;
    if (name.isBlank()) {
      throw new ConfigurationException(ConfigurationError.MISSING, "server", "''", "a real server needs a name");
    }
    if (address.isMulticast() || address.isUnspecified() || address.isLoopback()) {
      throw new ConfigurationException(
          ConfigurationError.NOT_UNICAST, setting + ": address", address, "no host has this address");
    }
    if (port < 0 || port > 65535) {
      throw new ConfigurationException(ConfigurationError.OUT_OF_RANGE, setting + ": port", port, "not in 0..65535");
    }
    if (weight < 0) {
      throw new ConfigurationException(
          ConfigurationError.OUT_OF_RANGE, setting + ": weight", weight, "weight must not be negative");
    }
    if (weight > Candidate.MAX_WEIGHT) {
      throw new ConfigurationException(
          ConfigurationError.OUT_OF_RANGE, setting + ": weight", weight, "not in 0.." + Candidate.MAX_WEIGHT);
    }
    if (tier < 1 || tier > LAST_TIER) {
      throw new ConfigurationException(
          ConfigurationError.OUT_OF_RANGE, setting + ": tier", tier, "not in 1.." + LAST_TIER);
    }
  }

  /**
   * What the server is called on every instance, whatever its local name: hashing schedulers place it by this text.
   *
   * @return its address, and its port where it has one
   */
  public String identity() {
    if (port == 0) {
      return address.toString();
    }
    return address.isV6() ? "[" + address + "]:" + port : address + ":" + port;
  }

  /**
   * Whether the scheduler may ever pick it.
   *
   * @return true when online or standby, with a weight above 0
   */
  public boolean takesNewFlows() {
    return activity.takesNewFlows() && weight > 0;
  }

  /**
   * The same server with another weight.
   *
   * @param newWeight 0..65535
   * @return a new declaration
   */
  public RealServer withWeight(int newWeight) {
    return new RealServer(name, address, port, newWeight, activity, tier, limit, monitors);
  }

  /**
   * The same server with another activity.
   *
   * @param newActivity what is wanted now
   * @return a new declaration
   */
  public RealServer withActivity(Activity newActivity) {
    return new RealServer(name, address, port, weight, newActivity, tier, limit, monitors);
  }

  /** Settings of a real server beside name and address. Owned by the caller of the builder. */
  public static final class Options {
    private int port;
    private int weight = 1;
    private Activity activity = Activity.ONLINE;
    private int tier = 1;
    private ConnectionLimit limit = ConnectionLimit.NONE;
    private Optional<Monitors> monitors = Optional.empty();

    /** The defaults: the service's port, weight 1, online. */
    public Options() {}

    /**
     * The server's own port, for a forwarding method that translates.
     *
     * @param newPort 1..65535
     * @return this
     */
    public Options port(int newPort) {
      this.port = newPort;
      return this;
    }

    /**
     * The server's share among its fellows.
     *
     * @param newWeight 0..65535; 0 takes no new flows
     * @return this
     */
    public Options weight(int newWeight) {
      this.weight = newWeight;
      return this;
    }

    /**
     * What is wanted of the server.
     *
     * @param newActivity online, drain, offline or standby
     * @return this
     */
    public Options activity(Activity newActivity) {
      this.activity = newActivity;
      return this;
    }

    /**
     * The server's place among standby servers.
     *
     * @param newTier 1..255; the lowest goes first
     * @return this
     */
    public Options tier(int newTier) {
      this.tier = newTier;
      return this;
    }

    /**
     * How many connections the server holds at most.
     *
     * @param most 1 or more
     * @return this
     */
    public Options maxConnections(int most) {
      return limit(ConnectionLimit.of(most));
    }

    /**
     * How many connections the server holds at most, and when it takes new ones again.
     *
     * @param newLimit the limit
     * @return this
     */
    public Options limit(ConnectionLimit newLimit) {
      this.limit = newLimit;
      return this;
    }

    /**
     * Watches the server otherwise than its fellows.
     *
     * @param monitor instead of the service's
     * @return this
     */
    public Options monitor(Monitor monitor) {
      return monitors(Monitors.of(monitor));
    }

    /**
     * Watches the server otherwise than its fellows, or not at all.
     *
     * @param newMonitors instead of the service's; {@link Monitors#NONE} for nobody
     * @return this
     */
    public Options monitors(Monitors newMonitors) {
      this.monitors = Optional.of(newMonitors);
      return this;
    }

    /**
     * The declaration.
     *
     * @param name unique within the service
     * @param address where the server is
     * @return an immutable declaration
     */
    public RealServer build(String name, IpAddress address) {
      return new RealServer(name, address, port, weight, activity, tier, limit, monitors);
    }
  }
}
