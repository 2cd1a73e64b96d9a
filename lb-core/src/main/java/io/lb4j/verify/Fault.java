package io.lb4j.verify;

import java.util.Locale;

/**
 * What can be wrong with a real server, or with the network beside it, as far as it shows on the wire. Each has a
 * stable {@link #code()}. Where two causes look the same there, they are one fault that names both. Immutable, shared.
 */
public enum Fault {
  /** Nobody answers for the server's address. */
  SERVER_SILENT(
      "nobody answers ARP or neighbour discovery for the server's address: it is off, in another VLAN, or has"
          + " another address",
      "no ARP reply, or no neighbour advertisement, for the server's address",
      "look at the machine, its cable and VLAN, and whether it has the address that the configuration says"),
  /** Two machines answer for the server's address. */
  SERVER_ADDRESS_DUPLICATE(
      "two machines answer for the server's address",
      "replies for one address that name two MAC addresses",
      "give one of the two another address"),
  /** It answers on the link, and no packet. */
  SERVER_FILTERED(
      "the server answers ARP or neighbour discovery, but no packet: a packet filter drops them, it has no route"
          + " back to the balancer, or, where its rp_filter is 0, a virtual address has a prefix that takes in the"
          + " whole subnet",
      "silence to echo requests and connections from two addresses of its subnet",
      "let the server accept packets from the balancer, give its address the prefix length of the subnet, and"
          + " virtual addresses /32"),
  /** It sends what is for the balancer to another machine. */
  SERVER_HAS_WRONG_MAC(
      "the server has a wrong MAC address for the balancer: a permanent neighbour entry, or somebody else answers"
          + " for the balancer's address",
      "silence to the balancer's address, and an answer to another address of the same subnet",
      "remove the entry on the server"),
  /** Its answers to a neighbour come by way of a router. */
  SERVER_WRONG_SUBNET(
      "the server takes the balancer for a host of another subnet: the prefix length of its address is wrong, or a"
          + " route of its own leads elsewhere",
      "its answers to a host of its own subnet come from another MAC address than its own",
      "give the server's address the prefix length of the subnet"),
  /** It does not hold the virtual address. */
  VIP_MISSING(
      "the server does not hold the virtual address, or a packet filter drops what is sent to it",
      "the server answers for itself, and not as the virtual address; or it sends on what it should keep",
      "add the virtual address to the loopback interface"),
  /** The virtual address has a prefix that takes in other hosts. */
  VIP_WRONG_MASK(
      "the virtual address has a prefix on the server that takes in other hosts, or the server's own prefix is"
          + " wrong: it answers none of these hosts",
      "IPv4: silence to an address beside the virtual one that nobody else has, or, where the prefix takes in the"
          + " balancer, no ARP reply to that and one to a client far away; IPv6: answers to the balancer's"
          + " link-local address alone",
      "give the virtual address /32, or /128"),
  /** The virtual address is on the interface that serves. */
  VIP_ON_NIC(
      "the virtual address is on the server's own network interface instead of loopback, or the server is a proxy"
          + " for it: it answers for the address beside the balancer",
      "IPv6: a neighbour advertisement for the virtual address; IPv4: an ARP reply for one virtual address, while"
          + " the server is silent about another",
      "move the virtual address to the loopback interface"),
  /** It answers ARP for the virtual address. */
  SERVER_ANSWERS_ARP(
      "the server answers ARP for the virtual address: arp_ignore is not 1, or the address is on its network"
          + " interface instead of loopback",
      "an ARP reply, or announcement, for the virtual address with the server's MAC address",
      "set arp_ignore, and keep the virtual address on loopback alone"),
  /** It tells its neighbours that it has the virtual address. */
  VIP_LEAKED(
      "the server tells its neighbours that it has the virtual address: arp_announce is not 2",
      "an ARP request of the server whose sender is the virtual address",
      "set arp_announce"),
  /** It drops what comes from clients. */
  STRICT_RP_FILTER(
      "the server drops what comes from clients by this interface: rp_filter is strict (1) and its route to them"
          + " leads elsewhere, or nowhere; arp_ignore above 1 and arp_filter look the same",
      "no ARP reply where the sender is a client far away, and one where it is a neighbour; or, where its route to"
          + " the balancer leads elsewhere, a reply to a sender without address alone",
      "set rp_filter to 2 (loose), arp_ignore to 1, and give the server a route to the clients"),
  /** Somebody else has a virtual address. */
  VIP_CLAIMED(
      "a machine that is no server of this configuration has the virtual address: another active balancer, or a"
          + " stranger",
      "an ARP reply, an announcement or an advertisement with a MAC address that is neither ours nor a server's",
      "find the machine by its MAC address, and take the address away from it"),
  /** Somebody else has an address of the balancer itself. */
  OWN_ADDRESS_CLAIMED(
      "another machine, or another interface of this one, answers for an address of the balancer's own, or for one"
          + " that servers have as their gateway",
      "an ARP reply or an advertisement for the address with a MAC address that is not ours",
      "find the machine by its MAC address, and take the address away from it; on this host set arp_ignore to 1"),
  /** Nothing listens. */
  PORT_CLOSED(
      "nothing listens on the service's port: the program does not run, or is bound to other addresses",
      "a reset, or ICMP \"port unreachable\", from every address of the server that was asked",
      "start the program, or bind it to all addresses"),
  /** The program listens, but not on the virtual address. */
  SERVICE_NOT_ON_VIP(
      "the program listens on the server's own address alone, not on the virtual address",
      "the port is open on the server's address, and closed on the virtual one",
      "bind the program to the virtual address as well, or to all addresses"),
  /** Nothing comes from the port. */
  SERVICE_FILTERED(
      "a packet filter keeps connections from the service's port, or its program takes none",
      "silence, or ICMP \"prohibited\", of an address that answers otherwise",
      "open the port in the server's packet filter"),
  /** Datagrams are answered from the server's own address. */
  UDP_WRONG_SOURCE(
      "the program answers datagrams from the server's own address, which no client waits for: it is bound to the"
          + " wildcard address and does not answer from the address that was asked",
      "a datagram to the virtual address is answered from another address, an echo request is not",
      "bind the program to the virtual address, one socket for each address"),
  /** Answers have another source than was asked. */
  REPLY_WRONG_SOURCE(
      "something on the way changes the source of the server's answers: source NAT",
      "an answer to exactly our packet, from another address than it was sent to",
      "exempt the service's answers from source NAT"),
  /** Its default gateway is not the balancer. */
  GATEWAY_NOT_US(
      "the server's answers to clients do not come to the balancer: its default gateway is another machine, it has"
          + " none, or it has a wrong MAC address for it",
      "an echo request or connection from a client's address stays unanswered, one from the balancer's does not",
      "make the balancer the default gateway"),
  /** Its answers come by way of another machine. */
  GATEWAY_DETOUR(
      "the server's answers to clients come by way of another machine, which may as well send them elsewhere: that"
          + " one is its default gateway, or it followed a redirect",
      "an answer to a client's address comes with another MAC address than the server's",
      "make the balancer the default gateway, and let the server follow no redirects"),
  /** Full-size packets get lost. */
  MTU_TOO_SMALL(
      "full-size packets do not pass between balancer and server: the MTU of the server's interface, or of a switch"
          + " between them, is smaller than the balancer's",
      "an echo request of the link's MTU stays unanswered, is answered in fragments, or with \"too big\"; a small"
          + " one is answered",
      "use the same MTU on the whole link, or set 'mtu' of the interface in the configuration");

  private final String meaning;
  private final String seenBy;
  private final String remedy;

  Fault(String meaning, String seenBy, String remedy) {
    this.meaning = meaning;
    this.seenBy = seenBy;
    this.remedy = remedy;
  }

  /**
   * The fault's name in reports and scripts.
   *
   * @return for example {@code vip-missing}; never changed
   */
  public String code() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }

  /**
   * What is wrong.
   *
   * @return a sentence without a full stop
   */
  public String meaning() {
    return meaning;
  }

  /**
   * What shows it on the wire.
   *
   * @return a phrase
   */
  public String seenBy() {
    return seenBy;
  }

  /**
   * What to do.
   *
   * @return a sentence without a full stop
   */
  public String remedy() {
    return remedy;
  }

  /**
   * Whether the script that sets a server up mends it.
   *
   * @return true for what addresses, routes and kernel settings mend
   */
  public boolean isMendedBySetup() {
    return switch (this) {
      case VIP_MISSING, VIP_WRONG_MASK, VIP_ON_NIC, SERVER_ANSWERS_ARP, VIP_LEAKED, STRICT_RP_FILTER, GATEWAY_NOT_US,
          GATEWAY_DETOUR -> true;
      default -> false;
    };
  }
}
