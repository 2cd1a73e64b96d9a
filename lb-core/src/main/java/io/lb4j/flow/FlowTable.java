package io.lb4j.flow;

import static io.lb4j.wire.DirectMemory.base;
import static io.lb4j.wire.DirectMemory.getIntNative;
import static io.lb4j.wire.DirectMemory.getLongNative;
import static io.lb4j.wire.DirectMemory.getUnsignedByte;
import static io.lb4j.wire.DirectMemory.setIntNative;

import io.lb4j.settings.ConfigurationError;
import io.lb4j.settings.ConfigurationException;
import io.lb4j.wire.IpProtocol;
import io.lb4j.wire.OffHeap;

/**
 * The flows a worker knows: five-tuple to binding (service and real server), TCP state, next expected sequence number
 * and time last seen. Owned by one worker. Fixed capacity, off-heap, no allocation after construction.
 *
 * <p>A flow is found with one cache miss: everything a frame of a known flow needs is in the cache line that its hash
 * names. An IPv4 bucket holds three flows, an IPv6 bucket one:
 *
 * <pre>
 *           0        8        16       24   28   32   36   40   44   48   52   56   60  61  62  63
 *   IPv4    | addr 0 | addr 1 | addr 2 |port|port|port|seq |seq |seq |word|word|word|bh |bh |bh |over|
 *   IPv6    | source (16)     | destination (16) | port at 32 | seq 36 |  | word 48 |   | bh 60 | over 63 |
 *
 *   word    31 .. 28 state | 27 .. 12 tick last seen | 11 .. 0 binding, lower 12 bits;  0 = free
 *   bh      binding, upper 8 bits
 *   over    flows whose home is here or before and that live in a later bucket
 * </pre>
 *
 * Collisions go to the next bucket, at most {@link #V4_PROBES} or {@link #V6_PROBES} of them; a search ends at the first bucket that nothing
 * flowed over. Removal takes the counts back, so there are no tombstones and a miss stays as cheap as a hit. The layout
 * follows the measurements in which a tag array with separate records lost: two dependent misses cost twice one.
 *
 * <p>A handle names a flow until the flow ends; it is an offset, so it must not be kept over a call that can end flows.
 * Time is held in ticks of {@link #TICK_NS} modulo 2^16 (4.9 hours); {@link #sweep} must see the clock at least that
 * often, and handles larger jumps itself.
 */
public final class FlowTable {
  /** The answer when there is no such flow. */
  public static final int MISS = -1;

  /** The place of a flow that there is not. */
  public static final long NOWHERE = 0;

  /** No room: a half-open flow beyond the share of half-open flows. */
  public static final int NO_ROOM_EMBRYONIC = -2;

  /** No room: the table is full. */
  public static final int NO_ROOM = -3;

  private static final int TICK_SHIFT = 28;

  /** Unit of time last seen: 2^28 ns, about a quarter of a second. */
  public static final long TICK_NS = 1L << TICK_SHIFT;

  /** Up to this age no flow can have expired: {@link FlowTimeouts} allows no time-out below a second. */
  public static final int FRESH_TICKS = (int) (1_000_000_000L / TICK_NS);

  /** Smallest capacity. */
  public static final int MIN_CAPACITY = 16;

  /** Largest capacity. */
  public static final int MAX_CAPACITY = 1 << 24;

  /** Half-open flows may use one in so many of the capacity. */
  public static final int EMBRYONIC_SHARE = 4;

  /** Largest binding id. */
  public static final int MAX_BINDING = (1 << 20) - 1;

  /** Buckets that are searched at most for one flow: as many as let the overflow count, a byte, hold what they hold. */
  static final int V4_PROBES = 84;

  /** The same for IPv6, whose buckets hold one flow. */
  static final int V6_PROBES = 250;

  private static final int BUCKET_SHIFT = 6;
  private static final int SLOTS = 3;
  private static final int V4_PORTS = 24;
  private static final int V6_PORTS = 32;
  private static final int WORDS = 48;
  private static final int SEQUENCE_BEFORE_WORD = 12;
  private static final int BINDING_HIGH = 60;
  private static final int OVERFLOW = 63;
  private static final int STATE_SHIFT = 28;
  private static final int TICK_IN_WORD = 12;
  private static final int TICK_MASK = 0xFFFF;
  private static final int BINDING_LOW_MASK = 0xFFF;
  private static final int V6_HANDLE = 1 << 30;
  private static final int HANDLE_MASK = V6_HANDLE - 1;
  private static final int IN_USE = 1 << FlowState.ESTABLISHED.ordinal() | 1 << FlowState.UDP.ordinal();
  private static final int LOWEST_UDP_WORD = FlowState.UDP_FIRST.ordinal();

