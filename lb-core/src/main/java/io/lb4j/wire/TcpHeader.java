package io.lb4j.wire;

import io.netty.buffer.ByteBuf;

/**
 * TCP header (RFC 9293, section 3.1).
 *
 * <pre>
 *   0                   1                   2                   3
 *   0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *  +-------------------------------+-------------------------------+
 *  |          Source Port          |       Destination Port        |
 *  +-------------------------------+-------------------------------+
 *  |                        Sequence Number                        |
 *  +---------------------------------------------------------------+
 *  |                     Acknowledgment Number                     |
 *  +-------+-------+---------------+-------------------------------+
 *  |  Data |Reserv.|C E U A P R S F|            Window             |
 *  | Offset|       |W C R C S S Y I|                               |
 *  +-------+-------+---------------+-------------------------------+
 *  |           Checksum            |         Urgent Pointer        |
 *  +-------------------------------+-------------------------------+
 * </pre>
 *
 * All methods are static: safe from any thread that owns the buffer. {@code tcp} is the index of the header.
 */
public final class TcpHeader {
  /** Length without options. */
  public static final int MINIMUM_LENGTH = 20;

  /** Offset of the sequence number. */
  public static final int SEQUENCE_OFFSET = 4;

  /** Offset of the acknowledgment number. */
  public static final int ACKNOWLEDGMENT_OFFSET = 8;

  /** Offset of the byte whose upper half is the data offset. */
  public static final int DATA_OFFSET_OFFSET = 12;

  /** Offset of the flags. */
  public static final int FLAGS_OFFSET = 13;

  /** Offset of the checksum. */
  public static final int CHECKSUM_OFFSET = 16;

  /** No more data from the sender. */
  public static final int FIN = 0x01;

  /** Synchronize sequence numbers. */
  public static final int SYN = 0x02;

  /** Reset the connection. */
  public static final int RST = 0x04;

  /** Push. */
  public static final int PSH = 0x08;

  /** The acknowledgment number counts. */
  public static final int ACK = 0x10;

  private TcpHeader() {}

  /**
   * The header's length, options included.
   *
   * @param buffer holds the header
   * @param tcp index of the header
   * @return 0..60 bytes; below {@link #MINIMUM_LENGTH} it is malformed
   */
  public static int headerLength(ByteBuf buffer, int tcp) {
    return (buffer.getByte(tcp + DATA_OFFSET_OFFSET) & 0xF0) >>> 2;
  }
}
