package io.lb4j.flow;

import static io.lb4j.flow.FlowLayout.BUCKET_SHIFT;
import static io.lb4j.flow.FlowLayout.OVERFLOW;
import static io.lb4j.flow.FlowLayout.SLOTS;
import static io.lb4j.flow.FlowLayout.V4_PORTS;
import static io.lb4j.flow.FlowLayout.V4_PROBES;
import static io.lb4j.flow.FlowLayout.V6_HANDLE;
import static io.lb4j.flow.FlowLayout.V6_PORTS;
import static io.lb4j.flow.FlowLayout.V6_PROBES;
import static io.lb4j.flow.FlowLayout.WORDS;
import static io.lb4j.flow.FlowLayout.home;
import static io.lb4j.flow.FlowLayout.isOf;
import static io.lb4j.wire.DirectMemory.base;
import static io.lb4j.wire.DirectMemory.getIntNative;
import static io.lb4j.wire.DirectMemory.getLongNative;
import static io.lb4j.wire.DirectMemory.getUnsignedByte;

import io.lb4j.frame.FrameView;
import io.lb4j.wire.IpProtocol;
import io.lb4j.wire.OffHeap;

/**
 * How flows are found in a {@link FlowTable}: most in their home bucket, with one cache miss, the others by a search
 * of the buckets that it flowed over into. For a batch, {@link #touch} comes first for all frames, so that their
 * misses overlap. Changes nothing. Owned by one worker.
 */
public abstract sealed class FlowLookUp extends FlowBuckets permits FlowTable {
  /** The place of a flow that there is not. */
  public static final long NOWHERE = 0;

  /** The place of a flow that is not at home but may be elsewhere, for {@link #place} to find. Above it are places. */
  public static final long ELSEWHERE = 1;

  FlowLookUp(int capacity, long seed) {
    super(capacity, seed);
  }

  /**
   * Reads one word of the home bucket, so that the cache line is on its way while others are asked for.
   *
   * @param v6Flow the family
   * @param flowHash from {@link #hash4} or {@link #hash6}
   * @return the word; add it up, so that the compiler keeps the load
   */
  public final int touch(boolean v6Flow, int flowHash) {
    if (v6Flow) {
      return v6Buckets == 0 ? 0 : v6.getIntAt(v6.place(home(flowHash, v6Buckets) << BUCKET_SHIFT));
    }
    return v4.getIntAt(v4.place(home(flowHash, v4Buckets) << BUCKET_SHIFT));
  }

  /**
   * Reads one word of each of the two buckets behind the home bucket, where most flows are that are not at home. For
   * flows that are {@link #ELSEWHERE}, and so of a family that there is memory for.
   *
   * @param v6Flow the family
   * @param flowHash from {@link #hash4} or {@link #hash6}
   * @return the words; add them up, so that the compiler keeps the loads
   */
  public final int touchBehind(boolean v6Flow, int flowHash) {
    return v6Flow ? touchBehind(v6, flowHash, v6Buckets) : touchBehind(v4, flowHash, v4Buckets);
  }

  private static int touchBehind(OffHeap memory, int flowHash, int buckets) {
    int first = behind(home(flowHash, buckets), buckets);
    int second = behind(first, buckets);
    return memory.getIntAt(memory.place(first << BUCKET_SHIFT)) + memory.getIntAt(memory.place(second << BUCKET_SHIFT));
  }

  /** The index of the bucket behind another one; behind the last is the first. */
  private static int behind(int index, int buckets) {
    return index + 1 == buckets ? 0 : index + 1;
  }

  /**
   * Finds a frame's flow in its home bucket. Only where memory is reached by address.
   *
   * @param frame a segment or first fragment, with this table's hash
   * @return the flow's place, {@link #NOWHERE} or {@link #ELSEWHERE}
   */
  public final long atHome(FrameView frame) {
    return frame.isV6()
        ? atHome6(
            frame.hash(),
            frame.sourceHigh(),
            frame.sourceLow(),
            frame.destinationHigh(),
            frame.destinationLow(),
            frame.ports(),
            frame.protocol())
        : atHome4(frame.hash(), frame.sourceLow() << 32 | frame.destinationLow(), frame.ports(), frame.protocol());
  }

