package io.lb4j.pcap.packet;

import io.lb4j.pcap.os.Libc;
import io.netty.buffer.ByteBuf;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * Room for whole frames that were too long for their slots, as those beyond 64 KiB are (BIG TCP), taken from the socket
 * in which the kernel queued them. Given back all at once. Owned by a queue's worker.
 */
final class CopyArea {
  private static final int SIZE = 2 * 1024 * 1024;
  private static final int LONGEST = 1024 * 1024; // what may come: half a MiB
  private static final int ROOM_BEFORE = 64; // for the header, a tag, and alignment
  private static final int CACHE_LINE = 64;
  private static final int MSG_DONTWAIT = 0x40;

  private final MemorySegment memory = Arena.ofAuto().allocate(SIZE, CACHE_LINE);
  private final ByteBuf buffer = new RingMemory.RingArea(memory);
  private int used;
  private long frame;
  private int length;

  /** Whether there might be no room for another frame. */
  boolean isFull() {
    return used + LONGEST > SIZE;
  }

  /** Takes the next frame from a socket; false if there is none. */
  boolean take(int fd) {
    long room = memory.address() + used + ROOM_BEFORE - VirtioHeader.LENGTH;
    int taken = receive(fd, room);
    if (taken < 0 && taken != -Libc.EAGAIN) {
      taken = receive(fd, room); // an error, as of a link that was down, is told before the frame
    }
    if (taken < VirtioHeader.LENGTH) {
      return false;
    }
    frame = room + VirtioHeader.LENGTH;
    length = taken - VirtioHeader.LENGTH;
    used = used + ROOM_BEFORE + length + CACHE_LINE - 1 & -CACHE_LINE;
    return true;
  }

  private static int receive(int fd, long room) {
    return (int) Libc.recv(fd, room, LONGEST - ROOM_BEFORE, MSG_DONTWAIT);
  }

  /** The buffer of all frames that were taken. */
  ByteBuf buffer() {
    return buffer;
  }

  /** Address of the frame that was taken last; its {@link VirtioHeader} is right before. */
  long frame() {
    return frame;
  }

  /** Its bytes. */
  int length() {
    return length;
  }

  /** Gives all room back. */
  void release() {
    used = 0;
  }
}
