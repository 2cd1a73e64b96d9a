package io.lb4j.gateway;

import io.lb4j.address.IpAddress;
import io.lb4j.address.IpPrefix;
import java.util.List;

/**
 * What becomes of traffic that inside hosts start. Immutable, shared.
 *
 * @param from the inside hosts
 * @param pool external addresses of the same family; empty: routed unchanged
 * @param firstPort lowest external port
 * @param lastPort highest external port
 */
public record OutboundRule(IpPrefix from, List<IpAddress> pool, int firstPort, int lastPort) {
  /** Keeps a copy of the pool. */
  public OutboundRule {
    pool = List.copyOf(pool);
  }

  /**
   * Whether addresses stay.
   *
   * @return true without a pool
   */
  public boolean isRouted() {
    return pool.isEmpty();
  }
}
