package io.lb4j.neighbor;

import io.lb4j.address.InterfaceAddress;
import io.lb4j.address.IpAddress;
import io.lb4j.address.IpPrefix;
import io.lb4j.address.MacAddress;
import io.lb4j.topology.Link;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;

/**
 * Which addresses are ours: the virtual ones (VIPs, NAT pools and gateway addresses) and those of the interfaces.
 * Immutable, shared; compiled by control. The questions that take numbers are fast and allocate nothing.
 *
 * <p>While the balancer is passive the virtual ones are another instance's: known, but not to be spoken for.
 *
 * <p>A virtual address belongs to links: there it is probed, announced and answered for. A virtual prefix is answered
 * for with all its addresses, but neither probed nor announced nor joined: it is meant to be routed to us.
 */
public final class OwnedAddresses {
  private final List<Link> links;
  private final boolean active;
  private final List<List<IpPrefix>> virtual; // by link
  private final AddressIndex interfaces4;
  private final AddressIndex interfaces6;
  private final AddressIndex exact4;
  private final AddressIndex exact6;
  private final AddressIndex gateways4;
  private final AddressIndex gateways6;
  private final IpPrefix[] prefixes; // those of more than one address, of all links
  private final long[] marks; // of all addresses, by their hashes

  private OwnedAddresses(List<Link> links, List<Set<IpPrefix>> virtual, boolean active) {
    this.links = List.copyOf(links);
    this.active = active;
    this.virtual = virtual.stream().map(List::copyOf).toList();
    Map<IpAddress, Integer> interfaces = new HashMap<>();
    for (Link link : links) {
      link.addresses().forEach(own -> interfaces.putIfAbsent(own.address(), link.index()));
      interfaces.putIfAbsent(linkLocal(link), link.index());
    }
    Map<IpAddress, Integer> exact = new HashMap<>();
    all().filter(IpPrefix::isHost).forEach(vip -> exact.put(vip.address(), 1));
    Map<IpAddress, Integer> gateways = new HashMap<>();
    links.forEach(link -> link.gatewayAddresses().forEach(gateway -> gateways.put(gateway, link.index())));
    gateways4 = new AddressIndex(false, gateways);
    gateways6 = new AddressIndex(true, gateways);
    interfaces4 = new AddressIndex(false, interfaces);
    interfaces6 = new AddressIndex(true, interfaces);
    exact4 = new AddressIndex(false, exact);
    exact6 = new AddressIndex(true, exact);
    prefixes = all().filter(vip -> !vip.isHost()).distinct().toArray(IpPrefix[]::new);
    Set<IpAddress> ours = new HashSet<>(interfaces.keySet());
    ours.addAll(exact.keySet());
    marks = new long[Math.max(16, Integer.highestOneBit(ours.size()))]; // one bit in 32 is set at most
    ours.forEach(address -> mark(hash(address.high(), address.low())));
  }

  private void mark(int hash) {
    marks[hash >>> 6 & marks.length - 1] |= 1L << hash;
  }

  private static int hash(long high, long low) {
    return (int) ((high * 31 + low) * 0x9E37_79B9_7F4A_7C15L >>> 32);
  }

  private Stream<IpPrefix> all() {
    return virtual.stream().flatMap(List::stream);
  }

  /**
   * Starts with the interfaces and their gateway addresses.
   *
   * @param links all interfaces in the order of their indices
   * @return a builder, owned by the caller
   */
  public static Builder builder(List<Link> links) {
    return new Builder(links);
  }

  /**
   * Whether an address is perhaps one of ours, virtual or an interface's: to be asked before the exact questions where
   * the answer is hardly ever yes.
   *
   * @param v6 its family
   * @param high its first 64 bits, 0 for IPv4
   * @param low its last 64 bits, or the IPv4 address
   * @return false when it certainly is none
   */
  public boolean mayBeOurs(boolean v6, long high, long low) {
    int hash = hash(high, low);
    return (marks[hash >>> 6 & marks.length - 1] >>> hash & 1) != 0 || prefixes.length != 0 && inPrefix(v6, high, low);
  }

  /**
   * Whether an address is virtual.
   *
   * @param v6 its family
   * @param high its first 64 bits, 0 for IPv4
   * @param low its last 64 bits, or the IPv4 address
   * @return true when it is a VIP, belongs to a NAT pool, or is a gateway address, on whichever link
   */
  public boolean isVip(boolean v6, long high, long low) {
    return (v6 ? exact6 : exact4).get(high, low) != AddressIndex.MISS || inPrefix(v6, high, low);
  }

  private boolean inPrefix(boolean v6, long high, long low) {
    for (IpPrefix prefix : prefixes) {
      if (prefix.contains(v6, high, low)) {
        return true;
      }
    }
    return false;
  }

  /**
   * Whether an address is one that inside hosts may have as their gateway: virtual, but no service's.
   *
   * @param v6 its family
   * @param high its first 64 bits, 0 for IPv4
   * @param low its last 64 bits, or the IPv4 address
   * @return true when some link declares it
   */
  public boolean isGateway(boolean v6, long high, long low) {
    return (v6 ? gateways6 : gateways4).get(high, low) != AddressIndex.MISS;
  }

  /**
   * Whether the virtual addresses are to be spoken for.
   *
   * @return false while the balancer is passive
   */
  public boolean isActive() {
    return active;
  }

