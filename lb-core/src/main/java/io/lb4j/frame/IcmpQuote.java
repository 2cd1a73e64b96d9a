package io.lb4j.frame;

import io.lb4j.wire.IcmpHeader;
import io.lb4j.wire.IpProtocol;
import io.lb4j.wire.Ipv4Header;
import io.lb4j.wire.Ipv6Header;
import io.netty.buffer.ByteBuf;

/**
 * Finds the packet that an ICMP error quotes (RFC 792; RFC 4443, section 3), as far as steering needs it. Stateless,
 * safe from any thread that owns the view; allocates nothing and never reads past the packet.
 */
public final class IcmpQuote {
  /** The answer for a quote that is cut too short, is no packet of its family, or a later fragment. */
  public static final long UNREADABLE = -1;

  private static final int TRANSPORT_BYTES = 8;

  private IcmpQuote() {}

  /**
   * Index of the quoted packet's network header.
   *
   * @param view an ICMP error
   * @return an index into the view's buffer
   */
  public static int network(FrameView view) {
    return view.transport + IcmpHeader.LENGTH;
  }

  /**
   * The quoted packet's transport header, of which at least 8 bytes are there.
   *
   * @param view an ICMP error
   * @return for {@link #transportOf} and {@link #protocolOf}; or {@link #UNREADABLE}
   */
  public static long find(FrameView view) {
    return view.v6 ? find6(view) : find4(view);
  }

  /**
   * Index of the quoted transport header.
   *
   * @param found not {@link #UNREADABLE}
   * @return an index into the view's buffer
   */
  public static int transportOf(long found) {
    return (int) found;
  }

  /**
   * The quoted packet's upper protocol.
   *
   * @param found not {@link #UNREADABLE}
   * @return 0..255
   */
  public static int protocolOf(long found) {
    return (int) (found >>> 32);
  }

  private static long find4(FrameView view) {
    ByteBuf buffer = view.buffer;
    int ip = network(view);
    if (ip + Ipv4Header.MINIMUM_LENGTH > view.networkEnd || (buffer.getByte(ip) & 0xF0) != 0x40) {
      return UNREADABLE;
    }
    int headerLength = Ipv4Header.headerLength(buffer, ip);
    int offset = buffer.getUnsignedShort(ip + Ipv4Header.FRAGMENT_OFFSET) & Ipv4Header.OFFSET_MASK;
    if (headerLength < Ipv4Header.MINIMUM_LENGTH || offset != 0) {
      return UNREADABLE;
    }
    return found(view, Ipv4Header.protocol(buffer, ip), ip + headerLength);
  }

  private static long find6(FrameView view) {
    ByteBuf buffer = view.buffer;
    int ip = network(view);
    if (ip + Ipv6Header.LENGTH > view.networkEnd || (buffer.getByte(ip) & 0xF0) != 0x60) {
      return UNREADABLE;
    }
    int header = buffer.getUnsignedByte(ip + Ipv6Header.NEXT_HEADER_OFFSET);
    int at = ip + Ipv6Header.LENGTH;
    for (int headers = 0; headers < FrameParser.MAX_EXTENSION_HEADERS && isExtension(header); headers++) {
      boolean isFragment = header == IpProtocol.FRAGMENT;
      if (at + 8 > view.networkEnd || isFragment && (buffer.getUnsignedShort(at + 2) & 0xFFF8) != 0) {
        return UNREADABLE;
      }
      int length = isFragment ? 8 : buffer.getUnsignedByte(at + 1) + 1 << 3;
      header = buffer.getUnsignedByte(at);
      at += length;
    }
    return found(view, header, at);
  }

  private static boolean isExtension(int header) {
    return header == IpProtocol.HOP_BY_HOP
        || header == IpProtocol.ROUTING
        || header == IpProtocol.DESTINATION_OPTIONS
        || header == IpProtocol.FRAGMENT;
  }

  private static long found(FrameView view, int protocol, int at) {
    return at + TRANSPORT_BYTES > view.networkEnd ? UNREADABLE : (long) protocol << 32 | at;
  }
}
