package io.lb4j.frame;

import static io.lb4j.wire.EthernetHeader.TAG_LENGTH;

import io.lb4j.wire.ArpPacket;
import io.lb4j.wire.EthernetHeader;
import io.lb4j.wire.IcmpHeader;
import io.lb4j.wire.InternetChecksum;
import io.lb4j.wire.IpProtocol;
import io.lb4j.wire.Ipv4Header;
import io.lb4j.wire.Ipv6Header;
import io.lb4j.wire.TcpHeader;
import io.lb4j.wire.UdpHeader;

/**
 * Reads a frame once, in place, into its view: Ethernet II with up to two tags, ARP, IPv4 with options, IPv6 with
 * extension headers, fragments, TCP, UDP, ICMP and ICMPv6. It never throws, never reads past the frame, and ends in
 * bounded time; whatever it refuses has a {@link Verdict} of its own. Safe from any thread that owns the view;
 * allocates nothing.
 *
 * <p>Transport checksums are not looked at (a wrong one stays wrong); the IPv4 header checksum is, as RFC 1812, section
 * 5.2.2 demands of whoever forwards. ICMP checksums are left to whoever acts on the message.
 */
public final class FrameParser {
  /** Extension headers that are walked at most. */
  static final int MAX_EXTENSION_HEADERS = 8;

  /** Bytes of extension headers that are walked at most. */
  static final int MAX_EXTENSION_BYTES = 256;

  private static final int MAX_TAGS = 2;
  private static final int LOWEST_ETHER_TYPE = 0x0600;
  private static final int FRAGMENT_HEADER_LENGTH = 8;
  private static final int FLAGS_THAT_MATTER = TcpHeader.FIN | TcpHeader.SYN | TcpHeader.RST | TcpHeader.ACK;

  /** Bit n is set when the flags n are a combination that a TCP sends. */
  private static final int VALID_FLAGS =
      1 << TcpHeader.SYN
          | 1 << (TcpHeader.SYN | TcpHeader.ACK)
          | 1 << TcpHeader.ACK
          | 1 << (TcpHeader.FIN | TcpHeader.ACK)
          | 1 << TcpHeader.RST
          | 1 << (TcpHeader.RST | TcpHeader.ACK);

  private FrameParser() {}

  /**
   * Reads the frame that a view points at.
   *
   * @param view its frame is read, its other fields are filled in
   * @return what was found, also in {@link FrameView#kind()}; for {@link FrameKind#MALFORMED} the view has its verdict
   */
  public static FrameKind parse(FrameView view) {
    boolean usual = UsualFrames.parse(view);
    FrameKind kind = usual ? FrameKind.SEGMENT : ethernet(view);
    view.usual = usual;
    view.kind = kind;
    return kind;
  }

  /**
   * Reads a frame again after the balancer has rewritten it, to walk it once more. One address may then be source and
   * destination: two inside hosts behind the same external address talk to each other by it.
   *
   * @param view its frame is read, its other fields are filled in
   * @return as {@link #parse}
   */
  public static FrameKind parseAgain(FrameView view) {
    view.again = true;
    return parse(view);
  }

  private static FrameKind refuse(FrameView view, Verdict reason) {
    view.verdict = reason;
    return FrameKind.MALFORMED;
  }

  private static FrameKind ethernet(FrameView view) {
    int length = view.length;
    if (length < EthernetHeader.LENGTH) {
      return refuse(view, Verdict.FRAME_TOO_SHORT);
    }
    if ((view.marks & FrameMarks.TRUNCATED) != 0) {
      return refuse(view, Verdict.FRAME_TRUNCATED);
    }
    int etherType = view.getUnsignedShort(view.start + EthernetHeader.ETHER_TYPE_OFFSET);
    view.network = view.start + EthernetHeader.LENGTH;
    if (EthernetHeader.isTag(etherType)) {
      etherType = skipTags(view, etherType);
    }
    if (etherType == EthernetHeader.IPV4) {
      return ipv4(view);
    }
    if (etherType == EthernetHeader.IPV6) {
      return ipv6(view);
    }
    return rareEtherType(view, etherType);
  }

