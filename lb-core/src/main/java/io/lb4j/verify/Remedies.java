package io.lb4j.verify;

import io.lb4j.address.InterfaceAddress;
import io.lb4j.address.IpAddress;
import java.util.List;

/** What to type on a Linux server, for each fault. Static. */
final class Remedies {
  /** Before the server has the address, or it answers who asks in between. */
  private static final String SILENCE = "sysctl -w net.ipv4.conf.all.arp_ignore=1 net.ipv4.conf.all.arp_announce=2";

  private Remedies() {}

  static List<String> of(Fault fault, ServerTest test, IpAddress address, PortTest port) {
    String own = test.own.toString();
    return switch (fault) {
      case VIP_MISSING -> address.isV6() ? List.of(add(address)) : List.of(SILENCE, add(address));
      case VIP_WRONG_MASK, VIP_ON_NIC -> List.of(remove(address), add(address));
      case SERVER_ANSWERS_ARP ->
          List.of(
              "sysctl -w net.ipv4.conf.all.arp_ignore=1",
              remove(address) + " && " + add(address) + "  # if it is not on lo alone");
      case VIP_LEAKED -> List.of("sysctl -w net.ipv4.conf.all.arp_announce=2");
      case STRICT_RP_FILTER ->
          List.of(
              "for f in /proc/sys/net/ipv4/conf/*/rp_filter; do echo 2 > $f; done",
              "sysctl -w net.ipv4.conf.all.arp_ignore=1");
      case GATEWAY_NOT_US -> List.of(defaultRoute(test));
      case GATEWAY_DETOUR ->
          List.of(
              defaultRoute(test),
              "for f in /proc/sys/net/" + family(address) + "/conf/*/accept_redirects; do echo 0 > $f; done",
              ip(address) + " route flush cache");
      case SERVER_WRONG_SUBNET ->
          List.of(
              "ip -br addr show to " + test.address + "  # is to be " + withPrefix(test),
              ip(address) + " route get " + own + "  # is to name no 'via'");
      case SERVER_HAS_WRONG_MAC -> List.of(ip(address) + " neigh flush to " + own + " nud permanent");
      case SERVER_FILTERED ->
          List.of("nft list ruleset", "iptables -S; ip6tables -S", ip(address) + " -br addr  # is to show VIPs as "
              + (address.isV6() ? "/128" : "/32"));
      case SERVICE_FILTERED -> List.of("nft list ruleset", "iptables -S; ip6tables -S");
      case PORT_CLOSED, SERVICE_NOT_ON_VIP, UDP_WRONG_SOURCE -> List.of(listening(port));
      case REPLY_WRONG_SOURCE -> List.of("nft list ruleset", "iptables -t nat -S; ip6tables -t nat -S");
      case MTU_TOO_SMALL ->
          List.of(
              "ip link set mtu " + test.link.mtu() + " dev $(ip -o route get " + own
                  + " | sed 's/.* dev \\([^ ]*\\).*/\\1/')");
      case SERVER_SILENT, SERVER_ADDRESS_DUPLICATE, VIP_CLAIMED, OWN_ADDRESS_CLAIMED -> List.of();
    };
  }

  private static String ip(IpAddress address) {
    return address.isV6() ? "ip -6" : "ip";
  }

  private static String family(IpAddress address) {
    return address.isV6() ? "ipv6" : "ipv4";
  }

  private static String host(IpAddress address) {
    return address + (address.isV6() ? "/128" : "/32");
  }

  private static String add(IpAddress vip) {
    return ip(vip) + " addr add " + host(vip) + " dev lo" + (vip.isV6() ? " nodad" : "");
  }

  /** With the first address of a subnet Linux removes the others too, the server's own among them, unless told. */
  private static String remove(IpAddress vip) {
    String flush = ip(vip) + " addr flush to " + host(vip);
    return vip.isV6() ? flush : "sysctl -w net.ipv4.conf.all.promote_secondaries=1 && " + flush;
  }

  /** With a metric of its own for IPv6, which wins over the default routes of router advertisements. */
  private static String defaultRoute(ServerTest test) {
    boolean v6 = test.address.isV6();
    return ip(test.address) + " route replace default via " + gateway(test) + (v6 ? " metric 1" : "");
  }

  private static String gateway(ServerTest test) {
    return test.link.gatewayAddresses().stream()
        .filter(gateway -> gateway.isV6() == test.address.isV6() && !gateway.isLinkLocal())
        .findFirst()
        .orElse(test.own)
        .toString();
  }

  private static String withPrefix(ServerTest test) {
    int length = test.link.addresses().stream()
        .filter(own -> own.network().contains(test.address))
        .mapToInt(InterfaceAddress::prefixLength)
        .findFirst()
        .orElse(test.address.isV6() ? 64 : 24);
    return test.address + "/" + length;
  }

  private static String listening(PortTest port) {
    return "ss -ln" + (port.isTcp() ? "t" : "u") + "p 'sport = :" + port.check.port() + "'";
  }
}
