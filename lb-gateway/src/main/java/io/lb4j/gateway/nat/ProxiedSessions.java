package io.lb4j.gateway.nat;

import io.lb4j.forward.Egress;
import io.lb4j.frame.FrameMarks;
import io.lb4j.frame.FrameOutput;
import io.lb4j.frame.FrameView;
import io.lb4j.frame.Verdict;
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
   * Translates a packet that was tracked.
   *
   * @param before the direction's word before the packet was
   * @param to what it becomes
   */
  Verdict translate(FrameView view, int session, long before, Tuple to, long route, boolean around) {
    long word = sessions.word(session);
    return Word.has(word, Word.REPLY)
        ? toClient(view, to, route, around)
        : toServer(view, session, before, word, to, route, around);
  }

  private Verdict toClient(FrameView view, Tuple to, long route, boolean around) {
    int note = headers.find(client.reverse(to));
    if (note != ProxyHeaders.NONE) {
      headers.moveAcknowledgments(note, view);
    }
    return sender.send(view, to, route, around);
  }

  private Verdict toServer(
      FrameView view, int session, long before, long word, Tuple to, long route, boolean around) {
    if (SessionState.isOpening(Word.state(word))) {
      boolean data = view.payloadLength() > 0; // it would overtake the header
      return data ? Verdict.NAT_PROTOCOL : sender.send(view, to, route, around);
    }
    sessions.key(session, client);
    boolean established = SessionState.isOpening(Word.state(before)) && !SessionState.isReset(Word.state(word));
    int note = established ? headers.begin(client, view) : headers.find(client);
    if (established && note == ProxyHeaders.NONE) {
      sessions.end(session, false);
      return Verdict.FLOW_TABLE_FULL;
    }
    if (note == ProxyHeaders.NONE) {
      return sender.send(view, to, route, around);
    }
    return withHeader(view, note, to, route, around);
  }

  private Verdict withHeader(FrameView view, int note, Tuple to, long route, boolean around) {
    boolean due = headers.isDue(note, view);
    if (headers.overlapsTheStart(note, view) || due && view.isFragment()) {
      return Verdict.NAT_PROTOCOL;
    }
    sender.rewrite(view, to, route, around);
    if (due) {
      Verdict verdict = sendHeader(view, note, route);
      if (verdict.isDrop()) {
        return verdict;
      }
    }
    headers.moveSequence(note, view);
    return sender.depart(view, route, around);
  }

  private Verdict sendHeader(FrameView view, int note, long route) {
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
