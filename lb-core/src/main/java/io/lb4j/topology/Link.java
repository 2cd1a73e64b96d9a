package io.lb4j.topology;

import io.lb4j.address.InterfaceAddress;
import io.lb4j.address.IpAddress;
import io.lb4j.address.MacAddress;
import java.util.List;
import java.util.Optional;

/**
 * One interface of the balancer. Immutable, shared.
 *
 * @param index 0, 1, ... in the order of declaration; frames name interfaces by it
 * @param name for example {@code eth0}
 * @param mac the address that our frames carry as source
 * @param mtu largest IP packet in bytes
 * @param addresses the balancer's own; the first of each family is the source for ARP and neighbour discovery
 * @param hostStack whether a kernel beside us answers for these addresses
 * @param carriesPartialChecksums whether a frame may leave with an unfinished transport checksum
 * @param carriesGso whether a super-frame may leave as it is
 * @param gatewayAddresses what hosts on the link may have as their gateway: the balancer's alone like a virtual address
 */
public record Link(
    int index,
    String name,
    MacAddress mac,
    int mtu,
    List<InterfaceAddress> addresses,
    boolean hostStack,
    boolean carriesPartialChecksums,
    boolean carriesGso,
    List<IpAddress> gatewayAddresses) {
  /** Keeps a copy of the addresses. */
  public Link {
    addresses = List.copyOf(addresses);
    gatewayAddresses = List.copyOf(gatewayAddresses);
  }

  /**
   * An interface without gateway addresses.
   *
   * @param index 0, 1, ... in the order of declaration
   * @param name for example {@code eth0}
   * @param mac the address that our frames carry as source
   * @param mtu largest IP packet in bytes
   * @param addresses the balancer's own
   * @param hostStack whether a kernel beside us answers for these addresses
   * @param carriesPartialChecksums whether a frame may leave with an unfinished transport checksum
   * @param carriesGso whether a super-frame may leave as it is
   */
  public Link(
      int index,
      String name,
      MacAddress mac,
      int mtu,
      List<InterfaceAddress> addresses,
      boolean hostStack,
      boolean carriesPartialChecksums,
      boolean carriesGso) {
    this(index, name, mac, mtu, addresses, hostStack, carriesPartialChecksums, carriesGso, List.of());
  }

  /**
   * Whether an address is one of this interface's own.
   *
   * @param address the address asked about
   * @return true when it is
   */
  public boolean owns(IpAddress address) {
    return addresses.stream().anyMatch(own -> own.address().equals(address));
  }

  /**
   * Whether an address is in a subnet that this interface is connected to.
   *
   * @param address the address asked about
   * @return true when it is
   */
  public boolean isOnLink(IpAddress address) {
    return addresses.stream().anyMatch(own -> own.network().contains(address));
  }

  /**
   * The source address for ARP and neighbour discovery towards a target: an own address whose subnet holds the target,
   * else the first of the family; for IPv6 without one the link-local address.
   *
   * @param target who is asked for
   * @return nothing when an IPv4 target is asked for on an interface without IPv4
   */
  public Optional<IpAddress> sourceTowards(IpAddress target) {
    Optional<IpAddress> own =
        addresses.stream()
            .filter(a -> a.network().contains(target))
            .map(InterfaceAddress::address)
            .findFirst()
            .or(
                () ->
                    addresses.stream()
                        .map(InterfaceAddress::address)
                        .filter(a -> a.isV6() == target.isV6())
                        .findFirst());
    return own.isEmpty() && target.isV6() ? Optional.of(mac.linkLocal()) : own;
  }
}
