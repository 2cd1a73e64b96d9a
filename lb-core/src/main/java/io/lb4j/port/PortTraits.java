package io.lb4j.port;

import io.lb4j.address.InterfaceAddress;
import io.lb4j.address.MacAddress;
import java.util.List;

/**
 * What a port knows of its network and what it can carry. Immutable, shared.
 *
 * @param mac the device's own address
 * @param mtu largest IP packet in bytes
 * @param addresses the host's addresses on the device; empty where there is no host beside us
 * @param hostStack whether a kernel beside us sees the same frames and answers for the interface addresses
 * @param carriesPartialChecksums whether a frame may leave with an unfinished transport checksum
 * @param carriesGso whether a super-frame may leave as it is
 */
public record PortTraits(
    MacAddress mac,
    int mtu,
    List<InterfaceAddress> addresses,
    boolean hostStack,
    boolean carriesPartialChecksums,
    boolean carriesGso) {
  /** Keeps a copy of the addresses. */
  public PortTraits {
    addresses = List.copyOf(addresses);
  }
}
