package io.lb4j.dataplane;

import io.lb4j.address.IpAddress;
import io.lb4j.frame.FrameView;
import io.lb4j.frame.IcmpQuote;
import io.lb4j.wire.EthernetHeader;
import io.lb4j.wire.IcmpHeader;
import io.lb4j.wire.InternetChecksum;
import io.lb4j.wire.IpProtocol;
import io.lb4j.wire.Ipv4Header;
import io.lb4j.wire.Ipv6Header;
import io.lb4j.wire.TcpHeader;
import io.lb4j.wire.UdpHeader;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.Unpooled;

/**
 * One packet of a probe, put together once: what is sent, and what answers to it are compared with. Immutable, shared.
 */
final class ProbePacket {
  private static final int TIME_TO_LIVE = 64;
  private static final int WINDOW = 64_240;
  private static final int MAXIMUM_SEGMENT_SIZE = 2 << 24 | 4 << 16; // the option's kind and length (RFC 9293, 3.2)
  private static final int SYN_LENGTH = TcpHeader.MINIMUM_LENGTH + 4;
  private static final int NONCE_LENGTH = 8;
  private static final int QUOTED_BYTES = 8;
  private static final int FLOW_LABEL = 0xF_FFFF;

  private final IpAddress source;
  private final IpAddress target;
  private final int protocol;
  private final ByteBuf bytes; // the IP packet; read only, by absolute indices
  private final int transport;

  private ProbePacket(IpAddress source, IpAddress target, int protocol, int transportLength) {
    this.source = source;
    this.target = target;
    this.protocol = protocol;
    this.transport = target.isV6() ? Ipv6Header.LENGTH : Ipv4Header.MINIMUM_LENGTH;
    this.bytes = Unpooled.wrappedBuffer(new byte[transport + transportLength]);
    writeNetwork(transportLength);
  }

  /**
   * An echo request.
   *
   * @param identifier of all echo requests of a probe
   * @param sequence tells them apart
   * @param nonce its data, which nobody guesses
   */
  static ProbePacket echo(IpAddress source, IpAddress target, int identifier, int sequence, long nonce) {
    boolean v6 = target.isV6();
    int protocol = v6 ? IpProtocol.ICMPV6 : IpProtocol.ICMP;
    ProbePacket packet = new ProbePacket(source, target, protocol, IcmpHeader.LENGTH + NONCE_LENGTH);
    int icmp = packet.transport;
    packet.bytes.setByte(icmp, v6 ? IcmpHeader.V6_ECHO_REQUEST : IcmpHeader.ECHO_REQUEST);
    packet.bytes.setInt(icmp + IcmpHeader.IDENTIFIER_OFFSET, identifier << 16 | sequence);
    packet.bytes.setLong(icmp + IcmpHeader.LENGTH, nonce);
    packet.finish(IcmpHeader.CHECKSUM_OFFSET);
    return packet;
  }

  /** The opening segment of a connection. */
  static ProbePacket syn(IpAddress source, IpAddress target, int ports, int sequence, int mtu) {
    int headers = (target.isV6() ? Ipv6Header.LENGTH : Ipv4Header.MINIMUM_LENGTH) + TcpHeader.MINIMUM_LENGTH;
    ProbePacket packet = segment(source, target, ports, sequence, TcpHeader.SYN, SYN_LENGTH);
    packet.bytes.setShort(packet.transport + TcpHeader.FLAGS_OFFSET + 1, WINDOW);
    packet.bytes.setInt(packet.transport + TcpHeader.MINIMUM_LENGTH, MAXIMUM_SEGMENT_SIZE | mtu - headers);
    packet.finish(TcpHeader.CHECKSUM_OFFSET);
    return packet;
  }

  /** The end of a connection that an answer to our SYN has opened: believed at the next sequence number alone. */
  static ProbePacket reset(IpAddress source, IpAddress target, int ports, int sequence) {
    ProbePacket packet = segment(source, target, ports, sequence, TcpHeader.RST, TcpHeader.MINIMUM_LENGTH);
    packet.finish(TcpHeader.CHECKSUM_OFFSET);
    return packet;
  }

  private static ProbePacket segment(
      IpAddress source, IpAddress target, int ports, int sequence, int flags, int length) {
    ProbePacket packet = new ProbePacket(source, target, IpProtocol.TCP, length);
    int tcp = packet.transport;
    packet.bytes.setInt(tcp, ports);
    packet.bytes.setInt(tcp + TcpHeader.SEQUENCE_OFFSET, sequence);
    packet.bytes.setShort(tcp + TcpHeader.DATA_OFFSET_OFFSET, length / 4 << 12 | flags);
    return packet;
  }

  /**
   * A datagram without data. Nothing in it is secret but its port, which can be tried out: so the IP header has a number
   * too, which is in every quote (RFC 792, RFC 4443). A packet that is not cut may have any identification (RFC 6864,
   * section 4.1), and a flow label anyway (RFC 6437, section 3).
   *
   * @param nonce 16 bits of it are used for IPv4, 20 for IPv6
   */
  static ProbePacket datagram(IpAddress source, IpAddress target, int ports, int nonce) {
    ProbePacket packet = new ProbePacket(source, target, IpProtocol.UDP, UdpHeader.LENGTH);
    packet.bytes.setInt(packet.transport, ports);
    packet.bytes.setShort(packet.transport + UdpHeader.LENGTH_OFFSET, UdpHeader.LENGTH);
    if (target.isV6()) {
      packet.bytes.setInt(0, packet.bytes.getInt(0) | nonce & FLOW_LABEL);
    } else {
      packet.bytes.setShort(Ipv4Header.IDENTIFICATION_OFFSET, nonce);
      Ipv4Header.updateChecksum(packet.bytes, 0);
    }
    packet.finish(UdpHeader.CHECKSUM_OFFSET);
    return packet;
  }

