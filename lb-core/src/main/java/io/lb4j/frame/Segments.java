package io.lb4j.frame;

import io.lb4j.wire.IpProtocol;
import io.lb4j.wire.TcpHeader;
import io.lb4j.wire.UdpHeader;

/** What a super-frame (mark {@link FrameMarks#GSO}) will be on the wire. Stateless; allocates nothing. */
public final class Segments {
  /** More than any host makes of 64 KiB: 1,448 bytes are usual, 48 the least that Linux cuts to. */
  private static final int MOST = 2048;

  private static final int DATAGRAMS = 5; // VIRTIO_NET_HDR_GSO_UDP_L4

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
    return Math.min(whole, view.transport - view.network + transportHeaderLength(view) + FrameMarks.gsoSize(view.marks));
  }

  /**
   * Whether it is clear how to cut a super-frame: it is TCP, or UDP that its sender joined, its segments have a size,
   * and they are no more than a host would make. libpcap tells no size. A UDP datagram that is to become IP fragments
   * (UFO) is none of these.
   *
   * @param view parsed
   * @return whether a {@link Segmenter} cuts it
   */
  public static boolean areClear(FrameView view) {
    if ((view.marks & FrameMarks.GSO) == 0 || view.kind != FrameKind.SEGMENT) {
      return false;
    }
    int size = FrameMarks.gsoSize(view.marks);
    boolean known = view.protocol == IpProtocol.TCP || FrameMarks.gsoType(view.marks) == DATAGRAMS;
    int payload = view.networkEnd - view.transport - transportHeaderLength(view);
    return known && size > 0 && payload > 0 && payload <= (long) MOST * size;
  }

  /**
   * How many packets a frame will be on the wire.
   *
   * @param view parsed
   * @return 1 for a frame that is none to be cut
   */
  public static int count(FrameView view) {
    if (!areClear(view)) {
      return 1;
    }
    int size = FrameMarks.gsoSize(view.marks);
    return (view.networkEnd - view.transport - transportHeaderLength(view) + size - 1) / size;
  }

  static int transportHeaderLength(FrameView view) {
    return view.protocol == IpProtocol.TCP
        ? view.getUnsignedByte(view.transport + TcpHeader.DATA_OFFSET_OFFSET) >>> 4 << 2
        : UdpHeader.LENGTH;
  }
}
