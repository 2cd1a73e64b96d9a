package io.lb4j.examples.lab;

import java.util.ArrayList;
import java.util.List;

/** Makes a lab's namespaces, links, addresses and routes. Owned by the thread that builds the lab. */
final class LabNetwork {
  /**
   * What a host of the lab needs: forwarded frames must not be judged by their source, nobody may be redirected past
   * the balancer, and addresses must be usable at once.
   */
  private static final String HOST_SETTINGS =
      """
      set -e
      cd /proc/sys/net
      for d in all default; do
        for k in rp_filter send_redirects accept_redirects; do echo 0 > ipv4/conf/$d/$k; done
        for k in accept_redirects accept_dad accept_ra; do echo 0 > ipv6/conf/$d/$k; done
      done
      echo 0 > ipv4/ip_forward
      echo '1024 65535' > ipv4/ip_local_port_range
      echo 4096 > core/somaxconn
      echo 4096 > ipv4/tcp_max_syn_backlog
      ip link set lo up
      """;

  /** The server owns the virtual address but neither answers nor asks for it; IPv6 needs nothing on {@code lo}. */
  private static final String SILENT_SERVER =
      """
      set -e
      for d in all default eth0; do
        echo 1 > /proc/sys/net/ipv4/conf/$d/arp_ignore
        echo 2 > /proc/sys/net/ipv4/conf/$d/arp_announce
      done
      """;

  private static final String FORWARD =
      "echo 1 > /proc/sys/net/ipv4/ip_forward; echo 1 > /proc/sys/net/ipv6/conf/all/forwarding";

  /**
   * A veth pair hands packets over as its sender's kernel left them: with unfinished checksums and many segments in
   * one. Frames that libpcap takes and sends again have to be as a wire would carry them.
   */
  private static final String[] OFFLOADS_OFF = {"tx", "off", "sg", "off", "tso", "off", "gso", "off", "gro", "off"};

  private final Lab lab;

  LabNetwork(Lab lab) {
    this.lab = lab;
  }

  void build(int servers) {
    host("sw");
    lab.must("sw", "ip", "link", "add", "br0", "type", "bridge", "stp_state", "0", "forward_delay", "0",
        "mcast_snooping", "0");
    lab.must("sw", "ip", "link", "set", "br0", "up");
    router();
    client();
    host("lb");
    plug("lb", 5);
    addresses("lb", "eth0", "192.0.2.5/24", "2001:db8:5::5/64");
    for (int i = 1; i <= servers; i++) {
      server(i);
    }
  }

  private void router() {
    host("rt");
    plug("rt", 1);
    addresses("rt", "eth0", "192.0.2.1/24", "2001:db8:5::1/64");
    lab.must("rt", "sh", "-c", FORWARD);
  }

  private void client() {
    host("cl");
    lab.ip("link", "add", "eth1", "netns", lab.namespace("rt"), "address", mac(2), "type", "veth",
        "peer", "name", "eth0", "netns", lab.namespace("cl"), "address", mac(10));
    up("rt", "eth1");
    up("cl", "eth0");
    addresses("rt", "eth1", "198.51.100.1/24", "2001:db8:c::1/64");
    Lab.CLIENTS4.forEach(address -> addresses("cl", "eth0", address + "/24"));
    Lab.CLIENTS6.forEach(address -> addresses("cl", "eth0", address + "/64"));
    routes("cl", "198.51.100.1", "2001:db8:c::1");
  }

  void server(int number) {
    String host = "s" + number;
    host(host);
    plug(host, 10 + number);
    addresses(host, "eth0", Lab.server4(number) + "/24", Lab.server6(number) + "/64");
    routes(host, "192.0.2.1", "2001:db8:5::1");
    lab.must(host, "sh", "-c", SILENT_SERVER);
    addresses(host, "lo", Lab.VIP4 + "/32", Lab.VIP6 + "/128");
  }

  private void host(String host) {
    lab.addNamespace(host);
    lab.must(host, "sh", "-c", HOST_SETTINGS);
  }

  /** Interface eth0 of a host, on the switch. */
  private void plug(String host, int macByte) {
    lab.ip("link", "add", "eth0", "netns", lab.namespace(host), "address", mac(macByte), "type", "veth",
        "peer", "name", host, "netns", lab.namespace("sw"));
    lab.must("sw", "ip", "link", "set", host, "master", "br0");
    up("sw", host);
    up(host, "eth0");
  }

  private void up(String host, String device) {
    offloadsOff(host, device);
    lab.must(host, "ip", "link", "set", device, "up");
  }

  private void offloadsOff(String host, String device) {
    List<String> command = new ArrayList<>(List.of("ethtool", "-K", device));
    command.addAll(List.of(OFFLOADS_OFF));
    lab.must(host, command.toArray(String[]::new));
  }

  private void addresses(String host, String device, String... addresses) {
    for (String address : addresses) {
      if (address.contains(":")) {
        lab.must(host, "ip", "addr", "add", address, "dev", device, "nodad");
      } else {
        lab.must(host, "ip", "addr", "add", address, "dev", device);
      }
    }
  }

  private void routes(String host, String via4, String via6) {
    lab.must(host, "ip", "route", "add", "default", "via", via4);
    lab.must(host, "ip", "-6", "route", "add", "default", "via", via6);
  }

  /** The last byte reads as the decimal number. */
  static String mac(int number) {
    return String.format("02:00:00:00:00:%02d", number);
  }
}
