package io.lb4j.gateway.nat;

import io.lb4j.forward.Egress;
import io.lb4j.forward.TranslatorContext;
import io.lb4j.frame.FrameMarks;
import io.lb4j.frame.FrameOutput;
import io.lb4j.frame.FrameView;
import io.lb4j.frame.Verdict;
import io.lb4j.wire.EthernetHeader;
import io.lb4j.wire.InternetChecksum;
import io.lb4j.wire.IpProtocol;
import io.lb4j.wire.Ipv4Header;
import io.lb4j.wire.Ipv6Header;
import io.lb4j.wire.TcpHeader;
import io.netty.buffer.ByteBuf;

/**
 * Resets for both ends of an established connection that was silent for too long, so that none of them believes in it
 * any more. Owned by one worker.
 *
 * <p>An end believes a reset at exactly the number that it expects next (RFC 5961, section 3.2), and that is the number
 * that it acknowledged last, whatever the other end has sent meanwhile. So the table keeps the last acknowledgment of
 * each side, in a part of its own that exists only where a service asks for resets. There is no acknowledgment in the
 * reset itself: an end that has begun a new connection from the same port does not believe it then (RFC 9293, section
 * 3.10.7.3).
 */
final class IdleResets {
  /** After a standstill many connections end in one burst; so many are told of it. */
  static final int MOST_PER_BURST = 1024;

  private static final int TIME_TO_LIVE = 64;
  private static final int FLAGS = TcpHeader.MINIMUM_LENGTH / 4 << 12 | TcpHeader.RST;

  private final TranslatorContext context;
  private final Sessions sessions;
  private final IcmpTranslator.Ours ours;
  private final Tuple to = new Tuple();
  private final FrameView view = new FrameView();
  private FrameOutput out;
  private int left;

  IdleResets(TranslatorContext context, Sessions sessions, IcmpTranslator.Ours ours) {
    this.context = context;
    this.sessions = sessions;
    this.ours = ours;
  }

  void begin(FrameOutput burstOut) {
    this.out = burstOut;
    this.left = MOST_PER_BURST;
  }

  /** Whether a session that begins is to be reset one day; its numbers are then kept. */
  boolean isWanted(int binding, boolean v6) {
    return sessions.keepsNumbers(v6) && context.accounting().resetsOnIdle(binding);
  }

  /** Remembers what a segment acknowledges. */
  void onSegment(FrameView segment, int session) {
    int flags = segment.tcpFlags();
    if ((flags & (TcpHeader.ACK | TcpHeader.RST)) == TcpHeader.ACK) {
      sessions.keepNumber(session, segment.tcpAcknowledgment());
    }
  }

  /** The time of a session is over, by either direction's handle; it still is in the table. */
  void onExpire(int session) {
    long word = sessions.word(session);
    if (!context.accounting().resetsOnIdle(Word.binding(word))) {
      return;
    }
    int twin = sessions.twin(session);
    int own = sessions.number(session);
    int others = twin == Sessions.MISS ? 0 : sessions.number(twin);
    boolean told = own != 0 && others != 0 && left > 0;
    if (told) {
      left--;
      send(to.reverse(sessions.key(session, to)), own);
      send(sessions.becomes(session, to), others);
    }
    context.accounting().onIdle(Word.binding(word), told);
  }

  /** Sends a reset to who acknowledged a number; to an inside host behind an address of ours, as its packets go. */
  private void send(Tuple reset, int number) {
    if (ours.is(reset.v6, reset.destinationHigh, reset.destinationLow) && !goRound(reset)) {
      return;
    }
    long route = context.egress().route(reset.v6, reset.destinationHigh, reset.destinationLow);
    if (route == Egress.NO_ROUTE) {
      return;
    }
    ByteBuf frame = frame(reset, number);
    view.wrap(frame, 0, frame.readableBytes(), FrameMarks.NONE, -1);
    Verdict verdict = context.egress().send(view, Egress.linkOf(route), Egress.neighborOf(route));
    if (verdict == Verdict.FORWARD) {
      out.transmit(Egress.linkOf(route), frame, FrameMarks.NONE);
    } else {
      frame.release();
    }
  }

  /** Translates a reset by the session that it is in after its second walk, and records it there. */
  private boolean goRound(Tuple reset) {
    int session = sessions.lookup(reset);
    if (session == Sessions.MISS || Word.kind(sessions.word(session)) != Word.SESSION) {
      return false;
    }
    boolean reply = Word.has(sessions.word(session), Word.REPLY);
    sessions.becomes(session, reset);
    sessions.setState(session, reply ? SessionState.RESET_REPLY : SessionState.RESET_FIRST);
    return !ours.is(reset.v6, reset.destinationHigh, reset.destinationLow);
  }

  // ---- the frame -----------------------------------------------------------------------------------------------

  private ByteBuf frame(Tuple reset, int number) {
    int network = EthernetHeader.LENGTH;
    int transport = network + (reset.v6 ? Ipv6Header.LENGTH : Ipv4Header.MINIMUM_LENGTH);
    int length = Math.max(transport + TcpHeader.MINIMUM_LENGTH, EthernetHeader.MINIMUM_FRAME_LENGTH);
    ByteBuf frame = context.allocator().buffer(length, length).writeZero(length);
    frame.setShort(EthernetHeader.ETHER_TYPE_OFFSET, reset.v6 ? EthernetHeader.IPV6 : EthernetHeader.IPV4);
    long pseudo = writeNetwork(frame, network, reset);
    frame.setInt(transport, reset.ports);
    frame.setInt(transport + TcpHeader.SEQUENCE_OFFSET, number);
    frame.setShort(transport + TcpHeader.DATA_OFFSET_OFFSET, FLAGS);
    long sum = InternetChecksum.sum(frame, transport, TcpHeader.MINIMUM_LENGTH, pseudo);
    frame.setShort(transport + TcpHeader.CHECKSUM_OFFSET, InternetChecksum.finish(sum));
    return frame;
  }

  private static long writeNetwork(ByteBuf frame, int network, Tuple reset) {
    int length = TcpHeader.MINIMUM_LENGTH;
    if (reset.v6) {
      Ipv6Header.write(
          frame,
          network,
          length,
          IpProtocol.TCP,
          TIME_TO_LIVE,
          reset.sourceHigh,
          reset.sourceLow,
          reset.destinationHigh,
          reset.destinationLow);
      return InternetChecksum.pseudoHeader6(frame, network, IpProtocol.TCP, length);
    }
    int source = (int) reset.sourceLow;
    int destination = (int) reset.destinationLow;
    Ipv4Header.write(
        frame, network, Ipv4Header.MINIMUM_LENGTH + length, TIME_TO_LIVE, IpProtocol.TCP, source, destination);
    return InternetChecksum.pseudoHeader4(source, destination, IpProtocol.TCP, length);
  }
}
