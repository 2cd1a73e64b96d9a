package io.lb4j.frame;

import io.lb4j.wire.DirectMemory;
import io.lb4j.wire.InternetChecksum;
import io.lb4j.wire.IpProtocol;
import io.lb4j.wire.Ipv4Header;
import io.lb4j.wire.Ipv6Header;
import io.lb4j.wire.TcpHeader;
import io.lb4j.wire.UdpHeader;
import io.netty.buffer.ByteBuf;

/**
 * Cuts super-frames (mark {@link FrameMarks#GSO}) into the frames that their sender wants on the wire, as a device
 * would that can: TCP into segments, UDP into datagrams, each with headers of its own and a whole checksum. FIN and PSH
 * are the last one's, CWR is the first one's (RFC 3168, section 6.1.2); IPv4 identifications count up. Owned by one
 * thread; allocates nothing.
 */
public final class Segmenter {
  private static final int CWR = 0x80;

  private final FrameView view = new FrameView();
  private long tag;
  private int headers; // bytes before the payload
  private int size; // payload bytes of each segment but the last
  private int payload;
  private int done; // payload bytes
  private int number; // of the next segment

  /** Cuts nothing yet. */
  public Segmenter() {}

  /**
   * Begins with a frame. Its memory stays the caller's and must not change until all is cut.
   *
   * @param frame holds it
   * @param start index of its first byte
   * @param length of the frame
   * @param marks what travels beside the bytes
   * @return how many segments there will be; 0 when it cannot be cut, see {@link Segments#areClear}
   */
  public int begin(ByteBuf frame, int start, int length, long marks) {
    view.wrap(frame, start, length, marks, -1);
    FrameParser.parseAgain(view);
    if (!Segments.areClear(view)) {
      payload = 0;
      done = 0;
      return 0;
    }
    int data = view.transport + Segments.transportHeaderLength(view);
    headers = data - start;
    payload = view.networkEnd - data;
    size = FrameMarks.gsoSize(marks);
    tag = FrameMarks.tagOf(marks);
    done = 0;
    number = 0;
    return (payload + size - 1) / size;
  }

  /**
   * The longest segment of the frame at hand.
   *
   * @return bytes, with all headers
   */
  public int longest() {
    return headers + Math.min(size, payload);
  }

  /**
   * What every segment repeats.
   *
   * @return bytes of all headers
   */
  public int headerBytes() {
    return headers;
  }

  /**
   * What travels beside each segment's bytes.
   *
   * @return a VLAN tag, or {@link FrameMarks#NONE}
   */
  public long marks() {
    return tag;
  }

  /**
   * Writes the next segment.
   *
   * @param target has room for {@link #longest()} bytes
   * @param index where the segment begins
   * @return its length, 0 when none is left
   */
  public int next(ByteBuf target, int index) {
    int bytes = Math.min(size, payload - done);
    if (bytes <= 0) {
      return 0;
    }
    DirectMemory.copy(view.buffer, view.start, target, index, headers);
    DirectMemory.copy(view.buffer, view.start + headers + done, target, index + headers, bytes);
    int network = index + view.network - view.start;
    int transport = index + view.transport - view.start;
    int end = index + headers + bytes;
    long pseudo = network(target, network, transport, end);
    if (view.protocol == IpProtocol.TCP) {
      tcp(target, transport, end, pseudo);
    } else {
      udp(target, transport, end, pseudo);
    }
    done += bytes;
    number++;
    return headers + bytes;
  }

  /** Writes what differs in the network header; answers the sum of the pseudo-header. */
  private long network(ByteBuf target, int network, int transport, int end) {
    if (view.v6) {
      target.setShort(network + Ipv6Header.PAYLOAD_LENGTH_OFFSET, end - network - Ipv6Header.LENGTH);
      return InternetChecksum.pseudoHeader6(target, network, view.protocol, end - transport);
    }
    int identification = target.getUnsignedShort(network + Ipv4Header.IDENTIFICATION_OFFSET) + number;
    target.setShort(network + Ipv4Header.TOTAL_LENGTH_OFFSET, end - network);
    target.setShort(network + Ipv4Header.IDENTIFICATION_OFFSET, identification);
    Ipv4Header.updateChecksum(target, network);
    return InternetChecksum.pseudoHeader4(
        (int) view.sourceLow, (int) view.destinationLow, view.protocol, end - transport);
  }

  private void tcp(ByteBuf target, int tcp, int end, long pseudo) {
    boolean last = done + size >= payload;
    int flags = target.getUnsignedByte(tcp + TcpHeader.FLAGS_OFFSET);
    flags &= last ? -1 : ~(TcpHeader.FIN | TcpHeader.PSH);
    flags &= number == 0 ? -1 : ~CWR;
    target.setByte(tcp + TcpHeader.FLAGS_OFFSET, flags);
    target.setInt(tcp + TcpHeader.SEQUENCE_OFFSET, view.tcpSequence + done);
    target.setShort(tcp + TcpHeader.CHECKSUM_OFFSET, 0);
    long sum = InternetChecksum.sum(target, tcp, end - tcp, pseudo);
    target.setShort(tcp + TcpHeader.CHECKSUM_OFFSET, InternetChecksum.finish(sum));
  }

  private void udp(ByteBuf target, int udp, int end, long pseudo) {
    int field = udp + UdpHeader.CHECKSUM_OFFSET;
    boolean none = target.getShort(field) == 0 && (view.marks & FrameMarks.CHECKSUM_PARTIAL) == 0;
    target.setShort(udp + UdpHeader.LENGTH_OFFSET, end - udp);
    if (none) {
      return; // the sender wants none
    }
    target.setShort(field, 0);
    int checksum = InternetChecksum.finish(InternetChecksum.sum(target, udp, end - udp, pseudo));
    target.setShort(field, checksum == 0 ? 0xFFFF : checksum);
  }
}
