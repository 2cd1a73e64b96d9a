package io.lb4j.wire;

import io.netty.buffer.ByteBuf;

/**
 * Multicast listener query and report, version 2 (RFC 3810, sections 5.1 and 5.2), and what they share with version 1
 * (RFC 2710). A query and a report of version 1 have maximum response code and group at the same place.
 *
 * <pre>
 *   query, and version 1                            report, version 2
 *  +---------------+---------------+----------+    +---------------+---------------+----------+
 *  |   Type 130    |    Code (0)   | Checksum |    |   Type 143    |   Reserved    | Checksum |
 *  +---------------+---------------+----------+    +---------------+---------------+----------+
 *  |    Maximum Response Code      | Reserved |    |           Reserved            | Records  |
 *  +-------------------------------+----------+    +---------------+---------------+----------+
 *  |           Group (16 octets)              |    |  Record type  | Aux length 0  | Sources 0|
 *  +------------------------------------------+    +---------------+---------------+----------+
 *  |     version 2: robustness, sources       |    |            Group (16 octets)             |
 *  +------------------------------------------+    +------------------------------------------+
 * </pre>
 *
 * All methods are static: safe from any thread that owns the buffer. {@code icmp} is the index of the message.
 */
public final class ListenerMessage {
  /** Length of a query or report of version 1. */
  public static final int V1_LENGTH = 24;

  /** Length of a query of version 2 without sources. */
  public static final int QUERY_LENGTH = 28;

  /** Length of a report of version 2 without records. */
  public static final int REPORT_LENGTH = 8;

  /** Length of a record without sources. */
  public static final int RECORD_LENGTH = 20;

  /** Record type: current state, every source is wanted ("exclude none"). */
  public static final int MODE_IS_EXCLUDE = 2;

  /** Record type: no source is wanted any more ("include none"): the group was left. */
  public static final int CHANGE_TO_INCLUDE = 3;

  /** Record type: every source is wanted from now on: the group was joined. */
  public static final int CHANGE_TO_EXCLUDE = 4;

  /** Type of a report of version 1. */
  public static final int V1_REPORT = 131;

  /** Type of a version 1 message that leaves a group. */
  public static final int V1_DONE = 132;

  /** Length of {@link #ROUTER_ALERT}. */
  public static final int ROUTER_ALERT_LENGTH = 8;

  /** Hop-by-hop options before ICMPv6: router alert for MLD (RFC 2711) and padding. */
  public static final long ROUTER_ALERT = 0x3A00_0502_0000_0100L;

  private static final int MAXIMUM_RESPONSE_OFFSET = 4;
  private static final int RECORDS_OFFSET = 6;
  private static final int GROUP_OFFSET = 8;

  private ListenerMessage() {}

  /**
   * The longest delay of an answer to a query (RFC 3810, section 5.1.3; for version 1 the field itself).
   *
   * @param buffer holds the query
   * @param icmp index of the message
   * @param length of the message in bytes, which tells the version
   * @return milliseconds
   */
  public static int maximumResponseMs(ByteBuf buffer, int icmp, int length) {
    int code = buffer.getUnsignedShort(icmp + MAXIMUM_RESPONSE_OFFSET);
    if (code < 0x8000 || length == V1_LENGTH) {
      return code;
    }
    return (code & 0xFFF | 0x1000) << (code >>> 12 & 7) + 3;
  }

  /**
   * First 64 bits of the group of a query or of a version 1 report.
   *
   * @param buffer holds the message
   * @param icmp index of the message
   * @return 0 in a general query
   */
  public static long groupHigh(ByteBuf buffer, int icmp) {
    return buffer.getLong(icmp + GROUP_OFFSET);
  }

  /**
   * Last 64 bits of the group of a query or of a version 1 report.
   *
   * @param buffer holds the message
   * @param icmp index of the message
   * @return 0 in a general query
   */
  public static long groupLow(ByteBuf buffer, int icmp) {
    return buffer.getLong(icmp + GROUP_OFFSET + 8);
  }

  /**
   * Writes a report of version 2 with checksum 0; records follow.
   *
   * @param buffer has room for it
   * @param icmp index of the message
   * @param records how many follow
   */
  public static void writeReport(ByteBuf buffer, int icmp, int records) {
    buffer.setInt(icmp, IcmpHeader.V6_LISTENER_REPORT << 24);
    buffer.setInt(icmp + RECORDS_OFFSET - 2, records);
  }

  /**
   * Writes a record without sources.
   *
   * @param buffer has room for it
   * @param icmp index of the message
   * @param record 0, 1, ...
   * @param type {@link #MODE_IS_EXCLUDE}, {@link #CHANGE_TO_INCLUDE} or {@link #CHANGE_TO_EXCLUDE}
   * @param groupHigh first 64 bits of the group
   * @param groupLow last 64 bits of the group
   */
  public static void writeRecord(ByteBuf buffer, int icmp, int record, int type, long groupHigh, long groupLow) {
    int at = icmp + REPORT_LENGTH + record * RECORD_LENGTH;
    buffer.setInt(at, type << 24);
    buffer.setLong(at + 4, groupHigh);
    buffer.setLong(at + 12, groupLow);
  }

  /**
   * Writes a report of version 1 with checksum 0.
   *
   * @param buffer has room for {@link #V1_LENGTH} bytes
   * @param icmp index of the message
   * @param groupHigh first 64 bits of the group
   * @param groupLow last 64 bits of the group
   */
  public static void writeV1Report(ByteBuf buffer, int icmp, long groupHigh, long groupLow) {
    buffer.setLong(icmp, (long) V1_REPORT << 56);
    buffer.setLong(icmp + GROUP_OFFSET, groupHigh);
    buffer.setLong(icmp + GROUP_OFFSET + 8, groupLow);
  }
}
