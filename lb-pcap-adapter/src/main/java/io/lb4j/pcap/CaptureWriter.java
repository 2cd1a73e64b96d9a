package io.lb4j.pcap;

import io.netty.buffer.ByteBuf;
import java.io.IOException;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.channels.WritableByteChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;

/**
 * Writes Ethernet packets to a capture file that tcpdump and Wireshark read. Needs no native code. Little-endian; the
 * same calls give the same bytes. Owned by one thread.
 *
 * <pre>{@code
 * try (CaptureWriter capture = CaptureWriter.create(Path.of("out.pcapng"), CaptureFormat.PCAPNG)) {
 *   int eth0 = capture.addInterface("eth0");
 *   capture.write(eth0, 1_700_000_000_000_000_000L, frame, frame.readerIndex(), frame.readableBytes());
 * }
 * }</pre>
 */
public final class CaptureWriter implements AutoCloseable {
  /** Most bytes of a packet. */
  public static final int MAX_PACKET_LENGTH = CapturedPacket.MAX_LENGTH;

  private static final long SECOND_NS = 1_000_000_000L;
  private static final int NANOSECONDS = 9; // if_tsresol: 10^-9
  private static final int MAX_TEXT = 4096;
  private static final int END_OF_OPTIONS = 0;

  private final CaptureFormat format;
  private final CaptureOutput output;
  private int interfaces;

  private CaptureWriter(CaptureOutput output, CaptureFormat format) {
    this.output = output;
    this.format = format;
  }

  /**
   * Creates a file, or empties the one there is, and writes its header.
   *
   * @param file where to
   * @param format which kind
   * @return a writer without an interface; the caller closes it
   * @throws CaptureException when the file cannot be written
   */
  public static CaptureWriter create(Path file, CaptureFormat format) throws CaptureException {
    try {
      FileChannel channel =
          FileChannel.open(
              file, StandardOpenOption.CREATE, StandardOpenOption.TRUNCATE_EXISTING, StandardOpenOption.WRITE);
      return create(channel, file.toString(), format);
    } catch (CaptureException e) {
      throw e;
    } catch (IOException e) {
      throw new CaptureException(file.toString(), 0, "cannot be created: " + e, e);
    }
  }

  /**
   * Writes a capture to a channel, for example standard output.
   *
   * @param channel blocking; closed with the writer
   * @param name what messages call it
   * @param format which kind
   * @return a writer without an interface; the caller closes it
   * @throws CaptureException when the channel cannot be written
   */
  public static CaptureWriter create(WritableByteChannel channel, String name, CaptureFormat format)
      throws CaptureException {
    return create(channel, name, format, ByteOrder.LITTLE_ENDIAN);
  }

  static CaptureWriter create(WritableByteChannel channel, String name, CaptureFormat format, ByteOrder order)
      throws CaptureException {
    CaptureWriter writer = new CaptureWriter(new CaptureOutput(channel, name, order), format);
    writer.writeHeader();
    return writer;
  }

  private void writeHeader() throws CaptureException {
    if (format == CaptureFormat.PCAPNG) {
      int length = PcapngParser.FRAMING + 16;
      output.int32(PcapngParser.SECTION_HEADER).int32(length).int32(PcapngParser.BYTE_ORDER_MAGIC);
      output.int16(1).int16(0).int64(-1).int32(length); // version 1.0, section of unknown length
      return;
    }
    boolean nanoseconds = format == CaptureFormat.PCAP_NANOSECONDS;
    output.int32(nanoseconds ? PcapParser.NANOSECONDS_MAGIC : PcapParser.MICROSECONDS_MAGIC);
    output.int16(2).int16(4).int32(0).int32(0).int32(MAX_PACKET_LENGTH).int32(CaptureParser.ETHERNET);
  }

  /**
   * Adds an interface to write packets of. pcap has no place for names and takes one interface only.
   *
   * @param name at most 4,096 bytes in UTF-8 are written
   * @return its id: 0, 1, ...
   * @throws CaptureException when the file cannot be written
   * @throws IllegalStateException for a second interface of a pcap file
   */
  public int addInterface(String name) throws CaptureException {
    if (format == CaptureFormat.PCAPNG) {
      writeInterface(utf8(name));
    } else if (interfaces == 1) {
      throw new IllegalStateException("a pcap file has one interface; use " + CaptureFormat.PCAPNG + " for " + name);
    }
    return interfaces++;
  }

  private void writeInterface(byte[] name) throws CaptureException {
    int options = optionLength(name.length) + optionLength(1) + 4;
    int length = PcapngParser.FRAMING + 8 + options;
    output.beginRecord().int32(PcapngParser.INTERFACE_DESCRIPTION).int32(length);
    output.int16(CaptureParser.ETHERNET).int16(0).int32(0);
    writeOption(PcapngParser.IF_NAME, name);
    writeOption(PcapngParser.IF_TSRESOL, new byte[] {NANOSECONDS});
    output.int16(END_OF_OPTIONS).int16(0).int32(length).endRecord();
  }

