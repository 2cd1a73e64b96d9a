package io.lb4j.gateway.nat;

import static io.lb4j.wire.DirectMemory.base;

import io.lb4j.flow.FlowHash;
import io.lb4j.settings.ConfigurationError;
import io.lb4j.settings.ConfigurationException;
import io.lb4j.wire.IpProtocol;
import io.lb4j.wire.OffHeap;

/**
 * Tuples and what they become, of one family: a hash table off the heap, of fixed size. Owned by one worker; allocates
 * nothing after construction.
 *
 * <p>Each direction of a session is an entry of its own that holds all a packet needs: the tuple it has, the tuple it
 * becomes, and state. A packet of an established session so costs one cache miss, whichever way it goes. The other
 * direction is found where it is needed by what this one becomes, turned round: there is no link to keep right.
 *
 * <pre>
 *           0                 8       12          16                  24
 *   IPv4    | addresses (8)   | ports | new ports | new addresses (8) | word (8)                      32 bytes
 *   IPv6    | addresses (32)                      at 32: ports | new ports | word (8) | new one (16)  64 bytes, a line
 * </pre>
 *
 * Translation mostly changes one address of a packet: the destination of a client's, the source of a reply. An IPv6
 * entry has that one as its new one; what the other becomes is in memory of its own, {@code others}, which packets need
 * only where services change both ({@link #changesBoth}).
 *
 * <p>Beside it, where a service asks for that, is a number of 4 bytes for each entry, which moves with it.
 *
 * <p>Linear probing from a keyed hash; removal moves later entries back, so that a miss ends at the first free entry
 * and never meets a tombstone. A handle is an index, void after any removal.
 */
final class SessionTable {
  static final int MISS = -1;

  /** The place of an entry that there is not. */
  static final long NOWHERE = -1;

  /** Stands for the protocol in the tuples of notes about connections; reserved, so no packet has it. */
  static final int NOTES = 255;

  private static final int V4_STRIDE = 32;
  private static final int V6_STRIDE = 64;
  static final int V4_WORD = 24;
  static final int V6_WORD = 40;
  static final int PORTS_4 = 8;
  static final int NEW_PORTS_4 = 12;
  static final int NEW_ADDRESSES_4 = 16;
  static final int PORTS_6 = 32;
  static final int NEW_PORTS_6 = 36;
  static final int NEW_ADDRESS_6 = 48;
  private static final int OTHER_STRIDE = 16;

  private final FlowHash hash;
  private final boolean v6;
  private final int stride;
  private final int wordOffset;
  private final int slots;
  private final int limit;
  private final OffHeap memory;
  private final long start; // the place of the first entry
  private final OffHeap others; // what the other address of each IPv6 entry becomes
  private OffHeap numbers = OffHeap.NONE; // a number of each entry, where one is kept
  private boolean changesBoth;
  private int used;

  /** A table with {@code slots} entries, of which three quarters are used at most. */
  SessionTable(boolean v6, int slots, FlowHash hash) {
    this.v6 = v6;
    this.hash = hash;
    this.slots = slots;
    this.limit = slots / 4 * 3;
    this.stride = v6 ? V6_STRIDE : V4_STRIDE;
    this.wordOffset = v6 ? V6_WORD : V4_WORD;
    this.memory = memory((long) slots * stride);
    this.start = memory.place(0);
    this.others = v6 ? memory((long) slots * OTHER_STRIDE) : OffHeap.NONE;
  }

  private static OffHeap memory(long bytes) {
    try {
      return OffHeap.of(bytes);
    } catch (OutOfMemoryError e) {
      throw new ConfigurationException(
          ConfigurationError.OUT_OF_RANGE,
          "flow-table: capacity",
          bytes,
          "the sessions need " + (bytes >> 20) + " MiB of direct memory, which -XX:MaxDirectMemorySize does not leave");
    }
  }

  /** Takes the memory for a number of each entry, once. */
  void keepNumbers() {
    if (!keepsNumbers()) {
      numbers = memory(slots * 4L + 7 & ~7L);
    }
  }

  boolean keepsNumbers() {
    return numbers != OffHeap.NONE;
  }

