package io.lb4j.pcap.os;

import io.netty.buffer.UnpooledByteBufAllocator;
import io.netty.buffer.UnpooledDirectByteBuf;
import java.lang.foreign.MemorySegment;

/**
 * Native memory as a buffer that knows its address. A buffer made by {@code Unpooled.wrappedBuffer} asks for it anew
 * each time, which allocates 72 bytes until the call is compiled (Netty 4.2.20 without Unsafe). The memory lives as
 * long as the buffer is referred to; there is nothing to release. Owned by a queue's worker.
 */
public class FrameArea extends UnpooledDirectByteBuf {
  private final long address;

  /**
   * A buffer over all of a segment.
   *
   * @param memory native, of less than 2 GiB
   */
  public FrameArea(MemorySegment memory) {
    super(UnpooledByteBufAllocator.DEFAULT, memory.asByteBuffer(), (int) memory.byteSize());
    address = memory.address();
  }

  @Override
  public boolean hasMemoryAddress() {
    return true;
  }

  @Override
  public long memoryAddress() {
    return address;
  }
}
