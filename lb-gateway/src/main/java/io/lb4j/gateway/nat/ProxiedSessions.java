package io.lb4j.gateway.nat;

import io.lb4j.forward.Egress;
import io.lb4j.frame.FrameMarks;
import io.lb4j.frame.FrameOutput;
import io.lb4j.frame.FrameView;
import io.lb4j.frame.Verdict;
import io.lb4j.wire.TcpHeader;
import io.netty.buffer.ByteBuf;

/** Packets of sessions whose server is told the client's address by a PROXY header. Owned by one worker. */
final class ProxiedSessions {
  private final Sessions sessions;
  private final ProxyHeaders headers;
  private final Sender sender;
  private final Egress egress;
  private final FrameView piece = new FrameView();
  private final Tuple client = new Tuple();
  private FrameOutput out;
  private int note; // of the packet that was let in last

  ProxiedSessions(Sessions sessions, ProxyHeaders headers, Sender sender, Egress egress) {
    this.sessions = sessions;
    this.headers = headers;
    this.sender = sender;
    this.egress = egress;
  }

  void begin(FrameOutput burstOut) {
    this.out = burstOut;
  }

  /**
   * Whether a client's packet is refused, and changes no state, because it could bring the server data of the client's
   * where the header belongs. What establishes the connection has to stand behind the SYN.
   */
  boolean refuses(FrameView view, int session, long before) {
    if (Word.has(before, Word.REPLY)) {
      return false;
    }
    note = headers.find(sessions.key(session, client));
    boolean data = ProxyHeaders.mayHaveData(view);
    int state = Word.state(before);
    boolean counts = (view.tcpFlags() & TcpHeader.RST) == 0 && !TcpStates.isOpening(view);
    boolean establishes = counts && SessionState.isUnopened(state);
    if (note == ProxyHeaders.NONE) {
      return data || establishes && SessionState.isAnswered(state);
    }
    return data && (view.tcpFlags() & TcpHeader.SYN) != 0
        || establishes && view.tcpSequence() != headers.firstByte(note)
        || counts && headers.acknowledgesOther(note, view)
        || headers.mayReachTheHeader(note, view);
  }

  /**
   * Translates a packet that was not refused and was tracked.
   *
   * @param to what it becomes
   */
  Verdict translate(FrameView view, int session, Tuple to, long route, boolean around) {
    long word = sessions.word(session);
    return Word.has(word, Word.REPLY)
        ? toClient(view, session, to, route, around)
        : toServer(view, word, to, route, around);
  }

  private Verdict toClient(FrameView view, int session, Tuple to, long route, boolean around) {
    client.reverse(to);
    boolean answer = TcpStates.isAnswer(view);
    if (answer && !headers.begin(client, view)) {
      sessions.end(session, false);
      return Verdict.FLOW_TABLE_FULL;
    }
    if (answer) {
      sessions.setWord(session, Word.withCheck(sessions.word(session), view.tcpSequence() + 1)); // perhaps far away
    }
    int known = headers.find(client);
    if (known != ProxyHeaders.NONE) {
      if (!answer && (view.tcpFlags() & TcpHeader.RST) == 0) {
        headers.onServerSpoke(known);
      }
      headers.moveAcknowledgments(known, view);
    }
    return sender.send(view, to, route, around);
  }

  private Verdict toServer(FrameView view, long word, Tuple to, long route, boolean around) {
    if (SessionState.isUnopened(Word.state(word))) {
      boolean data = ProxyHeaders.mayHaveData(view); // it would overtake the header
      return data ? Verdict.NAT_PROTOCOL : sender.send(view, to, route, around);
    }
    return note == ProxyHeaders.NONE ? sender.send(view, to, route, around) : withHeader(view, to, route, around);
  }

  private Verdict withHeader(FrameView view, Tuple to, long route, boolean around) {
    boolean due = headers.isDue(note, view);
    sender.rewrite(view, to, route, around);
    if (due) {
      Verdict verdict = sendHeader(view, route);
      if (verdict.isDrop()) {
        return verdict;
      }
    }
    headers.moveSequence(note, view);
    return sender.depart(view, route, around);
  }

  private Verdict sendHeader(FrameView view, long route) {
    ByteBuf segment = headers.segment(note, view, client);
    piece.wrap(segment, 0, segment.readableBytes(), FrameMarks.tagOf(view.marks()), -1);
    Verdict verdict = egress.send(piece, Egress.linkOf(route), Egress.neighborOf(route));
    if (verdict == Verdict.FORWARD) {
      out.transmit(Egress.linkOf(route), segment, piece.marks());
    } else {
      segment.release();
    }
    return verdict;
  }
}