  /**
   * Finds an IPv4 flow in its home bucket, where nine of ten are. Which of the three slots it is in nobody can predict,
   * so all three are compared, without a branch. Only where memory is reached by address.
   *
   * <p>A flow may be elsewhere when its home bucket flowed over, or has the same addresses and ports in a flow of the
   * other protocol or one that has ended. Few that are new may.
   *
   * @param flowHash from {@link #hash4}
   * @param addresses source in the upper, destination in the lower 32 bits
   * @param ports source port in the upper, destination port in the lower 16 bits
   * @param protocol 6 or 17
   * @return the flow's place, {@link #NOWHERE} or {@link #ELSEWHERE}
   */
  public final long atHome4(int flowHash, long addresses, int ports, int protocol) {
    long bucket = base(v4Start + ((long) home(flowHash, v4Buckets) << BUCKET_SHIFT));
    int first = oneIfEqual(bucket, 0, addresses, ports);
    int second = oneIfEqual(bucket, 1, addresses, ports);
    int third = oneIfEqual(bucket, 2, addresses, ports);
    long slot = third << 1 | second & ~third;
    long word = base(bucket + WORDS + (slot << 2));
    boolean alike = (first | second | third) != 0;
    if (alike && isOf(getIntNative(word), protocol == IpProtocol.UDP)) {
      return word;
    }
    return alike || getUnsignedByte(bucket + OVERFLOW) != 0 ? ELSEWHERE : NOWHERE;
  }

  private static int oneIfEqual(long bucket, int slot, long addresses, int ports) {
    long difference =
        getLongNative(bucket + (slot << 3)) ^ addresses | getIntNative(bucket + V4_PORTS + (slot << 2)) ^ ports;
    return (int) ((difference | -difference) >>> 63) ^ 1;
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
   * @return the flow's place, {@link #NOWHERE} or {@link #ELSEWHERE}
   */
  public final long atHome6(
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
    if (difference == 0 && isOf(getIntNative(bucket + WORDS), protocol == IpProtocol.UDP)) {
      return bucket + WORDS;
    }
    return getUnsignedByte(bucket + OVERFLOW) != 0 ? ELSEWHERE : NOWHERE;
  }

  /**
   * Finds a frame's flow.
   *
   * @param frame a segment or first fragment, with this table's hash
   * @return the flow's place, or {@link #NOWHERE}
   */
  public final long place(FrameView frame) {
    return frame.isV6()
        ? place6(
            frame.hash(),
            frame.sourceHigh(),
            frame.sourceLow(),
            frame.destinationHigh(),
            frame.destinationLow(),
            frame.ports(),
            frame.protocol())
        : place4(frame.hash(), frame.sourceLow() << 32 | frame.destinationLow(), frame.ports(), frame.protocol());
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
  public final long place4(int flowHash, long addresses, int ports, int protocol) {
    return search4(home(flowHash, v4Buckets), addresses, ports, protocol == IpProtocol.UDP);
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
      index = behind(index, v4Buckets);
    }
  }

  private boolean isIn4(long bucket, int slot, long addresses, int ports, boolean udp) {
    OffHeap memory = v4;
    return memory.getLongAt(bucket + (slot << 3)) == addresses
        && memory.getIntAt(bucket + V4_PORTS + (slot << 2)) == ports
        && isOf(memory.getIntAt(bucket + WORDS + (slot << 2)), udp);
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
  public final long place6(
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
      index = behind(index, v6Buckets);
    }
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

  /**
   * The handle of a flow that was found.
   *
   * @param six the family
   * @param place of the flow, {@link #NOWHERE} or {@link #ELSEWHERE}
   * @return a handle, or {@link #MISS}
   */
  public final int handle(boolean six, long place) {
    if (place <= ELSEWHERE) {
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
  public final int find4(int flowHash, long source, long destination, int ports, int protocol) {
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
  public final int find6(
      int flowHash,
      long sourceHigh,
      long sourceLow,
      long destinationHigh,
      long destinationLow,
      int ports,
      int protocol) {
    return handle(true, place6(flowHash, sourceHigh, sourceLow, destinationHigh, destinationLow, ports, protocol));
  }
}
