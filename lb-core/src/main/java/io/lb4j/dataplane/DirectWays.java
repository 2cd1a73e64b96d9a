package io.lb4j.dataplane;

import io.lb4j.neighbor.NeighborTable;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Where a server's frames go, in one word per binding: interface and MAC address, if nothing else has to be asked.
 * Words are made when they are first asked for, and forgotten when the snapshot or any MAC address changes. Owned by
 * one worker.
 */
final class DirectWays {
  /** The server's frames are to be walked. */
  static final long NONE = 0;

  private static final long UNKNOWN = -1;
  private static final int LINK_SHIFT = 48;
  private static final long MAC_MASK = (1L << LINK_SHIFT) - 1;

  private final NeighborTable neighbors;
  private long[] words = new long[0];
  private @Nullable ForwardingTable table;
  private long version;

  DirectWays(NeighborTable neighbors) {
    this.neighbors = neighbors;
  }

  /** To be called before a run of {@link #of}. */
  void refresh(ForwardingTable current) {
    if (current != table || neighbors.version() != version) {
      version = neighbors.version(); // before any MAC address is read
      table = current;
      int needed = current.highestBinding() + 1;
      if (words.length < needed) {
        words = new long[needed];
      }
      Arrays.fill(words, UNKNOWN);
    }
  }

  /** The word of a binding; {@link #NONE} for 0, which is none, and for those that the snapshot does not have. */
  long of(int binding) {
    long[] all = words;
    long word = binding < all.length ? all[binding] : NONE;
    return word != UNKNOWN ? word : learn(binding);
  }

  private long learn(int binding) {
    long way = table.plainWay(binding);
    long word = NONE;
    if (way != ForwardingTable.NOT_PLAIN) {
      long mac = neighbors.mac(ForwardingTable.neighbor(way));
      word = mac == NeighborTable.UNRESOLVED ? NONE : (long) ForwardingTable.link(way) << LINK_SHIFT | mac;
    }
    words[binding] = word;
    return word;
  }

  static int link(long word) {
    return (int) (word >>> LINK_SHIFT);
  }

  static long mac(long word) {
    return word & MAC_MASK;
  }
}
