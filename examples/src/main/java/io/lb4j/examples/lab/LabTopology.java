package io.lb4j.examples.lab;

/** How a lab's client, balancer and servers are joined. Immutable, shared. */
public enum LabTopology {
  /** Direct server return: balancer and servers on one switch, clients behind a router that servers answer through. */
  DIRECT("dsr", Lab.VIP4, Lab.VIP6),

  /** Gateway, dual arm: clients on the balancer's eth0, servers on its eth1. */
  GATEWAY_DUAL("gateway", "198.51.100.100", "2001:db8:c::100"),

  /** Gateway, single arm: clients and servers on the balancer's eth0, in two subnets. */
  GATEWAY_SINGLE("gateway", "198.51.100.100", "2001:db8:c::100");

  private final String mode;
  private final String vip4;
  private final String vip6;

  LabTopology(String mode, String vip4, String vip6) {
    this.mode = mode;
    this.vip4 = vip4;
    this.vip6 = vip6;
  }

  /**
   * The services' mode in a configuration file.
   *
   * @return dsr or gateway
   */
  public String mode() {
    return mode;
  }

  /**
   * Whether the balancer is the servers' default gateway.
   *
   * @return false for direct server return
   */
  public boolean isGateway() {
    return this != DIRECT;
  }

  /**
   * The virtual IPv4 address.
   *
   * @return its text
   */
  public String vip4() {
    return vip4;
  }

  /**
   * The virtual IPv6 address.
   *
   * @return its text
   */
  public String vip6() {
    return vip6;
  }

  /**
   * The device of the balancer that servers are reached by.
   *
   * @return eth0 or eth1
   */
  public String serverSide() {
    return this == GATEWAY_DUAL ? "eth1" : "eth0";
  }
}
