package io.lb4j.examples.lab;

/**
 * The network of {@link LabTopology#GATEWAY_DUAL} and {@link LabTopology#GATEWAY_SINGLE}: nobody holds the virtual
 * address, and the balancer's kernel forwards nothing. Owned by the thread that builds the lab.
 */
final class GatewayNetwork extends LabNetwork {
  private static final String CLIENT_SIDE4 = "198.51.100.5";
  private static final String CLIENT_SIDE6 = "2001:db8:c::5";
  private static final String SERVER_SIDE4 = "192.0.2.5";
  private static final String SERVER_SIDE6 = "2001:db8:5::5";

  private final boolean dual;

  GatewayNetwork(Lab lab) {
    super(lab);
    this.dual = lab.topology() == LabTopology.GATEWAY_DUAL;
  }

  @Override
  void core() {
    bridge("br0");
    balancer();
    host("cl");
    plug("cl", "eth0", "br0", 10);
    clientAddresses();
    defaultRoutes("cl", CLIENT_SIDE4, CLIENT_SIDE6);
    outside();
    route("cl", "203.0.113.0/24", "198.51.100.1");
    route("cl", "2001:db8:f::/64", "2001:db8:c::1");
  }

  private void balancer() {
    host("lb");
    plug("lb", "eth0", "br0", dual ? 4 : 5);
    addresses("lb", "eth0", CLIENT_SIDE4 + "/24", CLIENT_SIDE6 + "/64");
    if (dual) {
      bridge("br1");
      plug("lb", "eth1", "br1", 5);
    }
    addresses("lb", lab.topology().serverSide(), SERVER_SIDE4 + "/24", SERVER_SIDE6 + "/64");
  }

  @Override
  void secondBalancer() {
    host("lb2");
    plug("lb2", "eth0", "br0", 6);
    addresses("lb2", "eth0", "198.51.100.6/24", "2001:db8:c::6/64");
    if (dual) {
      plug("lb2", "eth1", "br1", 7);
    }
    addresses("lb2", lab.topology().serverSide(), "192.0.2.6/24", "2001:db8:5::6/64");
    defaultRoutes("lb2", "198.51.100.1", "2001:db8:c::1");
  }

  /** A router on the clients' side, and a host behind it. */
  private void outside() {
    host("rt");
    plug("rt", "eth0", "br0", 1);
    addresses("rt", "eth0", "198.51.100.1/24", "2001:db8:c::1/64");
    forward("rt");
    route("rt", "192.0.2.0/24", CLIENT_SIDE4);
    route("rt", "2001:db8:5::/64", CLIENT_SIDE6);
    host("out");
    join("rt", 2, "out", 90);
    addresses("rt", "eth1", "203.0.113.1/24", "2001:db8:f::1/64");
    addresses("out", "eth0", Lab.OUTSIDE4 + "/24", Lab.OUTSIDE6 + "/64");
    defaultRoutes("out", "203.0.113.1", "2001:db8:f::1");
    defaultRoutes("lb", "198.51.100.1", "2001:db8:c::1");
  }

  @Override
  void server(int number) {
    String host = "s" + number;
    host(host);
    plug(host, "eth0", dual ? "br1" : "br0", 10 + number);
    addresses(host, "eth0", Lab.server4(number) + "/24", Lab.server6(number) + "/64");
    defaultRoutes(host, SERVER_SIDE4, SERVER_SIDE6);
  }
}
