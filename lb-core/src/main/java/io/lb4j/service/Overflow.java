package io.lb4j.service;

/** What becomes of a new flow that a connection limit refuses. */
public enum Overflow {
  /** Nothing is answered; a client's TCP tries again. */
  DROP,
  /** A TCP client is reset, a UDP client told that the port is unreachable. */
  RESET,
  /** The client is told by ICMP that communication is prohibited (RFC 1812, section 5.2.7.1; RFC 4443, section 3.1). */
  UNREACHABLE,
  /** Standby servers take it; without one that can, it is dropped. */
  STANDBY
}
