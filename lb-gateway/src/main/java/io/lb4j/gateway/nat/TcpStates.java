package io.lb4j.gateway.nat;

import static io.lb4j.gateway.nat.SessionState.ADOPTED;
import static io.lb4j.gateway.nat.SessionState.ADOPTED_FIN;
import static io.lb4j.gateway.nat.SessionState.ESTABLISHED;
import static io.lb4j.gateway.nat.SessionState.FIN_BOTH;
import static io.lb4j.gateway.nat.SessionState.FIN_FIRST;
import static io.lb4j.gateway.nat.SessionState.FIN_REPLY;
import static io.lb4j.gateway.nat.SessionState.FIRST_ACKNOWLEDGED;
import static io.lb4j.gateway.nat.SessionState.FIRST_SYN;
import static io.lb4j.gateway.nat.SessionState.OPEN;
import static io.lb4j.gateway.nat.SessionState.REPLY_ACKNOWLEDGED;
import static io.lb4j.gateway.nat.SessionState.REPLY_SYN;
import static io.lb4j.gateway.nat.SessionState.RESET_FIRST;
import static io.lb4j.gateway.nat.SessionState.RESET_REPLY;

import io.lb4j.frame.FrameView;
import io.lb4j.wire.TcpHeader;

/**
 * Tracks both directions of TCP (RFC 5382, REQ-2; RFC 7857, section 2): the slow path, for SYN, FIN, RST and sessions
 * that are not established. Owned by one worker.
 *
 * <p>While a session opens, an acknowledgment counts only when it names the other side's next sequence number (its
 * lower bits, which is what the table has room for), so that somebody who cannot see the replies does not make a
 * half-open session look established. A reset changes nothing about that: a session that never was open goes on to open
 * after it.
 */
final class TcpStates {
  static final int ANY_STATE_FLAGS = TcpHeader.FIN | TcpHeader.SYN | TcpHeader.RST;

  /** How far ahead of the known number a segment may begin: what lies further ahead may as well lie behind. */
  private static final int NEAR = (int) Word.MAX_CHECK / 4;

  private final Sessions sessions;
  private final Handshakes handshakes;

  TcpStates(Sessions sessions, Handshakes handshakes) {
    this.sessions = sessions;
    this.handshakes = handshakes;
  }

  static boolean isOpening(FrameView view) {
    return (view.tcpFlags() & (TcpHeader.SYN | TcpHeader.ACK)) == TcpHeader.SYN;
  }

  static boolean isAnswer(FrameView view) {
    return (view.tcpFlags() & (TcpHeader.SYN | TcpHeader.ACK | TcpHeader.RST)) == (TcpHeader.SYN | TcpHeader.ACK);
  }

  /** What the other side has to acknowledge of a SYN: 0 for anything, where data came with it. */
  static int checkOf(FrameView syn) {
    return syn.payloadLength() > 0 ? 0 : syn.tcpSequence() + 1 & (int) Word.MAX_CHECK;
  }

  /** The state of a session that a segment opens. */
  static int firstState(FrameView view) {
    if (isOpening(view)) {
      return FIRST_SYN;
    }
    return (view.tcpFlags() & TcpHeader.FIN) == 0 ? ADOPTED : ADOPTED_FIN;
  }

  /** Records a segment that may change the state; answers whether it keeps the session alive. */
  boolean onSegment(FrameView view, int handle) {
    long word = sessions.word(handle);
    boolean reply = Word.has(word, Word.REPLY);
    int state = Word.state(word);
    int flags = view.tcpFlags();
    int next;
    if ((flags & TcpHeader.RST) != 0) {
      boolean counts = SessionState.isOpening(state) || !SessionState.isClosing(state) && isExpected(view, word);
      next = counts ? SessionState.afterReset(state, reply) : state;
      if (Word.binding(word) != 0 && refuses(view, handle, state, reply)) {
        handshakes.onRefused(Word.binding(word));
      }
    } else if (SessionState.isUnopened(state)) {
      next = opening(view, handle, state, reply);
      if (Word.binding(word) != 0) {
        handshakes.onSegment(view, Word.binding(word), reply, SessionState.flags(state), next);
      }
    } else if ((flags & TcpHeader.SYN) != 0) {
      boolean anew = SessionState.isClosing(state) && Word.isFromInside(word);
      next = anew ? again(view, handle, reply) : state;
    } else {
      next = established(state, flags, reply);
    }
    boolean again = SessionState.isClosing(state) && !SessionState.isClosing(next);
    if (next != state && (!again || sessions.mayLiveAgain(word))) {
      sessions.setState(handle, next);
      return true;
    }
    boolean says = (flags & (TcpHeader.RST | TcpHeader.SYN)) == 0;
    return says && !SessionState.isOpening(state) && !SessionState.isReset(state);
  }

