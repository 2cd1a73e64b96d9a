package io.lb4j.pcap.os;

import io.netty.buffer.ByteBuf;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** Copies frames out of buffers of any kind without making an object for each. Owned by one half of a queue. */
public final class FrameCopy {
  private final byte[] bounce; // for buffers that offer neither an address nor an array

  public FrameCopy(int maxFrameLength) {
    bounce = new byte[maxFrameLength];
  }

  /** Copies bytes of a buffer into native memory. */
  public void copy(ByteBuf buffer, int start, int length, MemorySegment to, long at) {
    if (buffer.hasMemoryAddress()) {
      MemorySegment.copy(Native.MEMORY, buffer.memoryAddress() + start, to, at, length);
    } else if (buffer.hasArray()) {
      MemorySegment.copy(buffer.array(), buffer.arrayOffset() + start, to, ValueLayout.JAVA_BYTE, at, length);
    } else {
      buffer.getBytes(start, bounce, 0, length);
      MemorySegment.copy(bounce, 0, to, ValueLayout.JAVA_BYTE, at, length);
    }
  }
}
