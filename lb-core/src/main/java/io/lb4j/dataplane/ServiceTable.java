package io.lb4j.dataplane;

import io.lb4j.address.IpAddress;
import io.lb4j.address.IpPrefix;
import io.lb4j.service.PortRange;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Which service a new flow is for: longest prefix of the virtual address first, then the fewest ports. Immutable,
 * shared; allocates nothing per lookup. Asked on a miss of the flow table only.
 *
 * <p>Services of one address and one port, which most are, have a table of their own, {@link ExactServices}. For the
 * rest there is one open-addressed hash table per prefix length that occurs, longest first, from masked address to the
 * services on it.
 */
final class ServiceTable {
  private final Level[] v4;
  private final Level[] v6;
  private final ExactServices exact;

  /** All virtual addresses of one prefix length. */
  private static final class Level {
    final boolean hosts; // of full length
    final long maskHigh;
    final long maskLow;
    final long[] keys; // high and low of each slot
    final VipServices[] values;

    Level(int length, boolean v6, Map<IpPrefix, List<CompiledService>> services) {
      hosts = length == (v6 ? 128 : 32);
      maskHigh = IpPrefix.maskHigh(v6, length);
      maskLow = IpPrefix.maskLow(v6, length);
      int slots = Integer.highestOneBit(services.size() * 2) * 2;
      keys = new long[slots * 2];
      values = new VipServices[slots];
      services.forEach((vip, onVip) -> put(vip, new VipServices(onVip)));
    }

    private void put(IpPrefix vip, VipServices services) {
      int slot = slot(vip.address().high(), vip.address().low());
      keys[slot * 2] = vip.address().high();
      keys[slot * 2 + 1] = vip.address().low();
      values[slot] = services;
    }

    VipServices get(long high, long low) {
      return values[slot(high & maskHigh, low & maskLow)];
    }

    /** The slot that holds the key, or the free one where it would be. */
    private int slot(long high, long low) {
      int mask = values.length - 1;
      long mixed = (high * 31 + low) * 0x9E37_79B9_7F4A_7C15L;
      int slot = (int) (mixed >>> 32) & mask;
      while (values[slot] != null && (keys[slot * 2] != high || keys[slot * 2 + 1] != low)) {
        slot = slot + 1 & mask;
      }
      return slot;
    }
  }

  /** The services on one virtual address or prefix, per protocol, the most exact first. */
  private static final class VipServices {
    final PortIndex tcp;
    final PortIndex udp;

    VipServices(List<CompiledService> services) {
      tcp = new PortIndex(services.stream().filter(s -> s.declaration().protocol().number() == 6).toList());
      udp = new PortIndex(services.stream().filter(s -> s.declaration().protocol().number() == 17).toList());
    }
  }

  /** Single ports by their hash, then ranges, then the service of any port. */
  private static final class PortIndex {
    private static final int FREE = -1;

    final int[] singlePorts; // by slot
    final CompiledService[] singles;
    final int shift;
    final int[] rangeStarts;
    final CompiledService[] ranges;
    final CompiledService any;
    final CompiledService first; // of the lowest port

    PortIndex(List<CompiledService> services) {
      List<CompiledService> sorted = new ArrayList<>(services);
      sorted.sort(Comparator.comparingInt(s -> s.declaration().ports().first()));
      List<CompiledService> single = sorted.stream().filter(s -> s.declaration().ports().size() == 1).toList();
      int bits = 33 - Integer.numberOfLeadingZeros(single.size());
      shift = Integer.SIZE - bits;
      singlePorts = new int[1 << bits];
      singles = new CompiledService[1 << bits];
      Arrays.fill(singlePorts, FREE);
      single.forEach(this::put);
      ranges = sorted.stream().filter(PortIndex::isRange).toArray(CompiledService[]::new);
      rangeStarts = firstPorts(ranges);
      any = sorted.stream().filter(s -> s.declaration().ports().equals(PortRange.ANY)).findFirst().orElse(null);
      first = !single.isEmpty() ? single.get(0) : ranges.length > 0 ? ranges[0] : any;
    }

    private void put(CompiledService service) {
      int port = service.declaration().ports().first();
      int slot = slot(port);
      singlePorts[slot] = port;
      singles[slot] = service;
    }

    /** The slot that holds the port, or the free one where it would be. */
    private int slot(int port) {
      int slot = port * 0x9E37_79B9 >>> shift;
      while (singlePorts[slot] != port && singlePorts[slot] != FREE) {
        slot = slot + 1 & singlePorts.length - 1;
      }
      return slot;
    }

    private static boolean isRange(CompiledService service) {
      PortRange ports = service.declaration().ports();
      return ports.size() > 1 && !ports.equals(PortRange.ANY);
    }

    private static int[] firstPorts(CompiledService[] services) {
      int[] ports = new int[services.length];
      for (int i = 0; i < ports.length; i++) {
        ports[i] = services[i].declaration().ports().first();
      }
      return ports;
    }

    CompiledService get(int port) {
      CompiledService single = singles[slot(port)];
      if (single != null || rangeStarts.length == 0) {
        return single != null ? single : any;
      }
      int at = lastNotAbove(rangeStarts, port);
      if (at >= 0 && ranges[at].declaration().ports().contains(port)) {
        return ranges[at];
      }
      return any;
    }

