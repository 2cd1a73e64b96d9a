package io.lb4j.verify;

import io.lb4j.address.IpAddress;
import io.lb4j.address.MacAddress;
import io.lb4j.topology.Link;
import io.lb4j.wire.ArpPacket;
import io.lb4j.wire.EthernetHeader;
import io.lb4j.wire.IcmpHeader;
import io.lb4j.wire.InternetChecksum;
import io.lb4j.wire.IpProtocol;
import io.lb4j.wire.Ipv4Header;
import io.lb4j.wire.Ipv6Header;
import io.lb4j.wire.NeighborMessage;
import io.lb4j.wire.TcpHeader;
import io.lb4j.wire.UdpHeader;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;

/** Builds the frames that a verification sends. Static. None announces an address. */
final class ProbeFrames {
  /** Of frames as the balancer's neighbours send them. */
  static final int OWN_TIME_TO_LIVE = 64;

  /** Of frames as the balancer passes them on for clients. */
  static final int CLIENT_TIME_TO_LIVE = 62;

  /** Data of a small echo request: what tells it from others. */
  static final int NONCE_LENGTH = 8;

  private static final IpAddress ALL_NODES = IpAddress.v6(0xFF02_0000_0000_0000L, 1);
  private static final int ND_HOP_LIMIT = 255;
  private static final int WINDOW = 64_240;
  private static final int MAXIMUM_SEGMENT_SIZE = 2 << 24 | 4 << 16;

  private ProbeFrames() {}

  /** Who has the target? The unspecified sender makes it an ARP probe (RFC 5227), which nobody learns from. */
  static byte[] arpRequest(Link link, long destinationMac, IpAddress sender, IpAddress target) {
    return arp(link, ArpPacket.REQUEST, destinationMac, sender, 0, target);
  }

  /** The sender's address is at our MAC address, told to whoever asked. */
  static byte[] arpReply(Link link, long askerMac, IpAddress asker, IpAddress own) {
    return arp(link, ArpPacket.REPLY, askerMac, own, askerMac, asker);
  }

  private static byte[] arp(
      Link link, int operation, long destinationMac, IpAddress sender, long targetMac, IpAddress target) {
    ByteBuf frame = frame(EthernetHeader.LENGTH + ArpPacket.LENGTH, link, destinationMac, EthernetHeader.ARP);
    ArpPacket.write(
        frame, EthernetHeader.LENGTH, operation, link.mac().value(), (int) sender.low(), targetMac, (int) target.low());
    return frame.array();
  }

  /** Who has the target? Asked of its solicited-node group, from an address of ours: nobody takes it for a claim. */
  static byte[] solicitation(Link link, IpAddress source, IpAddress target) {
    IpAddress group = target.solicitedNode();
    int length = NeighborMessage.LENGTH + NeighborMessage.OPTION_LENGTH;
    long mac = MacAddress.ofIpv6Multicast(group).value();
    ByteBuf frame = packet(link, mac, source, group, IpProtocol.ICMPV6, length, ND_HOP_LIMIT);
    int icmp = EthernetHeader.LENGTH + Ipv6Header.LENGTH;
    NeighborMessage.write(frame, icmp, IcmpHeader.V6_NEIGHBOR_SOLICITATION, 0, target.high(), target.low());
    NeighborMessage.writeOption(frame, icmp, NeighborMessage.SOURCE_LINK_LAYER, link.mac().value());
    return finish(frame, group, IpProtocol.ICMPV6, length, IcmpHeader.CHECKSUM_OFFSET);
  }

  /** The address is at our MAC address, told to whoever asked. */
  static byte[] advertisement(Link link, long askerMac, IpAddress asker, IpAddress own) {
    boolean unsolicited = asker.isUnspecified();
    IpAddress destination = unsolicited ? ALL_NODES : asker;
    long mac = unsolicited ? MacAddress.ofIpv6Multicast(ALL_NODES).value() : askerMac;
    int length = NeighborMessage.LENGTH + NeighborMessage.OPTION_LENGTH;
    int flags = NeighborMessage.OVERRIDE | (unsolicited ? 0 : NeighborMessage.SOLICITED);
    ByteBuf frame = packet(link, mac, own, destination, IpProtocol.ICMPV6, length, ND_HOP_LIMIT);
    int icmp = EthernetHeader.LENGTH + Ipv6Header.LENGTH;
    NeighborMessage.write(frame, icmp, IcmpHeader.V6_NEIGHBOR_ADVERTISEMENT, flags, own.high(), own.low());
    NeighborMessage.writeOption(frame, icmp, NeighborMessage.TARGET_LINK_LAYER, link.mac().value());
    return finish(frame, destination, IpProtocol.ICMPV6, length, IcmpHeader.CHECKSUM_OFFSET);
  }

  /**
   * An echo request.
   *
   * @param number identifier
   * @param nonce the first of its data
   * @param dataLength the length of its data, 8 or more
   */
  static byte[] echo(
      Link link, long mac, IpAddress source, IpAddress target, int timeToLive, int number, long nonce, int dataLength) {
    boolean v6 = target.isV6();
    int protocol = v6 ? IpProtocol.ICMPV6 : IpProtocol.ICMP;
    int length = IcmpHeader.LENGTH + dataLength;
    ByteBuf frame = packet(link, mac, source, target, protocol, length, timeToLive);
    int icmp = transport(v6);
    frame.setByte(icmp, v6 ? IcmpHeader.V6_ECHO_REQUEST : IcmpHeader.ECHO_REQUEST);
    frame.setInt(icmp + IcmpHeader.IDENTIFIER_OFFSET, number << 16 | 1);
    frame.setLong(icmp + IcmpHeader.LENGTH, nonce);
    return finish(frame, target, protocol, length, IcmpHeader.CHECKSUM_OFFSET);
  }

