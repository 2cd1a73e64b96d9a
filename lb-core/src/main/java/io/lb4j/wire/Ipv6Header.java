package io.lb4j.wire;

import io.netty.buffer.ByteBuf;

/**
 * IPv6 header (RFC 8200, section 3).
 *
 * <pre>
 *   0                   1                   2                   3
 *   0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *  +-------+---------------+---------------------------------------+
 *  |Version| Traffic Class |              Flow Label               |
 *  +-------+---------------+-------+---------------+---------------+
 *  |         Payload Length        |  Next Header  |   Hop Limit   |
 *  +-------------------------------+---------------+---------------+
 *  |                    Source Address (16 octets)                 |
 *  |                 Destination Address (16 octets)               |
 *  +---------------------------------------------------------------+
 * </pre>
 *
 * All methods are static: safe from any thread that owns the buffer. {@code ip} is the index of the header.
 */
public final class Ipv6Header {
  /** Length of the fixed header. */
  public static final int LENGTH = 40;

  /** Offset of the payload length. */
  public static final int PAYLOAD_LENGTH_OFFSET = 4;

  /** Offset of the next header. */
  public static final int NEXT_HEADER_OFFSET = 6;

  /** Offset of the hop limit. */
  public static final int HOP_LIMIT_OFFSET = 7;

  /** Offset of the source address. */
  public static final int SOURCE_OFFSET = 8;

  /** Offset of the destination address. */
  public static final int DESTINATION_OFFSET = 24;

  private Ipv6Header() {}

  /**
   * The length of all that follows the fixed header.
   *
   * @param buffer holds the header
   * @param ip index of the header
   * @return 0..65535 bytes
   */
  public static int payloadLength(ByteBuf buffer, int ip) {
    return buffer.getUnsignedShort(ip + PAYLOAD_LENGTH_OFFSET);
  }

  /**
   * Writes a fixed header with traffic class and flow label 0.
   *
   * @param buffer has room for {@link #LENGTH} bytes from {@code ip}
   * @param ip index of the header
   * @param payloadLength in bytes
   * @param nextHeader 0..255
   * @param hopLimit 0..255
   * @param sourceHigh first 64 bits of the source
   * @param sourceLow last 64 bits of the source
   * @param destinationHigh first 64 bits of the destination
   * @param destinationLow last 64 bits of the destination
   */
  public static void write(
      ByteBuf buffer,
      int ip,
      int payloadLength,
      int nextHeader,
      int hopLimit,
      long sourceHigh,
      long sourceLow,
      long destinationHigh,
      long destinationLow) {
    buffer.setInt(ip, 0x6000_0000);
    buffer.setInt(ip + PAYLOAD_LENGTH_OFFSET, payloadLength << 16 | nextHeader << 8 | hopLimit);
    buffer.setLong(ip + SOURCE_OFFSET, sourceHigh);
    buffer.setLong(ip + SOURCE_OFFSET + 8, sourceLow);
    buffer.setLong(ip + DESTINATION_OFFSET, destinationHigh);
    buffer.setLong(ip + DESTINATION_OFFSET + 8, destinationLow);
  }
}