  /** An entry's number; 0 at first. */
  int number(int slot) {
    return numbers.getInt(slot * 4L);
  }

  void setNumber(int slot, int number) {
    numbers.setInt(slot * 4L, number);
  }

  int slots() {
    return slots;
  }

  int used() {
    return used;
  }

  boolean hasRoomFor(int entries) {
    return used + entries <= limit;
  }

  static int code(int protocol) {
    return protocol == IpProtocol.TCP ? 0 : protocol == IpProtocol.UDP ? 1 : protocol == NOTES ? 3 : 2;
  }

  private int protocol(int code) {
    return switch (code) {
      case 0 -> IpProtocol.TCP;
      case 1 -> IpProtocol.UDP;
      case 2 -> v6 ? IpProtocol.ICMPV6 : IpProtocol.ICMP;
      default -> NOTES;
    };
  }

  private int home(int flowHash) {
    return (int) ((flowHash & 0xFFFF_FFFFL) * slots >>> 32);
  }

  int touch(int flowHash) {
    int home = home(flowHash); // all memory that is needed, or it costs a miss of its own
    int word = memory.getInt(at(home) + wordOffset);
    if (changesBoth) {
      word += others.getInt(otherAt(home));
    }
    return keepsNumbers() ? word + number(home) : word;
  }

  private long at(int slot) {
    return (long) slot * stride;
  }

  private static long otherAt(int slot) {
    return (long) slot * OTHER_STRIDE;
  }

  /**
   * Whether there was a service's session of IPv6 with two new addresses since the table was made. Until then what a
   * plain session's other address becomes is what it is.
   */
  boolean changesBoth() {
    return changesBoth;
  }

  /**
   * The place of what the other address of an IPv6 entry becomes, by the entry's place. Only where memory has
   * addresses.
   */
  long otherPlace(long place) {
    return others.place(memory.offset(place) / V6_STRIDE * OTHER_STRIDE);
  }

  private int next(int slot) {
    return slot + 1 == slots ? 0 : slot + 1;
  }

  /** The place of an IPv4 tuple's entry; {@link #NOWHERE} without one. */
  long place4(int flowHash, long addresses, int ports, int protocol) {
    OffHeap bytes = memory;
    int slot = home(flowHash);
    while (true) {
      long entry = base(start + (long) slot * V4_STRIDE);
      long word = bytes.getLongAt(entry + V4_WORD);
      if (word == 0) {
        return NOWHERE;
      }
      if (bytes.getLongAt(entry) == addresses
          && bytes.getIntAt(entry + PORTS_4) == ports
          && Word.protocolCode(word) == code(protocol)) {
        return entry;
      }
      slot = next(slot);
    }
  }

  /** The place of an IPv6 tuple's entry; {@link #NOWHERE} without one. */
  long place6(
      int flowHash,
      long sourceHigh,
      long sourceLow,
      long destinationHigh,
      long destinationLow,
      int ports,
      int protocol) {
    OffHeap bytes = memory;
    int slot = home(flowHash);
    while (true) {
      long entry = base(start + (long) slot * V6_STRIDE);
      long word = bytes.getLongAt(entry + V6_WORD);
      if (word == 0) {
        return NOWHERE;
      }
      long difference =
          bytes.getLongAt(entry) ^ sourceHigh
              | bytes.getLongAt(entry + 8) ^ sourceLow
              | bytes.getLongAt(entry + 16) ^ destinationHigh
              | bytes.getLongAt(entry + 24) ^ destinationLow
              | bytes.getIntAt(entry + PORTS_6) ^ ports;
      if (difference == 0 && Word.protocolCode(word) == code(protocol)) {
        return entry;
      }
      slot = next(slot);
    }
  }

  /** An IPv4 tuple's entry. */
  int find4(int flowHash, long addresses, int ports, int protocol) {
    long place = place4(flowHash, addresses, ports, protocol);
    return place == NOWHERE ? MISS : (int) (memory.offset(place) / V4_STRIDE);
  }

