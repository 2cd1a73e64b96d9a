package io.lb4j.flow;

import static io.lb4j.flow.FlowLayout.BUCKET_SHIFT;
import static io.lb4j.flow.FlowLayout.SEQUENCE_BEFORE_WORD;
import static io.lb4j.flow.FlowLayout.SLOTS;
import static io.lb4j.flow.FlowLayout.TICK_IN_WORD;
import static io.lb4j.flow.FlowLayout.TICK_MASK;
import static io.lb4j.flow.FlowLayout.V4_PORTS;
import static io.lb4j.flow.FlowLayout.V6_HANDLE;
import static io.lb4j.flow.FlowLayout.V6_PORTS;
import static io.lb4j.flow.FlowLayout.WORDS;
import static io.lb4j.flow.FlowLayout.bindingAt;
import static io.lb4j.flow.FlowLayout.protocolOf;
import static io.lb4j.flow.FlowLayout.slotOf;
import static io.lb4j.flow.FlowLayout.stateOf;

import io.lb4j.settings.ConfigurationError;
import io.lb4j.settings.ConfigurationException;
import io.lb4j.wire.OffHeap;

/**
 * The memory of a {@link FlowTable}, the hash that spreads flows over it, and what can be read of a flow by its handle.
 * A superclass, so that a table is one object and nothing has to be followed to its memory; public because its methods
 * are, or the compiler would put a call of its own around each. Owned by one worker.
 */
public abstract sealed class FlowBuckets permits FlowLookUp {
  /** The handle of a flow that there is not. */
  public static final int MISS = -1;

  /** Room for one flow in half of IPv4's slots, so that few live away from home, and in 0.625 of IPv6's buckets. */
  private static final double V4_LOAD = 0.5;
  private static final double V6_LOAD = 0.625;

  final FlowHash hash;
  final int capacity;
  final int v4Buckets;
  final OffHeap v4;
  final long v4Start;
  int v6Buckets;
  OffHeap v6 = OffHeap.NONE;
  long v6Start;

  FlowBuckets(int capacity, long seed) {
    this.capacity = capacity;
    this.hash = new FlowHash(seed);
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
  public final void enableV6() {
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
  public final int capacity() {
    return capacity;
  }

  /**
   * Off-heap memory in use.
   *
   * @return bytes
   */
  public final long memoryBytes() {
    return v4.size() + v6.size();
  }

  /**
   * Buckets of both families.
   *
   * @return what a round of {@link FlowTable#sweep} visits
   */
  public final int buckets() {
    return v4Buckets + v6Buckets;
  }

  /**
   * The hash of an IPv4 flow.
   *
   * @param source 32 bits
   * @param destination 32 bits
   * @param ports source port in the upper, destination port in the lower 16 bits
   * @param protocol 6 or 17
   * @return for {@link FlowTable#find4} and {@link FlowTable#insert4}
   */
  public final int hash4(long source, long destination, int ports, int protocol) {
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
   * @return for {@link FlowTable#find6} and {@link FlowTable#insert6}
   */
  public final int hash6(
      long sourceHigh, long sourceLow, long destinationHigh, long destinationLow, int ports, int protocol) {
    return hash.of6(sourceHigh, sourceLow, destinationHigh, destinationLow, ports, protocol);
  }

  final OffHeap memoryOf(int handle) {
    return (handle & V6_HANDLE) != 0 ? v6 : v4;
  }

  /**
   * The service and server of a flow.
   *
   * @param handle of the flow
   * @return the binding it was inserted with
   */
  public final int binding(int handle) {
    return bindingAt(memoryOf(handle), slotOf(handle));
  }

  /**
   * The state of a flow.
   *
   * @param handle of the flow
   * @return never {@link FlowState#FREE}
   */
  public final FlowState state(int handle) {
    return stateOf(memoryOf(handle).getInt(slotOf(handle)));
  }

  /**
   * How long a flow was silent.
   *
   * @param handle of the flow
   * @param tick now
   * @return ticks, 0..65535
   */
  public final int age(int handle, int tick) {
    return tick - (memoryOf(handle).getInt(slotOf(handle)) >>> TICK_IN_WORD) & TICK_MASK;
  }

  /**
   * The client's next expected sequence number.
   *
   * @param handle of a TCP flow
   * @return 32 bits
   */
  public final int sequence(int handle) {
    return memoryOf(handle).getInt(slotOf(handle) - SEQUENCE_BEFORE_WORD);
  }

  /** Whether others may have had segments of a connection since its number was written. */
  final boolean isStale(int handle) {
    return memoryOf(handle).getInt(slotOf(handle)) < 0;
  }

  /**
   * Whether the flow is IPv6.
   *
   * @param handle of the flow
   * @return false for IPv4
   */
  public final boolean isV6(int handle) {
    return (handle & V6_HANDLE) != 0;
  }

  /**
   * First 64 bits of the client's address.
   *
   * @param handle of the flow
   * @return 0 for IPv4
   */
  public final long sourceHigh(int handle) {
    return isV6(handle) ? v6.getLong(slotOf(handle) - WORDS) : 0;
  }

  /**
   * Last 64 bits of the client's address, or the IPv4 address.
   *
   * @param handle of the flow
   * @return for IPv4 0..2^32-1
   */
  public final long sourceLow(int handle) {
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
  public final int ports(int handle) {
    int slot = slotOf(handle);
    int at = slot & -64;
    return isV6(handle) ? v6.getInt(at + V6_PORTS) : v4.getInt(at + V4_PORTS + slot - at - WORDS);
  }

  // ---- for records, not on the way of frames -------------------------------------------------------------------

  /** Places for flows: three for each IPv4 bucket, then one for each IPv6 bucket. */
  final int places() {
    return v4Buckets * SLOTS + v6Buckets;
  }

  /** The flow at a place, which keeps it until it ends; {@link #MISS} where there is none. */
  final int handleAt(int place) {
    int v4Places = v4Buckets * SLOTS;
    boolean six = place >= v4Places;
    int bucket = six ? place - v4Places : place / SLOTS;
    int slot = (bucket << BUCKET_SHIFT) + WORDS + (six ? 0 : place % SLOTS << 2);
    return (six ? v6 : v4).getInt(slot) == 0 ? MISS : slot >> 2 | (six ? V6_HANDLE : 0);
  }

  final long destinationHigh(int handle) {
    return isV6(handle) ? v6.getLong(slotOf(handle) - WORDS + 16) : 0;
  }

  final long destinationLow(int handle) {
    int slot = slotOf(handle);
    if (isV6(handle)) {
      return v6.getLong(slot - WORDS + 24);
    }
    int at = slot & -64;
    return v4.getLong(at + ((slot - at - WORDS) << 1)) & 0xFFFF_FFFFL;
  }

  final int protocol(int handle) {
    return protocolOf(memoryOf(handle).getInt(slotOf(handle)));
  }

  // ---- the hash of a flow in the table, from its word's offset ---------------------------------------------------

  final int hashAt4(int slot) {
    int at = slot & -64;
    int which = slot - at - WORDS >> 2;
    return hash.of4(
        v4.getLong(at + (which << 3)), v4.getInt(at + V4_PORTS + (which << 2)), protocolOf(v4.getInt(slot)));
  }

  final int hashAt6(int at, int slot) {
    return hash.of6(
        v6.getLong(at),
        v6.getLong(at + 8),
        v6.getLong(at + 16),
        v6.getLong(at + 24),
        v6.getInt(at + V6_PORTS),
        protocolOf(v6.getInt(slot)));
  }
}
