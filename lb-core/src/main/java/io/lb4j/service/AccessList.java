package io.lb4j.service;

import io.lb4j.address.IpPrefix;
import io.lb4j.settings.ConfigurationError;
import io.lb4j.settings.ConfigurationException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * Which clients may use a service: the longest matching prefix decides; without a match everybody may, unless there is
 * an allowed prefix. Checked before any state is made, and for known flows as well. Immutable, shared; a look-up is a
 * binary search over disjoint ranges and allocates nothing.
 */
public final class AccessList {
  /** Everybody may. */
  public static final AccessList EVERYBODY = new AccessList(List.of(), List.of());

  private final List<IpPrefix> allow;
  private final List<IpPrefix> deny;
  private final Ranges v4;
  private final Ranges v6;

  /**
   * Where answers change: from each start to the next one the answer is the same. Sorted as unsigned 128-bit numbers.
   */
  private record Ranges(long[] high, long[] low, boolean[] allowed) {
    boolean allows(long addressHigh, long addressLow) {
      int from = 0;
      int to = high.length - 1;
      while (from < to) {
        int middle = (from + to + 1) >>> 1;
        int order = Long.compareUnsigned(high[middle], addressHigh);
        if (order < 0 || order == 0 && Long.compareUnsigned(low[middle], addressLow) <= 0) {
          from = middle;
        } else {
          to = middle - 1;
        }
      }
      return allowed[from];
    }
  }

  private record Point(long high, long low) {
    static int order(Point a, Point b) {
      int order = Long.compareUnsigned(a.high, b.high);
      return order != 0 ? order : Long.compareUnsigned(a.low, b.low);
    }
  }

  private AccessList(List<IpPrefix> allow, List<IpPrefix> deny) {
    this.allow = List.copyOf(allow);
    this.deny = List.copyOf(deny);
    this.v4 = ranges(false);
    this.v6 = ranges(true);
  }

  /**
   * A list.
   *
   * @param allow prefixes of clients that may; with at least one, all others may not
   * @param deny prefixes of clients that may not
   * @return the list
   * @throws ConfigurationException when a prefix is both allowed and denied
   */
  public static AccessList of(List<IpPrefix> allow, List<IpPrefix> deny) {
    Set<IpPrefix> both = new HashSet<>(allow);
    both.retainAll(deny);
    if (!both.isEmpty()) {
      throw new ConfigurationException(
          ConfigurationError.CONTRADICTION, "allow", both.iterator().next(), "is denied as well: remove one of the two");
    }
    return new AccessList(allow, deny);
  }

  private Ranges ranges(boolean isV6) {
    List<IpPrefix> prefixes = new ArrayList<>();
    allow.stream().filter(prefix -> prefix.address().isV6() == isV6).forEach(prefixes::add);
    deny.stream().filter(prefix -> prefix.address().isV6() == isV6).forEach(prefixes::add);
    List<Point> starts = new ArrayList<>();
    starts.add(new Point(0, 0));
    for (IpPrefix prefix : prefixes) {
      long high = prefix.address().high();
      long low = prefix.address().low();
      starts.add(new Point(high, low));
      long endHigh = high | ~IpPrefix.maskHigh(isV6, prefix.length());
      long endLow = low | ~IpPrefix.maskLow(isV6, prefix.length());
      if (!isV6) {
        endHigh = 0;
        endLow &= 0xFFFF_FFFFL;
      }
      if (endLow != -1L || endHigh != -1L) {
        starts.add(new Point(endLow == -1L ? endHigh + 1 : endHigh, endLow + 1));
      }
    }
    List<Point> sorted = starts.stream().distinct().sorted(Point::order).toList();
    boolean[] allowed = new boolean[sorted.size()];
    for (int i = 0; i < allowed.length; i++) {
      allowed[i] = decide(prefixes, isV6, sorted.get(i));
    }
    return new Ranges(
        sorted.stream().mapToLong(Point::high).toArray(), sorted.stream().mapToLong(Point::low).toArray(), allowed);
  }

  private boolean decide(List<IpPrefix> prefixes, boolean isV6, Point address) {
    IpPrefix longest = null;
    for (IpPrefix prefix : prefixes) {
      boolean matches = prefix.contains(isV6, address.high, address.low);
      if (matches && (longest == null || prefix.length() > longest.length())) {
        longest = prefix;
      }
    }
    return longest == null ? allow.isEmpty() : allow.contains(longest);
  }

  /**
   * Whether a client may use the service.
   *
   * @param isV6 the client's family
   * @param high first 64 bits of its address, 0 for IPv4
   * @param low last 64 bits, or the IPv4 address
   * @return false when it is to be dropped
   */
  public boolean allows(boolean isV6, long high, long low) {
    return (isV6 ? v6 : v4).allows(high, low);
  }

  /**
   * Whether there is anything to check.
   *
   * @return true when neither list has a prefix
   */
  public boolean isEmpty() {
    return allow.isEmpty() && deny.isEmpty();
  }

  /**
   * Prefixes of clients that may.
   *
   * @return as given
   */
  public List<IpPrefix> allow() {
    return allow;
  }

  /**
   * Prefixes of clients that may not.
   *
   * @return as given
   */
  public List<IpPrefix> deny() {
    return deny;
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof AccessList list && allow.equals(list.allow) && deny.equals(list.deny);
  }

  @Override
  public int hashCode() {
    return Arrays.asList(allow, deny).hashCode();
  }

  @Override
  public String toString() {
    return "allow " + allow + ", deny " + deny;
  }
}