    private static int lastNotAbove(int[] sorted, int value) {
      int low = 0;
      int high = sorted.length - 1;
      while (low <= high) {
        int middle = low + high >>> 1;
        if (sorted[middle] <= value) {
          low = middle + 1;
        } else {
          high = middle - 1;
        }
      }
      return high;
    }
  }

  /**
   * Compiles the table. Services that claim the same frames with equal right were refused before.
   *
   * @param services in any order
   */
  ServiceTable(List<CompiledService> services) {
    Map<IpPrefix, List<CompiledService>> byVip = byVip(services);
    v4 = levels(byVip, false);
    v6 = levels(byVip, true);
    Map<IpAddress, List<CompiledService>> single = new HashMap<>();
    List<IpAddress> closed = new ArrayList<>();
    byVip.forEach(
        (vip, onVip) -> {
          List<CompiledService> ofOnePort = onVip.stream().filter(s -> s.declaration().ports().size() == 1).toList();
          if (vip.isHost()) {
            single.put(vip.address(), ofOnePort);
            if (ofOnePort.size() == onVip.size() && !isInPrefix(vip.address())) {
              closed.add(vip.address());
            }
          }
        });
    exact = new ExactServices(single, closed);
  }

  private static Map<IpPrefix, List<CompiledService>> byVip(List<CompiledService> services) {
    Map<IpPrefix, List<CompiledService>> byVip = new HashMap<>();
    for (CompiledService service : services) {
      for (IpPrefix vip : service.declaration().vips()) {
        byVip.computeIfAbsent(vip, address -> new ArrayList<>()).add(service);
      }
    }
    return byVip;
  }

  private static Level[] levels(Map<IpPrefix, List<CompiledService>> byVip, boolean v6) {
    Map<Integer, Map<IpPrefix, List<CompiledService>>> byLength = new TreeMap<>(Comparator.reverseOrder());
    byVip.forEach(
        (vip, services) -> {
          if (vip.address().isV6() == v6) {
            byLength.computeIfAbsent(vip.length(), length -> new HashMap<>()).put(vip, services);
          }
        });
    return byLength.entrySet().stream()
        .map(entry -> new Level(entry.getKey(), v6, entry.getValue()))
        .toArray(Level[]::new);
  }

  /** Whether services are declared for a network that an address is of. */
  private boolean isInPrefix(IpAddress address) {
    return Arrays.stream(address.isV6() ? v6 : v4)
        .anyMatch(level -> !level.hosts && level.get(address.high(), address.low()) != null);
  }

  /**
   * The service a flow is for.
   *
   * @param isV6 family of the virtual address
   * @param high first 64 bits of it, 0 for IPv4
   * @param low last 64 bits of it, or the IPv4 address
   * @param tcp whether the protocol is TCP; else UDP
   * @param port destination port
   * @return null when no service wants it
   */
  @Nullable CompiledService find(boolean isV6, long high, long low, boolean tcp, int port) {
    CompiledService service = findExact(isV6, high, low, tcp, port);
    return service != null || isClosed(isV6, high, low, tcp) ? service : search(isV6, high, low, tcp, port);
  }

  /** The first step of {@link #find}: a service of one address and one port. */
  @Nullable CompiledService findExact(boolean isV6, long high, long low, boolean tcp, int port) {
    return exact.find(isV6, high, low, tcp, port);
  }

  /** The second: whether an address is virtual, and has services of one port only. */
  boolean isClosed(boolean isV6, long high, long low, boolean tcp) {
    return exact.isClosed(isV6, high, low, tcp);
  }

  /** The third: a service of several addresses or ports. */
  @Nullable CompiledService search(boolean isV6, long high, long low, boolean tcp, int port) {
    for (Level level : isV6 ? v6 : v4) {
      VipServices services = level.get(high, low);
      if (services != null) {
        CompiledService found = (tcp ? services.tcp : services.udp).get(port);
        if (found != null) {
          return found;
        }
      }
    }
    return null;
  }

  /**
   * Whether any service on a virtual address has a protocol.
   *
   * @param isV6 family of the virtual address
   * @param high first 64 bits of it, 0 for IPv4
   * @param low last 64 bits of it, or the IPv4 address
   * @param tcp whether the protocol is TCP; else UDP
   * @return true when one has
   */
  boolean serves(boolean isV6, long high, long low, boolean tcp) {
    for (Level level : isV6 ? v6 : v4) {
      VipServices services = level.get(high, low);
      if (services != null && (tcp ? services.tcp : services.udp).first != null) {
        return true;
      }
    }
    return false;
  }

  /**
   * Some service on a virtual address, for what is addressed to it as a whole.
   *
   * @param isV6 family of the virtual address
   * @param high first 64 bits of it, 0 for IPv4
   * @param low last 64 bits of it, or the IPv4 address
   * @return the first by protocol on the longest prefix, of single ports the lowest, else of ranges the lowest, else the
   *     one of any port; null when there is none
   */
  @Nullable CompiledService anyOn(boolean isV6, long high, long low) {
    for (Level level : isV6 ? v6 : v4) {
      VipServices services = level.get(high, low);
      if (services != null) {
        return services.tcp.first != null ? services.tcp.first : services.udp.first;
      }
    }
    return null;
  }
}