  /** Room for one flow in 0.7 of IPv4's slots, and in 0.625 of IPv6's, whose buckets hold one. */
  private static final double V4_LOAD = 0.7;
  private static final double V6_LOAD = 0.625;

  /** Victims are looked for in so many buckets behind a flow's home. */
  private static final int EVICTION_WINDOW = 8;

  private static final long LARGE_JUMP_TICKS = 1 << 11;

  private final FlowHash hash;
  private final FlowListener listener;
  private final FlowTableOverflow overflow;
  private final int capacity;
  private final int embryonicLimit;
  private final int v4Buckets;
  private final OffHeap v4;
  private final long v4Start;
  private int v6Buckets;
  private OffHeap v6 = OffHeap.NONE;
  private long v6Start;
  private int size;
  private int embryonic;
  private long evictions;
  private long sweptTick;
  private int cursor;

  /**
   * An empty table. Memory for IPv6 flows is taken when {@link #enableV6} is called.
   *
   * @param capacity flows held at most, both families together
   * @param overflow what happens to a new flow when there is no room
   * @param seed of the hash; equal seeds give equal tables
   * @param nowNs the time
   * @param listener is asked for time-outs and told of ends
   * @throws ConfigurationException when the capacity is out of range or the memory cannot be had
   */
  public FlowTable(int capacity, FlowTableOverflow overflow, long seed, long nowNs, FlowListener listener) {
    if (capacity < MIN_CAPACITY || capacity > MAX_CAPACITY) {
      throw new ConfigurationException(
          ConfigurationError.OUT_OF_RANGE,
          "flow-table: capacity",
          capacity,
          "not in " + MIN_CAPACITY + ".." + MAX_CAPACITY);
    }
    this.capacity = capacity;
    this.embryonicLimit = Math.max(1, capacity / EMBRYONIC_SHARE);
    this.overflow = overflow;
    this.hash = new FlowHash(seed);
    this.listener = listener;
    this.sweptTick = nowNs >> TICK_SHIFT;
    this.v4Buckets = (int) Math.ceil(capacity / (SLOTS * V4_LOAD));
    this.v4 = memory(v4Buckets);
    this.v4Start = v4.place(0);
  }

  private OffHeap memory(int buckets) {
    int bytes = buckets << BUCKET_SHIFT;
    try {
      return OffHeap.of(bytes);
    } catch (OutOfMemoryError e) {
      throw new ConfigurationException(
          ConfigurationError.OUT_OF_RANGE,
          "flow-table: capacity",
          capacity,
          "needs " + (bytes >> 20) + " MiB of direct memory, which -XX:MaxDirectMemorySize does not leave");
    }
  }

  /** Takes the memory for IPv6 flows, once; a pause of some ten milliseconds per 100 MiB. */
  public void enableV6() {
    if (v6Buckets == 0) {
      int buckets = (int) Math.ceil(capacity / V6_LOAD);
      v6 = memory(buckets);
      v6Start = v6.place(0);
      v6Buckets = buckets;
    }
  }

  /**
   * Flows held at most.
   *
   * @return as given
   */
  public int capacity() {
    return capacity;
  }

  /**
   * Flows held now, those included whose time-out is over and that no sweep has met.
   *
   * @return 0..capacity
   */
  public int size() {
    return size;
  }

  /**
   * Half-open flows held now.
   *
   * @return 0..{@link #size()}
   */
  public int embryonic() {
    return embryonic;
  }

  /**
   * Flows that gave way to new ones since construction.
   *
   * @return a count
   */
  public long evictions() {
    return evictions;
  }

  /**
   * Off-heap memory in use.
   *
   * @return bytes
   */
  public long memoryBytes() {
    return v4.size() + v6.size();
  }

  /**
   * The tick a time belongs to.
   *
   * @param nowNs nanoseconds
   * @return ticks; the table keeps the lower 16 bits
   */
  public static int tick(long nowNs) {
    return (int) (nowNs >> TICK_SHIFT);
  }

  /**
   * The hash of an IPv4 flow.
   *
   * @param source 32 bits
   * @param destination 32 bits
   * @param ports source port in the upper, destination port in the lower 16 bits
   * @param protocol 6 or 17
   * @return for {@link #find4} and {@link #insert4}
   */
  public int hash4(long source, long destination, int ports, int protocol) {
    return hash.of4(source << 32 | destination, ports, protocol);
  }

  /**
   * The hash of an IPv6 flow.
   *
   * @param sourceHigh first 64 bits of the source
   * @param sourceLow last 64 bits of the source
   * @param destinationHigh first 64 bits of the destination
   * @param destinationLow last 64 bits of the destination
   * @param ports source port in the upper, destination port in the lower 16 bits
   * @param protocol 6 or 17
   * @return for {@link #find6} and {@link #insert6}
   */
  public int hash6(
      long sourceHigh, long sourceLow, long destinationHigh, long destinationLow, int ports, int protocol) {
    return hash.of6(sourceHigh, sourceLow, destinationHigh, destinationLow, ports, protocol);
  }

