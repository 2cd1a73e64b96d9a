package io.lb4j.wire;

/** Protocol numbers of IPv4 and next-header numbers of IPv6 (IANA). Constants, shared. */
public final class IpProtocol {
  /** IPv6 hop-by-hop options (RFC 8200, section 4.3). */
  public static final int HOP_BY_HOP = 0;

  /** ICMP for IPv4. */
  public static final int ICMP = 1;

  /** TCP. */
  public static final int TCP = 6;

  /** UDP. */
  public static final int UDP = 17;

  /** IPv6 routing header. */
  public static final int ROUTING = 43;

  /** IPv6 fragment header. */
  public static final int FRAGMENT = 44;

  /** IPsec authentication header (RFC 4302). */
  public static final int AUTHENTICATION = 51;

  /** ICMP for IPv6. */
  public static final int ICMPV6 = 58;

  /** Nothing follows (RFC 8200, section 4.7). */
  public static final int NO_NEXT_HEADER = 59;

  /** IPv6 destination options. */
  public static final int DESTINATION_OPTIONS = 60;

  /** Mobility header (RFC 6275). */
  public static final int MOBILITY = 135;

  private IpProtocol() {}
}
