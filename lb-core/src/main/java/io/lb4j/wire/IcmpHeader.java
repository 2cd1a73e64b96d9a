package io.lb4j.wire;

/**
 * ICMP header of IPv4 (RFC 792) and IPv6 (RFC 4443), and the messages the balancer knows.
 *
 * <pre>
 *   0                   1                   2                   3
 *   0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *  +---------------+---------------+-------------------------------+
 *  |     Type      |     Code      |           Checksum            |
 *  +---------------+---------------+-------------------------------+
 *  |                  depends on type and code                     |
 *  +---------------------------------------------------------------+
 * </pre>
 */
public final class IcmpHeader {
  /** Length of the header; an error's quoted packet, a query's data or ND's target follows. */
  public static final int LENGTH = 8;

  /** Offset of the checksum. */
  public static final int CHECKSUM_OFFSET = 2;

  /** Offset of the identifier of a query. */
  public static final int IDENTIFIER_OFFSET = 4;

  /** ICMP echo reply. */
  public static final int ECHO_REPLY = 0;

  /** ICMP destination unreachable; code 4 is "fragmentation needed". */
  public static final int UNREACHABLE = 3;

  /** ICMP source quench (deprecated by RFC 6633). */
  public static final int SOURCE_QUENCH = 4;

  /** ICMP redirect. */
  public static final int REDIRECT = 5;

  /** ICMP echo request. */
  public static final int ECHO_REQUEST = 8;

  /** ICMP time exceeded. */
  public static final int TIME_EXCEEDED = 11;

  /** ICMP parameter problem. */
  public static final int PARAMETER_PROBLEM = 12;

  /** ICMPv6 destination unreachable. */
  public static final int V6_UNREACHABLE = 1;

  /** ICMPv6 packet too big. */
  public static final int V6_PACKET_TOO_BIG = 2;

  /** ICMPv6 time exceeded. */
  public static final int V6_TIME_EXCEEDED = 3;

  /** ICMPv6 parameter problem. */
  public static final int V6_PARAMETER_PROBLEM = 4;

  /** ICMPv6 echo request. */
  public static final int V6_ECHO_REQUEST = 128;

  /** ICMPv6 echo reply. */
  public static final int V6_ECHO_REPLY = 129;

  /** Multicast listener query (RFC 3810). */
  public static final int V6_LISTENER_QUERY = 130;

  /** Router solicitation (RFC 4861), the first of the neighbour discovery types. */
  public static final int V6_ROUTER_SOLICITATION = 133;

  /** Neighbour solicitation (RFC 4861, section 4.3). */
  public static final int V6_NEIGHBOR_SOLICITATION = 135;

  /** Neighbour advertisement (RFC 4861, section 4.4). */
  public static final int V6_NEIGHBOR_ADVERTISEMENT = 136;

  /** Redirect (RFC 4861), the last of the neighbour discovery types. */
  public static final int V6_REDIRECT = 137;

  /** Multicast listener report, version 2 (RFC 3810, section 5.2). */
  public static final int V6_LISTENER_REPORT = 143;

  private IcmpHeader() {}

  /**
   * Whether an ICMPv6 message is one of neighbour discovery (RFC 4861) or multicast listener discovery (RFC 3810).
   *
   * @param type the message's type
   * @return true for 130 to 137 and 143
   */
  public static boolean isNeighborMessage(int type) {
    return type >= V6_LISTENER_QUERY && type <= V6_REDIRECT || type == V6_LISTENER_REPORT;
  }

  /**
   * Whether an ICMP message for IPv4 is a query or its answer, with an identifier (RFC 792: echo, timestamp,
   * information; RFC 950: address mask).
   *
   * @param type the message's type
   * @return true for 0, 8 and 13 to 18
   */
  public static boolean hasIdentifier(int type) {
    return type == ECHO_REPLY || type == ECHO_REQUEST || type >= 13 && type <= 18;
  }

  /**
   * Whether a query of IPv4 asks rather than answers.
   *
   * @param type of a message for which {@link #hasIdentifier} is true
   * @return true for 8, 13, 15 and 17
   */
  public static boolean isRequest(int type) {
    return type == ECHO_REQUEST || (type & 1) == 1;
  }

  /**
   * Whether a message quotes the packet that caused it.
   *
   * @param v6 the family
   * @param type the message's type
   * @return true for errors; a redirect is none of ours to forward
   */
  public static boolean isError(boolean v6, int type) {
    return v6
        ? type >= V6_UNREACHABLE && type <= V6_PARAMETER_PROBLEM
        : type == UNREACHABLE || type == TIME_EXCEEDED || type == PARAMETER_PROBLEM || type == SOURCE_QUENCH;
  }
}
