package io.lb4j.examples.lab;

import java.util.ArrayList;
import java.util.List;

/** Makes a lab's namespaces, links, addresses and routes. Owned by the thread that builds the lab. */
abstract class LabNetwork {
  /**
   * What a host of the lab needs: forwarded frames must not be judged by their source, nobody may be redirected past
   * the balancer, and addresses must be usable at once. Every refusal is told: the kernel's limit of one a second would
   * make one test wait for what another has used up.
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
      echo 0 > ipv4/icmp_ratelimit
      echo 0 > ipv6/icmp/ratelimit
      echo '1024 65535' > ipv4/ip_local_port_range
      echo 4096 > core/somaxconn
      echo 4096 > ipv4/tcp_max_syn_backlog
      ip link set lo up
      """;

  private static final String FORWARD =
      "echo 1 > /proc/sys/net/ipv4/ip_forward; echo 1 > /proc/sys/net/ipv6/conf/all/forwarding";

  /**
   * A veth pair hands packets over as its sender's kernel left them: with unfinished checksums and many segments in
   * one. Packet sockets carry both. What libpcap and AF_XDP take and send again has to be as a wire would carry it.
   */
  private static final List<String> OFFLOADS = List.of("tx", "sg", "tso", "gso", "gro");

  final Lab lab;

  LabNetwork(Lab lab) {
    this.lab = lab;
  }

  /** The network of a lab's topology. */
  static LabNetwork of(Lab lab) {
    return lab.topology().isGateway() ? new GatewayNetwork(lab) : new DirectNetwork(lab);
  }

  /** Makes all but the servers, then these. */
  final void build(int servers) {
    host("sw");
    core();
    for (int i = 1; i <= servers; i++) {
      server(i);
    }
  }

  /** Everything but the servers; the switch's namespace is there. */
  abstract void core();

  /** One server. */
  abstract void server(int number);

  /** The host {@code lb2} beside the balancer's, on the same wires with the next addresses. */
  abstract void secondBalancer();

  final void bridge(String name) {
    lab.must("sw", "ip", "link", "add", name, "type", "bridge", "stp_state", "0", "forward_delay", "0",
        "mcast_snooping", "0");
    lab.must("sw", "ip", "link", "set", name, "up");
  }

  /** The client's addresses, on its eth0. */
  final void clientAddresses() {
    Lab.CLIENTS4.forEach(address -> addresses("cl", "eth0", address + "/24"));
    Lab.CLIENTS6.forEach(address -> addresses("cl", "eth0", address + "/64"));
  }

  /** A host's kernel forwards packets from now on. */
  final void forward(String host) {
    lab.must(host, "sh", "-c", FORWARD);
  }

  final void host(String host) {
    lab.addNamespace(host);
    lab.must(host, "sh", "-c", HOST_SETTINGS);
  }

  /** An interface of a host, on a bridge of the switch. */
  final void plug(String host, String device, String bridge, int macByte) {
    String port = switchPort(host, device);
    lab.ip("link", "add", device, "netns", lab.namespace(host), "address", mac(macByte), "type", "veth",
        "peer", "name", port, "netns", lab.namespace("sw"));
    lab.must("sw", "ip", "link", "set", port, "master", bridge);
    up("sw", port);
    up(host, device);
  }

  /** The switch's end of a cable to a host. */
  static String switchPort(String host, String device) {
    return device.equals("eth0") ? host : host + "-" + device;
  }

  /** A cable between a host's eth1 and another's eth0. */
  final void join(String host, int macByte, String other, int otherMacByte) {
    lab.ip("link", "add", "eth1", "netns", lab.namespace(host), "address", mac(macByte), "type", "veth",
        "peer", "name", "eth0", "netns", lab.namespace(other), "address", mac(otherMacByte));
    up(host, "eth1");
    up(other, "eth0");
  }

  private void up(String host, String device) {
    if (!host.equals("sw")) {
      lab.addDevice(host, device);
    }
    if (!lab.io().carriesOffloads()) {
      offloads(lab, host, device, false);
    }
    lab.must(host, "ip", "link", "set", device, "up");
  }

  static void offloads(Lab lab, String host, String device, boolean on) {
    List<String> command = new ArrayList<>(List.of("ethtool", "-K", device));
    OFFLOADS.stream().filter(feature -> !on || !feature.equals("gro")).forEach(feature -> {
      command.add(feature);
      command.add(on ? "on" : "off");
    });
    lab.must(host, command.toArray(String[]::new));
  }

  final void addresses(String host, String device, String... addresses) {
    for (String address : addresses) {
      if (address.contains(":")) {
        lab.must(host, "ip", "addr", "add", address, "dev", device, "nodad");
      } else {
        lab.must(host, "ip", "addr", "add", address, "dev", device);
      }
    }
  }

  /** A host's default routes. */
  final void defaultRoutes(String host, String via4, String via6) {
    route(host, "default", via4);
    route(host, "default", via6);
  }

  final void route(String host, String to, String via) {
    lab.must(host, "ip", via.contains(":") ? "-6" : "-4", "route", "add", to, "via", via);
  }

  /** The last byte reads as the decimal number. */
  static String mac(int number) {
    return String.format("02:00:00:00:00:%02d", number);
  }
}