  /** Moves {@code view.network} behind the tags; answers the EtherType found there, or -1 - ordinal of a refusal. */
  private static int skipTags(FrameView view, int tag) {
    int etherType = tag;
    int end = view.start + view.length;
    for (int tags = 0; EthernetHeader.isTag(etherType); tags++) {
      if (tags == MAX_TAGS) {
        return -1 - Verdict.VLAN_TOO_DEEP.ordinal();
      }
      if (view.network + TAG_LENGTH > end) {
        return -1 - Verdict.FRAME_TOO_SHORT.ordinal();
      }
      etherType = view.getUnsignedShort(view.network + 2);
      view.network += TAG_LENGTH;
    }
    return etherType;
  }

  private static FrameKind rareEtherType(FrameView view, int etherType) {
    if (etherType < 0) {
      return refuse(view, Verdict.of(-1 - etherType));
    }
    view.networkEnd = view.start + view.length;
    if (etherType != EthernetHeader.ARP || etherType < LOWEST_ETHER_TYPE) {
      return FrameKind.NOT_IP;
    }
    boolean readable =
        view.network + ArpPacket.LENGTH <= view.networkEnd && ArpPacket.isIpv4OverEthernet(view.buffer, view.network);
    return readable ? FrameKind.ARP : refuse(view, Verdict.ARP_MALFORMED);
  }

  private static FrameKind ipv4(FrameView view) {
    int ip = view.network;
    int available = view.start + view.length - ip;
    if (available < Ipv4Header.MINIMUM_LENGTH) {
      return refuse(view, Verdict.FRAME_TOO_SHORT);
    }
    long first = view.getLong(ip); // version, IHL, service, total length, identification, flags, offset
    long second = view.getLong(ip + 8); // time to live, protocol, checksum, source
    int destination = view.getInt(ip + Ipv4Header.DESTINATION_OFFSET);
    int versionAndLength = (int) (first >>> 56);
    int totalLength = (int) (first >>> 32) & 0xFFFF;
    if (totalLength == 0 && (view.marks & FrameMarks.GSO) != 0) {
      totalLength = available; // a super-frame of 64 KiB and more has no room for its length
    }
    if (versionAndLength >>> 4 != 4) {
      return refuse(view, Verdict.IPV4_VERSION);
    }
    int headerLength = (versionAndLength & 15) << 2;
    if (totalLength > available || totalLength < Ipv4Header.MINIMUM_LENGTH) {
      return refuse(view, Verdict.IPV4_TOTAL_LENGTH);
    }
    if (headerLength < Ipv4Header.MINIMUM_LENGTH || headerLength > totalLength) {
      return refuse(view, Verdict.IPV4_HEADER_LENGTH);
    }
    long sum =
        (first >>> 32) + (first & 0xFFFF_FFFFL) + (second >>> 32) + (second & 0xFFFF_FFFFL)
            + (destination & 0xFFFF_FFFFL);
    if (headerLength > Ipv4Header.MINIMUM_LENGTH) {
      sum = InternetChecksum.sum(view.buffer, ip + Ipv4Header.MINIMUM_LENGTH, headerLength - Ipv4Header.MINIMUM_LENGTH, sum);
    }
    if (InternetChecksum.fold(sum) != 0xFFFF) {
      return refuse(view, Verdict.IPV4_CHECKSUM);
    }
    long source = second & 0xFFFF_FFFFL;
    view.v6 = false;
    view.fragment = false;
    view.sourceHigh = 0;
    view.destinationHigh = 0;
    view.sourceLow = source;
    view.destinationLow = destination & 0xFFFF_FFFFL;
    view.protocol = (int) (second >>> 48) & 0xFF;
    view.networkEnd = ip + totalLength;
    view.transport = ip + headerLength;
    if (!isUsualSource(source)) {
      return unusualSource4(view, source);
    }
    if (source == view.destinationLow && !view.again) {
      return refuse(view, Verdict.SOURCE_IS_DESTINATION);
    }
    if (second >>> 56 == 0) {
      return refuse(view, Verdict.IPV4_TIME_TO_LIVE);
    }
    int fragment = (int) first & (Ipv4Header.MORE_FRAGMENTS | Ipv4Header.OFFSET_MASK);
    if (fragment != 0) {
      view.identification = (int) (first >>> 16) & 0xFFFF;
      return fragment(
          view, (fragment & Ipv4Header.OFFSET_MASK) << 3, (fragment & Ipv4Header.MORE_FRAGMENTS) != 0);
    }
    return transport(view, true);
  }