  private void writeNetwork(int length) {
    if (target.isV6()) {
      Ipv6Header.write(
          bytes, 0, length, protocol, TIME_TO_LIVE, source.high(), source.low(), target.high(), target.low());
    } else {
      Ipv4Header.write(
          bytes, 0, transport + length, TIME_TO_LIVE, protocol, (int) source.low(), (int) target.low());
    }
  }

  private void finish(int checksumOffset) {
    int length = bytes.capacity() - transport;
    int checksum = InternetChecksum.finish(InternetChecksum.sum(bytes, transport, length, pseudoHeader(length)));
    boolean none = checksum == 0 && protocol == IpProtocol.UDP; // 0 would tell that there is none (RFC 768)
    bytes.setShort(transport + checksumOffset, none ? 0xFFFF : checksum);
  }

  private long pseudoHeader(int length) {
    if (target.isV6()) {
      return InternetChecksum.pseudoHeader6(bytes, 0, protocol, length);
    }
    return protocol == IpProtocol.ICMP
        ? 0
        : InternetChecksum.pseudoHeader4((int) source.low(), (int) target.low(), protocol, length);
  }

  /** Whom the packet is for. */
  IpAddress target() {
    return target;
  }

  /** The packet in a frame that is the caller's, padded to the shortest length. */
  ByteBuf frame(ByteBufAllocator allocator, long destinationMac, long sourceMac) {
    int length = Math.max(EthernetHeader.LENGTH + bytes.capacity(), EthernetHeader.MINIMUM_FRAME_LENGTH);
    ByteBuf frame = allocator.buffer(length, length).writeZero(length);
    EthernetHeader.setAddresses(frame, 0, destinationMac, sourceMac);
    EthernetHeader.setEtherType(frame, 0, target.isV6() ? EthernetHeader.IPV6 : EthernetHeader.IPV4);
    frame.setBytes(EthernetHeader.LENGTH, bytes, 0, bytes.capacity());
    return frame;
  }

  // ---- what comes back -----------------------------------------------------------------------------------------

  /** Whether a packet goes the other way: from the target, to the source. */
  boolean isAnsweredBy(FrameView view) {
    return view.isV6() == target.isV6()
        && view.sourceHigh() == target.high()
        && view.sourceLow() == target.low()
        && view.destinationHigh() == source.high()
        && view.destinationLow() == source.low();
  }

  /** Whether an ICMP message is the reply to this echo request: identifier, sequence and data are the same. */
  boolean isEchoedBy(FrameView view) {
    int reply = target.isV6() ? IcmpHeader.V6_ECHO_REPLY : IcmpHeader.ECHO_REPLY;
    return isAnsweredBy(view)
        && view.icmpType() == reply
        && view.icmpCode() == 0
        && isSameFrom(IcmpHeader.IDENTIFIER_OFFSET, view);
  }

  /** Whether this very packet has come back; routers on its way have changed nothing but the network header. */
  boolean isIn(FrameView view) {
    return view.isV6() == target.isV6()
        && view.protocol() == protocol
        && view.sourceHigh() == source.high()
        && view.sourceLow() == source.low()
        && view.destinationHigh() == target.high()
        && view.destinationLow() == target.low()
        && isSameFrom(0, view);
  }

  private boolean isSameFrom(int offset, FrameView view) {
    int length = bytes.capacity() - transport;
    if (view.networkEnd() - view.transport() != length) {
      return false;
    }
    return isSame(offset, view.buffer(), view.transport() + offset, length - offset);
  }

  private boolean isSame(int offset, ByteBuf other, int at, int length) {
    for (int i = 0; i < length; i++) {
      if (bytes.getByte(transport + offset + i) != other.getByte(at + i)) {
        return false;
      }
    }
    return true;
  }

  /**
   * Whether an ICMP message quotes this packet: addresses, protocol, the first 8 bytes of its transport header, and the
   * number in a datagram's IP header.
   */
  boolean isQuotedBy(FrameView view, long quote) {
    boolean same = view.isV6() == target.isV6() && IcmpQuote.protocolOf(quote) == protocol;
    return same
        && isNetworkSame(view.buffer(), IcmpQuote.network(view))
        && (protocol != IpProtocol.UDP || isNumberSame(view.buffer(), IcmpQuote.network(view)))
        && isSame(0, view.buffer(), IcmpQuote.transportOf(quote), QUOTED_BYTES);
  }

  private boolean isNumberSame(ByteBuf buffer, int ip) {
    return target.isV6()
        ? ((buffer.getInt(ip) ^ bytes.getInt(0)) & FLOW_LABEL) == 0
        : buffer.getShort(ip + Ipv4Header.IDENTIFICATION_OFFSET) == bytes.getShort(Ipv4Header.IDENTIFICATION_OFFSET);
  }

  private boolean isNetworkSame(ByteBuf buffer, int ip) {
    if (!target.isV6()) {
      return Ipv4Header.source(buffer, ip) == (int) source.low()
          && Ipv4Header.destination(buffer, ip) == (int) target.low();
    }
    return buffer.getLong(ip + Ipv6Header.SOURCE_OFFSET) == source.high()
        && buffer.getLong(ip + Ipv6Header.SOURCE_OFFSET + 8) == source.low()
        && buffer.getLong(ip + Ipv6Header.DESTINATION_OFFSET) == target.high()
        && buffer.getLong(ip + Ipv6Header.DESTINATION_OFFSET + 8) == target.low();
  }
}
