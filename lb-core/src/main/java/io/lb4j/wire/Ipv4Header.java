package io.lb4j.wire;

import io.netty.buffer.ByteBuf;

/**
 * IPv4 header (RFC 791, section 3.1).
 *
 * <pre>
 *   0                   1                   2                   3
 *   0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *  +-------+-------+---------------+-------------------------------+
 *  |Version|  IHL  |Type of Service|          Total Length         |
 *  +-------+-------+---------------+-----+-------------------------+
 *  |         Identification        |Flags|     Fragment Offset     |
 *  +---------------+---------------+-----+-------------------------+
 *  | Time to Live  |    Protocol   |        Header Checksum        |
 *  +---------------+---------------+-------------------------------+
 *  |                         Source Address                        |
 *  +---------------------------------------------------------------+
 *  |                      Destination Address                      |
 *  +---------------------------------------------------------------+
 *  |                    Options, if IHL is above 5                 |
 *  +---------------------------------------------------------------+
 * </pre>
 *
 * All methods are static: safe from any thread that owns the buffer. {@code ip} is the index of the header.
 */
public final class Ipv4Header {
  /** Length without options. */
  public static final int MINIMUM_LENGTH = 20;

  /** Offset of the total length. */
  public static final int TOTAL_LENGTH_OFFSET = 2;

  /** Offset of the identification. */
  public static final int IDENTIFICATION_OFFSET = 4;

  /** Offset of flags and fragment offset. */
  public static final int FRAGMENT_OFFSET = 6;

  /** Offset of the time to live. */
  public static final int TIME_TO_LIVE_OFFSET = 8;

  /** Offset of the protocol. */
  public static final int PROTOCOL_OFFSET = 9;

  /** Offset of the header checksum. */
  public static final int CHECKSUM_OFFSET = 10;

  /** Offset of the source address. */
  public static final int SOURCE_OFFSET = 12;

  /** Offset of the destination address. */
  public static final int DESTINATION_OFFSET = 16;

  /** Flag bit "don't fragment" in the 16 bits at {@link #FRAGMENT_OFFSET}. */
  public static final int DONT_FRAGMENT = 0x4000;

  /** Flag bit "more fragments" in the 16 bits at {@link #FRAGMENT_OFFSET}. */
  public static final int MORE_FRAGMENTS = 0x2000;

  /** Mask of the offset, in units of 8 octets, in the 16 bits at {@link #FRAGMENT_OFFSET}. */
  public static final int OFFSET_MASK = 0x1FFF;

  private Ipv4Header() {}

  /**
   * The header's length.
   *
   * @param buffer holds the header
   * @param ip index of the header
   * @return 0..60 bytes; below {@link #MINIMUM_LENGTH} it is malformed
   */
  public static int headerLength(ByteBuf buffer, int ip) {
    return (buffer.getByte(ip) & 15) << 2;
  }

  /**
   * The packet's length, header included.
   *
   * @param buffer holds the header
   * @param ip index of the header
   * @return 0..65535 bytes
   */
  public static int totalLength(ByteBuf buffer, int ip) {
    return buffer.getUnsignedShort(ip + TOTAL_LENGTH_OFFSET);
  }

  /**
   * The protocol that the packet carries.
   *
   * @param buffer holds the header
   * @param ip index of the header
   * @return 0..255
   */
  public static int protocol(ByteBuf buffer, int ip) {
    return buffer.getUnsignedByte(ip + PROTOCOL_OFFSET);
  }

  /**
   * The source address.
   *
   * @param buffer holds the header
   * @param ip index of the header
   * @return 32 bits
   */
  public static int source(ByteBuf buffer, int ip) {
    return buffer.getInt(ip + SOURCE_OFFSET);
  }

  /**
   * The destination address.
   *
   * @param buffer holds the header
   * @param ip index of the header
   * @return 32 bits
   */
  public static int destination(ByteBuf buffer, int ip) {
    return buffer.getInt(ip + DESTINATION_OFFSET);
  }

  /**
   * Writes a header without options, its checksum included.
   *
   * @param buffer has room for {@link #MINIMUM_LENGTH} bytes from {@code ip}
   * @param ip index of the header
   * @param totalLength of the packet in bytes
   * @param timeToLive 0..255
   * @param protocol 0..255
   * @param source 32 bits
   * @param destination 32 bits
   */
  public static void write(
      ByteBuf buffer, int ip, int totalLength, int timeToLive, int protocol, int source, int destination) {
    buffer.setInt(ip, 0x4500_0000 | totalLength);
    buffer.setInt(ip + IDENTIFICATION_OFFSET, DONT_FRAGMENT);
    buffer.setInt(ip + TIME_TO_LIVE_OFFSET, timeToLive << 24 | protocol << 16);
    buffer.setInt(ip + SOURCE_OFFSET, source);
    buffer.setInt(ip + DESTINATION_OFFSET, destination);
    updateChecksum(buffer, ip);
  }

  /**
   * Computes the header checksum afresh.
   *
   * @param buffer holds the header
   * @param ip index of the header
   */
  public static void updateChecksum(ByteBuf buffer, int ip) {
    buffer.setShort(ip + CHECKSUM_OFFSET, 0);
    long sum = InternetChecksum.sum(buffer, ip, headerLength(buffer, ip), 0);
    buffer.setShort(ip + CHECKSUM_OFFSET, InternetChecksum.finish(sum));
  }
}
