package io.lb4j.pcap.packet;

import io.lb4j.frame.FrameMarks;
import io.lb4j.pcap.os.MessageVector;
import io.lb4j.pcap.os.Native;
import io.lb4j.wire.EthernetHeader;
import io.netty.buffer.ByteBuf;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/**
 * Frames on their way out, each with the {@link VirtioHeader} that its marks ask for. A frame in a ring, ours or
 * another port's, is sent from there with the header written before it; one elsewhere in native memory is sent from
 * there with its header beside it; others are copied. A VLAN tag beside the bytes is put back without moving them.
 * Owned by a queue's worker.
 */
final class OffloadSender {
  /** Frames that are sent by one call. */
  static final int CAPACITY = 64;

  private static final int IOVECS = 2; // header or header with addresses and tag; frame, or what is left of it
  private static final int IOVEC_SIZE = 16;
  private static final int ADDRESSES_LENGTH = 12;
  private static final int PREFIX_SIZE = 32; // header, addresses, tag
  private static final int COPY_AREA = 512 * 1024;
  private static final ValueLayout.OfInt BIG_INT = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);
  private static final long OFFLOADS = FrameMarks.CHECKSUM_PARTIAL | FrameMarks.GSO;

  private final MessageVector messages;
  private final int mtu;
  private final MemorySegment vectors = Arena.ofAuto().allocate((long) CAPACITY * IOVECS * IOVEC_SIZE, 64);
  private final MemorySegment prefixes = Arena.ofAuto().allocate((long) CAPACITY * PREFIX_SIZE, 64);
  private final MemorySegment copies = Arena.ofAuto().allocate(COPY_AREA, 64);
  private final int[] lengths = new int[CAPACITY];
  private final byte[] bounce = new byte[COPY_AREA]; // for buffers that offer neither an address nor an array
  private int size;
  private int copied;
  private int refused;
  private long sentBytes;

  OffloadSender(int fd, int mtu) {
    this.messages = new MessageVector(fd, CAPACITY);
    this.mtu = mtu;
  }

  /** Whether a frame of this length could be handed over after a {@link #send()}. */
  static boolean isPossible(int length) {
    return length <= COPY_AREA;
  }

  boolean hasRoom(int length) {
    return size < CAPACITY && copied + length <= COPY_AREA;
  }

  int size() {
    return size;
  }

  /** Adds a frame; false when its marks do not fit its bytes. */
  boolean add(ByteBuf buffer, int start, int length, long marks) {
    long prefix = prefixes.address() + (long) size * PREFIX_SIZE;
    boolean tagged = (marks & FrameMarks.VLAN) != 0;
    boolean inRing = !tagged && buffer instanceof RingMemory.RingArea;
    long address = buffer.hasMemoryAddress() ? buffer.memoryAddress() + start : 0;
    long header = inRing ? address - VirtioHeader.LENGTH : prefix;
    if ((marks & OFFLOADS) == 0) {
      VirtioHeader.writePlain(header);
    } else if (!VirtioHeader.write(header, buffer, start, length, marks, tagged ? EthernetHeader.TAG_LENGTH : 0, mtu)) {
      return false;
    }
    if (inRing) {
      put(header, length + VirtioHeader.LENGTH);
    } else {
      addBeside(prefix, address == 0 ? copy(buffer, start, length) : address, length, tagged, marks);
    }
    lengths[size++] = tagged ? length + EthernetHeader.TAG_LENGTH : length;
    return true;
  }

  private void put(long address, int length) {
    long vector = vector(0);
    setVector(vector, address, length);
    messages.set(size, vectors.address() + vector, 1);
  }

  private void addBeside(long prefix, long frame, int length, boolean tagged, long marks) {
    int moved = 0;
    int prefixLength = VirtioHeader.LENGTH;
    if (tagged) {
      long addresses = prefix + VirtioHeader.LENGTH;
      MemorySegment.copy(Native.MEMORY, frame, Native.MEMORY, addresses, ADDRESSES_LENGTH);
      int tag = EthernetHeader.VLAN << 16 | FrameMarks.vlanTci(marks);
      Native.MEMORY.set(BIG_INT, addresses + ADDRESSES_LENGTH, tag);
      moved = ADDRESSES_LENGTH;
      prefixLength += ADDRESSES_LENGTH + EthernetHeader.TAG_LENGTH;
    }
    setVector(vector(0), prefix, prefixLength);
    setVector(vector(1), frame + moved, length - moved);
    messages.set(size, vectors.address() + vector(0), IOVECS);
  }

  private long vector(int i) {
    return ((long) size * IOVECS + i) * IOVEC_SIZE;
  }

  private void setVector(long vector, long address, long length) {
    vectors.set(Native.POINTER, vector, address);
    vectors.set(Native.LONG, vector + 8, length);
  }

  /** Copies a frame that is not in native memory; answers its new address. */
  private long copy(ByteBuf buffer, int start, int length) {
    byte[] array = bounce;
    int from = 0;
    if (buffer.hasArray()) {
      array = buffer.array();
      from = buffer.arrayOffset() + start;
    } else {
      buffer.getBytes(start, bounce, 0, length);
    }
    MemorySegment.copy(array, from, copies, ValueLayout.JAVA_BYTE, copied, length);
    long address = copies.address() + copied;
    copied += length;
    return address;
  }

  /**
   * Sends all frames without waiting; {@link #sentFrames}, {@link #sentBytes} and {@link #refused} say what became of
   * them.
   */
  void send() {
    refused = messages.send(size);
    sentBytes = 0;
    for (int i = 0; i < size; i++) {
      if (refused == 0 || !messages.isRefused(i)) {
        sentBytes += lengths[i];
      }
    }
  }

  int sentFrames() {
    return size - refused;
  }

  long sentBytes() {
    return sentBytes;
  }

  int refused() {
    return refused;
  }

  void clear() {
    size = 0;
    copied = 0;
  }
}
