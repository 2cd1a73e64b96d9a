package io.lb4j.pcap.packet;

import io.lb4j.testkit.FrameBuilder;
import io.lb4j.wire.EthernetHeader;
import io.lb4j.wire.InternetChecksum;
import io.lb4j.wire.IpProtocol;
import io.lb4j.wire.Ipv4Header;
import io.lb4j.wire.Ipv6Header;
import io.lb4j.wire.TcpHeader;
import io.lb4j.wire.UdpHeader;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.nio.ByteBuffer;
import java.util.Random;

/** Frames as a sender makes them that leaves the checksum to its device. */
final class PartialFrames {
  private PartialFrames() {}

  /**
   * A frame with random payload and a right checksum, in native memory that leak detection does not watch: it would
   * note each of the many reads of a super-frame.
   */
  static ByteBuf frame(boolean v6, boolean tcp, int payload) {
    FrameBuilder builder =
        v6 ? FrameBuilder.from("2001:db8::10", "2001:db8:1::100") : FrameBuilder.from("198.51.100.10", "192.0.2.100");
    ByteBuf headers = (tcp ? builder.tcp(40_000, 80, TcpHeader.ACK) : builder.udp(40_000, 53)).build();
    byte[] random = new byte[payload];
    new Random(payload).nextBytes(random);
    ByteBuf frame = Unpooled.wrappedBuffer(ByteBuffer.allocateDirect(headers.readableBytes() + payload));
    frame.clear().writeBytes(headers).writeBytes(random);
    headers.release();
    int ip = EthernetHeader.LENGTH;
    int length = frame.readableBytes() - ip;
    if (v6) {
      frame.setShort(ip + Ipv6Header.PAYLOAD_LENGTH_OFFSET, length - Ipv6Header.LENGTH);
    } else {
      frame.setShort(ip + Ipv4Header.TOTAL_LENGTH_OFFSET, length).setShort(ip + Ipv4Header.CHECKSUM_OFFSET, 0);
      long sum = InternetChecksum.sum(frame, ip, Ipv4Header.MINIMUM_LENGTH, 0);
      frame.setShort(ip + Ipv4Header.CHECKSUM_OFFSET, InternetChecksum.finish(sum));
    }
    int transport = transport(v6);
    if (!tcp) {
      frame.setShort(transport + UdpHeader.LENGTH_OFFSET, frame.readableBytes() - transport);
    }
    unfinish(frame);
    int field = transport + (tcp ? TcpHeader.CHECKSUM_OFFSET : UdpHeader.CHECKSUM_OFFSET);
    long sum = InternetChecksum.sum(frame, transport, frame.readableBytes() - transport, 0);
    return frame.setShort(field, InternetChecksum.finish(sum));
  }

  private static int transport(boolean v6) {
    return EthernetHeader.LENGTH + (v6 ? Ipv6Header.LENGTH : Ipv4Header.MINIMUM_LENGTH);
  }

  /** Puts the folded sum of the pseudo-header where the checksum of an untagged TCP or UDP frame is. */
  static ByteBuf unfinish(ByteBuf frame) {
    int ip = EthernetHeader.LENGTH;
    boolean v6 = frame.getUnsignedShort(EthernetHeader.ETHER_TYPE_OFFSET) == EthernetHeader.IPV6;
    int transport = transport(v6);
    int protocol = frame.getUnsignedByte(ip + (v6 ? Ipv6Header.NEXT_HEADER_OFFSET : Ipv4Header.PROTOCOL_OFFSET));
    int length = frame.readableBytes() - transport;
    long sum =
        v6
            ? InternetChecksum.pseudoHeader6(frame, ip, protocol, length)
            : InternetChecksum.pseudoHeader4(
                frame.getInt(ip + Ipv4Header.SOURCE_OFFSET),
                frame.getInt(ip + Ipv4Header.DESTINATION_OFFSET),
                protocol,
                length);
    boolean tcp = protocol == IpProtocol.TCP;
    int field = transport + (tcp ? TcpHeader.CHECKSUM_OFFSET : UdpHeader.CHECKSUM_OFFSET);
    frame.setShort(field, InternetChecksum.fold(sum));
    return frame;
  }
}