  /** Whether a host may have an address: not of this network, not loopback, no group (RFC 1122, section 3.2.1.3). */
  static boolean isUsualSource(long source) {
    int first = (int) (source >>> 24);
    return first < 0xE0 && first != 0 && first != 127;
  }

  /** 0.0.0.0 asks for an address (DHCP) and is the host's business; every other such source is forged. */
  private static FrameKind unusualSource4(FrameView view, long source) {
    if (source == 0 && view.destinationLow == 0xFFFF_FFFFL) {
      return FrameKind.OTHER_PROTOCOL;
    }
    return refuse(view, Verdict.SOURCE_ADDRESS);
  }

  private static FrameKind ipv6(FrameView view) {
    int ip = view.network;
    int available = view.start + view.length - ip;
    if (available < Ipv6Header.LENGTH) {
      return refuse(view, Verdict.FRAME_TOO_SHORT);
    }
    long first = view.getLong(ip); // version, class, label, payload length, next header, hop limit
    int payloadLength = (int) (first >>> 16) & 0xFFFF;
    if (payloadLength == 0 && (view.marks & FrameMarks.GSO) != 0) {
      payloadLength = available - Ipv6Header.LENGTH;
    }
    if (first >>> 60 != 6) {
      return refuse(view, Verdict.IPV6_VERSION);
    }
    if (payloadLength > available - Ipv6Header.LENGTH) {
      return refuse(view, Verdict.IPV6_PAYLOAD_LENGTH);
    }
    view.v6 = true;
    view.fragment = false;
    view.sourceHigh = view.getLong(ip + Ipv6Header.SOURCE_OFFSET);
    view.sourceLow = view.getLong(ip + Ipv6Header.SOURCE_OFFSET + 8);
    view.destinationHigh = view.getLong(ip + Ipv6Header.DESTINATION_OFFSET);
    view.destinationLow = view.getLong(ip + Ipv6Header.DESTINATION_OFFSET + 8);
    view.protocol = (int) (first >>> 8) & 0xFF;
    view.transport = ip + Ipv6Header.LENGTH;
    view.networkEnd = view.transport + payloadLength;
    if (view.sourceHigh >>> 56 == 0xFF || view.sourceHigh == 0 && (view.sourceLow & -2L) == 0) {
      return unusualSource6(view);
    }
    if (view.sourceLow == view.destinationLow && view.sourceHigh == view.destinationHigh && !view.again) {
      return refuse(view, Verdict.SOURCE_IS_DESTINATION);
    }
    if ((first & 0xFF) == 0) {
      return refuse(view, Verdict.IPV6_HOP_LIMIT);
    }
    if (view.protocol == IpProtocol.TCP || view.protocol == IpProtocol.UDP) {
      return transport(view, true);
    }
    return extensions(view);
  }

  /** The unspecified source is for neighbour discovery (duplicate address detection) and MLD only. */
  private static FrameKind unusualSource6(FrameView view) {
    if ((view.sourceHigh | view.sourceLow) == 0) {
      FrameKind kind = extensions(view);
      boolean neighborMessage = kind == FrameKind.ICMP && IcmpHeader.isNeighborMessage(view.icmpType);
      if (neighborMessage || kind == FrameKind.MALFORMED) {
        return kind;
      }
    }
    return refuse(view, Verdict.SOURCE_ADDRESS);
  }

