package io.lb4j.neighbor;

import io.lb4j.address.MacAddress;

/**
 * Tells when a next hop of ours, by its MAC address, says that it has a virtual address: a real server that is set up
 * wrong. At most {@value #BURST} at once and as many a second, whatever the network sends; who hears it limits further.
 * Guarded by the link layer's lock.
 */
final class ServerClaims {
  private static final int BURST = 20;
  private static final long REFILL_NS = 1_000_000_000L / BURST;

  private final NeighborTable table;
  private final NeighborListener listener;
  private int tokens = BURST;
  private boolean begun;
  private long refilledNs;

  ServerClaims(NeighborTable table, NeighborListener listener) {
    this.table = table;
    this.listener = listener;
  }

  /**
   * Somebody says that he has a virtual address.
   *
   * @param claim ours
   * @param mac who
   * @param asking true when he asks for another address as this one
   */
  void onClaim(Claim claim, long mac, boolean asking, long nowNs) {
    if (!takeToken(nowNs)) {
      return;
    }
    Neighbor server = table.findByMac(claim.link.index(), mac, claim.address.isV6());
    if (server != null) {
      listener.serverClaims(claim.link.index(), server.address, MacAddress.of(mac), claim.address, asking);
    }
  }

  private boolean takeToken(long nowNs) {
    long earned = begun ? (nowNs - refilledNs) / REFILL_NS : 0;
    refilledNs = begun ? refilledNs + earned * REFILL_NS : nowNs;
    begun = true;
    tokens = (int) Math.min(BURST, tokens + earned);
    if (tokens == 0) {
      return false;
    }
    tokens--;
    return true;
  }
}
