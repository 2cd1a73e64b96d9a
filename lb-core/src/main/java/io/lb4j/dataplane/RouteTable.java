package io.lb4j.dataplane;

import io.lb4j.address.InterfaceAddress;
import io.lb4j.address.IpAddress;
import io.lb4j.address.IpPrefix;
import io.lb4j.forward.Egress;
import io.lb4j.neighbor.NeighborTable;
import io.lb4j.topology.Link;
import io.lb4j.topology.Route;
import io.lb4j.topology.Topology;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;

/**
 * Where packets go: the connected networks and the routes, the longest prefix first, and the hosts on connected
 * networks that were sent to before. Owned by one worker; a question about a known host allocates nothing.
 */
final class RouteTable {
  private static final int SLOTS = 4 * NeighborTable.MAXIMUM_ON_DEMAND;
  private static final long M1 = 0xFF51_AFD7_ED55_8CCDL;
  private static final long M2 = 0xC4CE_B9FE_1A85_EC53L;

  /** A destination: on a link when it has no router. */
  private record Entry(IpPrefix to, int link, int router, boolean onLink) {
    boolean isBroadcast(boolean v6, long high, long low) {
      return !v6 && onLink && to.length() < 31 && (low | IpPrefix.maskLow(false, to.length())) == 0xFFFF_FFFFL;
    }

    /** The address without a host part: of old a broadcast too (RFC 1122, section 3.2.1.3), or the routers' anycast. */
    boolean isNetworkItself(boolean v6, long high, long low) {
      int hostless = v6 ? 127 : 31;
      return onLink && to.length() < hostless && to.address().low() == low && to.address().high() == high;
    }
  }

  private final NeighborTable neighbors;
  private final long seed;
  private final Entry[] v4;
  private final Entry[] v6;
  private final long[] hostHigh = new long[SLOTS];
  private final long[] hostLow = new long[SLOTS];
  private final long[] hostRoute = new long[SLOTS]; // -1: free
  private int hosts;

  RouteTable(Topology topology, NeighborTable neighbors, long seed) {
    this.neighbors = neighbors;
    this.seed = seed | 1;
    List<Entry> entries = new ArrayList<>();
    for (Link link : topology.links()) {
      for (InterfaceAddress own : link.addresses()) {
        entries.add(new Entry(own.network(), link.index(), 0, true));
      }
    }
    for (Route route : topology.routes()) {
      int link = topology.linkOf(route.via()).orElseThrow().index();
      entries.add(new Entry(route.to(), link, neighbors.register(link, route.via()), false));
    }
    entries.sort(Comparator.comparingInt((Entry entry) -> entry.to().length()).reversed());
    this.v4 = entries.stream().filter(entry -> !entry.to().address().isV6()).toArray(Entry[]::new);
    this.v6 = entries.stream().filter(entry -> entry.to().address().isV6()).toArray(Entry[]::new);
    forgetHosts();
  }

  private void forgetHosts() {
    Arrays.fill(hostRoute, Egress.NO_ROUTE);
    hosts = 0;
  }

  /** Interface and next hop towards a destination, or {@link Egress#NO_ROUTE}. */
  long find(boolean isV6, long high, long low) {
    for (Entry entry : isV6 ? v6 : v4) {
      if (entry.to().contains(isV6, high, low)) {
        return entry.onLink() ? onLink(entry, isV6, high, low) : (long) entry.link() << 32 | entry.router();
      }
    }
    return Egress.NO_ROUTE;
  }

  /** The interface that leads to an address, -1 when none does. */
  int linkTowards(boolean isV6, long high, long low) {
    for (Entry entry : isV6 ? v6 : v4) {
      if (entry.to().contains(isV6, high, low)) {
        return entry.link();
      }
    }
    return -1;
  }

  private long onLink(Entry entry, boolean isV6, long high, long low) {
    if (entry.isBroadcast(isV6, high, low) || entry.isNetworkItself(isV6, high, low)) {
      return Egress.NO_ROUTE; // directed broadcasts are not forwarded (RFC 2644)
    }
    int slot = slotOf(isV6, high, low);
    long route = hostRoute[slot];
    if (route != Egress.NO_ROUTE) {
      if (neighbors.isCurrent(Egress.neighborOf(route))) {
        return route;
      }
    } else {
      hosts++;
    }
    return learn(entry, isV6, high, low, slot);
  }

  private long learn(Entry entry, boolean isV6, long high, long low, int freeSlot) {
    int slot = freeSlot;
    if (hosts > SLOTS / 2) {
      forgetHosts();
      hosts = 1;
      slot = slotOf(isV6, high, low);
    }
    int id = neighbors.registerOnDemand(entry.link(), IpAddress.of(isV6, high, low));
    hostHigh[slot] = high;
    hostLow[slot] = low;
    hostRoute[slot] = (long) entry.link() << 32 | id;
    return hostRoute[slot];
  }

  /** The slot that holds a host, or the free one where it would be. */
  private int slotOf(boolean isV6, long high, long low) {
    long h = (low ^ seed) * M1;
    h = (h ^ h >>> 32 ^ high) * M2;
    int slot = (int) (h >>> 40) & SLOTS - 1;
    while (hostRoute[slot] != Egress.NO_ROUTE && (hostLow[slot] != low || hostHigh[slot] != high)) {
      slot = slot + 1 & SLOTS - 1;
    }
    return slot;
  }
}
