package io.lb4j.address;

/**
 * A network: an address whose host bits are 0, and a length in bits. Immutable, shared. A single address is the prefix
 * of full length.
 */
public final class IpPrefix {
  private final IpAddress address;
  private final int length;

  private IpPrefix(IpAddress address, int length) {
    this.address = address;
    this.length = length;
  }

  /**
   * The network of an address; host bits are cleared.
   *
   * @param address any address of the network
   * @param length 0..32 for IPv4, 0..128 for IPv6
   * @return the prefix
   * @throws IllegalArgumentException when the length does not fit the family
   */
  public static IpPrefix of(IpAddress address, int length) {
    checkLength(address, length, address + "/" + length);
    return new IpPrefix(
        IpAddress.of(
            address.isV6(),
            address.high() & maskHigh(address.isV6(), length),
            address.low() & maskLow(address.isV6(), length)),
        length);
  }

  /**
   * Reads {@code address/length}, or an address alone, which is a prefix of full length.
   *
   * @param text for example {@code 192.0.2.0/24}
   * @return the prefix
   * @throws IllegalArgumentException when it is anything else, or when host bits are set
   */
  public static IpPrefix of(String text) {
    InterfaceAddress parsed = InterfaceAddress.of(text);
    IpPrefix prefix = parsed.network();
    if (!prefix.address.equals(parsed.address())) {
      throw new IllegalArgumentException("host bits are set in '" + text + "': the network is " + prefix);
    }
    return prefix;
  }

  /**
   * The prefix that holds one address alone.
   *
   * @param address the address
   * @return a prefix of 32 or 128 bits
   */
  public static IpPrefix host(IpAddress address) {
    return new IpPrefix(address, address.isV6() ? 128 : 32);
  }

  static void checkLength(IpAddress address, int length, String text) {
    int most = address.isV6() ? 128 : 32;
    if (length < 0 || length > most) {
      throw new IllegalArgumentException("prefix length is not in 0.." + most + ": '" + text + "'");
    }
  }

  /**
   * The mask for {@link IpAddress#high()}.
   *
   * @param v6 the family
   * @param length prefix length in bits
   * @return 0 for IPv4
   */
  public static long maskHigh(boolean v6, int length) {
    return !v6 || length == 0 ? 0 : length >= 64 ? -1L : -1L << 64 - length;
  }

  /**
   * The mask for {@link IpAddress#low()}.
   *
   * @param v6 the family
   * @param length prefix length in bits
   * @return for IPv4 a mask in the lower 32 bits
   */
  public static long maskLow(boolean v6, int length) {
    if (!v6) {
      return length == 0 ? 0 : -1L << 32 - length & 0xFFFF_FFFFL;
    }
    return length <= 64 ? 0 : -1L << 128 - length;
  }

  /**
   * The first address of the network.
   *
   * @return the address, host bits 0
   */
  public IpAddress address() {
    return address;
  }

  /**
   * The length in bits.
   *
   * @return 0..32 or 0..128
   */
  public int length() {
    return length;
  }

  /**
   * Whether the prefix holds one address alone.
   *
   * @return true at full length
   */
  public boolean isHost() {
    return length == (address.isV6() ? 128 : 32);
  }

  /**
   * Whether an address belongs to the network; an address of the other family never does.
   *
   * @param candidate the address asked about
   * @return true when it does
   */
  public boolean contains(IpAddress candidate) {
    return contains(candidate.isV6(), candidate.high(), candidate.low());
  }

  /**
   * Whether an address, given as numbers, belongs to the network.
   *
   * @param v6 its family
   * @param high its first 64 bits, 0 for IPv4
   * @param low its last 64 bits, or the IPv4 address
   * @return true when it does
   */
  public boolean contains(boolean v6, long high, long low) {
    return v6 == address.isV6()
        && (high & maskHigh(v6, length)) == address.high()
        && (low & maskLow(v6, length)) == address.low();
  }

  /**
   * Whether two networks have an address in common.
   *
   * @param other the other network
   * @return true when one holds the other
   */
  public boolean overlaps(IpPrefix other) {
    return length <= other.length ? contains(other.address) : other.contains(address);
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof IpPrefix that && that.length == length && that.address.equals(address);
  }

  @Override
  public int hashCode() {
    return address.hashCode() * 31 + length;
  }

  /** {@code address/length}; a host prefix too. */
  @Override
  public String toString() {
    return address + "/" + length;
  }
}
