package io.lb4j.wire;

/**
 * UDP header (RFC 768).
 *
 * <pre>
 *   0                   1                   2                   3
 *   0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *  +-------------------------------+-------------------------------+
 *  |          Source Port          |       Destination Port        |
 *  +-------------------------------+-------------------------------+
 *  |            Length             |           Checksum            |
 *  +-------------------------------+-------------------------------+
 * </pre>
 */
public final class UdpHeader {
  /** Length of the header. */
  public static final int LENGTH = 8;

  /** Offset of the length of header and data. */
  public static final int LENGTH_OFFSET = 4;

  /** Offset of the checksum; 0 on IPv4 means none. */
  public static final int CHECKSUM_OFFSET = 6;

  private UdpHeader() {}
}
