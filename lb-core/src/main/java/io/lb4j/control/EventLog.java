package io.lb4j.control;

import io.lb4j.address.IpAddress;
import io.lb4j.address.MacAddress;
import io.lb4j.neighbor.NeighborListener;
import io.lb4j.topology.Topology;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Writes what happens to next hops and virtual addresses to the log. Safe from any thread. */
public final class EventLog implements NeighborListener {
  private static final Logger LOG = LoggerFactory.getLogger("io.lb4j.events");

  private final Topology topology;

  /**
   * A log that names interfaces.
   *
   * @param topology knows their names
   */
  public EventLog(Topology topology) {
    this.topology = topology;
  }

  private String name(int link) {
    return topology.links().get(link).name();
  }

  @Override
  public void neighborFound(int link, IpAddress address, MacAddress mac) {
    LOG.info("{}: next hop {} is at {}", name(link), address, mac);
  }

  @Override
  public void neighborLost(int link, IpAddress address, @Nullable MacAddress mac) {
    LOG.warn("{}: next hop {} does not answer (was at {})", name(link), address, mac);
  }

  @Override
  public void neighborMoved(int link, IpAddress address, MacAddress from, MacAddress to, int changes) {
    LOG.warn("{}: next hop {} moved from {} to {}, change {}", name(link), address, from, to, changes);
  }

  @Override
  public void virtualAddressClaimed(int link, IpAddress address) {
    LOG.info("{}: virtual address {} is ours", name(link), address);
  }

  @Override
  public void virtualAddressConflict(int link, IpAddress address, MacAddress other, boolean claimed) {
    LOG.warn(
        "{}: {} also uses virtual address {}: {}; a real server that does so lacks arp_ignore=1 and arp_announce=2",
        name(link),
        other,
        address,
        claimed ? "defended" : "not claimed, tried again later");
  }
}
