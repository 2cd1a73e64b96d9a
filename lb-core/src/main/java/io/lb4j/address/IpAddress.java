package io.lb4j.address;

import io.netty.util.NetUtil;
import java.net.InetAddress;
import java.net.UnknownHostException;

/**
 * An IPv4 or IPv6 address without a zone. Immutable, shared. An IPv4 address is its 32 bits in {@link #low()}; an IPv6
 * address is {@link #high()} and {@link #low()}. The hot path carries these numbers, never this object.
 */
public final class IpAddress implements Comparable<IpAddress> {
  private final boolean v6;
  private final long high;
  private final long low;
  private String text; // made when it is first asked for; any thread makes the same

  private IpAddress(boolean v6, long high, long low) {
    this.v6 = v6;
    this.high = high;
    this.low = low;
  }

  /**
   * An IPv4 address.
   *
   * @param bits the address in network order, read as an int
   * @return the address
   */
  public static IpAddress v4(int bits) {
    return new IpAddress(false, 0, bits & 0xFFFF_FFFFL);
  }

  /**
   * An IPv6 address.
   *
   * @param high the first 64 bits
   * @param low the last 64 bits
   * @return the address
   */
  public static IpAddress v6(long high, long low) {
    return new IpAddress(true, high, low);
  }

  /**
   * An address of the named family.
   *
   * @param v6 whether it is IPv6
   * @param high the first 64 bits; 0 for IPv4
   * @param low the last 64 bits, or the 32 bits of an IPv4 address
   * @return the address
   */
  public static IpAddress of(boolean v6, long high, long low) {
    return v6 ? v6(high, low) : v4((int) low);
  }

  /**
   * Reads an address in its usual text form; names are never looked up.
   *
   * @param text for example {@code 192.0.2.1} or {@code 2001:db8::1}
   * @return the address
   * @throws IllegalArgumentException when the text is anything else, a zone ({@code %eth0}) included
   */
  public static IpAddress of(String text) {
    boolean plain = text.indexOf('%') < 0 && text.indexOf('[') < 0 && text.indexOf('/') < 0;
    byte[] octets = plain ? NetUtil.createByteArrayFromIpAddressString(text) : null;
    if (octets == null) {
      throw new IllegalArgumentException("not an IP address: '" + text + "'");
    }
    return of(octets);
  }

  /**
   * An address from its octets in network order.
   *
   * @param octets 4 or 16 of them
   * @return the address
   * @throws IllegalArgumentException for any other number of octets
   */
  public static IpAddress of(byte[] octets) {
    if (octets.length == 4) {
      return new IpAddress(false, 0, number(octets, 0, 4));
    }
    if (octets.length != 16) {
      throw new IllegalArgumentException("an IP address has 4 or 16 octets, not " + octets.length);
    }
    return v6(number(octets, 0, 8), number(octets, 8, 8));
  }

  private static long number(byte[] octets, int from, int count) {
    long bits = 0;
    for (int i = from; i < from + count; i++) {
      bits = bits << 8 | octets[i] & 0xFF;
    }
    return bits;
  }

  /**
   * Whether this is an IPv6 address.
   *
   * @return false for IPv4
   */
  public boolean isV6() {
    return v6;
  }

  /**
   * The first 64 bits.
   *
   * @return 0 for IPv4
   */
  public long high() {
    return high;
  }

  /**
   * The last 64 bits of an IPv6 address, or the 32 bits of an IPv4 address.
   *
   * @return for IPv4 0..2^32-1
   */
  public long low() {
    return low;
  }

  /**
   * Whether frames for this address go to a group: 224.0.0.0/4 or ff00::/8.
   *
   * @return true for multicast addresses
   */
  public boolean isMulticast() {
    return v6 ? high >>> 56 == 0xFF : low >>> 28 == 0xE;
  }

  /**
   * Whether this is 0.0.0.0 or ::.
   *
   * @return true for the unspecified address
   */
  public boolean isUnspecified() {
    return high == 0 && low == 0;
  }

  /**
   * Whether this is in 127.0.0.0/8 or ::1.
   *
   * @return true for loopback addresses
   */
  public boolean isLoopback() {
    return v6 ? high == 0 && low == 1 : low >>> 24 == 127;
  }

  /**
   * Whether this is in fe80::/10.
   *
   * @return true for IPv6 link-local addresses
   */
  public boolean isLinkLocal() {
    return v6 && high >>> 54 == 0x3FA;
  }

  /**
   * The solicited-node multicast address of an IPv6 address (RFC 4291, section 2.7.1).
   *
   * @return ff02::1:ff00:0/104 with the last 24 bits of this address
   */
  public IpAddress solicitedNode() {
    return v6(0xFF02_0000_0000_0000L, 0x0000_0001_FF00_0000L | low & 0xFF_FFFFL);
  }

  /**
   * The octets in network order.
   *
   * @return 4 or 16 of them, the caller's own
   */
  public byte[] octets() {
    byte[] octets = new byte[v6 ? 16 : 4];
    for (int i = 0; i < octets.length; i++) {
      int fromEnd = octets.length - 1 - i;
      octets[i] = (byte) ((fromEnd < 8 ? low : high) >>> 8 * (fromEnd & 7));
    }
    return octets;
  }

  /**
   * The same address as the class library knows it.
   *
   * @return an address without a name
   */
  public InetAddress toInetAddress() {
    try {
      return InetAddress.getByAddress(octets());
    } catch (UnknownHostException e) {
      throw new AssertionError("4 or 16 octets are always an address", e);
    }
  }

  @Override
  public int compareTo(IpAddress other) {
    if (v6 != other.v6) {
      return v6 ? 1 : -1;
    }
    int order = Long.compareUnsigned(high, other.high);
    return order != 0 ? order : Long.compareUnsigned(low, other.low);
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof IpAddress that && that.v6 == v6 && that.high == high && that.low == low;
  }

  @Override
  public int hashCode() {
    return Long.hashCode(high * 31 + low) + (v6 ? 1 : 0);
  }

  /** The usual text form; IPv6 as RFC 5952 recommends. */
  @Override
  public String toString() {
    String known = text;
    if (known == null) {
      known =
          v6
              ? NetUtil.toAddressString(toInetAddress())
              : (low >>> 24) + "." + (low >>> 16 & 0xFF) + "." + (low >>> 8 & 0xFF) + "." + (low & 0xFF);
      text = known;
    }
    return known;
  }
}