  /**
   * Reads one word of the home bucket, so that the cache line is on its way while others are asked for.
   *
   * @param v6Flow the family
   * @param flowHash from {@link #hash4} or {@link #hash6}
   * @return the word; add it up, so that the compiler keeps the load
   */
  public int touch(boolean v6Flow, int flowHash) {
    if (v6Flow) {
      return v6Buckets == 0 ? 0 : v6.getIntAt(v6.place(home(flowHash, v6Buckets) << BUCKET_SHIFT));
    }
    return v4.getIntAt(v4.place(home(flowHash, v4Buckets) << BUCKET_SHIFT));
  }

  /** Multiply-shift instead of a remainder: any number of buckets, no division. */
  private static int home(int flowHash, int buckets) {
    return (int) ((flowHash & 0xFFFF_FFFFL) * buckets >>> 32);
  }

  private static boolean isOf(int word, boolean udp) {
    return word != 0 && word >>> STATE_SHIFT >= LOWEST_UDP_WORD == udp;
  }

  /**
   * Finds an IPv4 flow in its home bucket, where nine of ten are. Which of the three slots it is in nobody can predict,
   * so the slot is chosen without a branch, by the ports, and then the whole key is compared. Only where memory is
   * reached by address.
   *
   * @param flowHash from {@link #hash4}
   * @param addresses source in the upper, destination in the lower 32 bits
   * @param ports source port in the upper, destination port in the lower 16 bits
   * @param protocol 6 or 17
   * @return the flow's place, or {@link #NOWHERE}
   */
  public long atHome4(int flowHash, long addresses, int ports, int protocol) {
    long bucket = base(v4Start + ((long) home(flowHash, v4Buckets) << BUCKET_SHIFT));
    int second = oneIfZero(getIntNative(bucket + V4_PORTS + 4) ^ ports);
    int third = oneIfZero(getIntNative(bucket + V4_PORTS + 8) ^ ports);
    long slot = third << 1 | second & ~third;
    long word = base(bucket + WORDS + (slot << 2));
    long difference =
        getLongNative(base(bucket + (slot << 3))) ^ addresses | getIntNative(word + V4_PORTS - WORDS) ^ ports;
    return difference == 0 && isOf(getIntNative(word), protocol == IpProtocol.UDP) ? word : NOWHERE;
  }

  /**
   * Finds an IPv6 flow in its home bucket. Only where memory is reached by address.
   *
   * @param flowHash from {@link #hash6}
   * @param sourceHigh first 64 bits of the source
   * @param sourceLow last 64 bits of the source
   * @param destinationHigh first 64 bits of the destination
   * @param destinationLow last 64 bits of the destination
   * @param ports source port in the upper, destination port in the lower 16 bits
   * @param protocol 6 or 17
   * @return the flow's place, or {@link #NOWHERE}
   */
  public long atHome6(
      int flowHash,
      long sourceHigh,
      long sourceLow,
      long destinationHigh,
      long destinationLow,
      int ports,
      int protocol) {
    if (v6Buckets == 0) {
      return NOWHERE;
    }
    long bucket = base(v6Start + ((long) home(flowHash, v6Buckets) << BUCKET_SHIFT));
    long difference =
        getLongNative(bucket) ^ sourceHigh
            | getLongNative(bucket + 8) ^ sourceLow
            | getLongNative(bucket + 16) ^ destinationHigh
            | getLongNative(bucket + 24) ^ destinationLow
            | getIntNative(bucket + V6_PORTS) ^ ports;
    return difference == 0 && isOf(getIntNative(bucket + WORDS), protocol == IpProtocol.UDP) ? bucket + WORDS : NOWHERE;
  }

  /**
   * Whether a flow may be in the table although {@link #atHome4} or {@link #atHome6} has not found it: because its home
   * bucket flowed over, or because another flow there has the same ports.
   *
   * @param v6Flow the family
   * @param flowHash from {@link #hash4} or {@link #hash6}
   * @param ports source port in the upper, destination port in the lower 16 bits
   * @return false for nearly all flows that are new
   */
  public boolean mayBeElsewhere(boolean v6Flow, int flowHash, int ports) {
    if (v6Flow) {
      return v6Buckets != 0 && v6.getByte(((long) home(flowHash, v6Buckets) << BUCKET_SHIFT) + OVERFLOW) != 0;
    }
    long bucket = v4.place((long) home(flowHash, v4Buckets) << BUCKET_SHIFT);
    return v4.getByteAt(bucket + OVERFLOW) != 0
        || v4.getIntAt(bucket + V4_PORTS) == ports
        || v4.getIntAt(bucket + V4_PORTS + 4) == ports
        || v4.getIntAt(bucket + V4_PORTS + 8) == ports;
  }

