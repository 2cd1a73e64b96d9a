package io.lb4j.dataplane;

import io.lb4j.frame.FrameView;
import io.lb4j.wire.IcmpHeader;
import io.lb4j.wire.IpProtocol;
import io.lb4j.wire.Ipv4Header;
import io.lb4j.wire.Ipv6Header;
import io.netty.buffer.ByteBuf;

/**
 * The packet that an ICMP error quotes: one that a real server sent as the virtual address, cut after 8 bytes of its
 * transport header or later. Owned by one worker and used again; allocates nothing, never reads past the frame.
 */
final class QuotedPacket {
  private static final int TRANSPORT_BYTES = 8;
  private static final int MAX_EXTENSION_HEADERS = 8;

  private long clientHigh;
  private long clientLow;
  private int clientPorts;
  private int protocol;

  /** The receiver of the quoted packet: the client, first 64 bits. */
  long clientHigh() {
    return clientHigh;
  }

  /** The receiver of the quoted packet: the client, last 64 bits or the IPv4 address. */
  long clientLow() {
    return clientLow;
  }

  /** The ports as the client's own frames have them: client's in the upper, service's in the lower 16 bits. */
  int clientPorts() {
    return clientPorts;
  }

  /** TCP or UDP. */
  int protocol() {
    return protocol;
  }

  /**
   * Reads the quote of an ICMP error.
   *
   * @param view an ICMP error to a virtual address
   * @return false when the quote is not a TCP or UDP packet of that virtual address with both ports
   */
  boolean read(FrameView view) {
    int quote = view.transport() + IcmpHeader.LENGTH;
    return view.isV6() ? read6(view, quote) : read4(view, quote);
  }

  private boolean read4(FrameView view, int ip) {
    ByteBuf buffer = view.buffer();
    int end = view.networkEnd();
    if (ip + Ipv4Header.MINIMUM_LENGTH > end || (buffer.getByte(ip) & 0xF0) != 0x40) {
      return false;
    }
    int headerLength = Ipv4Header.headerLength(buffer, ip);
    boolean laterFragment =
        (buffer.getUnsignedShort(ip + Ipv4Header.FRAGMENT_OFFSET) & Ipv4Header.OFFSET_MASK) != 0;
    if (headerLength < Ipv4Header.MINIMUM_LENGTH || laterFragment) {
      return false;
    }
    if ((Ipv4Header.source(buffer, ip) & 0xFFFF_FFFFL) != view.destinationLow()) {
      return false;
    }
    clientHigh = 0;
    clientLow = Ipv4Header.destination(buffer, ip) & 0xFFFF_FFFFL;
    return transport(buffer, Ipv4Header.protocol(buffer, ip), ip + headerLength, end);
  }

  private boolean read6(FrameView view, int ip) {
    ByteBuf buffer = view.buffer();
    int end = view.networkEnd();
    if (ip + Ipv6Header.LENGTH > end || (buffer.getByte(ip) & 0xF0) != 0x60) {
      return false;
    }
    boolean fromVip =
        buffer.getLong(ip + Ipv6Header.SOURCE_OFFSET) == view.destinationHigh()
            && buffer.getLong(ip + Ipv6Header.SOURCE_OFFSET + 8) == view.destinationLow();
    if (!fromVip) {
      return false;
    }
    clientHigh = buffer.getLong(ip + Ipv6Header.DESTINATION_OFFSET);
    clientLow = buffer.getLong(ip + Ipv6Header.DESTINATION_OFFSET + 8);
    int header = buffer.getUnsignedByte(ip + Ipv6Header.NEXT_HEADER_OFFSET);
    int at = ip + Ipv6Header.LENGTH;
    for (int headers = 0; headers < MAX_EXTENSION_HEADERS && isExtension(header); headers++) {
      if (at + 8 > end) {
        return false;
      }
      boolean laterFragment = header == IpProtocol.FRAGMENT && (buffer.getUnsignedShort(at + 2) & 0xFFF8) != 0;
      if (laterFragment) {
        return false;
      }
      int length = header == IpProtocol.FRAGMENT ? 8 : buffer.getUnsignedByte(at + 1) + 1 << 3;
      header = buffer.getUnsignedByte(at);
      at += length;
    }
    return transport(buffer, header, at, end);
  }

  private static boolean isExtension(int header) {
    return header == IpProtocol.HOP_BY_HOP
        || header == IpProtocol.ROUTING
        || header == IpProtocol.DESTINATION_OPTIONS
        || header == IpProtocol.FRAGMENT;
  }

  private boolean transport(ByteBuf buffer, int quotedProtocol, int at, int end) {
    if (quotedProtocol != IpProtocol.TCP && quotedProtocol != IpProtocol.UDP || at + TRANSPORT_BYTES > end) {
      return false;
    }
    protocol = quotedProtocol;
    clientPorts = Integer.rotateLeft(buffer.getInt(at), 16);
    return true;
  }
}
