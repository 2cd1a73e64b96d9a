package io.lb4j.dataplane;

import io.lb4j.address.IpAddress;
import io.lb4j.forward.Translator;
import io.lb4j.frame.FrameKind;
import io.lb4j.frame.FrameParser;
import io.lb4j.frame.FrameView;
import io.lb4j.wire.EthernetHeader;
import io.lb4j.wire.IpProtocol;
import io.lb4j.wire.Ipv4Header;
import io.lb4j.wire.Ipv6Header;
import io.lb4j.wire.TcpHeader;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;

/**
 * Notices that a server's answers have another source than the server: source NAT on its way. Looked at is a SYN with
 * ACK that belongs to no session, from the MAC address of a next hop of control's; with that one's own address as
 * source it has to belong to a session. Ten of them a second at most, so that a flood costs nothing. Owned by one
 * worker; changes no frame and no verdict.
 */
final class StrayReplies {
  private static final long INTERVAL_NS = 100_000_000L;
  private static final int OPENS = TcpHeader.SYN | TcpHeader.ACK;
  private static final int LONGEST = 256; // a SYN with ACK and all its headers

  private final WorkerState state;
  private final FrameView corrected = new FrameView();
  private final ByteBuf copy = Unpooled.buffer(LONGEST, LONGEST);
  private boolean lookedBefore;
  private long lookedNs;

  StrayReplies(WorkerState state) {
    this.state = state;
  }

  /** A packet that no session wants. */
  void onUnknown(FrameView view, Translator translator) {
    boolean opens = view.kind() == FrameKind.SEGMENT
        && view.protocol() == IpProtocol.TCP
        && (view.tcpFlags() & (OPENS | TcpHeader.RST | TcpHeader.FIN)) == OPENS;
    if (opens && view.length() <= LONGEST && isTime()) {
      look(view, translator);
    }
  }

  private boolean isTime() {
    if (lookedBefore && state.nowNs - lookedNs < INTERVAL_NS) {
      return false;
    }
    lookedBefore = true;
    lookedNs = state.nowNs;
    return true;
  }

  private void look(FrameView view, Translator translator) {
    IpAddress server = state.linkLayer.serverOf(view.ingress(), view.sourceMac(), view.isV6());
    IpAddress source = IpAddress.of(view.isV6(), view.sourceHigh(), view.sourceLow());
    if (server == null || server.isV6() != view.isV6() || server.equals(source)) {
      return;
    }
    copy.setBytes(0, view.buffer(), view.start(), view.length());
    int ip = view.network() - view.start();
    copy.setBytes(ip + (view.isV6() ? Ipv6Header.SOURCE_OFFSET : Ipv4Header.SOURCE_OFFSET), server.octets());
    if (!view.isV6()) {
      Ipv4Header.updateChecksum(copy, ip);
    }
    corrected.wrap(copy, 0, view.length(), view.marks(), view.ingress());
    if (FrameParser.parse(corrected) != FrameKind.SEGMENT) {
      return;
    }
    state.hash(corrected);
    int session = translator.find(corrected);
    if (session != Translator.MISS && translator.isReply(session)) {
      state.linkLayer.tellWrongSource(view.ingress(), server, EthernetHeader.source(copy, 0), source);
    }
  }
}