  /** An IPv6 tuple's entry. */
  int find6(
      int flowHash,
      long sourceHigh,
      long sourceLow,
      long destinationHigh,
      long destinationLow,
      int ports,
      int protocol) {
    long place = place6(flowHash, sourceHigh, sourceLow, destinationHigh, destinationLow, ports, protocol);
    return place == NOWHERE ? MISS : (int) (memory.offset(place) / V6_STRIDE);
  }

  int find(Tuple tuple) {
    int flowHash = hashOf(tuple);
    return v6
        ? find6(
            flowHash,
            tuple.sourceHigh,
            tuple.sourceLow,
            tuple.destinationHigh,
            tuple.destinationLow,
            tuple.ports,
            tuple.protocol)
        : find4(flowHash, tuple.sourceLow << 32 | tuple.destinationLow, tuple.ports, tuple.protocol);
  }

  int hashOf(Tuple tuple) {
    return v6
        ? hash.of6(
            tuple.sourceHigh,
            tuple.sourceLow,
            tuple.destinationHigh,
            tuple.destinationLow,
            tuple.ports,
            tuple.protocol)
        : hash.of4(tuple.sourceLow << 32 | tuple.destinationLow, tuple.ports, tuple.protocol);
  }

  /** Adds an entry that {@link #find} missed; there must be room. Voids no handle. */
  int insert(Tuple key, Tuple becomes, long word) {
    int slot = home(hashOf(key));
    while (word(slot) != 0) {
      slot = next(slot);
    }
    long at = at(slot);
    if (v6) {
      put6(slot, key, becomes, word);
    } else {
      memory.setLong(at, key.sourceLow << 32 | key.destinationLow);
      memory.setInt(at + PORTS_4, key.ports);
      memory.setInt(at + NEW_PORTS_4, becomes.ports);
      memory.setLong(at + NEW_ADDRESSES_4, becomes.sourceLow << 32 | becomes.destinationLow);
    }
    memory.setLong(at + wordOffset, word);
    if (keepsNumbers()) {
      setNumber(slot, 0);
    }
    used++;
    return slot;
  }

  private void put6(int slot, Tuple key, Tuple becomes, long word) {
    long at = at(slot);
    long other = otherAt(slot);
    boolean newSource = hasNewSource(word);
    memory.setLong(at, key.sourceHigh);
    memory.setLong(at + 8, key.sourceLow);
    memory.setLong(at + 16, key.destinationHigh);
    memory.setLong(at + 24, key.destinationLow);
    memory.setInt(at + PORTS_6, key.ports);
    memory.setInt(at + NEW_PORTS_6, becomes.ports);
    memory.setLong(at + NEW_ADDRESS_6, newSource ? becomes.sourceHigh : becomes.destinationHigh);
    memory.setLong(at + NEW_ADDRESS_6 + 8, newSource ? becomes.sourceLow : becomes.destinationLow);
    long otherHigh = newSource ? becomes.destinationHigh : becomes.sourceHigh;
    long otherLow = newSource ? becomes.destinationLow : becomes.sourceLow;
    others.setLong(other, otherHigh);
    others.setLong(other + 8, otherLow);
    boolean changes =
        otherHigh != (newSource ? key.destinationHigh : key.sourceHigh)
            || otherLow != (newSource ? key.destinationLow : key.sourceLow);
    changesBoth |= changes && Word.kind(word) == Word.SESSION && !Word.has(word, Word.OUTBOUND);
  }

  /**
   * Whether the new address of an IPv6 entry is the source; a reply's direction does not change while the entry lives.
   */
  private static boolean hasNewSource(long word) {
    return Word.has(word, Word.REPLY);
  }

  private void keyOf6(int slot, Tuple tuple) {
    long at = at(slot);
    tuple.sourceHigh = memory.getLong(at);
    tuple.sourceLow = memory.getLong(at + 8);
    tuple.destinationHigh = memory.getLong(at + 16);
    tuple.destinationLow = memory.getLong(at + 24);
  }

