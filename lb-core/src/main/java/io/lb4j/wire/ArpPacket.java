package io.lb4j.wire;

import io.netty.buffer.ByteBuf;

/**
 * ARP for IPv4 over Ethernet (RFC 826).
 *
 * <pre>
 *   0                   1                   2                   3
 *   0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *  +-------------------------------+-------------------------------+
 *  |       Hardware type (1)       |     Protocol type (0x0800)    |
 *  +---------------+---------------+-------------------------------+
 *  |  HW length 6  | Proto length 4|           Operation           |
 *  +---------------+---------------+-------------------------------+
 *  |            Sender hardware address (6 octets)                 |
 *  |                 Sender protocol address (4)                   |
 *  |            Target hardware address (6 octets)                 |
 *  |                 Target protocol address (4)                   |
 *  +---------------------------------------------------------------+
 * </pre>
 *
 * All methods are static: safe from any thread that owns the buffer. {@code arp} is the index of the packet's first
 * byte.
 */
public final class ArpPacket {
  /** Length of the packet. */
  public static final int LENGTH = 28;

  /** Operation: who has the target address? */
  public static final int REQUEST = 1;

  /** Operation: the sender has it. */
  public static final int REPLY = 2;

  private static final long ETHERNET_IPV4 = 0x0001_0800_0604_0000L;
  private static final int OPERATION_OFFSET = 6;
  private static final int SENDER_HARDWARE_OFFSET = 8;
  private static final int SENDER_PROTOCOL_OFFSET = 14;
  private static final int TARGET_HARDWARE_OFFSET = 18;
  private static final int TARGET_PROTOCOL_OFFSET = 24;

  private ArpPacket() {}

  /**
   * Whether types and lengths are those of IPv4 over Ethernet.
   *
   * @param buffer holds at least {@link #LENGTH} bytes from {@code arp}
   * @param arp index of the packet
   * @return false for any other ARP
   */
  public static boolean isIpv4OverEthernet(ByteBuf buffer, int arp) {
    return (buffer.getLong(arp) & 0xFFFF_FFFF_FFFF_0000L) == ETHERNET_IPV4;
  }

  /**
   * The operation.
   *
   * @param buffer holds the packet
   * @param arp index of the packet
   * @return 0..65535
   */
  public static int operation(ByteBuf buffer, int arp) {
    return buffer.getUnsignedShort(arp + OPERATION_OFFSET);
  }

  /**
   * The sender's MAC address.
   *
   * @param buffer holds the packet
   * @param arp index of the packet
   * @return 48 bits
   */
  public static long senderHardware(ByteBuf buffer, int arp) {
    return buffer.getLong(arp + SENDER_HARDWARE_OFFSET) >>> 16;
  }

  /**
   * The sender's IPv4 address.
   *
   * @param buffer holds the packet
   * @param arp index of the packet
   * @return 32 bits; 0 in a probe
   */
  public static int senderProtocol(ByteBuf buffer, int arp) {
    return buffer.getInt(arp + SENDER_PROTOCOL_OFFSET);
  }

  /**
   * The target's IPv4 address.
   *
   * @param buffer holds the packet
   * @param arp index of the packet
   * @return 32 bits
   */
  public static int targetProtocol(ByteBuf buffer, int arp) {
    return buffer.getInt(arp + TARGET_PROTOCOL_OFFSET);
  }

  /**
   * Writes a whole packet.
   *
   * @param buffer has room for {@link #LENGTH} bytes from {@code arp}
   * @param arp index of the packet
   * @param operation {@link #REQUEST} or {@link #REPLY}
   * @param senderHardware 48 bits
   * @param senderProtocol 32 bits
   * @param targetHardware 48 bits; 0 in a request
   * @param targetProtocol 32 bits
   */
  public static void write(
      ByteBuf buffer,
      int arp,
      int operation,
      long senderHardware,
      int senderProtocol,
      long targetHardware,
      int targetProtocol) {
    buffer.setLong(arp, ETHERNET_IPV4 | operation);
    buffer.setLong(arp + SENDER_HARDWARE_OFFSET, senderHardware << 16 | senderProtocol >>> 16);
    buffer.setShort(arp + SENDER_PROTOCOL_OFFSET + 2, senderProtocol);
    buffer.setLong(arp + TARGET_HARDWARE_OFFSET, targetHardware << 16 | targetProtocol >>> 16);
    buffer.setShort(arp + TARGET_PROTOCOL_OFFSET + 2, targetProtocol);
  }
}
