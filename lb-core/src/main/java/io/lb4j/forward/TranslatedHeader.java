package io.lb4j.forward;

/**
 * What the network header of a datagram's first fragment became, for the fragments that follow it. Owned by one worker
 * and used again.
 */
public final class TranslatedHeader {
  /** First 64 bits of the source, 0 for IPv4. */
  public long sourceHigh;

  /** Last 64 bits of the source, or the IPv4 address. */
  public long sourceLow;

  /** First 64 bits of the destination, 0 for IPv4. */
  public long destinationHigh;

  /** Last 64 bits of the destination, or the IPv4 address. */
  public long destinationLow;

  /** The datagram's identification: 16 bits for IPv4, 32 for IPv6. */
  public int identification;

  /** An empty header. */
  public TranslatedHeader() {}
}
