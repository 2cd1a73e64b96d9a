package io.lb4j.flow;

import static io.lb4j.flow.FlowLayout.BUCKET_SHIFT;
import static io.lb4j.flow.FlowLayout.OVERFLOW;
import static io.lb4j.flow.FlowLayout.SEQUENCE_BEFORE_WORD;
import static io.lb4j.flow.FlowLayout.SLOTS;
import static io.lb4j.flow.FlowLayout.STALE;
import static io.lb4j.flow.FlowLayout.STATE_SHIFT;
import static io.lb4j.flow.FlowLayout.TICK_SHIFT;
import static io.lb4j.flow.FlowLayout.V4_PORTS;
import static io.lb4j.flow.FlowLayout.V4_PROBES;
import static io.lb4j.flow.FlowLayout.V6_HANDLE;
import static io.lb4j.flow.FlowLayout.V6_PORTS;
import static io.lb4j.flow.FlowLayout.V6_PROBES;
import static io.lb4j.flow.FlowLayout.WORDS;
import static io.lb4j.flow.FlowLayout.bindingHigh;
import static io.lb4j.flow.FlowLayout.home;
import static io.lb4j.flow.FlowLayout.slotOf;
import static io.lb4j.flow.FlowLayout.stateOf;
import static io.lb4j.flow.FlowLayout.word;

import io.lb4j.settings.ConfigurationError;
import io.lb4j.settings.ConfigurationException;
import io.lb4j.wire.OffHeap;

/**
 * The flows a worker knows: five-tuple to binding (service and real server), TCP state, next expected sequence number
 * and time last seen. Owned by one worker. Fixed capacity, off-heap, no allocation after construction.
 *
 * <p>A flow is found with one cache miss: everything a frame of a known flow needs is in the cache line that its hash
 * names ({@link FlowLayout}). Collisions go to the next bucket, at most {@link FlowLayout#V4_PROBES} or {@link
 * FlowLayout#V6_PROBES} of them; a search ends at the first bucket that nothing flowed over. Removal takes the counts
 * back, so there are no tombstones and a miss stays as cheap as a hit. The layout follows the measurements in which a
 * tag array with separate records lost: two dependent misses cost twice one.
 *
 * <p>What changes the table is here. {@link FlowLookUp} has how flows are found, {@link FlowBuckets} the memory and
 * what a handle tells; {@link FlowEviction} says who gives way to a new flow, {@link FlowSweep} ends what was silent.
 *
 * <p>A handle names a flow until the flow ends; it is an offset, so it must not be kept over a call that can end flows.
 * Time is held in ticks of {@link #TICK_NS} modulo 2^16 (4.9 hours), which {@link #catchUp} makes up for when nobody
 * has called for long.
 */
public final class FlowTable extends FlowLookUp {
  /** No room: a half-open flow beyond the share of its family's half-open flows. */
  public static final int NO_ROOM_EMBRYONIC = -2;

  /** No room: the table is full. */
  public static final int NO_ROOM = -3;

  /** Unit of time last seen: 2^28 ns, about a quarter of a second. */
  public static final long TICK_NS = 1L << TICK_SHIFT;

  /** Up to this age no flow can have expired: {@link FlowTimeouts} allows no time-out below a second. */
  public static final int FRESH_TICKS = (int) (1_000_000_000L / TICK_NS);

  /** Smallest capacity. */
  public static final int MIN_CAPACITY = 16;

  /** Largest capacity. */
  public static final int MAX_CAPACITY = 1 << 24;

  /** Half-open flows of one family may use one in so many of the capacity. */
  public static final int EMBRYONIC_SHARE = 4;

  /** Largest binding id. */
  public static final int MAX_BINDING = (1 << 20) - 1;

