package io.lb4j.frame;

import io.lb4j.wire.Ipv4Header;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;

/** Frames written byte by byte, in buffers that end where the frame ends. */
final class RawFrames {
  private RawFrames() {}

  static byte[] concat(byte[]... parts) {
    ByteBuf all = Unpooled.buffer();
    for (byte[] part : parts) {
      all.writeBytes(part);
    }
    return bytes(all);
  }

  static byte[] bytes(ByteBuf buffer) {
    byte[] bytes = new byte[buffer.readableBytes()];
    buffer.getBytes(buffer.readerIndex(), bytes);
    return bytes;
  }

  static ByteBuf exact(byte[] bytes) {
    return Unpooled.wrappedBuffer(bytes);
  }

  private static byte[] ethernet(int tags, int etherType) {
    ByteBuf header = Unpooled.buffer();
    header.writeLong(0x0200_0000_0005_0200L).writeInt(1);
    for (int i = 0; i < tags; i++) {
      header.writeShort(tags == 2 && i == 0 ? 0x88A8 : 0x8100).writeShort(10 + i);
    }
    return bytes(header.writeShort(etherType));
  }

  static byte[] tcpHeader(int payload) {
    ByteBuf tcp = Unpooled.buffer();
    tcp.writeShort(4000).writeShort(80).writeInt(7).writeInt(0);
    tcp.writeShort(0x5002).writeShort(1024).writeInt(0).writeZero(payload);
    return bytes(tcp);
  }

  static byte[] udp(int payload) {
    ByteBuf udp = Unpooled.buffer();
    udp.writeShort(4000).writeShort(53).writeShort(8 + payload).writeShort(0).writeZero(payload);
    return bytes(udp);
  }

  static ByteBuf tcp(boolean v6, int tags, int payload) {
    return v6 ? ipv6(tags, 6, tcpHeader(payload)) : ipv4(tags, 6, tcpHeader(payload));
  }

  static ByteBuf ipv4(int protocol, byte[] payload) {
    return ipv4(0, protocol, payload);
  }

  static ByteBuf ipv4(int tags, int protocol, byte[] payload) {
    ByteBuf frame = exact(concat(ethernet(tags, 0x0800), new byte[20], payload));
    Ipv4Header.write(frame, 14 + 4 * tags, 20 + payload.length, 64, protocol, 0xC633640A, 0xC0000264);
    return frame;
  }

  static ByteBuf ipv6(int next, byte[] payload) {
    return ipv6(0, next, payload);
  }

  static ByteBuf ipv6(int tags, int next, byte[] payload) {
    ByteBuf header = Unpooled.buffer();
    header.writeInt(0x6000_0000).writeShort(payload.length).writeByte(next).writeByte(64);
    header.writeLong(0x2001_0DB8_000C_0000L).writeLong(10);
    header.writeLong(0x2001_0DB8_0005_0000L).writeLong(0x100);
    return exact(concat(ethernet(tags, 0x86DD), bytes(header), payload));
  }

  static ByteBuf arp() {
    ByteBuf arp = Unpooled.buffer();
    arp.writeShort(1).writeShort(0x0800).writeShort(0x0604).writeShort(1);
    arp.writeInt(0x0200_0000).writeShort(1).writeInt(0xC000_020A);
    arp.writeZero(6).writeInt(0xC000_0264);
    return exact(concat(ethernet(0, 0x0806), bytes(arp)));
  }
}
