package io.lb4j.verify;

import io.lb4j.address.IpAddress;

/**
 * Who says by ARP or neighbour discovery that he has an address. Immutable.
 *
 * @param link index of the interface
 * @param mac who
 * @param sender the address
 * @param target whom a request asks for; of a reply the sender again
 * @param frame a copy
 */
record Overheard(int link, long mac, IpAddress sender, IpAddress target, byte[] frame) {
  /** Whether it only tells its address while it asks for another. */
  boolean asks() {
    return !target.equals(sender);
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Overheard that
        && link == that.link
        && mac == that.mac
        && sender.equals(that.sender)
        && target.equals(that.target);
  }

  @Override
  public int hashCode() {
    return (31 * (31 * link + Long.hashCode(mac)) + sender.hashCode()) * 31 + target.hashCode();
  }
}
