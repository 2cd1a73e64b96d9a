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
 * @param blocks whether frames are gathered into blocks
 * @param size bytes wanted
 * @param mtu of the device
 * @param retireTimeMs after which a block is handed over that is not full
 */
record RingRequest(boolean blocks, int size, int mtu, int retireTimeMs) {
  /** Smallest ring. */
  static final int LEAST_SIZE = 512 * 1024;

  private static final int TPACKET_V2 = 1;
  private static final int TPACKET_V3 = 2;
  private static final int BLOCK_SIZE = 256 * 1024;
  private static final int LEAST_BLOCKS = 4;
  private static final int LEAST_SLOT = 2048;
  private static final int LINK_HEADERS = 22; // Ethernet and two VLAN tags

  /** Asks the kernel for a ring; room for it may be short. */
  @FunctionalInterface
  interface Allocator {
    /** What setsockopt(PACKET_RX_RING) answers: less than 0 for an error. */
    int allocate(PacketSocket socket, MemorySegment request);
  }

  /** The kernel. */
  static final Allocator KERNEL = (socket, request) -> socket.trySet(PacketSocket.PACKET_RX_RING, request);

  /**
   * Gives a socket its ring: half as large, and half again, while the kernel has no memory for it.
   *
   * @return bytes that it got
   */
  int allocate(PacketSocket socket, Allocator allocator, String device) {
    socket.set(PacketSocket.PACKET_VERSION, blocks ? TPACKET_V3 : TPACKET_V2, "PACKET_VERSION", "3.2");
    int answer = 0;
    for (int bytes = size; bytes >= LEAST_SIZE; bytes /= 2) {
      bytes = bytes / blockSize(bytes) * blockSize(bytes);
      answer = allocate(socket, allocator, bytes);
      if (answer >= 0) {
        return bytes;
      }
      if (answer != -Libc.ENOMEM) {
        break;
      }
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

  private int allocate(PacketSocket socket, Allocator allocator, int bytes) {
    try (Arena arena = Arena.ofConfined()) {
      int slot = blocks ? LEAST_SLOT : slotSize();
      MemorySegment request = arena.allocate(blocks ? 28 : 16, 4); // tpacket_req3, tpacket_req
      request.set(Native.INT, 0, blockSize(bytes));
      request.set(Native.INT, 4, bytes / blockSize(bytes));
      request.set(Native.INT, 8, slot);
      request.set(Native.INT, 12, bytes / slot);
      if (blocks) {
        request.set(Native.INT, 16, retireTimeMs);
      }
      return allocator.allocate(socket, request);
    }
  }

  /** The ring over memory that was allocated as asked. */
  ReceiveRing ring(RingMemory memory, PacketSocket socket, int bytes) {
    return blocks
        ? new BlockRing(memory, blockSize(bytes), bytes / blockSize(bytes))
        : new SlotRing(memory, socket.fd(), slotSize(), bytes / slotSize());
  }

  /** Bytes of a block: room for the longest super-frame, and at least some blocks. */
  private static int blockSize(int bytes) {
    return Math.min(BLOCK_SIZE, Integer.highestOneBit(bytes / LEAST_BLOCKS));
  }

  /** A power of two, so that slots fill blocks. */
  private int slotSize() {
    int needed = Math.max(LEAST_SLOT, SlotRing.HEADROOM + LINK_HEADERS + mtu);
    return Math.min(LEAST_SIZE / LEAST_BLOCKS, Integer.highestOneBit(needed - 1) << 1);
  }
}
