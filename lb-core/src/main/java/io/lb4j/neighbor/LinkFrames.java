package io.lb4j.neighbor;

import io.lb4j.address.IpAddress;
import io.lb4j.address.MacAddress;
import io.lb4j.topology.Link;
import io.lb4j.wire.ArpPacket;
import io.lb4j.wire.EthernetHeader;
import io.lb4j.wire.IcmpHeader;
import io.lb4j.wire.InternetChecksum;
import io.lb4j.wire.IpProtocol;
import io.lb4j.wire.Ipv6Header;
import io.lb4j.wire.ListenerMessage;
import io.lb4j.wire.NeighborMessage;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import java.util.List;

/** Builds the frames that the link layer sends on its own account, untagged. The caller owns each and hands it on. */
final class LinkFrames {
  /** ff02::1. */
  static final IpAddress ALL_NODES = IpAddress.v6(0xFF02_0000_0000_0000L, 1);

  /** Length of an advertisement with its target's link-layer address, IPv6 header included. */
  static final int ADVERTISEMENT_LENGTH =
      Ipv6Header.LENGTH + NeighborMessage.LENGTH + NeighborMessage.OPTION_LENGTH;

  /** Every receiver of a listener report of version 2 (RFC 3810, section 5.2.14). */
  private static final IpAddress ALL_MLDV2_ROUTERS = IpAddress.v6(0xFF02_0000_0000_0000L, 0x16);

  private static final IpAddress UNSPECIFIED = IpAddress.v6(0, 0);
  private static final int ND_HOP_LIMIT = 255;
  private static final int MLD_HOP_LIMIT = 1;

  private final ByteBufAllocator allocator;

  LinkFrames(ByteBufAllocator allocator) {
    this.allocator = allocator;
  }

  /** Who has the target? Asked of everybody, or of the MAC address that is known (RFC 1122, section 2.3.2.1). */
  ByteBuf arpRequest(Link link, IpAddress target, long destination) {
    int source = (int) link.sourceTowards(target).map(IpAddress::low).orElse(0L).longValue();
    return arp(link, destination, source, target);
  }

  /** Is anybody using the address? (RFC 5227, section 2.1.1) */
  ByteBuf arpProbe(Link link, IpAddress address) {
    return arp(link, MacAddress.BROADCAST.value(), 0, address);
  }

  /** The address is ours (RFC 5227, section 2.3). */
  ByteBuf arpAnnouncement(Link link, IpAddress address) {
    return arp(link, MacAddress.BROADCAST.value(), (int) address.low(), address);
  }

  private ByteBuf arp(Link link, long destination, int sender, IpAddress target) {
    ByteBuf frame = frame(EthernetHeader.MINIMUM_FRAME_LENGTH);
    EthernetHeader.setAddresses(frame, 0, destination, link.mac().value());
    EthernetHeader.setEtherType(frame, 0, EthernetHeader.ARP);
    ArpPacket.write(
        frame, EthernetHeader.LENGTH, ArpPacket.REQUEST, link.mac().value(), sender, 0, (int) target.low());
    return frame;
  }

  /** Who has the target? Asked of its solicited-node group (RFC 4861, section 7.2.2). */
  ByteBuf solicitation(Link link, IpAddress target) {
    IpAddress group = target.solicitedNode();
    return solicitation(link, MacAddress.ofIpv6Multicast(group).value(), sourceTowards(link, target), group, target);
  }

  /** Are you still there? Asked of the MAC address that is known (RFC 4861, section 7.3.3). */
  ByteBuf unicastSolicitation(Link link, IpAddress target, long destination) {
    return solicitation(link, destination, sourceTowards(link, target), target, target);
  }

  /** Is anybody using the address? (RFC 4862, section 5.4.2) */
  ByteBuf duplicateAddressProbe(Link link, IpAddress address) {
    IpAddress group = address.solicitedNode();
    return solicitation(link, MacAddress.ofIpv6Multicast(group).value(), UNSPECIFIED, group, address);
  }

  private static IpAddress sourceTowards(Link link, IpAddress target) {
    return target.isLinkLocal() ? OwnedAddresses.linkLocal(link) : link.sourceTowards(target).orElseThrow();
  }

  private ByteBuf solicitation(
      Link link, long destinationMac, IpAddress source, IpAddress destination, IpAddress target) {
    boolean option = !source.isUnspecified(); // RFC 4861, section 4.3: no option without a source
    int length = NeighborMessage.LENGTH + (option ? NeighborMessage.OPTION_LENGTH : 0);
    ByteBuf frame = ipv6(link, destinationMac, source, destination, length, IpProtocol.ICMPV6, ND_HOP_LIMIT);
    int icmp = EthernetHeader.LENGTH + Ipv6Header.LENGTH;
    NeighborMessage.write(frame, icmp, IcmpHeader.V6_NEIGHBOR_SOLICITATION, 0, target.high(), target.low());
    if (option) {
      NeighborMessage.writeOption(frame, icmp, NeighborMessage.SOURCE_LINK_LAYER, link.mac().value());
    }
    setChecksum(frame, EthernetHeader.LENGTH, icmp, length);
    return frame;
  }

  /** The address is ours; replace what you know (RFC 4861, section 7.2.6). */
  ByteBuf unsolicitedAdvertisement(Link link, IpAddress address) {
    ByteBuf frame = frame(EthernetHeader.LENGTH + ADVERTISEMENT_LENGTH);
    EthernetHeader.setEtherType(frame, 0, EthernetHeader.IPV6);
    long destinationMac = MacAddress.ofIpv6Multicast(ALL_NODES).value();
    writeAdvertisement(frame, 0, EthernetHeader.LENGTH, link, destinationMac, ALL_NODES, address, 0);
    return frame;
  }

