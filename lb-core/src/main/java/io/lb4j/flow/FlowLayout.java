package io.lb4j.flow;

import static io.lb4j.wire.DirectMemory.base;
import static io.lb4j.wire.DirectMemory.getIntNative;
import static io.lb4j.wire.DirectMemory.getUnsignedByte;
import static io.lb4j.wire.DirectMemory.setIntNative;

import io.lb4j.wire.IpProtocol;
import io.lb4j.wire.OffHeap;

/**
 * How flows lie in buckets of a cache line each: three of IPv4, or one of IPv6. Static; called by the worker that
 * owns the table.
 *
 * <pre>
 *           0        8        16       24   28   32   36   40   44   48   52   56   60  61  62  63
 *   IPv4    | addr 0 | addr 1 | addr 2 |port|port|port|seq |seq |seq |word|word|word|bh |bh |bh |over|
 *   IPv6    | source (16)     | destination (16) | port at 32 | seq 36 |  | word 48 |   | bh 60 | over 63 |
 *
 *   word    31 stale | 30 .. 28 state | 27 .. 12 tick last seen | 11 .. 0 binding, lower 12 bits;  0 = free
 *   stale   an established connection, of which others may have had segments since its sequence number was written
 *   bh      binding, upper 8 bits
 *   over    flows whose home is here or before and that live in a later bucket
 * </pre>
 *
 * A flow is named by where its word is: a <em>slot</em> is the word's offset in the memory of its family, a
 * <em>place</em> is the same for reading ({@link OffHeap#place}), a <em>handle</em> a quarter of the offset, with a bit
 * for the family.
 */
final class FlowLayout {
  static final int TICK_SHIFT = 28;
  static final int TICK_MASK = 0xFFFF;

  /** Buckets that are searched at most for one flow: as many as let the overflow count, a byte, hold what they hold. */
  static final int V4_PROBES = 84;

  /** The same for IPv6, whose buckets hold one flow. */
  static final int V6_PROBES = 250;

  static final int BUCKET_SHIFT = 6;

  /** Flows of IPv4 in a bucket. */
  static final int SLOTS = 3;

  static final int V4_PORTS = 24;
  static final int V6_PORTS = 32;
  static final int WORDS = 48;
  static final int SEQUENCE_BEFORE_WORD = 12;
  static final int OVERFLOW = 63;
  static final int STATE_SHIFT = 28;
  static final int STALE = 1 << 31;
  static final int TICK_IN_WORD = 12;

  /** Set in handles of IPv6 flows. */
  static final int V6_HANDLE = 1 << 30;

  private static final int STATE_MASK = 7;
  private static final int BINDING_HIGH = 60;
  private static final int BINDING_LOW_MASK = 0xFFF;
  private static final int HANDLE_MASK = V6_HANDLE - 1;
  private static final int IN_USE = 1 << FlowState.ESTABLISHED.ordinal() | 1 << FlowState.UDP.ordinal();
  private static final int LOWEST_UDP_WORD = FlowState.UDP_FIRST.ordinal();

  private FlowLayout() {}

  /** Multiply-shift instead of a remainder: any number of buckets, no division. */
  static int home(int flowHash, int buckets) {
    return (int) ((flowHash & 0xFFFF_FFFFL) * buckets >>> 32);
  }

  static boolean isOf(int word, boolean udp) {
    return word != 0 && isUdp(word) == udp;
  }

  static int protocolOf(int word) {
    return isUdp(word) ? IpProtocol.UDP : IpProtocol.TCP;
  }

  /** Those that are stale are negative. */
  private static boolean isUdp(int word) {
    return word >> STATE_SHIFT >= LOWEST_UDP_WORD;
  }

  /** Whether a flow is an established connection that is not stale, or UDP that has been seen twice. */
  static boolean isInUse(int word) {
    return (IN_USE >>> (word >>> STATE_SHIFT) & 1) != 0;
  }

  static int ageOf(int word, int tick) {
    return tick - (word >>> TICK_IN_WORD) & TICK_MASK;
  }

  static FlowState stateOf(int word) {
    return FlowState.of(word >>> STATE_SHIFT & STATE_MASK);
  }

  static int word(FlowState state, int tick, int binding) {
    return state.ordinal() << STATE_SHIFT | (tick & TICK_MASK) << TICK_IN_WORD | binding & BINDING_LOW_MASK;
  }

  static int slotOf(int handle) {
    return (handle & HANDLE_MASK) << 2;
  }

  static int bindingHigh(int slot) {
    return (slot & -64) + BINDING_HIGH + ((slot & 63) - WORDS >> 2);
  }

  static int bindingAt(OffHeap memory, int slot) {
    return memory.getInt(slot) & BINDING_LOW_MASK | (memory.getByte(bindingHigh(slot)) & 0xFF) << 12;
  }

  // ---- of a flow at a place; only where memory is reached by address ----------------------------------------------

  static int wordAt(long place) {
    return getIntNative(base(place));
  }

  /** The binding of the flow whose word is at a place. */
  static int bindingAt(long place, int word) {
    long high = (base(place) & -64) + BINDING_HIGH + ((place & 63) - WORDS >> 2);
    return word & BINDING_LOW_MASK | getUnsignedByte(high) << 12;
  }

  /** Records the time of a frame that changes no state. */
  static void refreshAt(long place, int word, int tick) {
    int now = word & ~(TICK_MASK << TICK_IN_WORD) | (tick & TICK_MASK) << TICK_IN_WORD;
    if (now != word) {
      setIntNative(base(place), now);
    }
  }

  static int sequenceAt(long place) {
    return getIntNative(base(place) - SEQUENCE_BEFORE_WORD);
  }

  static void expectAt(long place, int sequence) {
    setIntNative(base(place) - SEQUENCE_BEFORE_WORD, sequence);
  }
}
