package io.lb4j.frame;

import static io.lb4j.wire.DirectMemory.getInt;
import static io.lb4j.wire.DirectMemory.getLong;
import static io.lb4j.wire.DirectMemory.getUnsignedShort;

import io.lb4j.wire.DirectMemory;
import io.lb4j.wire.IpProtocol;
import io.lb4j.wire.TcpHeader;

/**
 * Reads the frames that nearly all are, with five to eight wide loads at fixed places: untagged IPv4 without options or
 * IPv6 without extension headers, TCP or UDP, whole and well-formed, nothing beside the bytes but perhaps an unfinished
 * checksum and the size of segments, which senders on the same host leave to their device. It leaves all others, and
 * whatever is wrong with a frame, to {@link FrameParser}, whose findings are the same for the frames read here.
 * Stateless.
 */
final class UsualFrames {
  /** Headers of UDP end here; no shorter frame is usual. TCP's are read when they are known to be there. */
  private static final int SHORTEST_4 = 42;

  private static final int SHORTEST_6 = 62;

  private static final long UNUSUAL_MARKS = FrameMarks.VLAN | FrameMarks.TRUNCATED;
  private static final int NETWORK = 14;
  private static final int TRANSPORT_4 = 34;
  private static final int TRANSPORT_6 = 54;
  private static final int IPV4_WITHOUT_OPTIONS = 0x0800_45;
  private static final int IPV6 = 0x86DD_6;
  private static final long MORE_OR_OFFSET = 0x3FFF_0000L;
  private static final long TIME_TO_LIVE = 0xFF00L;
  private static final int UDP_LENGTH = 8;

  private UsualFrames() {}

  /** Fills the view in and answers true, or answers false and has promised nothing about the view's findings. */
  static boolean parse(FrameView view) {
    boolean readable = DirectMemory.AVAILABLE && view.address != 0 && view.length >= SHORTEST_4;
    if (!readable || (view.marks & UNUSUAL_MARKS) != 0) {
      return false;
    }
    long frame = DirectMemory.base(view.address + view.start);
    int typeAndVersion = getInt(frame + 12); // and the type of service
    if (typeAndVersion >>> 8 == IPV4_WITHOUT_OPTIONS) {
      return ipv4(view, frame, typeAndVersion & 0xFFFF);
    }
    return typeAndVersion >>> 12 == IPV6 && view.length >= SHORTEST_6 && ipv6(view, frame);
  }

  private static boolean ipv4(FrameView view, long frame, int versionAndService) {
    long second = getLong(frame + 16); // total length, identification, flags and offset, time to live, protocol
    long third = getLong(frame + 24); // checksum, source, upper half of the destination
    long fourth = getLong(frame + 32); // lower half of the destination, ports, upper half of the sequence number
    long both = second + third;
    long carry = (second & third | (second | third) & ~both) >>> 63;
    long sum = (both >>> 32) + (both & 0xFFFF_FFFFL) + carry + versionAndService + (fourth >>> 48);
    sum = (sum >>> 16) + (sum & 0xFFFFL);
    sum = (sum >>> 16) + (sum & 0xFFFFL);
    long source = third >>> 16 & 0xFFFF_FFFFL;
    long destination = (third & 0xFFFFL) << 16 | fourth >>> 48;
    int totalLength = (int) (second >>> 48);
    boolean whole = (second & MORE_OR_OFFSET) == 0 && totalLength <= view.length - NETWORK;
    boolean alive = (second & TIME_TO_LIVE) != 0 && sum == 0xFFFF;
    boolean usual = whole && alive && FrameParser.isUsualSource(source) && source != destination;
    if (!usual) {
      return false;
    }
    view.v6 = false;
    view.sourceHigh = 0;
    view.destinationHigh = 0;
    view.sourceLow = source;
    view.destinationLow = destination;
    return transport(view, frame, (int) second & 0xFF, TRANSPORT_4, NETWORK + totalLength, (int) (fourth >>> 16));
  }

  private static boolean ipv6(FrameView view, long frame) {
    long second = getLong(frame + 16); // flow label, payload length, next header, hop limit, source
    long sourceHigh = getLong(frame + 22);
    long sourceLow = getLong(frame + 30);
    long destinationHigh = getLong(frame + 38);
    long destinationLow = getLong(frame + 46);
    int ports = getInt(frame + TRANSPORT_6);
    int payloadLength = (int) (second >>> 32) & 0xFFFF;
    boolean whole = payloadLength <= view.length - TRANSPORT_6;
    boolean alive = (second >>> 16 & 0xFF) != 0;
    boolean unusualSource = sourceHigh >>> 56 == 0xFF || sourceHigh == 0 && (sourceLow & -2L) == 0;
    boolean same = sourceLow == destinationLow && sourceHigh == destinationHigh;
    if (!whole || !alive || unusualSource || same) {
      return false;
    }
    view.v6 = true;
    view.sourceHigh = sourceHigh;
    view.sourceLow = sourceLow;
    view.destinationHigh = destinationHigh;
    view.destinationLow = destinationLow;
    int protocol = (int) (second >>> 24) & 0xFF;
    return transport(view, frame, protocol, TRANSPORT_6, TRANSPORT_6 + payloadLength, ports);
  }

  private static boolean transport(FrameView view, long frame, int protocol, int header, int end, int ports) {
    if ((ports & 0xFFFF) == 0 || ports >>> 16 == 0) {
      return false;
    }
    int at = view.start;
    view.fragment = false;
    view.network = at + NETWORK;
    view.networkEnd = at + end;
    view.transport = at + header;
    view.protocol = protocol;
    view.ports = ports;
    int length = end - header;
    return protocol == IpProtocol.TCP
        ? tcp(view, frame + header, length)
        : protocol == IpProtocol.UDP && udp(view, frame + header, length);
  }

  private static boolean tcp(FrameView view, long tcp, int length) {
    if (length < TcpHeader.MINIMUM_LENGTH) {
      return false;
    }
    long rest = getLong(tcp + 6); // lower half of the sequence number, acknowledgment, data offset and flags
    int offsetAndFlags = (int) rest & 0xFFFF;
    int headerLength = offsetAndFlags >>> 12 << 2;
    int flags = offsetAndFlags & 0xFF;
    if (headerLength < TcpHeader.MINIMUM_LENGTH || headerLength > length || !FrameParser.areSent(flags)) {
      return false;
    }
    view.tcpFlags = flags;
    view.tcpSequence = getInt(tcp + TcpHeader.SEQUENCE_OFFSET);
    view.payloadLength = length - headerLength;
    return true;
  }

  private static boolean udp(FrameView view, long udp, int length) {
    int datagram = getUnsignedShort(udp + 4);
    if (length < UDP_LENGTH || datagram < UDP_LENGTH || datagram > length) {
      return false;
    }
    view.tcpFlags = 0;
    view.payloadLength = length - UDP_LENGTH;
    return true;
  }
}
