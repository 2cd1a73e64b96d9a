package io.lb4j.frame;

import io.lb4j.wire.IpProtocol;
import io.lb4j.wire.TcpHeader;
import io.lb4j.wire.UdpHeader;

/** What a super-frame (mark {@link FrameMarks#GSO}) will be on the wire. Stateless; allocates nothing. */
public final class Segments {
  private Segments() {}

  /**
   * The largest IP packet that a frame will be on the wire: of a super-frame, one segment with its headers.
   *
   * @param view parsed as IP
   * @return bytes
   */
  public static int packetLength(FrameView view) {
    int whole = view.networkEnd - view.network;
    if ((view.marks & FrameMarks.GSO) == 0 || view.kind != FrameKind.SEGMENT) {
      return whole;
    }
    int header =
        view.protocol == IpProtocol.TCP
            ? view.getUnsignedByte(view.transport + TcpHeader.DATA_OFFSET_OFFSET) >>> 4 << 2
            : UdpHeader.LENGTH;
    return Math.min(whole, view.transport - view.network + header + FrameMarks.gsoSize(view.marks));
  }
}