  /**
   * Writes a packet that was captured whole.
   *
   * @param interfaceId as {@link #addInterface} answered
   * @param timestampNs nanoseconds since 1970; pcap keeps times until 2106, and its microsecond kind drops the last
   *     three digits; a time outside is written as the nearest inside
   * @param buffer holds the packet and stays the caller's
   * @param start index of its first byte
   * @param length 0..262,144 bytes
   * @throws CaptureException when the file cannot be written
   */
  public void write(int interfaceId, long timestampNs, ByteBuf buffer, int start, int length) throws CaptureException {
    write(interfaceId, timestampNs, buffer, start, length, length, "");
  }

  /**
   * Writes a packet.
   *
   * @param interfaceId as {@link #addInterface} answered
   * @param timestampNs nanoseconds since 1970, as above
   * @param buffer holds the packet and stays the caller's
   * @param start index of its first byte
   * @param length bytes there are, 0..262,144
   * @param wireLength bytes the wire had, at least {@code length}
   * @param comment written to pcapng, at most 4,096 bytes in UTF-8; empty for none; pcap has no place for it
   * @throws CaptureException when the file cannot be written; it then ends where that began, and takes no more
   * @throws IllegalArgumentException for an interface that was not added, or a length out of range
   */
  public void write(
      int interfaceId, long timestampNs, ByteBuf buffer, int start, int length, int wireLength, String comment)
      throws CaptureException {
    check(interfaceId, length, wireLength);
    if (start < 0 || start > buffer.capacity() - length) {
      throw new IllegalArgumentException(
          "start " + start + " and length " + length + " of a buffer of " + buffer.capacity() + " bytes");
    }
    long time = Math.max(0, timestampNs);
    if (format == CaptureFormat.PCAPNG) {
      writeBlock(interfaceId, time, buffer, start, length, wireLength, utf8(comment));
    } else {
      writeRecord(time, buffer, start, length, wireLength);
    }
  }

  private void check(int interfaceId, int length, int wireLength) {
    if (interfaceId < 0 || interfaceId >= interfaces) {
      throw new IllegalArgumentException("interface " + interfaceId + " was not added; there are " + interfaces);
    }
    if (length < 0 || length > MAX_PACKET_LENGTH || wireLength < length) {
      throw new IllegalArgumentException(
          "length " + length + " of " + wireLength + "; possible are 0.." + MAX_PACKET_LENGTH
              + ", and no more than on the wire");
    }
  }

  private void writeRecord(long time, ByteBuf buffer, int start, int length, int wireLength) throws CaptureException {
    long seconds = Math.min(time / SECOND_NS, 0xFFFF_FFFFL);
    long fraction = time / SECOND_NS > 0xFFFF_FFFFL ? SECOND_NS - 1 : time % SECOND_NS;
    output.beginRecord().int32(seconds).int32(format == CaptureFormat.PCAP_NANOSECONDS ? fraction : fraction / 1000);
    output.int32(length).int32(wireLength).bytes(buffer, start, length).endRecord();
  }

  private void writeBlock(
      int interfaceId, long time, ByteBuf buffer, int start, int length, int wireLength, byte[] comment)
      throws CaptureException {
    int options = comment.length == 0 ? 0 : optionLength(comment.length) + 4;
    int blockLength = PcapngParser.FRAMING + 20 + padded(length) + options;
    output.beginRecord().int32(PcapngParser.ENHANCED_PACKET).int32(blockLength).int32(interfaceId);
    output.int32(time >>> 32).int32(time).int32(length).int32(wireLength);
    output.bytes(buffer, start, length).pad(length);
    if (comment.length > 0) {
      writeOption(PcapngParser.COMMENT, comment);
      output.int16(END_OF_OPTIONS).int16(0);
    }
    output.int32(blockLength).endRecord();
  }

  private void writeOption(int code, byte[] value) throws CaptureException {
    output.int16(code).int16(value.length).bytes(value, value.length).pad(value.length);
  }

  private static int optionLength(int length) {
    return 4 + padded(length);
  }

  private static int padded(int length) {
    return (length + 3) & ~3;
  }

  /** A text of at most {@value #MAX_TEXT} bytes, cut between characters. */
  private static byte[] utf8(String text) {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    if (bytes.length <= MAX_TEXT) {
      return bytes;
    }
    int end = MAX_TEXT;
    while ((bytes[end] & 0xC0) == 0x80) {
      end--;
    }
    return Arrays.copyOf(bytes, end);
  }

  /**
   * Writes out what is gathered.
   *
   * @throws CaptureException when the file cannot be written
   */
  public void flush() throws CaptureException {
    output.flush();
  }

  /**
   * Writes out what is gathered and closes the file.
   *
   * @throws CaptureException when the system refuses
   */
  @Override
  public void close() throws CaptureException {
    output.close();
  }
}
