package io.lb4j.wire;

import io.netty.buffer.ByteBuf;

/**
 * Neighbour solicitation and advertisement (RFC 4861, sections 4.3, 4.4 and 4.6.1). A solicitation has no flags.
 *
 * <pre>
 *   0                   1                   2                   3
 *   0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *  +---------------+---------------+-------------------------------+
 *  |  Type 135/136 |    Code (0)   |           Checksum            |
 *  +-+-+-+---------+---------------+-------------------------------+
 *  |R|S|O|                        Reserved                         |
 *  +-+-+-+---------------------------------------------------------+
 *  |                    Target Address (16 octets)                 |
 *  +---------------+---------------+-------------------------------+
 *  | Option type   | Length (8 B)  |  Link-Layer Address (6 octets)|
 *  +---------------+---------------+-------------------------------+
 * </pre>
 *
 * All methods are static: safe from any thread that owns the buffer. {@code icmp} is the index of the message.
 */
public final class NeighborMessage {
  /** Length without options. */
  public static final int LENGTH = 24;

  /** Length of a link-layer address option for Ethernet (RFC 2464, section 6). */
  public static final int OPTION_LENGTH = 8;

  /** Flag of an advertisement: the sender is a router. */
  public static final int ROUTER = 0x8000_0000;

  /** Flag of an advertisement: it answers a solicitation. */
  public static final int SOLICITED = 0x4000_0000;

  /** Flag of an advertisement: it replaces what is known. */
  public static final int OVERRIDE = 0x2000_0000;

  /** Option type: the sender's link-layer address. */
  public static final int SOURCE_LINK_LAYER = 1;

  /** Option type: the target's link-layer address. */
  public static final int TARGET_LINK_LAYER = 2;

  /** What {@link #linkLayerAddress} answers when there is no such option. */
  public static final long NO_ADDRESS = -1;

  private static final int FLAGS_OFFSET = 4;
  private static final int TARGET_OFFSET = 8;

  private NeighborMessage() {}

  /**
   * The flags of an advertisement.
   *
   * @param buffer holds the message
   * @param icmp index of the message
   * @return {@link #ROUTER}, {@link #SOLICITED} and {@link #OVERRIDE}, or-ed
   */
  public static int flags(ByteBuf buffer, int icmp) {
    return buffer.getInt(icmp + FLAGS_OFFSET) & (ROUTER | SOLICITED | OVERRIDE);
  }

  /**
   * The target's first 64 bits.
   *
   * @param buffer holds the message
   * @param icmp index of the message
   * @return 64 bits
   */
  public static long targetHigh(ByteBuf buffer, int icmp) {
    return buffer.getLong(icmp + TARGET_OFFSET);
  }

  /**
   * The target's last 64 bits.
   *
   * @param buffer holds the message
   * @param icmp index of the message
   * @return 64 bits
   */
  public static long targetLow(ByteBuf buffer, int icmp) {
    return buffer.getLong(icmp + TARGET_OFFSET + 8);
  }

  /**
   * Whether a chain of options fills its space exactly, none of length 0 (RFC 4861, section 4.6).
   *
   * @param buffer holds the options
   * @param options index of the first
   * @param end index after the last
   * @return false when the message has to be discarded
   */
  public static boolean areOptionsValid(ByteBuf buffer, int options, int end) {
    int at = options;
    while (at + OPTION_LENGTH <= end) {
      int length = buffer.getUnsignedByte(at + 1) << 3;
      if (length == 0) {
        return false;
      }
      at += length;
    }
    return at == end;
  }

  /**
   * The address in the first link-layer address option of a type.
   *
   * @param buffer holds options for which {@link #areOptionsValid} is true
   * @param options index of the first
   * @param end index after the last
   * @param type {@link #SOURCE_LINK_LAYER} or {@link #TARGET_LINK_LAYER}
   * @return 48 bits, or {@link #NO_ADDRESS}; an option of another length than Ethernet's is no such option
   */
  public static long linkLayerAddress(ByteBuf buffer, int options, int end, int type) {
    for (int at = options; at + OPTION_LENGTH <= end; at += buffer.getUnsignedByte(at + 1) << 3) {
      long option = buffer.getLong(at);
      if (option >>> 48 == (type << 8 | 1)) {
        return option & 0xFFFF_FFFF_FFFFL;
      }
    }
    return NO_ADDRESS;
  }

  /**
   * Writes a message without options and with checksum 0.
   *
   * @param buffer has room for {@link #LENGTH} bytes
   * @param icmp index of the message
   * @param type {@link IcmpHeader#V6_NEIGHBOR_SOLICITATION} or {@link IcmpHeader#V6_NEIGHBOR_ADVERTISEMENT}
   * @param flags of an advertisement; 0 for a solicitation
   * @param targetHigh first 64 bits of the target
   * @param targetLow last 64 bits of the target
   */
  public static void write(ByteBuf buffer, int icmp, int type, int flags, long targetHigh, long targetLow) {
    buffer.setInt(icmp, type << 24);
    buffer.setInt(icmp + FLAGS_OFFSET, flags);
    buffer.setLong(icmp + TARGET_OFFSET, targetHigh);
    buffer.setLong(icmp + TARGET_OFFSET + 8, targetLow);
  }

  /**
   * Writes a link-layer address option behind the message.
   *
   * @param buffer has room for {@link #LENGTH} and {@link #OPTION_LENGTH} bytes
   * @param icmp index of the message
   * @param type {@link #SOURCE_LINK_LAYER} or {@link #TARGET_LINK_LAYER}
   * @param mac 48 bits
   */
  public static void writeOption(ByteBuf buffer, int icmp, int type, long mac) {
    buffer.setLong(icmp + LENGTH, (long) (type << 8 | 1) << 48 | mac);
  }
}
