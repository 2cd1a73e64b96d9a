package io.lb4j.wire;

import io.netty.buffer.ByteBuf;

/**
 * Ethernet II header (RFC 894) and the 802.1Q tag that may follow its addresses.
 *
 * <pre>
 *   0                   1                   2                   3
 *   0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *  +---------------------------------------------------------------+
 *  |                    Destination address (0-3)                  |
 *  +-------------------------------+-------------------------------+
 *  |   Destination address (4-5)   |      Source address (0-1)     |
 *  +-------------------------------+-------------------------------+
 *  |                      Source address (2-5)                     |
 *  +-------------------------------+-------------------------------+
 *  |          EtherType            |  payload, or tag and EtherType
 *  +-------------------------------+--------------------------------
 * </pre>
 *
 * All methods are static: safe from any thread that owns the buffer.
 */
public final class EthernetHeader {
  /** Offset of the destination address. */
  public static final int DESTINATION_OFFSET = 0;

  /** Offset of the source address. */
  public static final int SOURCE_OFFSET = 6;

  /** Offset of the EtherType, or of the first tag. */
  public static final int ETHER_TYPE_OFFSET = 12;

  /** Length of an untagged header. */
  public static final int LENGTH = 14;

  /** Length of one 802.1Q tag. */
  public static final int TAG_LENGTH = 4;

  /** The shortest frame without its checksum (IEEE 802.3). */
  public static final int MINIMUM_FRAME_LENGTH = 60;

  /** EtherType of IPv4. */
  public static final int IPV4 = 0x0800;

  /** EtherType of ARP. */
  public static final int ARP = 0x0806;

  /** EtherType of IPv6. */
  public static final int IPV6 = 0x86DD;

  /** Tag protocol identifier of a customer VLAN (IEEE 802.1Q). */
  public static final int VLAN = 0x8100;

  /** Tag protocol identifier of a service VLAN (IEEE 802.1ad, QinQ). */
  public static final int SERVICE_VLAN = 0x88A8;

  private EthernetHeader() {}

  /**
   * The destination address of the frame that starts at {@code frame}.
   *
   * @param buffer holds the frame
   * @param frame index of its first byte
   * @return 48 bits
   */
  public static long destination(ByteBuf buffer, int frame) {
    return buffer.getLong(frame) >>> 16;
  }

  /**
   * The source address of the frame that starts at {@code frame}.
   *
   * @param buffer holds the frame
   * @param frame index of its first byte
   * @return 48 bits
   */
  public static long source(ByteBuf buffer, int frame) {
    return buffer.getLong(frame + SOURCE_OFFSET) >>> 16;
  }

  /**
   * Writes both addresses, bytes 0 to 11, in two stores.
   *
   * @param buffer holds the frame
   * @param frame index of its first byte
   * @param destination 48 bits
   * @param source 48 bits
   */
  public static void setAddresses(ByteBuf buffer, int frame, long destination, long source) {
    buffer.setLong(frame, destination << 16 | source >>> 32);
    buffer.setInt(frame + 8, (int) source);
  }

  /**
   * Writes an EtherType.
   *
   * @param buffer holds the frame
   * @param frame index of its first byte
   * @param etherType 16 bits
   */
  public static void setEtherType(ByteBuf buffer, int frame, int etherType) {
    buffer.setShort(frame + ETHER_TYPE_OFFSET, etherType);
  }

  /**
   * Whether an EtherType announces a VLAN tag.
   *
   * @param etherType 16 bits
   * @return true for 802.1Q and 802.1ad
   */
  public static boolean isTag(int etherType) {
    return etherType == VLAN || etherType == SERVICE_VLAN;
  }
}