  /**
   * Finds an IPv4 flow.
   *
   * @param flowHash from {@link #hash4}
   * @param addresses source in the upper, destination in the lower 32 bits
   * @param ports source port in the upper, destination port in the lower 16 bits
   * @param protocol 6 or 17
   * @return the flow's place, or {@link #NOWHERE}
   */
  public long place4(int flowHash, long addresses, int ports, int protocol) {
    return search4(home(flowHash, v4Buckets), addresses, ports, protocol == IpProtocol.UDP);
  }

  private boolean isIn6(
      long bucket, long sourceHigh, long sourceLow, long destinationHigh, long destinationLow, int ports, boolean udp) {
    OffHeap memory = v6;
    return memory.getLongAt(bucket + 8) == sourceLow
        && memory.getIntAt(bucket + V6_PORTS) == ports
        && memory.getLongAt(bucket) == sourceHigh
        && memory.getLongAt(bucket + 24) == destinationLow
        && memory.getLongAt(bucket + 16) == destinationHigh
        && isOf(memory.getIntAt(bucket + WORDS), udp);
  }

  private boolean isIn4(long bucket, int slot, long addresses, int ports, boolean udp) {
    OffHeap memory = v4;
    return memory.getLongAt(bucket + (slot << 3)) == addresses
        && memory.getIntAt(bucket + V4_PORTS + (slot << 2)) == ports
        && isOf(memory.getIntAt(bucket + WORDS + (slot << 2)), udp);
  }

  /** Looks at every slot of the home bucket, and of those that it flowed over into. */
  private long search4(int home, long addresses, int ports, boolean udp) {
    int index = home;
    for (int probes = 1; ; probes++) {
      long bucket = v4.place(index << BUCKET_SHIFT);
      for (int slot = 0; slot < SLOTS; slot++) {
        if (isIn4(bucket, slot, addresses, ports, udp)) {
          return bucket + WORDS + (slot << 2);
        }
      }
      if (v4.getByteAt(bucket + OVERFLOW) == 0 || probes == V4_PROBES) {
        return NOWHERE;
      }
      index = index + 1 == v4Buckets ? 0 : index + 1;
    }
  }

  /**
   * Finds an IPv6 flow.
   *
   * @param flowHash from {@link #hash6}
   * @param sourceHigh first 64 bits of the source
   * @param sourceLow last 64 bits of the source
   * @param destinationHigh first 64 bits of the destination
   * @param destinationLow last 64 bits of the destination
   * @param ports source port in the upper, destination port in the lower 16 bits
   * @param protocol 6 or 17
   * @return the flow's place, or {@link #NOWHERE}
   */
  public long place6(
      int flowHash,
      long sourceHigh,
      long sourceLow,
      long destinationHigh,
      long destinationLow,
      int ports,
      int protocol) {
    if (v6Buckets == 0) {
      return NOWHERE;
    }
    OffHeap memory = v6;
    boolean udp = protocol == IpProtocol.UDP;
    int index = home(flowHash, v6Buckets);
    for (int probes = 1; ; probes++) {
      long bucket = memory.place(index << BUCKET_SHIFT);
      if (isIn6(bucket, sourceHigh, sourceLow, destinationHigh, destinationLow, ports, udp)) {
        return bucket + WORDS;
      }
      if (memory.getByteAt(bucket + OVERFLOW) == 0 || probes == V6_PROBES) {
        return NOWHERE;
      }
      index = index + 1 == v6Buckets ? 0 : index + 1;
    }
  }

  /**
   * The handle of a flow that was found.
   *
   * @param six the family
   * @param place of the flow, or {@link #NOWHERE}
   * @return a handle, or {@link #MISS}
   */
  public int handle(boolean six, long place) {
    if (place == NOWHERE) {
      return MISS;
    }
    return (int) ((six ? v6 : v4).offset(place) >> 2) | (six ? V6_HANDLE : 0);
  }

  /**
   * Finds an IPv4 flow.
   *
   * @param flowHash from {@link #hash4}
   * @param source 32 bits
   * @param destination 32 bits
   * @param ports source port in the upper, destination port in the lower 16 bits
   * @param protocol 6 or 17
   * @return a handle, or {@link #MISS}
   */
  public int find4(int flowHash, long source, long destination, int ports, int protocol) {
    return handle(false, place4(flowHash, source << 32 | destination, ports, protocol));
  }