  /** Walks the extension headers (RFC 8200, section 4) to the upper protocol or the fragment header. */
  private static FrameKind extensions(FrameView view) {
    int first = view.transport;
    for (int headers = 0; ; headers++) {
      int at = view.transport;
      int header = view.protocol;
      switch (header) {
        case IpProtocol.HOP_BY_HOP, IpProtocol.ROUTING, IpProtocol.DESTINATION_OPTIONS, IpProtocol.AUTHENTICATION -> {
          boolean outOfOrder = header == IpProtocol.HOP_BY_HOP && headers > 0;
          if (outOfOrder || headers == MAX_EXTENSION_HEADERS) {
            return refuse(view, Verdict.IPV6_EXTENSION_CHAIN);
          }
          if (at + 8 > view.networkEnd) {
            return refuse(view, Verdict.IPV6_EXTENSION_LENGTH);
          }
          int units = view.getUnsignedByte(at + 1);
          int length = header == IpProtocol.AUTHENTICATION ? units + 2 << 2 : units + 1 << 3;
          if (at + length > view.networkEnd) {
            return refuse(view, Verdict.IPV6_EXTENSION_LENGTH);
          }
          if (at + length - first > MAX_EXTENSION_BYTES) {
            return refuse(view, Verdict.IPV6_EXTENSION_CHAIN);
          }
          view.protocol = view.getUnsignedByte(at);
          view.transport = at + length;
        }
        case IpProtocol.FRAGMENT -> {
          return fragment6(view, headers);
        }
        default -> {
          return transport(view, true);
        }
      }
    }
  }

  private static FrameKind fragment6(FrameView view, int headersBefore) {
    int at = view.transport;
    if (headersBefore == MAX_EXTENSION_HEADERS) {
      return refuse(view, Verdict.IPV6_EXTENSION_CHAIN);
    }
    if (at + FRAGMENT_HEADER_LENGTH > view.networkEnd) {
      return refuse(view, Verdict.IPV6_EXTENSION_LENGTH);
    }
    int offsetAndMore = view.getUnsignedShort(at + 2);
    view.protocol = view.getUnsignedByte(at);
    view.fragmentHeader = at;
    view.identification = view.getInt(at + 4);
    view.transport = at + FRAGMENT_HEADER_LENGTH;
    int offset = offsetAndMore & 0xFFF8;
    boolean more = (offsetAndMore & 1) != 0;
    if (offset == 0 && !more) {
      return transportBehindFragmentHeader(view, true); // an atomic fragment (RFC 6946) is a whole packet
    }
    return fragment(view, offset, more);
  }

  private static FrameKind fragment(FrameView view, int offset, boolean more) {
    int length = view.networkEnd - view.transport;
    view.fragment = true;
    if (length == 0 || more && (length & 7) != 0 || offset + length > 0xFFFF) {
      return refuse(view, Verdict.FRAGMENT_LENGTH);
    }
    if (offset != 0) {
      if (view.protocol == IpProtocol.TCP && offset == 8) {
        return refuse(view, Verdict.FRAGMENT_TINY); // RFC 1858: it could overwrite the flags
      }
      return FrameKind.LATER_FRAGMENT;
    }
    FrameKind kind = transportBehindFragmentHeader(view, false);
    if (kind == FrameKind.SEGMENT) {
      return FrameKind.FIRST_FRAGMENT;
    }
    boolean cut =
        view.verdict == Verdict.TCP_HEADER_LENGTH
            || view.verdict == Verdict.UDP_HEADER_LENGTH
            || view.verdict == Verdict.ICMP_TOO_SHORT;
    if (kind == FrameKind.MALFORMED && cut) {
      return refuse(view, Verdict.FRAGMENT_TINY);
    }
    return kind == FrameKind.ICMP ? FrameKind.OTHER_PROTOCOL : kind;
  }

