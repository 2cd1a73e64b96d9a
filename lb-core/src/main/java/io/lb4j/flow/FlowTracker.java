package io.lb4j.flow;

import io.lb4j.frame.FrameView;
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
    boolean syn = (segment.tcpFlags() & TcpHeader.SYN) != 0;
    int newExpected = syn || ahead > 0 && ahead <= WINDOW ? next : expected;
    table.update(handle, newState, newExpected, tick);
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
