package io.lb4j.port;

import io.lb4j.address.IpPrefix;
import java.util.List;

/**
 * Which frames a balancer wants of its ports. Immutable, shared.
 *
 * @param destinations virtual addresses, NAT pools and gateway addresses: frames for them
 * @param sources servers and inside hosts whose frames come through the balancer: frames from them that are sent to a MAC
 *     address of the port, and not to the host itself
 */
public record SteeredPrefixes(List<IpPrefix> destinations, List<IpPrefix> sources) {
  /** None yet. */
  public static final SteeredPrefixes NONE = new SteeredPrefixes(List.of(), List.of());

  /** Keeps copies. */
  public SteeredPrefixes {
    destinations = List.copyOf(destinations);
    sources = List.copyOf(sources);
  }
}
