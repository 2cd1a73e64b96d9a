package io.lb4j.pcap.host;

import io.lb4j.address.IpPrefix;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/**
 * Whose frames are the balancer's, and none of the kernel's business. Immutable, shared.
 *
 * @param own what the balancer alone answers for: virtual addresses, those that it translates to, gateway addresses
 * @param inside whose default gateway the balancer is: servers of a gateway service, and hosts that start connections
 * @param routed those of {@code inside} that are reached from outside by their own addresses
 */
public record BalancerAddresses(List<IpPrefix> own, List<IpPrefix> inside, List<IpPrefix> routed) {
  /** Keeps copies. */
  public BalancerAddresses {
    own = List.copyOf(own);
    inside = List.copyOf(inside);
    routed = List.copyOf(routed);
  }

  /**
   * What Direct Server Return has.
   *
   * @param own what the balancer alone answers for
   * @return the same with nobody inside
   */
  public static BalancerAddresses of(List<IpPrefix> own) {
    return new BalancerAddresses(own, List.of(), List.of());
  }

  /**
   * These and others, for the time in which one configuration follows the other.
   *
   * @param other addresses
   * @return both
   */
  public BalancerAddresses and(BalancerAddresses other) {
    return new BalancerAddresses(
        union(own, other.own), union(inside, other.inside), union(routed, other.routed));
  }

  private static List<IpPrefix> union(List<IpPrefix> some, List<IpPrefix> others) {
    Set<IpPrefix> all = new LinkedHashSet<>(some);
    all.addAll(others);
    return List.copyOf(all);
  }
}