  /** Bytes of data that make an echo request as long as the link takes. */
  static int fullSize(Link link, boolean v6) {
    return link.mtu() - (v6 ? Ipv6Header.LENGTH : Ipv4Header.MINIMUM_LENGTH) - IcmpHeader.LENGTH;
  }

  /** The opening segment of a connection. */
  static byte[] syn(
      Link link, long mac, IpAddress source, IpAddress target, int timeToLive, int ports, int sequence) {
    int length = TcpHeader.MINIMUM_LENGTH + 4;
    ByteBuf frame = packet(link, mac, source, target, IpProtocol.TCP, length, timeToLive);
    int tcp = transport(target.isV6());
    int headers = tcp - EthernetHeader.LENGTH + TcpHeader.MINIMUM_LENGTH;
    frame.setInt(tcp, ports);
    frame.setInt(tcp + TcpHeader.SEQUENCE_OFFSET, sequence);
    frame.setShort(tcp + TcpHeader.DATA_OFFSET_OFFSET, length / 4 << 12 | TcpHeader.SYN);
    frame.setShort(tcp + TcpHeader.FLAGS_OFFSET + 1, WINDOW);
    frame.setInt(tcp + TcpHeader.MINIMUM_LENGTH, MAXIMUM_SEGMENT_SIZE | link.mtu() - headers);
    return finish(frame, target, IpProtocol.TCP, length, TcpHeader.CHECKSUM_OFFSET);
  }

  /** The end of a connection that was opened by our SYN. */
  static byte[] reset(
      Link link, long mac, IpAddress source, IpAddress target, int timeToLive, int ports, int sequence) {
    int length = TcpHeader.MINIMUM_LENGTH;
    ByteBuf frame = packet(link, mac, source, target, IpProtocol.TCP, length, timeToLive);
    int tcp = transport(target.isV6());
    frame.setInt(tcp, ports);
    frame.setInt(tcp + TcpHeader.SEQUENCE_OFFSET, sequence);
    frame.setShort(tcp + TcpHeader.DATA_OFFSET_OFFSET, length / 4 << 12 | TcpHeader.RST);
    return finish(frame, target, IpProtocol.TCP, length, TcpHeader.CHECKSUM_OFFSET);
  }

  /** A datagram. */
  static byte[] datagram(
      Link link, long mac, IpAddress source, IpAddress target, int timeToLive, int ports, byte[] payload) {
    int length = UdpHeader.LENGTH + payload.length;
    ByteBuf frame = packet(link, mac, source, target, IpProtocol.UDP, length, timeToLive);
    int udp = transport(target.isV6());
    frame.setInt(udp, ports);
    frame.setShort(udp + UdpHeader.LENGTH_OFFSET, length);
    frame.setBytes(udp + UdpHeader.LENGTH, payload);
    return finish(frame, target, IpProtocol.UDP, length, UdpHeader.CHECKSUM_OFFSET);
  }

  private static int transport(boolean v6) {
    return EthernetHeader.LENGTH + (v6 ? Ipv6Header.LENGTH : Ipv4Header.MINIMUM_LENGTH);
  }

  private static ByteBuf frame(int length, Link link, long destinationMac, int etherType) {
    ByteBuf frame = Unpooled.wrappedBuffer(new byte[Math.max(length, EthernetHeader.MINIMUM_FRAME_LENGTH)]);
    EthernetHeader.setAddresses(frame, 0, destinationMac, link.mac().value());
    EthernetHeader.setEtherType(frame, 0, etherType);
    return frame;
  }

  private static ByteBuf packet(
      Link link,
      long mac,
      IpAddress source,
      IpAddress destination,
      int protocol,
      int length,
      int timeToLive) {
    boolean v6 = destination.isV6();
    int etherType = v6 ? EthernetHeader.IPV6 : EthernetHeader.IPV4;
    ByteBuf frame = frame(transport(v6) + length, link, mac, etherType);
    if (v6) {
      Ipv6Header.write(
          frame,
          EthernetHeader.LENGTH,
          length,
          protocol,
          timeToLive,
          source.high(),
          source.low(),
          destination.high(),
          destination.low());
    } else {
      Ipv4Header.write(
          frame,
          EthernetHeader.LENGTH,
          Ipv4Header.MINIMUM_LENGTH + length,
          timeToLive,
          protocol,
          (int) source.low(),
          (int) destination.low());
    }
    return frame;
  }

  private static byte[] finish(ByteBuf frame, IpAddress destination, int protocol, int length, int checksumOffset) {
    int transport = transport(destination.isV6());
    long sum = pseudoHeader(frame, destination.isV6(), protocol, length);
    int checksum = InternetChecksum.finish(InternetChecksum.sum(frame, transport, length, sum));
    boolean none = checksum == 0 && protocol == IpProtocol.UDP; // 0 would tell that there is none (RFC 768)
    frame.setShort(transport + checksumOffset, none ? 0xFFFF : checksum);
    return frame.array();
  }

  private static long pseudoHeader(ByteBuf frame, boolean v6, int protocol, int length) {
    int ip = EthernetHeader.LENGTH;
    if (v6) {
      return InternetChecksum.pseudoHeader6(frame, ip, protocol, length);
    }
    return protocol == IpProtocol.ICMP
        ? 0
        : InternetChecksum.pseudoHeader4(
            Ipv4Header.source(frame, ip), Ipv4Header.destination(frame, ip), protocol, length);
  }
}
