package io.lb4j.flow;

import io.lb4j.frame.FrameView;
import io.lb4j.wire.IpProtocol;
import io.lb4j.wire.TcpHeader;

/**
 * Flow states as the client's frames alone tell them (Direct Server Return): an estimate, because the server's half
 * never passes. Stateless; called by the worker that owns the table.
 *
 * <p>A reset ends a flow only at the client's next expected sequence number (RFC 5961, section 3.2), and a FIN only
 * near it, so that a blind stranger cannot shorten a flow's life. The balancer is more lenient than a host in one way:
 * when frames follow after a reset or beyond a FIN, the flow lives again, because then the reset was not the client's.
 */
public final class FlowTracker {
  /** A segment that lies further ahead than this is not believed. */
  static final int WINDOW = 1 << 22;

  private static final int CLOSING_FLAGS = TcpHeader.FIN | TcpHeader.SYN | TcpHeader.RST;

  private FlowTracker() {}

  /**
   * Begins to record a frame of a known flow, if it is of the usual kind: a plain segment of an established connection,
   * or a datagram of a UDP flow that is known to be one, less than a second after the last. Such a frame changes no
   * state and belongs to its flow whatever the time-outs are. Only where memory is reached by address.
   *
   * @param place of the flow
   * @param segment a segment or datagram
   * @param tick now
   * @return the flow's binding, for {@link #onUsual} to be called if its server is still to be used; 0 when the frame
   *     is not of the usual kind
   */
  public static int usualBinding(long place, FrameView segment, int tick) {
    int word = FlowLayout.wordAt(place);
    boolean usual =
        FlowLayout.isInUse(word)
            && (segment.tcpFlags() & CLOSING_FLAGS) == 0
            && FlowLayout.ageOf(word, tick) <= FlowTable.FRESH_TICKS;
    return usual ? FlowLayout.bindingAt(place, word) : 0;
  }

  /**
   * Records a frame of the usual kind.
   *
   * @param place of the flow
   * @param segment a frame for which {@link #usualBinding} has answered a binding
   * @param tick now
   */
  public static void onUsual(long place, FrameView segment, int tick) {
    FlowLayout.refreshAt(place, FlowLayout.wordAt(place), tick);
    if (segment.protocol() == IpProtocol.TCP) {
      int next = segment.tcpSequence() + segment.payloadLength();
      int ahead = next - FlowLayout.sequenceAt(place);
      if (ahead > 0 && ahead <= WINDOW) {
        FlowLayout.expectAt(place, next);
      }
    }
  }

  /**
   * Records a segment of a known flow.
   *
   * @param table holds the flow
   * @param handle of the flow
   * @param segment a TCP segment; not one whose SYN begins a new flow
   * @param tick now
   * @return the state from now on
   */
  public static FlowState onSegment(FlowTable table, int handle, FrameView segment, int tick) {
    FlowState state = table.state(handle);
    int expected = table.sequence(handle);
    int next = segment.tcpNextSequence();
    int ahead = next - expected;
    FlowState newState = state;
    if (state != FlowState.ESTABLISHED || (segment.tcpFlags() & CLOSING_FLAGS) != 0) {
      newState = rareTransition(state, segment, expected, ahead);
    }
    boolean stale = table.isStale(handle);
    boolean told = tellsNumber(segment, ahead, state == FlowState.SYN, stale);
    table.update(handle, newState, told ? next : expected, tick);
    if (stale && !confirmsNumber(segment, ahead)) {
      table.markStale(handle);
    }
    return newState;
  }

  /**
   * Records a datagram of a known UDP flow.
   *
   * @param table holds the flow
   * @param handle of the flow
   * @param tick now
   */
  public static void onDatagram(FlowTable table, int handle, int tick) {
    table.update(handle, FlowState.UDP, 0, tick);
  }

  /**
   * Takes back that a flow lives again.
   *
   * @param table holds the flow
   * @param handle of the flow
   * @param before its state until then
   * @param sequence the next expected sequence number until then
   * @param tick when it was seen last
   */
  public static void stayClosed(FlowTable table, int handle, FlowState before, int sequence, int tick) {
    table.update(handle, before, sequence, tick);
  }

  /**
   * Whether the next expected number is the one after a segment. While the connection opens, a SYN tells it, for the
   * server may have missed the one before; and so does a segment far from it, or one forged SYN would leave the flow
   * half-open for good. Later, servers do not believe a SYN (RFC 5961, section 4): a forged one would choose the reset
   * that counts. Nor does a reset tell it, or the second of two equal ones would count.
   *
   * <p>A stale number gives way to a segment far from it as well, but stays stale until a segment fits: one that is
   * forged is forgotten with the client's next two.
   */
  private static boolean tellsNumber(FrameView segment, int ahead, boolean opening, boolean stale) {
    int flags = segment.tcpFlags() & CLOSING_FLAGS;
    if ((flags & TcpHeader.SYN) != 0) {
      return opening;
    }
    if ((flags & TcpHeader.RST) != 0) {
      return false;
    }
    return ahead > 0 && ahead <= WINDOW || (opening || stale) && flags == 0 && isFar(ahead);
  }

  private static boolean confirmsNumber(FrameView segment, int ahead) {
    return (segment.tcpFlags() & CLOSING_FLAGS) == 0 && !isFar(ahead);
  }

  private static boolean isFar(int ahead) {
    return ahead > WINDOW || ahead < -WINDOW;
  }

  private static FlowState rareTransition(FlowState state, FrameView segment, int expected, int ahead) {
    int flags = segment.tcpFlags();
    if ((flags & TcpHeader.RST) != 0) {
      return segment.tcpSequence() == expected ? FlowState.RESET : state;
    }
    if ((flags & TcpHeader.SYN) != 0) {
      return state;
    }
    boolean near = ahead >= 0 && ahead <= WINDOW;
    if ((flags & TcpHeader.FIN) != 0) {
      return near ? FlowState.FIN : state;
    }
    return switch (state) {
      case SYN -> near ? FlowState.ESTABLISHED : state;
      case FIN -> near && ahead > 0 ? FlowState.ESTABLISHED : state;
      case RESET -> FlowState.ESTABLISHED;
      default -> state;
    };
  }
}
