package io.lb4j.address;

import java.util.regex.Pattern;

/**
 * A 48-bit IEEE 802 MAC address. Immutable, shared. On the hot path addresses travel as the {@code long} of {@link
 * #value()}, whose lower 48 bits are the address in network order.
 */
public final class MacAddress {
  /** ff:ff:ff:ff:ff:ff. */
  public static final MacAddress BROADCAST = new MacAddress(0xFFFF_FFFF_FFFFL);

  private static final Pattern TEXT =
      Pattern.compile("[0-9a-fA-F]{2}(:[0-9a-fA-F]{2}){5}|[0-9a-fA-F]{2}(-[0-9a-fA-F]{2}){5}");
  private static final int OCTETS = 6;
  private static final int OCTET_TEXT_LENGTH = 3; // its divider included
  private static final long GROUP_BIT = 0x0100_0000_0000L;
  private static final long LOCAL_BIT = 0x0200_0000_0000L;

  private final long value;

  private MacAddress(long value) {
    this.value = value;
  }

  /**
   * The address held in the lower 48 bits.
   *
   * @param value 0..2^48-1
   * @return the address
   * @throws IllegalArgumentException when a higher bit is set
   */
  public static MacAddress of(long value) {
    if (value >>> 48 != 0) {
      throw new IllegalArgumentException("more than 48 bits: 0x" + Long.toHexString(value));
    }
    return new MacAddress(value);
  }

  /**
   * Reads six octets written in hexadecimal and divided by {@code :} or {@code -}.
   *
   * @param text for example {@code 02:00:00:00:00:01}
   * @return the address
   * @throws IllegalArgumentException when the text is anything else
   */
  public static MacAddress of(String text) {
    if (!TEXT.matcher(text).matches()) {
      throw new IllegalArgumentException("not a MAC address: '" + text + "'");
    }
    long value = 0;
    for (int i = 0; i < OCTETS; i++) {
      int begin = i * OCTET_TEXT_LENGTH;
      value = value << 8 | Integer.parseInt(text, begin, begin + 2, 16);
    }
    return new MacAddress(value);
  }

  /**
   * The Ethernet multicast address of an IPv6 group (RFC 2464, section 7): 33:33 and the last 32 bits.
   *
   * @param group an IPv6 multicast address
   * @return the MAC address that frames for the group are sent to
   */
  public static MacAddress ofIpv6Multicast(IpAddress group) {
    return new MacAddress(0x3333_0000_0000L | (group.low() & 0xFFFF_FFFFL));
  }

  /**
   * The address as a number.
   *
   * @return the address in the lower 48 bits
   */
  public long value() {
    return value;
  }

  /**
   * Whether the group bit is set (broadcast included).
   *
   * @return true for multicast and broadcast
   */
  public boolean isMulticast() {
    return isMulticast(value);
  }

  /**
   * Whether the group bit of a raw address is set.
   *
   * @param mac an address in the lower 48 bits
   * @return true for multicast and broadcast
   */
  public static boolean isMulticast(long mac) {
    return (mac & GROUP_BIT) != 0;
  }

  /**
   * The IPv6 link-local address that belongs to this interface (RFC 4291, appendix A: modified EUI-64).
   *
   * @return an address of fe80::/64
   */
  public IpAddress linkLocal() {
    long flipped = value ^ LOCAL_BIT;
    long low = (flipped >>> 24) << 40 | 0xFF_FE00_0000L | (flipped & 0xFF_FFFFL);
    return IpAddress.v6(0xFE80_0000_0000_0000L, low);
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof MacAddress that && that.value == value;
  }

  @Override
  public int hashCode() {
    return Long.hashCode(value);
  }

  @Override
  public String toString() {
    StringBuilder text = new StringBuilder(17);
    for (int shift = 40; shift >= 0; shift -= 8) {
      int octet = (int) (value >>> shift) & 0xFF;
      text.append(Character.forDigit(octet >>> 4, 16)).append(Character.forDigit(octet & 15, 16));
      if (shift > 0) {
        text.append(':');
      }
    }
    return text.toString();
  }
}
