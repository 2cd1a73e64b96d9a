package io.lb4j.pcap.packet;

import io.lb4j.frame.FrameMarks;
import io.lb4j.pcap.os.Native;
import io.lb4j.wire.EthernetHeader;
import io.lb4j.wire.IpProtocol;
import io.lb4j.wire.Ipv4Header;
import io.lb4j.wire.Ipv6Header;
import io.lb4j.wire.TcpHeader;
import io.lb4j.wire.UdpHeader;
import io.netty.buffer.ByteBuf;
import java.lang.foreign.ValueLayout;

/**
 * What a packet socket says of a frame's offloads, in ten bytes before the frame (PACKET_VNET_HDR), in the byte order
 * of the host. Read into {@link FrameMarks}; written anew from marks and frame, because what was written before may be
 * wrong after a rewrite.
 *
 * <pre>
 *   0         1          2          4          6            8
 *   flags     GSO type   header     segment    checksum     checksum
 *                        length     size       starts at    is there, from the start
 * </pre>
 */
final class VirtioHeader {
  static final int LENGTH = 10;

  static final int NEEDS_CHECKSUM = 1; // flags: the field holds the pseudo-header's sum only

  private static final int GSO_TYPE_SHIFT = 8;
  private static final int HEADER_LENGTH = 2;
  private static final int SEGMENT_SIZE = 4;
  private static final int CHECKSUM_START = 6;
  private static final int CHECKSUM_OFFSET = 8;
  private static final int MAX_EXTENSIONS = 8;
  private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED;
  private static final ValueLayout.OfShort SHORT = ValueLayout.JAVA_SHORT_UNALIGNED;

  private VirtioHeader() {}

  /** Flags and GSO type in one; 0 for an ordinary frame. That a checksum was verified already is of no interest. */
  static int offloads(long header) {
    return uint16(header) & (0xFF00 | NEEDS_CHECKSUM);
  }

  static boolean needsChecksum(int offloads) {
    return (offloads & NEEDS_CHECKSUM) != 0;
  }

  /** Adds what the header says of segments. */
  static long withSegments(long marks, int offloads, long header) {
    int type = offloads >>> GSO_TYPE_SHIFT;
    return type == 0 ? marks : FrameMarks.withGso(marks, type, uint16(header + SEGMENT_SIZE));
  }

  /** Where the checksum begins, from the frame's first byte. */
  static int checksumStart(long header) {
    return uint16(header + CHECKSUM_START);
  }

  /** Where the checksum field is, from the start. */
  static int checksumOffset(long header) {
    return uint16(header + CHECKSUM_OFFSET);
  }

  /** Whether an unfinished checksum is that of the frame's own TCP or UDP header, not of a packet inside it. */
  static boolean isOfTransport(ByteBuf frame, int start, int length, int checksumStart, int checksumOffset) {
    long place = transport(frame, start, length);
    return place >= 0
        && ((int) place & 0xFFFF) == checksumStart
        && checksumField((int) (place >>> 32)) == checksumOffset;
  }

  /** Writes the header of a frame without offloads. */
  static void writePlain(long header) {
    Native.MEMORY.set(LONG, header, 0L);
    Native.MEMORY.set(SHORT, header + CHECKSUM_OFFSET, (short) 0);
  }

  /**
   * Writes the header of a frame with an unfinished checksum or segments.
   *
   * @param tagLength bytes that will be put before the frame's type
   * @param mtu of the device
   * @return false when the frame is none that could have such marks, or its segments would be too long
   */
  static boolean write(long header, ByteBuf frame, int start, int length, long marks, int tagLength, int mtu) {
    long place = transport(frame, start, length);
    if (place < 0) {
      return false;
    }
    int transport = (int) place & 0xFFFF;
    int network = (int) place >>> 16;
    int checksumField = checksumField((int) (place >>> 32));
    boolean gso = (marks & FrameMarks.GSO) != 0;
    int headerLength = headerLength(frame, start, transport, checksumField);
    if (headerLength > length || gso && isTooLong(headerLength - network, marks, mtu)) {
      return false;
    }
    boolean partial = (marks & FrameMarks.CHECKSUM_PARTIAL) != 0;
    int type = gso ? FrameMarks.gsoType(marks) : 0;
    Native.MEMORY.set(SHORT, header, (short) ((partial ? NEEDS_CHECKSUM : 0) | type << GSO_TYPE_SHIFT));
    Native.MEMORY.set(SHORT, header + HEADER_LENGTH, (short) (headerLength + tagLength));
    Native.MEMORY.set(SHORT, header + SEGMENT_SIZE, (short) (gso ? FrameMarks.gsoSize(marks) : 0));
    Native.MEMORY.set(SHORT, header + CHECKSUM_START, (short) (partial ? transport + tagLength : 0));
    Native.MEMORY.set(SHORT, header + CHECKSUM_OFFSET, (short) (partial ? checksumField : 0));
    return true;
  }

