package io.lb4j.service;

import io.lb4j.address.IpPrefix;
import io.lb4j.settings.ConfigurationError;
import io.lb4j.settings.ConfigurationException;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Comparator;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

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

    /** The first address behind a prefix; null when it holds the last one there is. */
    static @Nullable Point after(IpPrefix prefix) {
      boolean isV6 = prefix.address().isV6();
      long low = prefix.address().low() | ~IpPrefix.maskLow(isV6, prefix.length());
      if (!isV6) {
        long last = low & 0xFFFF_FFFFL;
        return last == 0xFFFF_FFFFL ? null : new Point(0, last + 1);
      }
      long high = prefix.address().high() | ~IpPrefix.maskHigh(true, prefix.length());
      if (low != -1L) {
        return new Point(high, low + 1);
      }
      return high == -1L ? null : new Point(high + 1, 0);
    }
  }

  private AccessList(List<IpPrefix> allow, List<IpPrefix> deny) {
    this.allow = List.copyOf(allow);
    this.deny = List.copyOf(deny);
    Set<IpPrefix> allowed = new HashSet<>(allow);
    Set<IpPrefix> all = new HashSet<>(allow);
    all.addAll(deny);
    this.v4 = ranges(false, allowed, all);
    this.v6 = ranges(true, allowed, all);
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

  /** One pass over the prefixes, which hold one another or are apart, in the order of their first addresses. */
  private static Ranges ranges(boolean isV6, Set<IpPrefix> allow, Set<IpPrefix> all) {
    List<IpPrefix> prefixes =
        all.stream()
            .filter(prefix -> prefix.address().isV6() == isV6)
            .sorted(Comparator.comparing(IpPrefix::address).thenComparing(IpPrefix::length))
            .toList();
    NavigableMap<Point, Boolean> changes = new TreeMap<>(Point::order);
    changes.put(new Point(0, 0), allow.isEmpty());
    Deque<IpPrefix> open = new ArrayDeque<>(); // each within the one before
    for (IpPrefix prefix : prefixes) {
      while (!open.isEmpty() && !open.peek().contains(prefix.address())) {
        close(open, allow, changes);
      }
      open.push(prefix);
      changes.put(new Point(prefix.address().high(), prefix.address().low()), allow.contains(prefix));
    }
    while (!open.isEmpty()) {
      close(open, allow, changes);
    }
    long[] high = changes.keySet().stream().mapToLong(Point::high).toArray();
    long[] low = changes.keySet().stream().mapToLong(Point::low).toArray();
    boolean[] allowed = new boolean[high.length];
    int at = 0;
    for (boolean answer : changes.values()) {
      allowed[at++] = answer;
    }
    return new Ranges(high, low, allowed);
  }

  /** Behind a prefix the one around it decides; behind the last address there is nothing. */
  private static void close(Deque<IpPrefix> open, Set<IpPrefix> allow, Map<Point, Boolean> changes) {
    IpPrefix ended = open.pop();
    Point next = Point.after(ended);
    if (next != null) {
      changes.put(next, open.isEmpty() ? allow.isEmpty() : allow.contains(open.peek()));
    }
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
