package io.lb4j.gateway.nat;

import io.lb4j.flow.FlowState;
import io.lb4j.wire.IpProtocol;

/**
 * States of a session whose both directions are seen, as small numbers that the table stores (RFC 5382; RFC 6146,
 * section 3.5.2; RFC 7857, section 2). Static: safe from any thread.
 *
 * <pre>
 *   opening (flags) ──both sent SYN, each acknowledged the other's──▶ ESTABLISHED
 *   ESTABLISHED ──FIN──▶ FIN_FIRST or FIN_REPLY ──FIN of the other side──▶ FIN_BOTH
 *   any of these ──RST──▶ RESET_FIRST or RESET_REPLY ──another segment of the side that sent it──▶ ESTABLISHED
 *   opening ──RST──▶ RESET_UNANSWERED or RESET_ANSWERED ──another segment──▶ opening
 *   UDP_FIRST ──answer──▶ UDP_ANSWERED ──one more──▶ UDP          QUERY_FIRST ──answer──▶ QUERY
 * </pre>
 *
 * While a session opens, its state is a set of flags, so that a SYN and SYN-ACK that go round and round stay half-open,
 * and a simultaneous open gets through. A reset does not spare it that: it goes on where it was.
 */
final class SessionState {
  static final int FIRST_SYN = 1;
  static final int REPLY_SYN = 2;
  static final int FIRST_ACKNOWLEDGED = 4;
  static final int REPLY_ACKNOWLEDGED = 8;
  static final int OPEN = 15;

  /**
   * Of a connection that began elsewhere: all is said but the server's acknowledgment, which proves that it knows it.
   */
  static final int ADOPTED = FIRST_SYN | REPLY_SYN | FIRST_ACKNOWLEDGED;

  /** The same, whose client has sent its FIN. No handshake has these flags: one acknowledges a SYN that was sent. */
  static final int ADOPTED_FIN = FIRST_SYN | FIRST_ACKNOWLEDGED;

  static final int ESTABLISHED = 16;
  static final int FIN_FIRST = 17;
  static final int FIN_REPLY = 18;
  static final int FIN_BOTH = 19;
  static final int RESET_FIRST = 20;
  static final int RESET_REPLY = 21;
  static final int UDP_FIRST = 22;
  static final int UDP = 23;
  static final int QUERY = 24;
  static final int UDP_ANSWERED = 25;
  static final int QUERY_FIRST = 26;

  /** Reset while it opened, before the reply's side had acknowledged the first SYN. */
  static final int RESET_UNANSWERED = 27;

  /** Reset while it opened, after that. */
  static final int RESET_ANSWERED = 28;

  private static final int ANSWER = REPLY_SYN | REPLY_ACKNOWLEDGED;

  private SessionState() {}

  static boolean isOpening(int state) {
    return state < OPEN;
  }

  /** Whether it was reset before it was open. */
  private static boolean isResetEarly(int state) {
    return state == RESET_UNANSWERED || state == RESET_ANSWERED;
  }

  /** Whether a TCP session never was open. */
  static boolean isUnopened(int state) {
    return isOpening(state) || isResetEarly(state);
  }

  /** What is known of a session that never was open, as flags; what a reset made unknown has to be said again. */
  static int flags(int state) {
    return switch (state) {
      case ADOPTED_FIN -> ADOPTED;
      case RESET_UNANSWERED -> FIRST_SYN | REPLY_SYN;
      case RESET_ANSWERED -> FIRST_SYN | REPLY_SYN | REPLY_ACKNOWLEDGED;
      default -> state;
    };
  }

  static int afterReset(int state, boolean reply) {
    if (isOpening(state)) {
      return (state & REPLY_ACKNOWLEDGED) == 0 ? RESET_UNANSWERED : RESET_ANSWERED;
    }
    return reply ? RESET_REPLY : RESET_FIRST;
  }

  /** Whether the other side has sent a SYN and acknowledged the first one. */
  static boolean isAnswered(int state) {
    return state >= OPEN || (state & ANSWER) == ANSWER;
  }

  /** Whether a flood with forged sources could have made the session. */
  static boolean isEmbryonic(int state) {
    return isUnopened(state) || state == UDP_FIRST || state == UDP_ANSWERED || state == QUERY_FIRST;
  }

  static boolean isQuery(int state) {
    return state == QUERY || state == QUERY_FIRST;
  }

  /**
   * The state of a session without TCP after another packet. One answer to a stranger proves nothing, for a server
   * answers everybody; an answer to an inside host does.
   */
  static int afterPacket(int state, boolean reply, boolean outbound) {
    return switch (state) {
      case UDP_FIRST -> reply && !outbound ? UDP_ANSWERED : UDP;
      case UDP_ANSWERED -> UDP;
      case QUERY_FIRST -> reply ? QUERY : state;
      default -> state;
    };
  }

  static boolean isReset(int state) {
    return state == RESET_FIRST || state == RESET_REPLY || isResetEarly(state);
  }

  /** Both sides have ended it, or one has reset it. */
  static boolean isClosing(int state) {
    return state == FIN_BOTH || isReset(state);
  }

  /** Whether a number is a state of sessions of a protocol. */
  static boolean isOf(int state, int protocol) {
    return switch (protocol) {
      case IpProtocol.TCP ->
          state > 0 && state < OPEN || state >= ESTABLISHED && state <= RESET_REPLY || isResetEarly(state);
      case IpProtocol.UDP -> state == UDP_FIRST || state == UDP_ANSWERED || state == UDP;
      default -> isQuery(state);
    };
  }

  /** The state that an operator is shown. */
  static FlowState shown(int state) {
    FlowState timer = timer(state);
    return timer == FlowState.UDP && isEmbryonic(state) ? FlowState.UDP_FIRST : timer;
  }

  /** The state whose time-out applies; queries have one of their own. */
  static FlowState timer(int state) {
    if (state < OPEN) {
      return FlowState.SYN;
    }
    return switch (state) {
      case ESTABLISHED, FIN_FIRST, FIN_REPLY -> FlowState.ESTABLISHED;
      case FIN_BOTH -> FlowState.FIN;
      case RESET_FIRST, RESET_REPLY, RESET_UNANSWERED, RESET_ANSWERED -> FlowState.RESET;
      default -> FlowState.UDP;
    };
  }
}
