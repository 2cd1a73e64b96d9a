package io.lb4j.neighbor;

import io.lb4j.address.IpAddress;
import io.lb4j.address.MacAddress;
import org.jspecify.annotations.Nullable;

/**
 * Hears what changes on the links. Called by whichever worker saw it, one call at a time, while the link layer is
 * locked: return soon and do not call back. Events are rare and limited in rate; none comes per frame.
 */
public interface NeighborListener {
  /** Hears nothing. */
  NeighborListener NONE = new NeighborListener() {};

  /**
   * A next hop answered that was unknown or lost before.
   *
   * @param link index of the interface
   * @param address the next hop
   * @param mac its MAC address
   */
  default void neighborFound(int link, IpAddress address, MacAddress mac) {}

  /**
   * A next hop stopped answering, or never answered. Told once; repeated attempts are silent. Of one that never answered
   * and that no configuration names, but only traffic, it is not told.
   *
   * @param link index of the interface
   * @param address the next hop
   * @param mac its last MAC address; null when there never was one
   */
  default void neighborLost(int link, IpAddress address, @Nullable MacAddress mac) {}

  /**
   * A next hop has another MAC address now: a fail-over, or somebody who claims to be it.
   *
   * @param link index of the interface
   * @param address the next hop
   * @param from the MAC address before
   * @param to the MAC address now
   * @param changes how often it changed since the last such event, 1 or more
   */
  default void neighborMoved(int link, IpAddress address, MacAddress from, MacAddress to, int changes) {}

  /**
   * A virtual address is ours: it is answered for from now on.
   *
   * @param link index of the interface
   * @param address the virtual address
   */
  default void virtualAddressClaimed(int link, IpAddress address) {}

  /**
   * Somebody else uses a virtual address.
   *
   * @param link index of the interface
   * @param address the virtual address
   * @param other the MAC address of the other
   * @param claimed true when it was ours already and is defended; false when it stays unclaimed and is tried later
   */
  default void virtualAddressConflict(int link, IpAddress address, MacAddress other, boolean claimed) {}

  /**
   * A next hop that control registered says that it has a virtual address: besides a conflict, its set-up is wrong.
   *
   * @param link index of the interface
   * @param server the next hop
   * @param mac its MAC address
   * @param address the virtual address
   * @param asking true when it asks for a neighbour as the virtual address; false when it answers for it
   */
  default void serverClaims(int link, IpAddress server, MacAddress mac, IpAddress address, boolean asking) {}

  /**
   * A next hop's answers to connections have another source than its address.
   *
   * @param link index of the interface
   * @param server the next hop
   * @param mac its MAC address
   * @param source what they have instead
   */
  default void wrongSource(int link, IpAddress server, MacAddress mac, IpAddress source) {}
}
