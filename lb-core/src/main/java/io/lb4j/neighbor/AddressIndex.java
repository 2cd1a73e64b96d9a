package io.lb4j.neighbor;

import io.lb4j.address.IpAddress;
import java.util.Collection;
import java.util.Map;

/**
 * A small map from addresses of one family to numbers: open addressing, half empty, the key's two longs side by side.
 * Immutable, shared; a look-up allocates nothing. The unspecified address cannot be a key, it marks an empty slot.
 */
final class AddressIndex {
  static final int MISS = -1;

  private final long[] keys; // high and low of each slot
  private final int[] values;
  private final int mask;

  AddressIndex(boolean v6, Map<IpAddress, Integer> entries) {
    Collection<Map.Entry<IpAddress, Integer>> family =
        entries.entrySet().stream().filter(e -> e.getKey().isV6() == v6 && !e.getKey().isUnspecified()).toList();
    int slots = Integer.highestOneBit(Math.max(1, family.size())) << 2;
    mask = slots - 1;
    keys = new long[slots << 1];
    values = new int[slots];
    for (Map.Entry<IpAddress, Integer> entry : family) {
      int slot = slotOf(entry.getKey().high(), entry.getKey().low());
      keys[slot << 1] = entry.getKey().high();
      keys[(slot << 1) + 1] = entry.getKey().low();
      values[slot] = entry.getValue();
    }
  }

  int get(long high, long low) {
    int slot = slotOf(high, low);
    return (keys[slot << 1] | keys[(slot << 1) + 1]) == 0 ? MISS : values[slot];
  }

  /** The slot that holds an address, else the empty one where it would be. */
  private int slotOf(long high, long low) {
    long mixed = (high * 31 + low) * 0x9E37_79B9_7F4A_7C15L;
    int slot = (int) (mixed >>> 32) & mask;
    while (!holds(slot, high, low) && (keys[slot << 1] | keys[(slot << 1) + 1]) != 0) {
      slot = slot + 1 & mask;
    }
    return slot;
  }

  private boolean holds(int slot, long high, long low) {
    return keys[slot << 1] == high && keys[(slot << 1) + 1] == low;
  }
}
