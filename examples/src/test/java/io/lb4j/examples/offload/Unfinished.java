package io.lb4j.examples.offload;

import io.lb4j.testkit.FrameBuilder;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.nio.ByteBuffer;

/**
 * Checksums of untagged TCP and UDP frames without options, by arithmetic of its own: nothing of the code under test
 * vouches for it. Stateless.
 */
final class Unfinished {
  private static final int NETWORK = 14;

  private Unfinished() {}

  static boolean isV6(ByteBuf frame) {
    return frame.getUnsignedShort(12) == 0x86DD;
  }

  static int transport(ByteBuf frame) {
    return NETWORK + (isV6(frame) ? 40 : 20);
  }

  static boolean isTcp(ByteBuf frame) {
    return frame.getUnsignedByte(NETWORK + (isV6(frame) ? 6 : 9)) == 6;
  }

  /** Where the transport checksum is. */
  static int field(ByteBuf frame) {
    return transport(frame) + (isTcp(frame) ? 16 : 6);
  }

  static int checksum(ByteBuf frame) {
    return frame.getUnsignedShort(field(frame));
  }

  /** A frame whose sender has left the checksum to its device, in native memory. */
  static ByteBuf frame(FrameBuilder builder) {
    ByteBuf built = builder.build();
    ByteBuf frame = inNativeMemory(built);
    built.release();
    frame.setShort(field(frame), pseudoHeader(frame));
    return frame;
  }

  /** A copy that leak detection does not watch: it would note each of the many reads. */
  static ByteBuf inNativeMemory(ByteBuf frame) {
    ByteBuf copy = Unpooled.wrappedBuffer(ByteBuffer.allocateDirect(frame.readableBytes()));
    return copy.clear().writeBytes(frame, frame.readerIndex(), frame.readableBytes());
  }

  /** The folded sum of the pseudo-header: what stands in the field of an unfinished checksum. */
  static int pseudoHeader(ByteBuf frame) {
    int addresses = NETWORK + (isV6(frame) ? 8 : 12);
    int length = frame.readableBytes() - transport(frame);
    long sum = (isTcp(frame) ? 6 : 17) + length;
    return fold(sum + words(frame, addresses, transport(frame)));
  }

  /** Whether the checksum is right over pseudo-header, header and data. */
  static boolean isRight(ByteBuf frame) {
    return fold(pseudoHeader(frame) + words(frame, transport(frame), frame.readableBytes())) == 0xFFFF;
  }

  static long words(ByteBuf frame, int from, int to) {
    long sum = 0;
    for (int at = from; at < to; at++) {
      sum += (at - from & 1) == 0 ? frame.getUnsignedByte(at) << 8 : frame.getUnsignedByte(at);
    }
    return sum;
  }

  static int fold(long sum) {
    long folded = sum;
    while (folded >>> 16 != 0) {
      folded = (folded & 0xFFFF) + (folded >>> 16);
    }
    return (int) folded;
  }
}
