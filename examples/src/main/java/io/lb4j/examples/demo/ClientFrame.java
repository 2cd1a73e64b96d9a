package io.lb4j.examples.demo;

import io.lb4j.address.IpAddress;
import io.lb4j.address.MacAddress;
import io.lb4j.service.Protocol;
import io.lb4j.wire.EthernetHeader;
import io.lb4j.wire.InternetChecksum;
import io.lb4j.wire.Ipv4Header;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;

/** A client's first packet as a router sends it to the balancer: a TCP SYN, or a datagram of four bytes. */
final class ClientFrame {
  private static final int TCP = 6;
  private static final int UDP = 17;
  private static final int TCP_LENGTH = 20;
  private static final int UDP_LENGTH = 12;
  private static final int TTL = 64;

  private ClientFrame() {}

  /** The frame, with correct checksums; the caller releases it. */
  static ByteBuf of(MacAddress from, MacAddress to, IpAddress client, int clientPort, IpAddress vip, int port,
      Protocol protocol) {
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
      frame.writeInt(clientPort * 1000).writeInt(0).writeShort(0x5002).writeShort(64_240).writeInt(0);
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

  private static long pseudoHeader(ByteBuf frame, IpAddress client, IpAddress vip, int protocol, int length) {
    return vip.isV6()
        ? InternetChecksum.pseudoHeader6(frame, EthernetHeader.LENGTH, protocol, length)
        : InternetChecksum.pseudoHeader4((int) client.low(), (int) vip.low(), protocol, length);
  }
}
