package io.lb4j.neighbor;

import io.lb4j.address.IpAddress;
import io.lb4j.topology.Link;

/** A virtual address on a link, and how far its claim is. Guarded by the link layer's lock. */
final class Claim {
  /** How far a claim is. */
  enum Phase {
    /** Another instance's, since we are passive: neither answered for, nor announced, nor defended. */
    PASSIVE,
    /** To be begun at the next tick. */
    NEW,
    /** Asking whether anybody uses the address; not answered for. */
    PROBING,
    /** Somebody uses it; not answered for, tried again later. */
    CONFLICT,
    /** Ours: answered for and announced. */
    CLAIMED
  }

  final Link link;
  final IpAddress address;
  final Timer timer;
  Phase phase = Phase.PASSIVE;
  int sent; // probes or announcements of this phase
  boolean defendedBefore;
  long defendedNs; // when it was defended last

  Claim(Link link, IpAddress address, Claims claims) {
    this.link = link;
    this.address = address;
    this.timer = new Timer((nowNs, out) -> claims.expire(this, nowNs, out));
  }

  AddressClaim.State state() {
    return switch (phase) {
      case PASSIVE -> AddressClaim.State.PASSIVE;
      case NEW, PROBING -> AddressClaim.State.PROBING;
      case CONFLICT -> AddressClaim.State.CONFLICT;
      case CLAIMED -> AddressClaim.State.CLAIMED;
    };
  }
}
