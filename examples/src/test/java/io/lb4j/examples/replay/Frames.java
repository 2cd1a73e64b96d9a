package io.lb4j.examples.replay;

import io.lb4j.pcap.CaptureFormat;
import io.lb4j.pcap.CaptureWriter;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/** Frames of clients, and captures of them. */
final class Frames {
  static final long START_NS = 1_700_000_000_000_000_000L;

  private Frames() {}

  /** A TCP SYN from 198.51.100.CLIENT to 192.0.2.10:PORT, with right checksums. */
  static byte[] syn(int client, int sourcePort, int port) {
    ByteBuf f = Unpooled.buffer(54);
    f.writeMedium(0x020000).writeMedium(0x000001).writeMedium(0x020000).writeMedium(0x0000FE).writeShort(0x0800);
    f.writeShort(0x4500).writeShort(40).writeInt(0x00004000).writeByte(64).writeByte(6).writeShort(0);
    f.writeInt(0xC6336400 | client).writeInt(0xC000020A);
    f.writeShort(sourcePort).writeShort(port).writeInt(1).writeInt(0).writeShort(0x5002).writeShort(65535);
    f.writeShort(0).writeShort(0);
    f.setShort(24, sum(f, 14, 20, 0));
    f.setShort(50, sum(f, 34, 20, sum16(f, 26, 8) + 6 + 20));
    byte[] bytes = new byte[54];
    f.readBytes(bytes);
    return bytes;
  }

  /** A later fragment of a TCP segment to 192.0.2.10, whose first fragment never comes. */
  static byte[] laterFragment(int client) {
    ByteBuf f = Unpooled.wrappedBuffer(syn(client, 5000, 80));
    f.setShort(18, 77).setShort(20, 100).setShort(24, 0);
    f.setShort(24, sum(f, 14, 20, 0));
    byte[] bytes = new byte[54];
    f.getBytes(0, bytes);
    return bytes;
  }

  private static int sum16(ByteBuf f, int at, int length) {
    int sum = 0;
    for (int i = 0; i < length; i += 2) {
      sum += f.getUnsignedShort(at + i);
    }
    return sum;
  }

  private static int sum(ByteBuf f, int at, int length, int more) {
    int sum = sum16(f, at, length) + more;
    sum = (sum & 0xFFFF) + (sum >>> 16);
    sum = (sum & 0xFFFF) + (sum >>> 16);
    return ~sum & 0xFFFF;
  }

  /** A broadcast ARP request of 192.0.2.HOST for 192.0.2.TARGET. */
  static byte[] arp(int host, int target) {
    ByteBuf f = Unpooled.buffer(60).writeZero(60).clear();
    f.writeMedium(0xFFFFFF).writeMedium(0xFFFFFF).writeMedium(0x02AA00).writeMedium(host).writeShort(0x0806);
    f.writeShort(1).writeShort(0x0800).writeShort(0x0604).writeShort(1);
    f.writeMedium(0x02AA00).writeMedium(host).writeInt(0xC0000200 | host).writeZero(6).writeInt(0xC0000200 | target);
    byte[] bytes = new byte[60];
    f.getBytes(0, bytes);
    return bytes;
  }

  static Path write(Path file, List<byte[]> frames) throws IOException {
    try (CaptureWriter writer = CaptureWriter.create(file, CaptureFormat.PCAP_NANOSECONDS)) {
      int id = writer.addInterface("eth0");
      for (int i = 0; i < frames.size(); i++) {
        byte[] frame = frames.get(i);
        writer.write(id, START_NS + i * 1_000_000L, Unpooled.wrappedBuffer(frame), 0, frame.length);
      }
    }
    return file;
  }
}
