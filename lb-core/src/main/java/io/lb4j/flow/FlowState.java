package io.lb4j.flow;

/**
 * What is known of a flow, from the client's frames alone. The ordinal is what the table stores.
 *
 * <pre>
 *   SYN ──ACK──▶ ESTABLISHED ──FIN──▶ FIN          UDP_FIRST ──second datagram──▶ UDP
 *    └────────────── RST at the next expected sequence number ─────▶ RESET
 * </pre>
 */
public enum FlowState {
  /** No flow. */
  FREE,
  /** The client's SYN was seen, no acknowledgment yet: embryonic. */
  SYN,
  /** The client acknowledged: for us the connection is up. */
  ESTABLISHED,
  /** The client sent FIN; it may still acknowledge what the server sends. */
  FIN,
  /** The client sent a reset at the next expected sequence number (RFC 5961, section 3.2). */
  RESET,
  /** One datagram was seen: embryonic. */
  UDP_FIRST,
  /** More than one datagram was seen. */
  UDP;

  private static final FlowState[] VALUES = values();

  static FlowState of(int ordinal) {
    return VALUES[ordinal];
  }

  /**
   * Whether a flood could have made this flow: nothing but its first packet was seen.
   *
   * @return true for the first packet's states
   */
  public boolean isEmbryonic() {
    return this == SYN || this == UDP_FIRST;
  }

  /**
   * Whether the flow has ended and waits for late packets.
   *
   * @return true after FIN or a reset
   */
  public boolean isClosing() {
    return this == FIN || this == RESET;
  }
}