  private void becomesOf6(int slot, Tuple tuple) {
    long at = at(slot) + NEW_ADDRESS_6;
    long other = otherAt(slot);
    boolean newSource = hasNewSource(word(slot));
    tuple.sourceHigh = newSource ? memory.getLong(at) : others.getLong(other);
    tuple.sourceLow = newSource ? memory.getLong(at + 8) : others.getLong(other + 8);
    tuple.destinationHigh = newSource ? others.getLong(other) : memory.getLong(at);
    tuple.destinationLow = newSource ? others.getLong(other + 8) : memory.getLong(at + 8);
  }

  private void get4(long at, Tuple tuple) {
    long addresses = memory.getLong(at);
    tuple.sourceHigh = 0;
    tuple.sourceLow = addresses >>> 32;
    tuple.destinationHigh = 0;
    tuple.destinationLow = addresses & 0xFFFF_FFFFL;
  }

  /** The tuple that an entry is found by. */
  Tuple key(int slot, Tuple into) {
    long at = at(slot);
    if (v6) {
      keyOf6(slot, into);
    } else {
      get4(at, into);
    }
    into.v6 = v6;
    into.ports = memory.getInt(at + (v6 ? PORTS_6 : PORTS_4));
    into.protocol = protocol(Word.protocolCode(word(slot)));
    return into;
  }

  /** The tuple that the key becomes. */
  Tuple becomes(int slot, Tuple into) {
    long at = at(slot);
    if (v6) {
      becomesOf6(slot, into);
    } else {
      get4(at + NEW_ADDRESSES_4, into);
    }
    into.v6 = v6;
    into.ports = memory.getInt(at + (v6 ? NEW_PORTS_6 : NEW_PORTS_4));
    into.protocol = protocol(Word.protocolCode(word(slot)));
    return into;
  }

  /** A counter in place of the destination that a mapping or filter does not become. */
  int count(int slot) {
    return (int) memory.getLong(countAt(slot));
  }

  void setCount(int slot, int count) {
    long at = countAt(slot);
    memory.setLong(at, memory.getLong(at) & ~0xFFFF_FFFFL | count & 0xFFFF_FFFFL);
  }

  private long countAt(int slot) {
    return at(slot) + (v6 ? NEW_ADDRESS_6 + 8 : NEW_ADDRESSES_4);
  }

  long word(int slot) {
    return memory.getLong(at(slot) + wordOffset);
  }

  void setWord(int slot, long word) {
    memory.setLong(at(slot) + wordOffset, word);
  }

  /**
   * Takes an entry out and closes the gap: entries that probed past it move back. Voids all handles.
   *
   * @return the last place that something moved from, or the entry's own
   */
  int remove(int slot) {
    int gap = slot;
    int candidate = slot;
    while (true) {
      candidate = next(candidate);
      if (word(candidate) == 0) {
        break;
      }
      int home = homeOf(candidate);
      boolean homeBehindGap = gap <= candidate ? gap < home && home <= candidate : gap < home || home <= candidate;
      if (!homeBehindGap) {
        move(candidate, gap);
        gap = candidate;
      }
    }
    setWord(gap, 0);
    used--;
    return gap;
  }

  /** Where a tuple's entry would be if nothing were in its way. */
  int homeOf(Tuple tuple) {
    return home(hashOf(tuple));
  }

  /** Whether an entry lives at the table's beginning because its end had no room. */
  boolean isWrapped(int slot) {
    return word(slot) != 0 && homeOf(slot) > slot;
  }

  private int homeOf(int slot) {
    long at = at(slot);
    int protocol = protocol(Word.protocolCode(word(slot)));
    return home(
        v6
            ? hash.of6(
                memory.getLong(at),
                memory.getLong(at + 8),
                memory.getLong(at + 16),
                memory.getLong(at + 24),
                memory.getInt(at + PORTS_6),
                protocol)
            : hash.of4(memory.getLong(at), memory.getInt(at + PORTS_4), protocol));
  }

  private void move(int from, int to) {
    for (int offset = 0; offset < stride; offset += 8) {
      memory.setLong(at(to) + offset, memory.getLong(at(from) + offset));
    }
    if (v6) {
      others.setLong(otherAt(to), others.getLong(otherAt(from)));
      others.setLong(otherAt(to) + 8, others.getLong(otherAt(from) + 8));
    }
    if (keepsNumbers()) {
      setNumber(to, number(from));
    }
  }
}
