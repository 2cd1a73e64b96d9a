package io.lb4j.pcap.packet;

import io.lb4j.pcap.os.FrameArea;
import io.lb4j.pcap.os.Libc;
import io.lb4j.pcap.os.Native;
import io.lb4j.port.PortException.Cause;
import io.netty.buffer.ByteBuf;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * A ring's memory, shared with the kernel, as one buffer for all its frames. Giving it back never takes memory away
 * under somebody who still reads: empty memory takes its place, and that lives as long as the buffer is referred to.
 * Owned by a queue.
 */
final class RingMemory {
  private final long address;
  private final int length;
  private final ByteBuf buffer;

  private RingMemory(long address, int length) {
    this.address = address;
    this.length = length;
    this.buffer = new RingArea(segment(address, length));
  }

  /**
   * A buffer whose frames have room before them for a {@link VirtioHeader}, which the sender may write there. Owned by
   * a queue's worker.
   */
  static final class RingArea extends FrameArea {
    RingArea(MemorySegment memory) {
      super(memory);
    }
  }

  /** Maps the ring of a socket. */
  static RingMemory map(int fd, int length, String device) {
    long address = Libc.mmapShared(fd, length, 0);
    if (address < 0) {
      throw Native.failure(
          Cause.SYSTEM,
          "mmap of " + length + " bytes for " + device,
          (int) -address,
          "the process may not have so much memory (ulimit -v): choose a smaller ringSize, or fewer queues");
    }
    return new RingMemory(address, length);
  }

  @SuppressWarnings("restricted")
  private static MemorySegment segment(long address, long length) {
    return MemorySegment.ofAddress(address)
        .reinterpret(length, Arena.ofAuto(), ended -> Libc.munmap(ended.address(), length));
  }

  long address() {
    return address;
  }

  int length() {
    return length;
  }

  ByteBuf buffer() {
    return buffer;
  }

  /** Puts the memory of a new ring of the same length in its place; whether that was done. */
  boolean mapAgain(int fd) {
    if (Libc.mmapSharedOver(address, fd, length) == address) {
      return true;
    }
    retire();
    return false;
  }

  /** Gives the memory back to the kernel; whoever still reads there reads zeros. */
  void retire() {
    Libc.mmapEmptyOver(address, length);
  }
}
