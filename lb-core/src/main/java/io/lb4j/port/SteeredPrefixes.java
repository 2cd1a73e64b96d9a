package io.lb4j.port;

import io.lb4j.address.IpPrefix;
import java.util.List;

/**
 * Which frames a balancer wants of its ports. Immutable, shared.
 *
 * @param destinations virtual addresses, NAT pools and gateway addresses: frames for them
 * @param sources servers and inside hosts whose frames come through the balancer: frames from them that are sent to a
 *     MAC address of the port, and not to the host itself
 * @param routed inside hosts that are reached by their own addresses: frames for them that are sent to a MAC address of
 *     the port
 */
public record SteeredPrefixes(List<IpPrefix> destinations, List<IpPrefix> sources, List<IpPrefix> routed) {
  /** None yet. */
  public static final SteeredPrefixes NONE = new SteeredPrefixes(List.of(), List.of());

  /** Keeps copies. */
  public SteeredPrefixes {
    destinations = List.copyOf(destinations);
    sources = List.copyOf(sources);
    routed = List.copyOf(routed);
  }

  /**
   * Without routed hosts.
   *
   * @param destinations virtual addresses, NAT pools and gateway addresses
   * @param sources servers and inside hosts
   */
  public SteeredPrefixes(List<IpPrefix> destinations, List<IpPrefix> sources) {
    this(destinations, sources, List.of());
  }
}