  /** Whether a reset is a server's answer to the first SYN, which it acknowledges (RFC 9293, section 3.10.7.3). */
  private boolean refuses(FrameView view, int handle, int state, boolean reply) {
    return reply
        && !SessionState.isAnswered(state)
        && (view.tcpFlags() & TcpHeader.ACK) != 0
        && acknowledges(view, handle, state, true);
  }

  /** A reset counts at the next sequence number only: a blind one shortens no session (RFC 5961, section 3.2). */
  private static boolean isExpected(FrameView view, long word) {
    return (view.tcpSequence() & Word.MAX_CHECK) == Word.check(word);
  }

  /**
   * Remembers the next sequence number of the side that sent a segment, when that begins at the known one or a little
   * further; how long it is does not matter, for a super-frame is longer than what the bits can tell apart.
   */
  static long withNext(long word, FrameView view) {
    int ahead = view.tcpSequence() - Word.check(word) & (int) Word.MAX_CHECK;
    boolean near = ahead <= NEAR || Word.check(word) == 0; // 0: perhaps not known
    boolean counts = near && (view.tcpFlags() & TcpHeader.RST) == 0;
    return counts ? Word.withCheck(word, view.tcpNextSequence()) : word;
  }

  private int opening(FrameView view, int handle, int state, boolean reply) {
    int flags = view.tcpFlags();
    int next = SessionState.flags(state);
    if ((flags & TcpHeader.SYN) != 0) {
      next |= reply ? REPLY_SYN : FIRST_SYN;
      int check = Word.check(sessions.word(handle));
      if (reply && (check == 0 || check != checkOf(view))) {
        next &= ~FIRST_ACKNOWLEDGED; // of something else, or of what nobody had seen
      }
      sessions.setWord(handle, Word.withCheck(sessions.word(handle), checkOf(view)));
    }
    if ((flags & TcpHeader.ACK) != 0 && acknowledges(view, handle, next, reply)) {
      next |= reply ? REPLY_ACKNOWLEDGED : FIRST_ACKNOWLEDGED;
    }
    boolean ended = state == ADOPTED_FIN || !reply && (flags & TcpHeader.FIN) != 0;
    if (next != OPEN) {
      return next == ADOPTED && ended ? ADOPTED_FIN : next;
    }
    return established(ended ? FIN_FIRST : ESTABLISHED, flags, reply);
  }

  private boolean acknowledges(FrameView view, int handle, int state, boolean reply) {
    boolean otherSpoke = (state & (reply ? FIRST_SYN : REPLY_SYN)) != 0;
    int twin = otherSpoke ? sessions.twin(handle) : Sessions.MISS;
    if (twin == Sessions.MISS) {
      return false;
    }
    long word = sessions.word(twin);
    int check = Word.check(word);
    return check == 0 || check == (view.tcpAcknowledgment() & Word.MAX_CHECK);
  }

  /**
   * A new connection between the same ports, which an inside host begins or accepts. A SYN from outside passes and is
   * believed when the inside host answers with its own, so that forged segments end nothing.
   */
  private int again(FrameView view, int handle, boolean reply) {
    sessions.setWord(handle, Word.withCheck(sessions.word(handle), checkOf(view)));
    int twin = sessions.twin(handle);
    if (isOpening(view) || twin == Sessions.MISS) {
      return reply ? REPLY_SYN : FIRST_SYN;
    }
    sessions.setWord(twin, Word.withCheck(sessions.word(twin), view.tcpAcknowledgment()));
    return FIRST_SYN | REPLY_SYN | (reply ? REPLY_ACKNOWLEDGED : FIRST_ACKNOWLEDGED);
  }

  /**
   * A FIN counts wherever it is. Honest ones come before data that was lost, behind what overtook them, and after data
   * that was sent again, none of which 13 bits can tell from forged ones. Those do little: one side's FIN shortens
   * nothing, and after both a session lives as long as something is sent.
   */
  private static int established(int state, int flags, boolean reply) {
    if ((flags & TcpHeader.FIN) == 0) {
      boolean alive = state == (reply ? RESET_REPLY : RESET_FIRST);
      return alive ? ESTABLISHED : state;
    }
    return switch (state) {
      case ESTABLISHED -> reply ? FIN_REPLY : FIN_FIRST;
      case FIN_FIRST -> reply ? FIN_BOTH : state;
      case FIN_REPLY -> reply ? state : FIN_BOTH;
      default -> state;
    };
  }
}
