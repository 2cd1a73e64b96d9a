package io.lb4j.address;

/**
 * An address on an interface together with the length of its network's prefix, as in {@code 192.0.2.5/24}. Immutable,
 * shared.
 *
 * @param address the interface's own address
 * @param prefixLength length in bits of the connected network
 */
public record InterfaceAddress(IpAddress address, int prefixLength) {
  /** Refuses a length that does not fit the family. */
  public InterfaceAddress {
    IpPrefix.checkLength(address, prefixLength, address + "/" + prefixLength);
  }

  /**
   * Reads {@code address/length}; without a length the network holds the address alone.
   *
   * @param text for example {@code 2001:db8:1::5/64}
   * @return the address
   * @throws IllegalArgumentException when the text is anything else
   */
  public static InterfaceAddress of(String text) {
    int slash = text.indexOf('/');
    IpAddress address = IpAddress.of(slash < 0 ? text : text.substring(0, slash));
    if (slash < 0) {
      return new InterfaceAddress(address, address.isV6() ? 128 : 32);
    }
    String length = text.substring(slash + 1);
    if (!length.matches("[0-9]{1,3}")) {
      throw new IllegalArgumentException("not a prefix length: '" + text + "'");
    }
    return new InterfaceAddress(address, Integer.parseInt(length));
  }

  /**
   * The connected network.
   *
   * @return the prefix this address is in
   */
  public IpPrefix network() {
    return IpPrefix.of(address, prefixLength);
  }

  @Override
  public String toString() {
    return address + "/" + prefixLength;
  }
}