  /** Only destination options may stand between a fragment header and the upper protocol (RFC 8200, section 4.1). */
  private static FrameKind transportBehindFragmentHeader(FrameView view, boolean whole) {
    if (view.v6 && view.protocol == IpProtocol.DESTINATION_OPTIONS) {
      int at = view.transport;
      if (at + 8 > view.networkEnd) {
        return refuse(view, Verdict.IPV6_EXTENSION_LENGTH);
      }
      int end = at + (view.getUnsignedByte(at + 1) + 1 << 3);
      if (end > view.networkEnd || end - at > MAX_EXTENSION_BYTES) {
        return refuse(view, Verdict.IPV6_EXTENSION_LENGTH);
      }
      view.protocol = view.getUnsignedByte(at);
      view.transport = end;
    }
    return transport(view, whole);
  }

  private static FrameKind transport(FrameView view, boolean whole) {
    if (view.protocol == IpProtocol.TCP) {
      return tcp(view);
    }
    if (view.protocol == IpProtocol.UDP) {
      return udp(view, whole);
    }
    view.tcpFlags = 0;
    if (view.protocol == (view.v6 ? IpProtocol.ICMPV6 : IpProtocol.ICMP)) {
      return icmp(view);
    }
    return FrameKind.OTHER_PROTOCOL;
  }

  private static FrameKind tcp(FrameView view) {
    int tcp = view.transport;
    int available = view.networkEnd - tcp;
    if (available < TcpHeader.MINIMUM_LENGTH) {
      return refuse(view, Verdict.TCP_HEADER_LENGTH);
    }
    long portsAndSequence = view.getLong(tcp);
    int offsetAndFlags = view.getUnsignedShort(tcp + TcpHeader.DATA_OFFSET_OFFSET);
    int headerLength = offsetAndFlags >>> 12 << 2;
    if (headerLength < TcpHeader.MINIMUM_LENGTH || headerLength > available) {
      return refuse(view, Verdict.TCP_HEADER_LENGTH);
    }
    int flags = offsetAndFlags & 0xFF;
    if (!areSent(flags)) {
      return refuse(view, Verdict.TCP_FLAGS);
    }
    view.tcpFlags = flags;
    view.tcpSequence = (int) portsAndSequence;
    view.payloadLength = available - headerLength;
    return ports(view, (int) (portsAndSequence >>> 32));
  }

  /** Whether a TCP sends these flags together. */
  static boolean areSent(int flags) {
    return (VALID_FLAGS >>> (flags & FLAGS_THAT_MATTER) & 1) != 0;
  }

  private static FrameKind udp(FrameView view, boolean whole) {
    int udp = view.transport;
    int available = view.networkEnd - udp;
    if (available < UdpHeader.LENGTH) {
      return refuse(view, Verdict.UDP_HEADER_LENGTH);
    }
    long header = view.getLong(udp);
    int length = (int) (header >>> 16) & 0xFFFF;
    boolean superFrame = length == 0 && (view.marks & FrameMarks.GSO) != 0;
    if (!superFrame && (length < UdpHeader.LENGTH || whole && length > available)) {
      return refuse(view, Verdict.UDP_LENGTH);
    }
    view.tcpFlags = 0;
    view.payloadLength = available - UdpHeader.LENGTH;
    return ports(view, (int) (header >>> 32));
  }

  private static FrameKind ports(FrameView view, int ports) {
    if ((ports & 0xFFFF) == 0 || ports >>> 16 == 0) {
      return refuse(view, Verdict.PORT_ZERO);
    }
    view.ports = ports;
    return FrameKind.SEGMENT;
  }

  private static FrameKind icmp(FrameView view) {
    int icmp = view.transport;
    if (view.networkEnd - icmp < IcmpHeader.LENGTH) {
      return refuse(view, Verdict.ICMP_TOO_SHORT);
    }
    view.icmpType = view.getUnsignedByte(icmp);
    view.icmpCode = view.getUnsignedByte(icmp + 1);
    return FrameKind.ICMP;
  }
}
