package io.lb4j.gateway.nat;

import io.lb4j.address.IpAddress;
import io.lb4j.address.IpPrefix;
import java.util.Collection;

/** Addresses and prefixes that are asked for by numbers. Immutable, shared; a question allocates nothing. */
final class AddressSet {
  private final long[] highs;
  private final long[] lows;
  private final byte[] families; // 0: a free slot
  private final IpPrefix[] wide;
  private final boolean empty;

  AddressSet(Collection<IpPrefix> prefixes) {
    int size = Integer.highestOneBit(Math.max(4, prefixes.size())) * 4;
    highs = new long[size];
    lows = new long[size];
    families = new byte[size];
    empty = prefixes.isEmpty();
    wide = prefixes.stream().filter(prefix -> !prefix.isHost()).distinct().toArray(IpPrefix[]::new);
    prefixes.stream().filter(IpPrefix::isHost).map(IpPrefix::address).forEach(this::add);
  }

  private void add(IpAddress address) {
    int slot = slotOf(address.isV6(), address.high(), address.low());
    families[slot] = family(address.isV6());
    highs[slot] = address.high();
    lows[slot] = address.low();
  }

  private static byte family(boolean v6) {
    return (byte) (v6 ? 6 : 4);
  }

  private int slotOf(boolean v6, long high, long low) {
    long h = (low ^ high * 0xC4CE_B9FE_1A85_EC53L) * 0x9E37_79B9_7F4A_7C15L;
    int slot = (int) (h >>> 32) & families.length - 1;
    while (families[slot] != 0 && (lows[slot] != low || highs[slot] != high || families[slot] != family(v6))) {
      slot = slot + 1 & families.length - 1;
    }
    return slot;
  }

  boolean isEmpty() {
    return empty;
  }

  boolean contains(boolean v6, long high, long low) {
    if (families[slotOf(v6, high, low)] != 0) {
      return true;
    }
    for (IpPrefix prefix : wide) {
      if (prefix.contains(v6, high, low)) {
        return true;
      }
    }
    return false;
  }
}
