package io.lb4j.examples.demo;

import io.lb4j.address.IpAddress;
import io.lb4j.address.MacAddress;
import io.lb4j.service.Protocol;
import io.lb4j.wire.EthernetHeader;
import io.lb4j.wire.InternetChecksum;
import io.lb4j.wire.Ipv4Header;
import io.lb4j.wire.Ipv6Header;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;

/** A first packet, or the answer to one, as a neighbour sends it to the balancer: TCP without data, or a datagram. */
final class ClientFrame {
  private static final int TCP = 6;
  private static final int UDP = 17;
  private static final int TCP_LENGTH = 20;
  private static final int UDP_LENGTH = 12;
  private static final int SYN = 0x02;
  private static final int SYN_ACK = 0x12;

  /** The time to live, or hop limit, that frames are made with. */
  static final int TTL = 64;

  private ClientFrame() {}

  /** The first packet, with correct checksums; the caller releases it. */
  static ByteBuf of(MacAddress from, MacAddress to, IpAddress client, int clientPort, IpAddress vip, int port,
      Protocol protocol) {
    return of(from, to, client, clientPort, vip, port, protocol, SYN);
  }

  /** The answer of whoever got a first packet: a SYN-ACK, or a datagram. */
  static ByteBuf answer(MacAddress from, MacAddress to, IpAddress server, int serverPort, IpAddress client,
      int clientPort, Protocol protocol) {
    return of(from, to, server, serverPort, client, clientPort, protocol, SYN_ACK);
  }

  private static ByteBuf of(MacAddress from, MacAddress to, IpAddress client, int clientPort, IpAddress vip, int port,
      Protocol protocol, int flags) {
    ByteBuf frame = Unpooled.buffer(128).writeZero(EthernetHeader.LENGTH);
    EthernetHeader.setAddresses(frame, 0, to.value(), from.value());
    EthernetHeader.setEtherType(frame, 0, vip.isV6() ? EthernetHeader.IPV6 : EthernetHeader.IPV4);
    int number = protocol == Protocol.TCP ? TCP : UDP;
    int length = protocol == Protocol.TCP ? TCP_LENGTH : UDP_LENGTH;
    writeIp(frame, client, vip, number, length);
    int transport = frame.writerIndex();
    frame.writeShort(clientPort).writeShort(port);
    int checksum;
    if (number == TCP) {
      int acknowledged = flags == SYN ? 0 : port * 1000 + 1;
      frame.writeInt(clientPort * 1000).writeInt(acknowledged).writeShort(0x5000 | flags);
      frame.writeShort(64_240).writeInt(0);
      checksum = transport + 16;
    } else {
      frame.writeShort(length).writeShort(0).writeInt(0x6C62346A);
      checksum = transport + 6;
    }
    long sum = pseudoHeader(frame, client, vip, number, length);
    frame.setShort(checksum, InternetChecksum.finish(InternetChecksum.sum(frame, transport, length, sum)));
    return frame;
  }

  private static void writeIp(ByteBuf frame, IpAddress client, IpAddress vip, int protocol, int length) {
    int ip = frame.writerIndex();
    if (vip.isV6()) {
      frame.writeInt(0x6000_0000).writeShort(length).writeByte(protocol).writeByte(TTL);
    } else {
      frame.writeShort(0x4500).writeShort(Ipv4Header.MINIMUM_LENGTH + length).writeShort(1);
      frame.writeShort(Ipv4Header.DONT_FRAGMENT).writeByte(TTL).writeByte(protocol).writeShort(0);
    }
    frame.writeBytes(client.octets()).writeBytes(vip.octets());
    if (!vip.isV6()) {
      Ipv4Header.updateChecksum(frame, ip);
    }
  }

  /** Whether the checksums of a frame made here are still right. */
  static boolean isSound(ByteBuf frame) {
    boolean six = frame.getUnsignedShort(12) == EthernetHeader.IPV6;
    int ip = EthernetHeader.LENGTH;
    int transport = ip + (six ? Ipv6Header.LENGTH : Ipv4Header.MINIMUM_LENGTH);
    int length = frame.writerIndex() - transport;
    int protocol = frame.getUnsignedByte(six ? ip + Ipv6Header.NEXT_HEADER_OFFSET : ip + Ipv4Header.PROTOCOL_OFFSET);
    long sum = pseudoHeader(frame, source(frame), destination(frame), protocol, length);
    boolean header = six || InternetChecksum.finish(InternetChecksum.sum(frame, ip, transport - ip, 0)) == 0;
    return header && InternetChecksum.finish(InternetChecksum.sum(frame, transport, length, sum)) == 0;
  }

  static IpAddress source(ByteBuf frame) {
    boolean six = frame.getUnsignedShort(12) == EthernetHeader.IPV6;
    return six ? IpAddress.v6(frame.getLong(22), frame.getLong(30)) : IpAddress.v4(frame.getInt(26));
  }

  static IpAddress destination(ByteBuf frame) {
    boolean six = frame.getUnsignedShort(12) == EthernetHeader.IPV6;
    return six ? IpAddress.v6(frame.getLong(38), frame.getLong(46)) : IpAddress.v4(frame.getInt(30));
  }

  static int sourcePort(ByteBuf frame) {
    return frame.getUnsignedShort(frame.getUnsignedShort(12) == EthernetHeader.IPV6 ? 54 : 34);
  }

  static int destinationPort(ByteBuf frame) {
    return frame.getUnsignedShort(frame.getUnsignedShort(12) == EthernetHeader.IPV6 ? 56 : 36);
  }

  static int timeToLive(ByteBuf frame) {
    return frame.getUnsignedByte(frame.getUnsignedShort(12) == EthernetHeader.IPV6 ? 21 : 22);
  }

  private static long pseudoHeader(ByteBuf frame, IpAddress client, IpAddress vip, int protocol, int length) {
    return vip.isV6()
        ? InternetChecksum.pseudoHeader6(frame, EthernetHeader.LENGTH, protocol, length)
        : InternetChecksum.pseudoHeader4((int) client.low(), (int) vip.low(), protocol, length);
  }
}
