package io.lb4j.pcap.packet;

import io.lb4j.pcap.os.Libc;
import io.lb4j.pcap.os.Native;
import io.lb4j.pcap.os.PacketSocket;
import io.lb4j.port.PortException.Cause;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * What ring to ask the kernel for: of blocks (TPACKET_V3) or of slots (TPACKET_V2). Immutable; used by the control
 * thread.
 *
 * @param gathers whether frames are gathered into blocks, which are handed over as a whole
 * @param size bytes wanted
 * @param largestBlock bytes of a block, of a ring that has at least some
 * @param leastBlocks how many that is
 * @param slot bytes of a slot
 * @param retireTimeMs after which a block is handed over that is not full
 */
record RingRequest(boolean gathers, int size, int largestBlock, int leastBlocks, int slot, int retireTimeMs) {
  /** Smallest ring. */
  static final int LEAST_SIZE = 512 * 1024;

  private static final int TPACKET_V2 = 1;
  private static final int TPACKET_V3 = 2;
  private static final int BLOCK_SIZE = 256 * 1024; // has room for the longest super-frame
  private static final int LEAST_BLOCKS = 4;
  private static final int LEAST_SLOT = 2048;
  private static final int LINK_HEADERS = 22; // Ethernet and two VLAN tags
  private static final int LEAST_LONG_SIZE = 4 * 1024 * 1024;
  private static final int LONG_BLOCK_SIZE = 1024 * 1024;
  private static final int LONG_SLOT = 65_664; // a packet of 64 KiB with all headers; no power of two, for caches' sake

  /** Asks the kernel for a ring; room for it may be short. */
  @FunctionalInterface
  interface Allocator {
    /** What setsockopt(PACKET_RX_RING) answers: less than 0 for an error. */
    int allocate(PacketSocket socket, MemorySegment request);
  }

  /** The kernel. */
  static final Allocator KERNEL = (socket, request) -> socket.trySet(PacketSocket.PACKET_RX_RING, request);

  /** Blocks of frames of any length. */
  static RingRequest ofBlocks(int size, int retireTimeMs) {
    return new RingRequest(true, size, BLOCK_SIZE, LEAST_BLOCKS, LEAST_SLOT, retireTimeMs);
  }

  /** Slots of a frame of the MTU each: a power of two, so that they fill blocks. */
  static RingRequest ofSlots(int size, int mtu) {
    int needed = Math.max(LEAST_SLOT, SlotRing.HEADROOM + LINK_HEADERS + mtu);
    int slot = Math.min(LEAST_SIZE / LEAST_BLOCKS, Integer.highestOneBit(needed - 1) << 1);
    return new RingRequest(false, size, BLOCK_SIZE, LEAST_BLOCKS, slot, 0);
  }

  /** The longest frame, with its Ethernet header, that has room in a slot. */
  int longestFrame() {
    return slot - SlotRing.HEADROOM;
  }

  /** Slots of a super-frame each, some dozens at least. */
  static RingRequest ofLongSlots(int size) {
    return new RingRequest(false, Math.max(size, LEAST_LONG_SIZE), LONG_BLOCK_SIZE, 1, LONG_SLOT, 0);
  }

  /**
   * Gives a socket its ring: half as large, and half again, while the kernel has no memory for it.
   *
   * @return bytes that it got
   */
  int allocate(PacketSocket socket, Allocator allocator, String device) {
    socket.set(PacketSocket.PACKET_VERSION, gathers ? TPACKET_V3 : TPACKET_V2, "PACKET_VERSION", "3.2");
    int bytes = roundedSize();
    int answer = allocate(socket, allocator, bytes);
    while (answer == -Libc.ENOMEM && bytes > LEAST_SIZE) {
      bytes = inBlocks(Math.max(bytes / 2, LEAST_SIZE));
      answer = allocate(socket, allocator, bytes);
    }
    if (answer >= 0) {
      return bytes;
    }
    boolean noMemory = answer == -Libc.ENOMEM;
    throw Native.failure(
        Cause.SYSTEM,
        "setsockopt(PACKET_RX_RING) on " + device,
        -answer,
        noMemory
            ? "the kernel has no memory for a ring of " + size + " bytes, not even of " + LEAST_SIZE
                + ": free memory, or use fewer queues"
            : "the kernel may lack this kind of ring");
  }

  /** Takes a socket's ring away, which nobody has mapped, and gives it an empty one; whether that was done. */
  boolean renew(PacketSocket socket, Allocator allocator, int bytes) {
    return release(socket) >= 0 && allocate(socket, allocator, bytes) >= 0;
  }

  /** Takes a ring of slots away, if there is one; answers less than 0 when the kernel refuses. */
  static int release(PacketSocket socket) {
    try (Arena arena = Arena.ofConfined()) {
      return socket.trySet(PacketSocket.PACKET_RX_RING, arena.allocate(16, 4));
    }
  }

  private int allocate(PacketSocket socket, Allocator allocator, int bytes) {
    try (Arena arena = Arena.ofConfined()) {
      int block = blockSize(bytes);
      MemorySegment request = arena.allocate(gathers ? 28 : 16, 4); // tpacket_req3, tpacket_req
      request.set(Native.INT, 0, block);
      request.set(Native.INT, 4, bytes / block);
      request.set(Native.INT, 8, slot);
      request.set(Native.INT, 12, bytes / block * (block / slot));
      if (gathers) {
        request.set(Native.INT, 16, retireTimeMs);
      }
      return allocator.allocate(socket, request);
    }
  }

  /** Bytes that are got where the kernel has them: whole blocks. */
  int roundedSize() {
    return inBlocks(size);
  }

  private int inBlocks(int bytes) {
    return bytes / blockSize(bytes) * blockSize(bytes);
  }

  /** Bytes of a block in a ring that got so many. */
  int blockSize(int bytes) {
    return Math.min(largestBlock, Integer.highestOneBit(bytes / leastBlocks));
  }
}
