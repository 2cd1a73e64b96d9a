package io.lb4j.examples.lab;

/** The network of {@link LabTopology#DIRECT}. Owned by the thread that builds the lab. */
final class DirectNetwork extends LabNetwork {
  private static final LabTopology TOPOLOGY = LabTopology.DIRECT;

  /** The server owns the virtual address but neither answers nor asks for it; IPv6 needs nothing on {@code lo}. */
  private static final String SILENT_SERVER =
      """
      set -e
      for d in all default eth0; do
        echo 1 > /proc/sys/net/ipv4/conf/$d/arp_ignore
        echo 2 > /proc/sys/net/ipv4/conf/$d/arp_announce
      done
      """;

  DirectNetwork(Lab lab) {
    super(lab);
  }

  @Override
  void core() {
    bridge("br0");
    host("rt");
    plug("rt", "eth0", "br0", 1);
    addresses("rt", "eth0", "192.0.2.1/24", "2001:db8:5::1/64");
    forward("rt");
    host("cl");
    join("rt", 2, "cl", 10);
    addresses("rt", "eth1", "198.51.100.1/24", "2001:db8:c::1/64");
    clientAddresses();
    defaultRoutes("cl", "198.51.100.1", "2001:db8:c::1");
    host("lb");
    plug("lb", "eth0", "br0", 5);
    addresses("lb", "eth0", "192.0.2.5/24", "2001:db8:5::5/64");
  }

  @Override
  void secondBalancer() {
    host("lb2");
    plug("lb2", "eth0", "br0", 6);
    addresses("lb2", "eth0", "192.0.2.6/24", "2001:db8:5::6/64");
  }

  @Override
  void server(int number) {
    String host = "s" + number;
    host(host);
    plug(host, "eth0", "br0", 10 + number);
    addresses(host, "eth0", Lab.server4(number) + "/24", Lab.server6(number) + "/64");
    defaultRoutes(host, "192.0.2.1", "2001:db8:5::1");
    lab.must(host, "sh", "-c", SILENT_SERVER);
    addresses(host, "lo", TOPOLOGY.vip4() + "/32", TOPOLOGY.vip6() + "/128");
  }
}
