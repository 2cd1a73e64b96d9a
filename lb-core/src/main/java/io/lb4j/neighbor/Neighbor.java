package io.lb4j.neighbor;

import io.lb4j.address.IpAddress;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;

/**
 * A registered next hop. Address and id are immutable; the timer and the counts are guarded by the link layer's lock;
 * MAC address and state live in the {@link NeighborTable}.
 */
final class Neighbor {
  final int id;
  final int link;
  final IpAddress address;

  /** Whether the data path asked for it since the last round of solicitations began. Any thread. */
  final AtomicBoolean wanted = new AtomicBoolean();

  /** Whether somebody asked for it who does not wait for the end of a back-off. Any thread. */
  final AtomicBoolean insisted = new AtomicBoolean();

  /** Written under the table's monitor. */
  volatile boolean registered = true;

  int solicitations; // sent in this round
  long backOffNs; // 0 before the first failure
  long lastMac; // 0 when there never was one
  boolean lost; // told so already
  int changes; // of the MAC address since the last event
  boolean movedBefore;
  long movedNs; // when the last event told of a change

  @Nullable Timer timer; // given by the resolver at the first use

  Neighbor(int id, int link, IpAddress address) {
    this.id = id;
    this.link = link;
    this.address = address;
  }
}
