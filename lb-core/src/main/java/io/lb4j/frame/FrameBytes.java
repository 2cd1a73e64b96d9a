package io.lb4j.frame;

import io.lb4j.wire.DirectMemory;
import io.lb4j.wire.EthernetHeader;
import io.netty.buffer.ByteBuf;

/**
 * The bytes of a frame: where they are, and how they are read and written, by address where this JVM gives one. The
 * part of a {@link FrameView} that knows of memory and of nothing else but MAC addresses; a superclass, so that a frame
 * is one object. Owned by one worker.
 */
public abstract sealed class FrameBytes permits FrameView {
  /** Behind the Ethernet header, in the line that holds the addresses of an IPv4 packet. */
  private static final int TOUCHED_OFFSET = 28;

  private static final int TOUCHED_BYTES = TOUCHED_OFFSET + 4;

  // where the frame is
  ByteBuf buffer;
  long address; // of the buffer's index 0; 0 where memory is reached through the buffer
  int start;
  int length;

  FrameBytes() {}

  /**
   * The buffer that holds the frame.
   *
   * @return borrowed
   */
  public final ByteBuf buffer() {
    return buffer;
  }

  /** Every read and write has been checked against the frame's length before; with {@code -ea} it is checked again. */
  final boolean holds(int index, int bytes) {
    return index >= start && index + bytes <= start + length;
  }

  /**
   * Reads 8 bits, as {@link ByteBuf#getUnsignedByte} of {@link #buffer()} does, by the fastest way there is.
   *
   * @param index inside the frame; not checked
   * @return 0..255
   */
  public final int getUnsignedByte(int index) {
    assert holds(index, 1);
    return DirectMemory.AVAILABLE && address != 0
        ? DirectMemory.getUnsignedByte(address + index)
        : buffer.getUnsignedByte(index);
  }

  /**
   * Reads 16 bits in network order.
   *
   * @param index of the first byte, inside the frame; not checked
   * @return 0..65535
   */
  public final int getUnsignedShort(int index) {
    assert holds(index, 2);
    return DirectMemory.AVAILABLE && address != 0
        ? DirectMemory.getUnsignedShort(address + index)
        : buffer.getUnsignedShort(index);
  }

  /**
   * Reads 32 bits in network order.
   *
   * @param index of the first byte, inside the frame; not checked
   * @return 32 bits
   */
  public final int getInt(int index) {
    assert holds(index, 4);
    return DirectMemory.AVAILABLE && address != 0 ? DirectMemory.getInt(address + index) : buffer.getInt(index);
  }

  /**
   * Reads 64 bits in network order.
   *
   * @param index of the first byte, inside the frame; not checked
   * @return 64 bits
   */
  public final long getLong(int index) {
    assert holds(index, 8);
    return DirectMemory.AVAILABLE && address != 0 ? DirectMemory.getLong(address + index) : buffer.getLong(index);
  }

  /**
   * Writes 8 bits.
   *
   * @param index inside the frame; not checked
   * @param value the lower 8 bits count
   */
  public final void setByte(int index, int value) {
    assert holds(index, 1);
    if (DirectMemory.AVAILABLE && address != 0) {
      DirectMemory.setByte(address + index, value);
    } else {
      buffer.setByte(index, value);
    }
  }

  /**
   * Writes 16 bits in network order.
   *
   * @param index of the first byte, inside the frame; not checked
   * @param value the lower 16 bits count
   */
  public final void setShort(int index, int value) {
    assert holds(index, 2);
    if (DirectMemory.AVAILABLE && address != 0) {
      DirectMemory.setShort(address + index, value);
    } else {
      buffer.setShort(index, value);
    }
  }

  /**
   * Writes 32 bits in network order.
   *
   * @param index of the first byte, inside the frame; not checked
   * @param value 32 bits
   */
  public final void setInt(int index, int value) {
    assert holds(index, 4);
    if (DirectMemory.AVAILABLE && address != 0) {
      DirectMemory.setInt(address + index, value);
    } else {
      buffer.setInt(index, value);
    }
  }

  /**
   * Writes 64 bits in network order.
   *
   * @param index of the first byte, inside the frame; not checked
   * @param value 64 bits
   */
  public final void setLong(int index, long value) {
    assert holds(index, 8);
    if (DirectMemory.AVAILABLE && address != 0) {
      DirectMemory.setLong(address + index, value);
    } else {
      buffer.setLong(index, value);
    }
  }

  /**
   * Reads one word of the frame's headers, so that their cache line is on its way while others are asked for.
   *
   * @return the word; add it up, so that the compiler keeps the load
   */
  public final int touch() {
    return length < TOUCHED_BYTES ? 0 : getInt(start + TOUCHED_OFFSET);
  }

  /**
   * The destination MAC address.
   *
   * @return 48 bits; of no meaning for a frame too short for an Ethernet header
   */
  public final long destinationMac() {
    return getLong(start + EthernetHeader.DESTINATION_OFFSET) >>> 16;
  }

  /**
   * The source MAC address.
   *
   * @return 48 bits; of no meaning for a frame too short for an Ethernet header
   */
  public final long sourceMac() {
    return getLong(start + EthernetHeader.SOURCE_OFFSET) >>> 16;
  }

  /**
   * Writes both MAC addresses, bytes 0 to 11 of the frame, in two stores.
   *
   * @param destination 48 bits
   * @param source 48 bits
   */
  public final void setMacs(long destination, long source) {
    setLong(start, destination << 16 | source >>> 32);
    setInt(start + 8, (int) source);
  }

  /**
   * Index of the frame's first byte.
   *
   * @return an index into {@link #buffer()}
   */
  public final int start() {
    return start;
  }

  /**
   * Length of the frame, without its check sequence, with Ethernet padding.
   *
   * @return bytes
   */
  public final int length() {
    return length;
  }
}
