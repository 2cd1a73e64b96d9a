package io.lb4j.neighbor;

import io.lb4j.address.IpAddress;

/**
 * How far the claim on one address is that is the balancer's alone: a virtual address, one of a NAT pool, or a gateway
 * address. Immutable, shared.
 *
 * @param networkInterface name of the interface
 * @param address the address
 * @param state how far
 */
public record AddressClaim(String networkInterface, IpAddress address, State state) {
  /** How far a claim is. */
  public enum State {
    /** Another instance's, since this one is passive. */
    PASSIVE,
    /** Asking whether anybody uses the address; not answered for yet. */
    PROBING,
    /** Somebody uses it; not answered for, tried again later. */
    CONFLICT,
    /** Ours: answered for and announced. */
    CLAIMED
  }
}
