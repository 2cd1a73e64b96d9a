package io.lb4j.pcap.os;

import io.lb4j.frame.FrameMarks;
import io.netty.buffer.ByteBuf;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * Frames on their way out, as an array of iovec: the address and length of each. Frames in native memory are sent from
 * where they are; others, and those that need a VLAN tag put back, are copied. Owned by a queue's worker.
 */
public final class TransmitBatch {
  /** Frames that are sent by one call. */
  public static final int CAPACITY = 256;

  /** Bytes of an iovec. */
  public static final int IOVEC_SIZE = 16;

  private static final int COPY_AREA = 512 * 1024;
  private static final int ADDRESSES_LENGTH = 12; // both MAC addresses
  private static final int TAG_LENGTH = 4;
  private static final short TAG_PROTOCOL = (short) 0x8100;

  private final MemorySegment vectors = Arena.ofAuto().allocate((long) CAPACITY * IOVEC_SIZE, 64);
  private final MemorySegment copies;
  private final FrameCopy source;
  private int size;
  private int copied;
  private long bytes;
  private int refused;
  private long refusedBytes;

  public TransmitBatch(int maxFrameLength) {
    copies = Arena.ofAuto().allocate(Math.max(COPY_AREA, 4L * maxFrameLength), 64);
    source = new FrameCopy(maxFrameLength);
  }

  /** Whether another frame of this length fits in. */
  public boolean hasRoom(int length) {
    return size < CAPACITY && copied + length + TAG_LENGTH <= copies.byteSize();
  }

  /** Adds a frame; a VLAN tag beside the bytes is put back between addresses and type. */
  public void add(ByteBuf buffer, int start, int length, long marks) {
    if ((marks & FrameMarks.VLAN) != 0) {
      addTagged(buffer, start, length, FrameMarks.vlanTci(marks));
    } else if (buffer.hasMemoryAddress()) {
      put(buffer.memoryAddress() + start, length);
    } else {
      copy(buffer, start, length);
      commit(length);
    }
  }

  private void addTagged(ByteBuf buffer, int start, int length, int tagControlInformation) {
    int first = copied;
    copy(buffer, start, ADDRESSES_LENGTH);
    long tag = first + ADDRESSES_LENGTH;
    copies.set(ValueLayout.JAVA_BYTE, tag, (byte) (TAG_PROTOCOL >>> 8));
    copies.set(ValueLayout.JAVA_BYTE, tag + 1, (byte) TAG_PROTOCOL);
    copies.set(ValueLayout.JAVA_BYTE, tag + 2, (byte) (tagControlInformation >>> 8));
    copies.set(ValueLayout.JAVA_BYTE, tag + 3, (byte) tagControlInformation);
    copied = first + ADDRESSES_LENGTH + TAG_LENGTH;
    copy(buffer, start + ADDRESSES_LENGTH, length - ADDRESSES_LENGTH);
    copied = first;
    commit(length + TAG_LENGTH);
  }

  /** Copies bytes to where the next frame is put together. */
  private void copy(ByteBuf buffer, int start, int length) {
    source.copy(buffer, start, length, copies, copied);
  }

  private void commit(int length) {
    put(copies.address() + copied, length);
    copied += length;
  }

  private void put(long address, int length) {
    long vector = (long) size * IOVEC_SIZE;
    vectors.set(Native.POINTER, vector, address);
    vectors.set(Native.LONG, vector + 8, length);
    size++;
    bytes += length;
  }

  public int size() {
    return size;
  }

  /** Address of the iovec array. */
  public long vectors() {
    return vectors.address();
  }

  public long address(int i) {
    return vectors.get(Native.POINTER, (long) i * IOVEC_SIZE);
  }

  public long length(int i) {
    return vectors.get(Native.LONG, (long) i * IOVEC_SIZE + 8);
  }

  /** Notes that the device did not take a frame. */
  public void refuse(int i) {
    refused++;
    refusedBytes += length(i);
  }

  public int refused() {
    return refused;
  }

  public long sentBytes() {
    return bytes - refusedBytes;
  }

  public void clear() {
    size = 0;
    copied = 0;
    bytes = 0;
    refused = 0;
    refusedBytes = 0;
  }
}