  /**
   * Finds an IPv6 flow.
   *
   * @param flowHash from {@link #hash6}
   * @param sourceHigh first 64 bits of the source
   * @param sourceLow last 64 bits of the source
   * @param destinationHigh first 64 bits of the destination
   * @param destinationLow last 64 bits of the destination
   * @param ports source port in the upper, destination port in the lower 16 bits
   * @param protocol 6 or 17
   * @return a handle, or {@link #MISS}
   */
  public int find6(
      int flowHash,
      long sourceHigh,
      long sourceLow,
      long destinationHigh,
      long destinationLow,
      int ports,
      int protocol) {
    return handle(true, place6(flowHash, sourceHigh, sourceLow, destinationHigh, destinationLow, ports, protocol));
  }

  private static int oneIfZero(int bits) {
    return (bits | -bits) >>> 31 ^ 1;
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

  // ---- changes ---------------------------------------------------------------------------------------------------

  /**
   * Adds an IPv4 flow that {@link #find4} missed.
   *
   * @param flowHash from {@link #hash4}
   * @param source 32 bits
   * @param destination 32 bits
   * @param ports source port in the upper, destination port in the lower 16 bits
   * @param state of the new flow
   * @param binding 1..{@link #MAX_BINDING}
   * @param sequence next expected sequence number; 0 for UDP
   * @param tick now, see {@link #tick}
   * @return a handle, {@link #NO_ROOM} or {@link #NO_ROOM_EMBRYONIC}
   */
  public int insert4(
      int flowHash,
      long source,
      long destination,
      int ports,
      FlowState state,
      int binding,
      int sequence,
      int tick) {
    int slot = claim(v4, v4Buckets, SLOTS, flowHash, state, tick);
    if (slot < 0) {
      return slot;
    }
    int at = slot & -64;
    int which = (slot - at - WORDS) >> 2;
    v4.setLong(at + (which << 3), source << 32 | destination);
    v4.setInt(at + V4_PORTS + (which << 2), ports);
    fill(v4, slot, state, binding, sequence, tick);
    return slot >> 2;
  }

  /**
   * Adds an IPv6 flow that {@link #find6} missed.
   *
   * @param flowHash from {@link #hash6}
   * @param sourceHigh first 64 bits of the source
   * @param sourceLow last 64 bits of the source
   * @param destinationHigh first 64 bits of the destination
   * @param destinationLow last 64 bits of the destination
   * @param ports source port in the upper, destination port in the lower 16 bits
   * @param state of the new flow
   * @param binding 1..{@link #MAX_BINDING}
   * @param sequence next expected sequence number; 0 for UDP
   * @param tick now, see {@link #tick}
   * @return a handle, {@link #NO_ROOM} or {@link #NO_ROOM_EMBRYONIC}
   */
  public int insert6(
      int flowHash,
      long sourceHigh,
      long sourceLow,
      long destinationHigh,
      long destinationLow,
      int ports,
      FlowState state,
      int binding,
      int sequence,
      int tick) {
    int slot = claim(v6, v6Buckets, 1, flowHash, state, tick);
    if (slot < 0) {
      return slot;
    }
    int at = slot - WORDS;
    v6.setLong(at, sourceHigh);
    v6.setLong(at + 8, sourceLow);
    v6.setLong(at + 16, destinationHigh);
    v6.setLong(at + 24, destinationLow);
    v6.setInt(at + V6_PORTS, ports);
    fill(v6, slot, state, binding, sequence, tick);
    return slot >> 2 | V6_HANDLE;
  }

  private void fill(OffHeap memory, int slot, FlowState state, int binding, int sequence, int tick) {
    memory.setInt(slot - SEQUENCE_BEFORE_WORD, sequence);
    memory.setByte(bindingHigh(slot), (byte) (binding >>> 12));
    memory.setInt(slot, word(state, tick, binding));
    size++;
    if (state.isEmbryonic()) {
      embryonic++;
    }
  }

  private static int word(FlowState state, int tick, int binding) {
    return state.ordinal() << STATE_SHIFT | (tick & TICK_MASK) << TICK_IN_WORD | binding & BINDING_LOW_MASK;
  }

  private static int bindingHigh(int slot) {
    return (slot & -64) + BINDING_HIGH + ((slot & 63) - WORDS >> 2);
  }

  /** Answers the offset of a free word for the flow, counted in the buckets it flows over; or a refusal. */
  private int claim(OffHeap memory, int buckets, int slots, int flowHash, FlowState state, int tick) {
    int home = home(flowHash, buckets);
    boolean tooManyEmbryonic = state.isEmbryonic() && embryonic >= embryonicLimit;
    int slot = tooManyEmbryonic || size >= capacity ? -1 : freeSlot(memory, buckets, slots, home);
    if (slot < 0) {
      boolean evicted = evict(memory, buckets, slots, home, tick, tooManyEmbryonic);
      if (!evicted) {
        return tooManyEmbryonic ? NO_ROOM_EMBRYONIC : NO_ROOM;
      }
      slot = freeSlot(memory, buckets, slots, home);
      if (slot < 0) {
        return NO_ROOM;
      }
    }
    int target = slot >> BUCKET_SHIFT;
    for (int bucket = home; bucket != target; bucket = bucket + 1 == buckets ? 0 : bucket + 1) {
      int over = (bucket << BUCKET_SHIFT) + OVERFLOW;
      memory.setByte(over, (byte) (memory.getByte(over) + 1));
    }
    return slot;
  }

  private static int freeSlot(OffHeap memory, int buckets, int slots, int home) {
    int most = Math.min(buckets, slots == SLOTS ? V4_PROBES : V6_PROBES);
    int bucket = home;
    for (int probes = 0; probes < most; probes++) {
      int at = (bucket << BUCKET_SHIFT) + WORDS;
      int slot = slots == SLOTS ? firstFree(memory, at) : oneIfUsed(memory.getInt(at));
      if (slot < slots) {
        return at + (slot << 2);
      }
      bucket = bucket + 1 == buckets ? 0 : bucket + 1;
    }
    return -1;
  }

  /** The first free one of three slots, or 3; which one it is nobody can predict, so without a branch. */
  private static int firstFree(OffHeap memory, int at) {
    int first = oneIfUsed(memory.getInt(at));
    int second = first & oneIfUsed(memory.getInt(at + 4));
    int third = second & oneIfUsed(memory.getInt(at + 8));
    return first + second + third;
  }

  private static int oneIfUsed(int word) {
    return (word | -word) >>> 31;
  }

  /** Ends one flow near a new flow's home, if the policy lets any give way. */
  private boolean evict(OffHeap memory, int buckets, int slots, int home, int tick, boolean onlyEmbryonic) {
    int victim = -1;
    int victimRank = Integer.MIN_VALUE;
    int bucket = home;
    for (int probes = 0; probes < EVICTION_WINDOW && probes < buckets; probes++) {
      int at = (bucket << BUCKET_SHIFT) + WORDS;
      for (int slot = at; slot < at + (slots << 2); slot += 4) {
        int rank = rank(memory, slot, tick, onlyEmbryonic);
        if (rank > victimRank) {
          victim = slot;
          victimRank = rank;
        }
      }
      bucket = bucket + 1 == buckets ? 0 : bucket + 1;
    }
    if (victimRank < 0) {
      return false;
    }
    evictions++;
    end(victim >> 2 | (memory == v6 ? V6_HANDLE : 0), FlowListener.End.EVICTED);
    return true;
  }

  /** Who gives way first: the expired, the half-open, the ended, then the silent; negative: never. */
  private int rank(OffHeap memory, int slot, int tick, boolean onlyEmbryonic) {
    int word = memory.getInt(slot);
    if (word == 0) {
      return Integer.MIN_VALUE;
    }
    FlowState state = FlowState.of(word >>> STATE_SHIFT);
    int age = tick - (word >>> TICK_IN_WORD) & TICK_MASK;
    boolean expired = age > listener.timeoutTicks(bindingAt(memory, slot), state);
    if (onlyEmbryonic) {
      return state.isEmbryonic() ? age : -1;
    }
    if (expired) {
      return 3 << 16 | age;
    }
    if (overflow == FlowTableOverflow.REJECT) {
      return -1;
    }
    if (state.isEmbryonic()) {
      return 2 << 16 | age;
    }
    if (state.isClosing()) {
      return 1 << 16 | age;
    }
    return overflow == FlowTableOverflow.EVICT_OLDEST ? age : -1;
  }

  private OffHeap memoryOf(int handle) {
    return (handle & V6_HANDLE) != 0 ? v6 : v4;
  }

  private static int slotOf(int handle) {
    return (handle & HANDLE_MASK) << 2;
  }

  private static int bindingAt(OffHeap memory, int slot) {
    return memory.getInt(slot) & BINDING_LOW_MASK | (memory.getByte(bindingHigh(slot)) & 0xFF) << 12;
  }

  /** Whether a flow is an established connection, or UDP that has been seen twice. */
  static boolean isInUse(int word) {
    return (IN_USE >>> (word >>> STATE_SHIFT) & 1) != 0;
  }

  static int ageOf(int word, int tick) {
    return tick - (word >>> TICK_IN_WORD) & TICK_MASK;
  }

  /**
   * The service and server of a flow.
   *
   * @param handle of the flow
   * @return the binding it was inserted with
   */
  public int binding(int handle) {
    return bindingAt(memoryOf(handle), slotOf(handle));
  }

  /**
   * The state of a flow.
   *
   * @param handle of the flow
   * @return never {@link FlowState#FREE}
   */
  public FlowState state(int handle) {
    return FlowState.of(memoryOf(handle).getInt(slotOf(handle)) >>> STATE_SHIFT);
  }

  /**
   * How long a flow was silent.
   *
   * @param handle of the flow
   * @param tick now
   * @return ticks, 0..65535
   */
  public int age(int handle, int tick) {
    return tick - (memoryOf(handle).getInt(slotOf(handle)) >>> TICK_IN_WORD) & TICK_MASK;
  }

  /**
   * The client's next expected sequence number.
   *
   * @param handle of a TCP flow
   * @return 32 bits
   */
  public int sequence(int handle) {
    return memoryOf(handle).getInt(slotOf(handle) - SEQUENCE_BEFORE_WORD);
  }

  /**
   * Whether the flow is IPv6.
   *
   * @param handle of the flow
   * @return false for IPv4
   */
  public boolean isV6(int handle) {
    return (handle & V6_HANDLE) != 0;
  }

  /**
   * First 64 bits of the client's address.
   *
   * @param handle of the flow
   * @return 0 for IPv4
   */
  public long sourceHigh(int handle) {
    return isV6(handle) ? v6.getLong(slotOf(handle) - WORDS) : 0;
  }

  /**
   * Last 64 bits of the client's address, or the IPv4 address.
   *
   * @param handle of the flow
   * @return for IPv4 0..2^32-1
   */
  public long sourceLow(int handle) {
    int slot = slotOf(handle);
    if (isV6(handle)) {
      return v6.getLong(slot - WORDS + 8);
    }
    int at = slot & -64;
    return v4.getLong(at + ((slot - at - WORDS) << 1)) >>> 32;
  }

  /**
   * The ports of a flow.
   *
   * @param handle of the flow
   * @return source port in the upper, destination port in the lower 16 bits
   */
  public int ports(int handle) {
    int slot = slotOf(handle);
    int at = slot & -64;
    return isV6(handle) ? v6.getInt(at + V6_PORTS) : v4.getInt(at + V4_PORTS + slot - at - WORDS);
  }

  // ---- for records, not on the way of frames -------------------------------------------------------------------

  /** Places for flows: three for each IPv4 bucket, then one for each IPv6 bucket. */
  int places() {
    return v4Buckets * SLOTS + v6Buckets;
  }

  /** The flow at a place, which keeps it until it ends; {@link #MISS} where there is none. */
  int handleAt(int place) {
    int v4Places = v4Buckets * SLOTS;
    boolean six = place >= v4Places;
    int bucket = six ? place - v4Places : place / SLOTS;
    int slot = (bucket << BUCKET_SHIFT) + WORDS + (six ? 0 : place % SLOTS << 2);
    return (six ? v6 : v4).getInt(slot) == 0 ? MISS : slot >> 2 | (six ? V6_HANDLE : 0);
  }

  long destinationHigh(int handle) {
    return isV6(handle) ? v6.getLong(slotOf(handle) - WORDS + 16) : 0;
  }

  long destinationLow(int handle) {
    int slot = slotOf(handle);
    if (isV6(handle)) {
      return v6.getLong(slot - WORDS + 24);
    }
    int at = slot & -64;
    return v4.getLong(at + ((slot - at - WORDS) << 1)) & 0xFFFF_FFFFL;
  }

  int protocol(int handle) {
    return protocolOf(memoryOf(handle).getInt(slotOf(handle)));
  }

  int timeoutTicks(int binding, FlowState state) {
    return listener.timeoutTicks(binding, state);
  }

  /** Whether a flow's time is over although no sweep has met it. */
  boolean isExpired(int handle, int tick) {
    return age(handle, tick) > timeoutTicks(binding(handle), state(handle));
  }

  /** Whether a flow can be added without another one giving way. */
  boolean hasRoomFor(boolean six, int flowHash, FlowState state) {
    int buckets = six ? v6Buckets : v4Buckets;
    boolean full = size >= capacity || buckets == 0 || state.isEmbryonic() && embryonic >= embryonicLimit;
    return !full && freeSlot(six ? v6 : v4, buckets, six ? 1 : SLOTS, home(flowHash, buckets)) >= 0;
  }

  /**
   * Records a frame of a flow: time, and where they changed state and sequence number.
   *
   * @param handle of the flow
   * @param state the state from now on
   * @param sequence the next expected sequence number from now on
   * @param tick now
   */
  void update(int handle, FlowState state, int sequence, int tick) {
    OffHeap memory = memoryOf(handle);
    int slot = slotOf(handle);
    int word = memory.getInt(slot);
    int newWord = word(state, tick, word);
    if (newWord != word) {
      if (word >>> STATE_SHIFT != state.ordinal()) {
        embryonic += (state.isEmbryonic() ? 1 : 0) - (FlowState.of(word >>> STATE_SHIFT).isEmbryonic() ? 1 : 0);
      }
      memory.setInt(slot, newWord);
    }
    if (memory.getInt(slot - SEQUENCE_BEFORE_WORD) != sequence) {
      memory.setInt(slot - SEQUENCE_BEFORE_WORD, sequence);
    }
  }

  /**
   * Takes a flow out.
   *
   * @param handle of the flow; void from now on
   */
  public void remove(int handle) {
    end(handle, FlowListener.End.REMOVED);
  }

  private void end(int handle, FlowListener.End why) {
    listener.onEnd(this, handle, why);
    boolean six = isV6(handle);
    OffHeap memory = memoryOf(handle);
    int slot = slotOf(handle);
    int home = six ? home(hashAt6(slot - WORDS, slot), v6Buckets) : home(hashAt4(slot), v4Buckets);
    int buckets = six ? v6Buckets : v4Buckets;
    if (FlowState.of(memory.getInt(slot) >>> STATE_SHIFT).isEmbryonic()) {
      embryonic--;
    }
    size--;
    memory.setInt(slot, 0);
    int target = slot >> BUCKET_SHIFT;
    for (int bucket = home; bucket != target; bucket = bucket + 1 == buckets ? 0 : bucket + 1) {
      int over = (bucket << BUCKET_SHIFT) + OVERFLOW;
      memory.setByte(over, (byte) (memory.getByte(over) - 1));
    }
  }

  private static int protocolOf(int word) {
    return word >>> STATE_SHIFT >= LOWEST_UDP_WORD ? IpProtocol.UDP : IpProtocol.TCP;
  }

  private int hashAt4(int slot) {
    int at = slot & -64;
    int which = slot - at - WORDS >> 2;
    return hash.of4(
        v4.getLong(at + (which << 3)), v4.getInt(at + V4_PORTS + (which << 2)), protocolOf(v4.getInt(slot)));
  }

  private int hashAt6(int at, int slot) {
    return hash.of6(
        v6.getLong(at),
        v6.getLong(at + 8),
        v6.getLong(at + 16),
        v6.getLong(at + 24),
        v6.getInt(at + V6_PORTS),
        protocolOf(v6.getInt(slot)));
  }

  /**
   * Visits buckets where the last sweep stopped, ends what has expired and reports what lives. A jump of the clock
   * beyond what ticks can tell is handled by visiting all buckets at once.
   *
   * @param nowNs the time
   * @param budget buckets to visit
   * @return whether the last bucket was passed: a round is complete
   */
  public boolean sweep(long nowNs, int budget) {
    long now = nowNs >> TICK_SHIFT;
    long jump = now - sweptTick;
    sweptTick = now;
    if (size == 0) {
      cursor = 0;
      return true;
    }
    if (jump > LARGE_JUMP_TICKS) {
      for (int bucket = 0; bucket < buckets(); bucket++) {
        visit(bucket, (int) (now - jump), jump);
      }
      return true;
    }
    int end = Math.min(buckets(), cursor + budget);
    for (int bucket = cursor; bucket < end; bucket++) {
      visit(bucket, (int) now, 0);
    }
    cursor = end == buckets() ? 0 : end;
    return cursor == 0;
  }

  /**
   * Buckets of both families.
   *
   * @return what a round of {@link #sweep} visits
   */
  public int buckets() {
    return v4Buckets + v6Buckets;
  }

  private void visit(int bucket, int tick, long further) {
    if (bucket < v4Buckets) {
      int at = (bucket << BUCKET_SHIFT) + WORDS;
      visitSlot(v4, at, 0, tick, further);
      visitSlot(v4, at + 4, 0, tick, further);
      visitSlot(v4, at + 8, 0, tick, further);
    } else {
      visitSlot(v6, (bucket - v4Buckets << BUCKET_SHIFT) + WORDS, V6_HANDLE, tick, further);
    }
  }

  private void visitSlot(OffHeap memory, int slot, int family, int tick, long further) {
    int word = memory.getInt(slot);
    if (word == 0) {
      return;
    }
    long age = (tick - (word >>> TICK_IN_WORD) & TICK_MASK) + further;
    int timeout = listener.timeoutTicks(bindingAt(memory, slot), FlowState.of(word >>> STATE_SHIFT));
    if (age > timeout) {
      end(slot >> 2 | family, FlowListener.End.EXPIRED);
    } else {
      listener.onAlive(this, slot >> 2 | family);
    }
  }
}