  private final FlowListener listener;
  private final FlowEviction eviction;
  private final FlowSweep sweep;
  private final int embryonicLimit;
  private final int[] embryonic = new int[2]; // by family
  private int size;
  private long evictions;

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
    super(checked(capacity), seed);
    this.embryonicLimit = Math.max(1, capacity / EMBRYONIC_SHARE);
    this.listener = listener;
    this.eviction = new FlowEviction(overflow, listener);
    this.sweep = new FlowSweep(this, listener, nowNs);
  }

  private static int checked(int capacity) {
    checkCapacity(capacity);
    return capacity;
  }

  /**
   * Refuses what no table can have.
   *
   * @param capacity flows held at most
   * @throws ConfigurationException when it is out of range
   */
  public static void checkCapacity(int capacity) {
    if (capacity < MIN_CAPACITY || capacity > MAX_CAPACITY) {
      throw new ConfigurationException(
          ConfigurationError.OUT_OF_RANGE,
          "flow-table: capacity",
          capacity,
          "not in " + MIN_CAPACITY + ".." + MAX_CAPACITY);
    }
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
    return embryonic[0] + embryonic[1];
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
   * The tick a time belongs to.
   *
   * @param nowNs nanoseconds
   * @return ticks; the table keeps the lower 16 bits
   */
  public static int tick(long nowNs) {
    return (int) (nowNs >> TICK_SHIFT);
  }

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
    int slot = claim(false, v4, v4Buckets, flowHash, state, tick);
    if (slot < 0) {
      return slot;
    }
    int at = slot & -64;
    int which = (slot - at - WORDS) >> 2;
    v4.setLong(at + (which << 3), source << 32 | destination);
    v4.setInt(at + V4_PORTS + (which << 2), ports);
    fill(false, v4, slot, state, binding, sequence, tick);
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
    int slot = claim(true, v6, v6Buckets, flowHash, state, tick);
    if (slot < 0) {
      return slot;
    }
    int at = slot - WORDS;
    v6.setLong(at, sourceHigh);
    v6.setLong(at + 8, sourceLow);
    v6.setLong(at + 16, destinationHigh);
    v6.setLong(at + 24, destinationLow);
    v6.setInt(at + V6_PORTS, ports);
    fill(true, v6, slot, state, binding, sequence, tick);
    return slot >> 2 | V6_HANDLE;
  }

  private static int family(boolean six) {
    return six ? 1 : 0;
  }

  private void fill(boolean six, OffHeap memory, int slot, FlowState state, int binding, int sequence, int tick) {
    memory.setInt(slot - SEQUENCE_BEFORE_WORD, sequence);
    memory.setByte(bindingHigh(slot), (byte) (binding >>> 12));
    memory.setInt(slot, word(state, tick, binding));
    size++;
    if (state.isEmbryonic()) {
      embryonic[family(six)]++;
    }
  }

  /** Answers the offset of a free word for the flow, counted in the buckets it flows over; or a refusal. */
  private int claim(boolean six, OffHeap memory, int buckets, int flowHash, FlowState state, int tick) {
    int home = home(flowHash, buckets);
    boolean tooManyEmbryonic = isOverShare(six, state);
    int slot = tooManyEmbryonic || size >= capacity ? -1 : freeSlot(six, memory, buckets, home);
    if (slot < 0) {
      boolean evicted = evict(six, flowHash, tick, tooManyEmbryonic);
      if (!evicted) {
        return tooManyEmbryonic ? NO_ROOM_EMBRYONIC : NO_ROOM;
      }
      slot = freeSlot(six, memory, buckets, home);
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

  private boolean isOverShare(boolean six, FlowState state) {
    return state.isEmbryonic() && embryonic[family(six)] >= embryonicLimit;
  }

  private static int freeSlot(boolean six, OffHeap memory, int buckets, int home) {
    int most = Math.min(buckets, six ? V6_PROBES : V4_PROBES);
    int slots = six ? 1 : SLOTS;
    int bucket = home;
    for (int probes = 0; probes < most; probes++) {
      int at = (bucket << BUCKET_SHIFT) + WORDS;
      int slot = six ? oneIfUsed(memory.getInt(at)) : firstFree(memory, at);
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
  private boolean evict(boolean six, int flowHash, int tick, boolean onlyEmbryonic) {
    int victim =
        onlyEmbryonic
            ? eviction.halfOpen(this, six, flowHash, tick)
            : eviction.any(this, six, flowHash, tick, size >= capacity);
    if (victim == MISS) {
      return false;
    }
    evictions++;
    end(victim, FlowListener.End.EVICTED);
    return true;
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
    boolean full = size >= capacity || buckets == 0 || isOverShare(six, state);
    return !full && freeSlot(six, six ? v6 : v4, buckets, home(flowHash, buckets)) >= 0;
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
        embryonic[family(isV6(handle))] += (state.isEmbryonic() ? 1 : 0) - (stateOf(word).isEmbryonic() ? 1 : 0);
      }
      memory.setInt(slot, newWord);
    }
    if (memory.getInt(slot - SEQUENCE_BEFORE_WORD) != sequence) {
      memory.setInt(slot - SEQUENCE_BEFORE_WORD, sequence);
    }
  }

  /** Says that others may have had segments of a flow, if it is an established connection. */
  void markStale(int handle) {
    OffHeap memory = memoryOf(handle);
    int slot = slotOf(handle);
    int word = memory.getInt(slot);
    if (stateOf(word) == FlowState.ESTABLISHED) {
      memory.setInt(slot, word | STALE);
    }
  }

  /**
   * Says that from now on others have the segments of all flows. Takes as long as a look at all buckets; to be called
   * when none waits for this table.
   */
  public void markAllStale() {
    for (int place = 0; size != 0 && place < places(); place++) {
      int handle = handleAt(place);
      if (handle != MISS) {
        markStale(handle);
      }
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

  /** Takes a flow out, and its counts in the buckets that it flowed over. */
  void end(int handle, FlowListener.End why) {
    listener.onEnd(this, handle, why);
    boolean six = isV6(handle);
    OffHeap memory = memoryOf(handle);
    int slot = slotOf(handle);
    int home = six ? home(hashAt6(slot - WORDS, slot), v6Buckets) : home(hashAt4(slot), v4Buckets);
    int buckets = six ? v6Buckets : v4Buckets;
    if (stateOf(memory.getInt(slot)).isEmbryonic()) {
      embryonic[family(six)]--;
    }
    size--;
    memory.setInt(slot, 0);
    int target = slot >> BUCKET_SHIFT;
    for (int bucket = home; bucket != target; bucket = bucket + 1 == buckets ? 0 : bucket + 1) {
      int over = (bucket << BUCKET_SHIFT) + OVERFLOW;
      memory.setByte(over, (byte) (memory.getByte(over) - 1));
    }
  }

  /**
   * To be called with each new time before flows are found, entered or recorded at it: after a jump of the clock beyond
   * what ticks can tell, visits all buckets at once, while no flow is younger than the jump. Else one comparison.
   *
   * @param nowNs the time
   */
  public void catchUp(long nowNs) {
    sweep.catchUp(nowNs);
  }

  /**
   * Visits buckets where the last sweep stopped, ends what has expired and reports what lives; all buckets at once
   * where {@link #catchUp} would.
   *
   * @param nowNs the time
   * @param budget buckets to visit
   * @return whether the last bucket was passed: a round is complete
   */
  public boolean sweep(long nowNs, int budget) {
    return sweep.run(nowNs, budget);
  }
}