  /**
   * The interface that has an address, its IPv6 link-local address included.
   *
   * @param v6 its family
   * @param high its first 64 bits, 0 for IPv4
   * @param low its last 64 bits, or the IPv4 address
   * @return index of the interface, -1 when it is no interface address
   */
  public int interfaceOf(boolean v6, long high, long low) {
    return (v6 ? interfaces6 : interfaces4).get(high, low);
  }

  /**
   * Whether a kernel beside us answers for the interface addresses of a link.
   *
   * @param link index of the interface
   * @return true when frames to them are left to it
   */
  public boolean hostStack(int link) {
    return links.get(link).hostStack();
  }

  /**
   * The interfaces.
   *
   * @return in the order of their indices
   */
  public List<Link> links() {
    return links;
  }

  /**
   * The virtual addresses and prefixes of a link.
   *
   * @param link index of the interface
   * @return in the order of their declaration
   */
  public List<IpPrefix> virtualAddresses(int link) {
    return virtual.get(link);
  }

  /**
   * The solicited-node groups that a link has to be joined to (RFC 4291, section 2.7.1), so that neighbour
   * solicitations for our IPv6 addresses arrive: those of the virtual addresses and, without a kernel beside us, those
   * of the interface's own.
   *
   * @param link index of the interface
   * @return IPv6 multicast addresses, each once
   */
  public List<IpAddress> solicitedNodeGroups(int link) {
    Stream<IpAddress> vips = virtual.get(link).stream().filter(IpPrefix::isHost).map(IpPrefix::address);
    return Stream.concat(vips, ownV6(links.get(link)))
        .filter(IpAddress::isV6)
        .map(IpAddress::solicitedNode)
        .distinct()
        .toList();
  }

  private static Stream<IpAddress> ownV6(Link link) {
    List<IpAddress> own = link.addresses().stream().map(InterfaceAddress::address).filter(IpAddress::isV6).toList();
    return link.hostStack() || own.isEmpty() ? Stream.empty() : Stream.concat(own.stream(), Stream.of(linkLocal(link)));
  }

  /**
   * The Ethernet groups of {@link #solicitedNodeGroups(int)}, for the port to join.
   *
   * @param link index of the interface
   * @return MAC addresses that begin with 33:33, each once
   */
  public List<MacAddress> groups(int link) {
    return solicitedNodeGroups(link).stream().map(MacAddress::ofIpv6Multicast).distinct().toList();
  }

  /** The link's IPv6 link-local address: the declared one, else the one made from its MAC address. */
  static IpAddress linkLocal(Link link) {
    return link.addresses().stream()
        .map(InterfaceAddress::address)
        .filter(IpAddress::isLinkLocal)
        .findFirst()
        .orElseGet(() -> link.mac().linkLocal());
  }

  /**
   * Whether an address is the interface's own, and is to be answered for. Asked of the link itself: interfaces with one
   * MAC address, as those of two VLANs, have one link-local address, too.
   */
  boolean isAnsweredInterface(int link, IpAddress address) {
    Link own = links.get(link);
    return !own.hostStack() && (own.owns(address) || address.equals(linkLocal(own)));
  }

  /** Whether an address belongs to a virtual prefix of a link, and is to be answered for. */
  boolean isAnsweredPrefix(int link, IpAddress address) {
    return active && virtual.get(link).stream().anyMatch(vip -> !vip.isHost() && vip.contains(address));
  }

  /** Whether a MAC address is that of one of our interfaces. */
  boolean isOwnMac(long mac) {
    for (Link link : links) {
      if (link.mac().value() == mac) {
        return true;
      }
    }
    return false;
  }

  /** Collects virtual addresses. Owned by the control thread. */
  public static final class Builder {
    private final List<Link> links;
    private final List<Set<IpPrefix>> virtual = new ArrayList<>();
    private boolean active = true;

    private Builder(List<Link> links) {
      this.links = links;
      links.forEach(link -> virtual.add(new LinkedHashSet<>()));
      links.forEach(link -> link.gatewayAddresses().forEach(own -> virtualAddress(link.index(), IpPrefix.host(own))));
    }

    /**
     * Says whether the virtual addresses are to be spoken for.
     *
     * @param isActive false while the balancer is passive
     * @return this
     */
    public Builder active(boolean isActive) {
      active = isActive;
      return this;
    }

    /**
     * Adds a virtual address or prefix on the links whose subnets it overlaps; on every link when there is none such.
     *
     * @param vip a VIP or a NAT pool
     * @return this
     */
    public Builder virtualAddress(IpPrefix vip) {
      List<Link> connected =
          links.stream()
              .filter(link -> link.addresses().stream().anyMatch(own -> own.network().overlaps(vip)))
              .toList();
      (connected.isEmpty() ? links : connected).forEach(link -> virtualAddress(link.index(), vip));
      return this;
    }

    /**
     * Adds a virtual address or prefix on one link.
     *
     * @param link index of the interface
     * @param vip a VIP or a NAT pool
     * @return this
     */
    public Builder virtualAddress(int link, IpPrefix vip) {
      virtual.get(link).add(vip);
      return this;
    }

    /**
     * The addresses.
     *
     * @return immutable
     */
    public OwnedAddresses build() {
      return new OwnedAddresses(links, virtual, active);
    }
  }
}
