package io.lb4j.frame;

/** What the parser found in a frame; each is a visible branch of the walk. */
public enum FrameKind {
  /** TCP or UDP with both ports at hand: an unfragmented packet. */
  SEGMENT,
  /** The first fragment of a TCP or UDP datagram: it has the ports. */
  FIRST_FRAGMENT,
  /** A later fragment of any datagram: it has no ports. */
  LATER_FRAGMENT,
  /** ICMP or ICMPv6, neighbour discovery and MLD included; unfragmented. */
  ICMP,
  /** IP with another protocol, a first fragment of one included. */
  OTHER_PROTOCOL,
  /** ARP. */
  ARP,
  /** Neither IP nor ARP. */
  NOT_IP,
  /** Refused by the parser: {@link FrameView#verdict()} says why. */
  MALFORMED
}
