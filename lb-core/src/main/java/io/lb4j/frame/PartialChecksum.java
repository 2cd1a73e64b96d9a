package io.lb4j.frame;

import io.lb4j.wire.InternetChecksum;
import io.lb4j.wire.IpProtocol;
import io.lb4j.wire.TcpHeader;
import io.lb4j.wire.UdpHeader;
import io.netty.buffer.ByteBuf;

/**
 * Finishes the transport checksum of a frame whose sender left that to its device (mark {@link
 * FrameMarks#CHECKSUM_PARTIAL}). Safe from any thread that owns the frame; allocates nothing.
 */
public final class PartialChecksum {
  private PartialChecksum() {}

  /**
   * Completes the checksum of a TCP or UDP packet and takes the mark away. The field holds the folded sum of the
   * pseudo-header, so that summing header and data over it gives the checksum.
   *
   * @param frame parsed; nothing happens without the mark. No fragment has one that could be completed
   */
  public static void complete(FrameView frame) {
    if ((frame.marks & FrameMarks.CHECKSUM_PARTIAL) == 0) {
      return;
    }
    frame.setMarks(frame.marks & ~FrameMarks.CHECKSUM_PARTIAL);
    ByteBuf buffer = frame.buffer;
    int transport = frame.transport;
    if (frame.kind != FrameKind.SEGMENT) {
      return;
    }
    boolean tcp = frame.protocol == IpProtocol.TCP;
    long sum = InternetChecksum.sum(buffer, transport, frame.networkEnd - transport, 0);
    int checksum = InternetChecksum.finish(sum);
    int field = transport + (tcp ? TcpHeader.CHECKSUM_OFFSET : UdpHeader.CHECKSUM_OFFSET);
    buffer.setShort(field, checksum == 0 && !tcp ? 0xFFFF : checksum);
  }
}
