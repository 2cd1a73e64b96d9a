package io.lb4j.wire;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * A block of zeroed memory outside the heap for tables, aligned to a cache line, large ones in huge pages where the
 * system gives them ({@link HugePages}); values in the machine's order. Read and written by address where this JVM
 * gives addresses ({@link DirectMemory}), else through a {@code ByteBuffer}; freed when it is garbage. Owned by whoever
 * made it. Offsets are not checked unless assertions are on: callers compute them from indices that they have bounded.
 */
public final class OffHeap {
  /** No memory. */
  public static final OffHeap NONE = new OffHeap(0);

  private static final int LINE = 64;

  /** From here on a table's pages no longer fit in the translation caches; it is rounded up to whole huge pages. */
  private static final int LEAST_FOR_HUGE_PAGES = HugePages.SIZE;

  private final Object memory; // keeps it, whichever way it is reached
  private final ByteBuffer buffer; // null for what is reached by address only
  private final long address;
  private final long size;

  private OffHeap(long bytes) {
    boolean large = bytes >= LEAST_FOR_HUGE_PAGES;
    int alignment = large ? HugePages.SIZE : LINE;
    long rounded = bytes + alignment - 1 & -alignment;
    Object mapped = large ? HugePages.map(rounded) : null;
    this.size = bytes;
    if (mapped == null && rounded + alignment <= Integer.MAX_VALUE) {
      ByteBuffer whole = ByteBuffer.allocateDirect((int) rounded + alignment);
      int start = -whole.alignmentOffset(0, alignment) & alignment - 1;
      this.buffer = whole.slice(start, (int) bytes).order(ByteOrder.nativeOrder());
      this.memory = buffer;
      this.address = DirectMemory.addressOf(buffer);
    } else {
      this.buffer = null;
      this.memory = mapped == null ? DirectMemory.allocate(rounded + alignment) : mapped;
      this.address = DirectMemory.addressOfMemory(memory) + alignment - 1 & -alignment;
    }
    if (large && mapped == null) {
      HugePages.gather(address, rounded);
    }
  }

  /**
   * Takes memory.
   *
   * @param bytes how much, a multiple of 8
   * @return zeroed
   * @throws OutOfMemoryError when {@code -XX:MaxDirectMemorySize} does not leave so much, or for 2 GiB and more where
   *     there is no {@code java.lang.foreign}
   */
  public static OffHeap of(long bytes) {
    return bytes == 0 ? NONE : new OffHeap(bytes);
  }

  /**
   * The block's size.
   *
   * @return bytes
   */
  public long size() {
    return size;
  }

  private boolean holds(long offset, int bytes) {
    return offset >= 0 && offset <= size - bytes;
  }

  /**
   * A place in the block, for the methods whose names end in {@code At}: cheaper than offsets where several values are
   * read around it. Places in a block aligned to 64 bytes are aligned as their offsets are.
   *
   * @param offset in bytes
   * @return with {@code long} arithmetic, the place of {@code offset + n} is {@code place(offset) + n}
   */
  public long place(long offset) {
    assert holds(offset, 0);
    return DirectMemory.AVAILABLE ? DirectMemory.base(address + offset) : offset;
  }

  /**
   * The offset of a place.
   *
   * @param place from {@link #place}, with an offset added
   * @return in bytes
   */
  public long offset(long place) {
    return DirectMemory.AVAILABLE ? place - address : place;
  }

  private boolean holdsAt(long place, int bytes) {
    long offset = DirectMemory.AVAILABLE ? place - address : place;
    return offset >= 0 && offset <= size - bytes;
  }

  /**
   * Reads 8 bits.
   *
   * @param place from {@link #place}, with an offset added
   * @return the byte, signed
   */
  public byte getByteAt(long place) {
    assert holdsAt(place, 1);
    return DirectMemory.AVAILABLE ? (byte) DirectMemory.getUnsignedByte(place) : buffer.get((int) place);
  }

  /**
   * Reads 32 bits.
   *
   * @param place from {@link #place}, with an offset added
   * @return the value
   */
  public int getIntAt(long place) {
    assert holdsAt(place, 4);
    return DirectMemory.AVAILABLE ? DirectMemory.getIntNative(place) : buffer.getInt((int) place);
  }

  /**
   * Reads 64 bits.
   *
   * @param place from {@link #place}, with an offset added
   * @return the value
   */
  public long getLongAt(long place) {
    assert holdsAt(place, 8);
    return DirectMemory.AVAILABLE ? DirectMemory.getLongNative(place) : buffer.getLong((int) place);
  }

  /**
   * Reads 8 bits.
   *
   * @param offset in bytes
   * @return the byte, signed
   */
  public byte getByte(long offset) {
    assert holds(offset, 1);
    return DirectMemory.AVAILABLE ? (byte) DirectMemory.getUnsignedByte(address + offset) : buffer.get((int) offset);
  }

  /**
   * Reads 32 bits.
   *
   * @param offset in bytes
   * @return the value
   */
  public int getInt(long offset) {
    assert holds(offset, 4);
    return DirectMemory.AVAILABLE ? DirectMemory.getIntNative(address + offset) : buffer.getInt((int) offset);
  }

  /**
   * Reads 64 bits.
   *
   * @param offset in bytes
   * @return the value
   */
  public long getLong(long offset) {
    assert holds(offset, 8);
    return DirectMemory.AVAILABLE ? DirectMemory.getLongNative(address + offset) : buffer.getLong((int) offset);
  }

  /**
   * Writes 8 bits.
   *
   * @param offset in bytes
   * @param value the byte
   */
  public void setByte(long offset, byte value) {
    assert holds(offset, 1);
    if (DirectMemory.AVAILABLE) {
      DirectMemory.setByte(address + offset, value);
    } else {
      buffer.put((int) offset, value);
    }
  }

  /**
   * Writes 32 bits.
   *
   * @param offset in bytes
   * @param value the value
   */
  public void setInt(long offset, int value) {
    assert holds(offset, 4);
    if (DirectMemory.AVAILABLE) {
      DirectMemory.setIntNative(address + offset, value);
    } else {
      buffer.putInt((int) offset, value);
    }
  }

  /**
   * Writes 64 bits.
   *
   * @param offset in bytes
   * @param value the value
   */
  public void setLong(long offset, long value) {
    assert holds(offset, 8);
    if (DirectMemory.AVAILABLE) {
      DirectMemory.setLongNative(address + offset, value);
    } else {
      buffer.putLong((int) offset, value);
    }
  }
}