  private static boolean isTooLong(int headers, long marks, int mtu) {
    int segment = FrameMarks.gsoSize(marks);
    return segment == 0 || headers + segment > mtu;
  }

  private static int headerLength(ByteBuf frame, int start, int transport, int checksumField) {
    if (checksumField == UdpHeader.CHECKSUM_OFFSET) {
      return transport + UdpHeader.LENGTH;
    }
    return transport + (frame.getUnsignedByte(start + transport + TcpHeader.DATA_OFFSET_OFFSET) >>> 4 << 2);
  }

  private static int checksumField(int protocol) {
    return protocol == IpProtocol.TCP ? TcpHeader.CHECKSUM_OFFSET : UdpHeader.CHECKSUM_OFFSET;
  }

  /**
   * Finds the TCP or UDP header of a frame.
   *
   * @return in 16 bits each, from below: where it begins and where the IP header does, from the frame's first byte, and
   *     the protocol; -1 when there is none, or the packet is a fragment
   */
  static long transport(ByteBuf frame, int start, int length) {
    int at = EthernetHeader.LENGTH;
    if (length < at + Ipv4Header.MINIMUM_LENGTH) {
      return -1;
    }
    int type = frame.getUnsignedShort(start + EthernetHeader.ETHER_TYPE_OFFSET);
    while (EthernetHeader.isTag(type)) {
      if (length < at + EthernetHeader.TAG_LENGTH + Ipv4Header.MINIMUM_LENGTH) {
        return -1;
      }
      type = frame.getUnsignedShort(start + at + 2);
      at += EthernetHeader.TAG_LENGTH;
    }
    return switch (type) {
      case EthernetHeader.IPV4 -> transport4(frame, start, length, at);
      case EthernetHeader.IPV6 -> transport6(frame, start, length, at);
      default -> -1;
    };
  }

  private static long transport4(ByteBuf frame, int start, int length, int ip) {
    int flagsAndOffset = frame.getUnsignedShort(start + ip + Ipv4Header.FRAGMENT_OFFSET);
    boolean fragment = (flagsAndOffset & (Ipv4Header.MORE_FRAGMENTS | Ipv4Header.OFFSET_MASK)) != 0;
    int transport = ip + ((frame.getByte(start + ip) & 15) << 2);
    int protocol = frame.getUnsignedByte(start + ip + Ipv4Header.PROTOCOL_OFFSET);
    return fragment ? -1 : place(ip, transport, protocol, length);
  }

  private static long transport6(ByteBuf frame, int start, int length, int ip) {
    int at = ip + Ipv6Header.LENGTH;
    if (length < at + UdpHeader.LENGTH) {
      return -1;
    }
    int protocol = frame.getUnsignedByte(start + ip + Ipv6Header.NEXT_HEADER_OFFSET);
    for (int i = 0; i < MAX_EXTENSIONS && isExtension(protocol); i++) {
      int units = frame.getUnsignedByte(start + at + 1);
      protocol = frame.getUnsignedByte(start + at);
      at += units + 1 << 3;
      if (length < at + UdpHeader.LENGTH) {
        return -1;
      }
    }
    return place(ip, at, protocol, length);
  }

  private static boolean isExtension(int protocol) {
    return protocol == IpProtocol.HOP_BY_HOP
        || protocol == IpProtocol.ROUTING
        || protocol == IpProtocol.DESTINATION_OPTIONS;
  }

  private static long place(int network, int transport, int protocol, int length) {
    if (protocol == IpProtocol.TCP && transport + TcpHeader.MINIMUM_LENGTH <= length
        || protocol == IpProtocol.UDP && transport + UdpHeader.LENGTH <= length) {
      return (long) protocol << 32 | (long) network << 16 | transport;
    }
    return -1;
  }

  private static int uint16(long address) {
    return Native.MEMORY.get(SHORT, address) & 0xFFFF;
  }
}