  /**
   * Writes Ethernet addresses and an advertisement from its target over whatever was there. It replaces what is known.
   * A gateway address is a router's: hosts remove a default router that says that it is none (RFC 4861, sections 7.2.4
   * and 7.2.5).
   */
  static void writeAdvertisement(
      ByteBuf buffer,
      int start,
      int ip,
      Link link,
      long destinationMac,
      IpAddress destination,
      IpAddress target,
      int solicited) {
    int router = link.gatewayAddresses().contains(target) ? NeighborMessage.ROUTER : 0;
    int flags = router | solicited | NeighborMessage.OVERRIDE;
    int length = ADVERTISEMENT_LENGTH - Ipv6Header.LENGTH;
    int icmp = ip + Ipv6Header.LENGTH;
    EthernetHeader.setAddresses(buffer, start, destinationMac, link.mac().value());
    writeIpv6(buffer, ip, target, destination, length, IpProtocol.ICMPV6, ND_HOP_LIMIT);
    NeighborMessage.write(buffer, icmp, IcmpHeader.V6_NEIGHBOR_ADVERTISEMENT, flags, target.high(), target.low());
    NeighborMessage.writeOption(buffer, icmp, NeighborMessage.TARGET_LINK_LAYER, link.mac().value());
    setChecksum(buffer, ip, icmp, length);
  }

  /** How many groups one report can name. */
  static int recordsPerReport(Link link) {
    int fixed = Ipv6Header.LENGTH + ListenerMessage.ROUTER_ALERT_LENGTH + ListenerMessage.REPORT_LENGTH;
    return Math.max(1, (link.mtu() - fixed) / ListenerMessage.RECORD_LENGTH);
  }

  /** One group and what is said of it. */
  record GroupRecord(int type, IpAddress group) {}

  /** A report of version 2 to all routers (RFC 3810, section 5.2). */
  ByteBuf listenerReport(Link link, List<GroupRecord> records) {
    int length = ListenerMessage.REPORT_LENGTH + records.size() * ListenerMessage.RECORD_LENGTH;
    ByteBuf frame = listenerMessage(link, ALL_MLDV2_ROUTERS, length);
    int icmp = EthernetHeader.LENGTH + Ipv6Header.LENGTH + ListenerMessage.ROUTER_ALERT_LENGTH;
    ListenerMessage.writeReport(frame, icmp, records.size());
    for (int i = 0; i < records.size(); i++) {
      GroupRecord record = records.get(i);
      ListenerMessage.writeRecord(frame, icmp, i, record.type(), record.group().high(), record.group().low());
    }
    setChecksum(frame, EthernetHeader.LENGTH, icmp, length);
    return frame;
  }

  /** A report of version 1 to the group itself (RFC 2710, section 4). */
  ByteBuf v1ListenerReport(Link link, IpAddress group) {
    ByteBuf frame = listenerMessage(link, group, ListenerMessage.V1_LENGTH);
    int icmp = EthernetHeader.LENGTH + Ipv6Header.LENGTH + ListenerMessage.ROUTER_ALERT_LENGTH;
    ListenerMessage.writeV1Report(frame, icmp, group.high(), group.low());
    setChecksum(frame, EthernetHeader.LENGTH, icmp, ListenerMessage.V1_LENGTH);
    return frame;
  }

  private ByteBuf listenerMessage(Link link, IpAddress destination, int length) {
    ByteBuf frame =
        ipv6(
            link,
            MacAddress.ofIpv6Multicast(destination).value(),
            OwnedAddresses.linkLocal(link),
            destination,
            ListenerMessage.ROUTER_ALERT_LENGTH + length,
            IpProtocol.HOP_BY_HOP,
            MLD_HOP_LIMIT);
    frame.setLong(EthernetHeader.LENGTH + Ipv6Header.LENGTH, ListenerMessage.ROUTER_ALERT);
    return frame;
  }

  private ByteBuf ipv6(
      Link link,
      long destinationMac,
      IpAddress source,
      IpAddress destination,
      int payloadLength,
      int nextHeader,
      int hopLimit) {
    ByteBuf frame = frame(EthernetHeader.LENGTH + Ipv6Header.LENGTH + payloadLength);
    EthernetHeader.setAddresses(frame, 0, destinationMac, link.mac().value());
    EthernetHeader.setEtherType(frame, 0, EthernetHeader.IPV6);
    writeIpv6(frame, EthernetHeader.LENGTH, source, destination, payloadLength, nextHeader, hopLimit);
    return frame;
  }

  private static void writeIpv6(
      ByteBuf buffer,
      int ip,
      IpAddress source,
      IpAddress destination,
      int payloadLength,
      int nextHeader,
      int hopLimit) {
    Ipv6Header.write(
        buffer,
        ip,
        payloadLength,
        nextHeader,
        hopLimit,
        source.high(),
        source.low(),
        destination.high(),
        destination.low());
  }

  /** An empty frame of at least the shortest length, padded with 0. */
  ByteBuf frame(int length) {
    int padded = Math.max(length, EthernetHeader.MINIMUM_FRAME_LENGTH);
    return allocator.buffer(padded, padded).writeZero(padded);
  }

  private static void setChecksum(ByteBuf buffer, int ip, int icmp, int length) {
    buffer.setShort(icmp + IcmpHeader.CHECKSUM_OFFSET, 0);
    long sum = InternetChecksum.pseudoHeader6(buffer, ip, IpProtocol.ICMPV6, length);
    sum = InternetChecksum.sum(buffer, icmp, length, sum);
    buffer.setShort(icmp + IcmpHeader.CHECKSUM_OFFSET, InternetChecksum.finish(sum));
  }
}
