package io.lb4j.forward;

import io.lb4j.frame.FrameView;
import io.lb4j.frame.Verdict;

/** The way out of the data path, shared by all forwarding methods. Owned by one worker. */
public interface Egress {
  /**
   * Writes the next hop's and our own MAC address, bytes 0 to 11, and chooses the interface. Marks that the interface
   * cannot carry are finished first. While the next hop is being resolved the frame is copied and held.
   *
   * @param frame complete above the link layer
   * @param link index of the interface
   * @param neighbor id of the next hop
   * @return {@link Verdict#FORWARD}, {@link Verdict#HOLD}, or a drop
   */
  Verdict send(FrameView frame, int link, int neighbor);

  /** No interface and no route leads there. */
  long NO_ROUTE = -1;

  /**
   * Where packets for a destination go first. Allocates nothing for destinations that were asked for before.
   *
   * @param v6 the family
   * @param high first 64 bits of the destination, 0 for IPv4
   * @param low last 64 bits, or the IPv4 address
   * @return interface and next hop, for {@link #linkOf} and {@link #neighborOf}; or {@link #NO_ROUTE}
   */
  long route(boolean v6, long high, long low);

  /**
   * The interface that leads to an address; nothing is learned by asking.
   *
   * @param v6 the family
   * @param high first 64 bits of the address, 0 for IPv4
   * @param low last 64 bits, or the IPv4 address
   * @return index of the interface, -1 when none does
   */
  int linkTowards(boolean v6, long high, long low);

  /**
   * The interface of a route.
   *
   * @param route not {@link #NO_ROUTE}
   * @return index of the interface
   */
  static int linkOf(long route) {
    return (int) (route >>> 32);
  }

  /**
   * The next hop of a route.
   *
   * @param route not {@link #NO_ROUTE}
   * @return its id in the neighbour table
   */
  static int neighborOf(long route) {
    return (int) route;
  }

  /**
   * The largest IP packet that an interface sends.
   *
   * @param link index of the interface
   * @return bytes
   */
  int mtu(int link);

  /**
   * Whether an interface takes super-frames as they are.
   *
   * @param link index of the interface
   * @return false when they have to be cut before
   */
  boolean carriesGso(int link);
}
