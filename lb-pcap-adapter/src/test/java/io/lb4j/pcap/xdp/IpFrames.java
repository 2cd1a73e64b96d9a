package io.lb4j.pcap.xdp;

import io.lb4j.address.IpAddress;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;

/** Frames whose addresses matter, and nothing else. */
final class IpFrames {
  private IpFrames() {}

  /**
   * An IPv4 or IPv6 packet with 20 bytes of payload, in 802.1Q tags, of which the first of several is a service tag.
   */
  static ByteBuf packet(long mac, int tags, String source, String destination, int protocol) {
    IpAddress from = IpAddress.of(source);
    ByteBuf frame = Unpooled.buffer();
    frame.writeShort((int) (mac >>> 32)).writeInt((int) mac).writeMedium(0x020000).writeMedium(9);
    for (int i = 0; i < tags; i++) {
      frame.writeShort(i == 0 && tags > 1 ? 0x88A8 : 0x8100).writeShort(7);
    }
    if (from.isV6()) {
      frame.writeShort(0x86DD).writeInt(0x60000000).writeShort(20).writeByte(protocol).writeByte(64);
    } else {
      frame.writeShort(0x0800).writeInt(0x45000028).writeInt(0).writeByte(64).writeByte(protocol).writeShort(0);
    }
    write(frame, from);
    write(frame, IpAddress.of(destination));
    return frame.writeZero(20);
  }

  /** Asks for an IPv4 address. */
  static ByteBuf arpRequest(String target) {
    ByteBuf frame = Unpooled.buffer().writeInt(-1).writeShort(-1).writeMedium(0x020000).writeMedium(9);
    frame.writeShort(0x0806).writeInt(0x00010800).writeInt(0x06040001).writeMedium(0x020000).writeMedium(9);
    write(frame, IpAddress.of("192.0.2.1"));
    frame.writeZero(6);
    write(frame, IpAddress.of(target));
    return frame.writeZero(18);
  }

  /** Asks for an IPv6 address, of its group. */
  static ByteBuf solicitation(String target) {
    long group = 0x3333_FF00_0000L | IpAddress.of(target).low() & 0xFF_FFFF;
    ByteBuf frame = packet(group, 0, "2001:db8::1", "ff02::1:ff00:0", 58);
    frame.setByte(14 + 7, 255).writerIndex(14 + 40).writeInt(0x87000000).writeInt(0);
    write(frame, IpAddress.of(target));
    return frame.setShort(14 + 4, 24);
  }

  private static void write(ByteBuf frame, IpAddress address) {
    if (address.isV6()) {
      frame.writeLong(address.high()).writeLong(address.low());
    } else {
      frame.writeInt((int) address.low());
    }
  }
}
