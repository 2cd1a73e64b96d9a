package io.lb4j.pcap;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.Channels;
import java.util.ArrayList;
import java.util.List;

/** Capture files in memory: written by the writer, put together block by block, and read back as values. */
final class CaptureBytes {
  /** One packet as a reader tells it. */
  record Packet(long timestampNs, int interfaceId, int wireLength, String bytes, String comment) {}

  private final ByteArrayOutputStream out = new ByteArrayOutputStream();
  private ByteOrder order;

  CaptureBytes(ByteOrder order) {
    this.order = order;
  }

  byte[] toArray() {
    return out.toByteArray();
  }

  CaptureBytes order(ByteOrder next) {
    order = next;
    return this;
  }

  /** A block with this body, padded; the length fields are right. */
  CaptureBytes block(int type, byte[] body) {
    int length = 12 + (body.length + 3 & ~3);
    ByteBuffer block = ByteBuffer.allocate(length).order(order);
    block.putInt(type).putInt(length).put(body);
    block.putInt(length - 4, length);
    out.writeBytes(block.array());
    return this;
  }

  CaptureBytes raw(byte[] bytes) {
    out.writeBytes(bytes);
    return this;
  }

  CaptureBytes section() {
    return block(PcapngParser.SECTION_HEADER, body(16).putInt(0x1A2B3C4D).putShort((short) 1).putShort((short) 0)
        .putLong(-1).array());
  }

  CaptureBytes device(int linkType, int snapLength, byte[] options) {
    return block(1, body(8 + options.length).putShort((short) linkType).putShort((short) 0).putInt(snapLength)
        .put(options).array());
  }

  byte[] option(int code, byte[] value) {
    return body(4 + (value.length + 3 & ~3)).putShort((short) code).putShort((short) value.length).put(value).array();
  }

  byte[] longOption(int code, long value) {
    return option(code, body(8).putLong(value).array());
  }

  byte[] intOption(int code, int value) {
    return option(code, body(4).putInt(value).array());
  }

  CaptureBytes enhanced(int device, long ticks, byte[] data, int wireLength) {
    return enhanced(device, ticks, data, wireLength, new byte[0]);
  }

  CaptureBytes enhanced(int device, long ticks, byte[] data, int wireLength, byte[] options) {
    ByteBuffer body = body(20 + padded(data) + options.length);
    body.putInt(device).putInt((int) (ticks >>> 32)).putInt((int) ticks).putInt(data.length).putInt(wireLength);
    return block(6, body.put(data).put(20 + padded(data), options).array());
  }

  CaptureBytes simple(byte[] data, int wireLength) {
    return block(3, body(4 + data.length).putInt(wireLength).put(data).array());
  }

  CaptureBytes obsolete(int device, long ticks, byte[] data, int wireLength) {
    return obsolete(device, ticks, data, wireLength, new byte[0]);
  }

  CaptureBytes obsolete(int device, long ticks, byte[] data, int wireLength, byte[] options) {
    ByteBuffer body = body(20 + padded(data) + options.length).putShort((short) device).putShort((short) 99);
    body.putInt((int) (ticks >>> 32)).putInt((int) ticks).putInt(data.length).putInt(wireLength);
    return block(2, body.put(data).put(20 + padded(data), options).array());
  }

  private static int padded(byte[] data) {
    return data.length + 3 & ~3;
  }

  private ByteBuffer body(int length) {
    return ByteBuffer.allocate(length).order(order);
  }

  static CaptureReader reader(byte[] file) throws CaptureException {
    return CaptureReader.open(Channels.newChannel(new ByteArrayInputStream(file)), "memory");
  }

  static List<Packet> read(byte[] file) throws CaptureException {
    List<Packet> packets = new ArrayList<>();
    try (CaptureReader reader = reader(file)) {
      while (reader.next()) {
        packets.add(packet(reader));
      }
    }
    return packets;
  }

  static Packet packet(CaptureReader reader) {
    return new Packet(
        reader.timestampNs(),
        reader.interfaceId(),
        reader.wireLength(),
        ByteBufUtil.hexDump(reader.buffer(), 0, reader.capturedLength()),
        reader.comment().orElse(""));
  }

  /** Packets of many lengths, some of them cut, on as many interfaces as the format has. */
  static List<Packet> samples(CaptureFormat format) {
    long unit = format == CaptureFormat.PCAP_MICROSECONDS ? 1000 : 1;
    boolean blocks = format == CaptureFormat.PCAPNG;
    List<Packet> packets = new ArrayList<>();
    int[] lengths = {60, 0, 1, 14, 15, 1514, 65_549, 3, 262_144, 64};
    for (int i = 0; i < lengths.length; i++) {
      long time = 1_700_000_000_123_456_789L / unit * unit + i * 1_000_000_000L;
      int wire = i % 3 == 0 ? lengths[i] + 100 : lengths[i];
      String comment = blocks && i % 2 == 0 ? "comment é " + "x".repeat(i) : "";
      packets.add(new Packet(time, blocks ? i % 2 : 0, wire, hex(i, lengths[i]), comment));
    }
    return packets;
  }

  static String hex(int seed, int length) {
    byte[] bytes = new byte[length];
    for (int i = 0; i < length; i++) {
      bytes[i] = (byte) (i * 7 + seed);
    }
    return ByteBufUtil.hexDump(bytes);
  }

  static byte[] write(CaptureFormat format, ByteOrder order, List<Packet> packets) throws CaptureException {
    ByteArrayOutputStream file = new ByteArrayOutputStream();
    try (CaptureWriter writer = CaptureWriter.create(Channels.newChannel(file), "memory", format, order)) {
      write(writer, format, packets);
    }
    return file.toByteArray();
  }

  static void write(CaptureWriter writer, CaptureFormat format, List<Packet> packets) throws CaptureException {
    writer.addInterface("eth0");
    if (format == CaptureFormat.PCAPNG) {
      writer.addInterface("wan-é");
    }
    for (Packet packet : packets) {
      byte[] bytes = ByteBufUtil.decodeHexDump(packet.bytes());
      ByteBuf buffer = Unpooled.buffer(bytes.length + 5).writeZero(5).writeBytes(bytes);
      writer.write(
          packet.interfaceId(), packet.timestampNs(), buffer, 5, bytes.length, packet.wireLength(), packet.comment());
      buffer.release();
    }
  }
}
