package io.lb4j.gateway.nat;

import io.lb4j.address.InterfaceAddress;
import io.lb4j.address.IpAddress;
import io.lb4j.address.IpPrefix;
import io.lb4j.forward.ForwardTarget;
import io.lb4j.forward.TranslatorContext;
import io.lb4j.frame.FrameKind;
import io.lb4j.frame.FrameView;
import io.lb4j.frame.Verdict;
import io.lb4j.gateway.Gateway;
import io.lb4j.wire.IpProtocol;
import java.util.List;
import java.util.SplittableRandom;

/** Opens sessions of services. Owned by one worker. */
final class ServiceSessions {
  /**
   * Ports that are looked at for one packet, of all addresses together. Each costs a look-up, so that they bound what a
   * flood costs while no port is free; and they are enough: with 98 of 100 taken, one packet of 176 finds none.
   */
  private static final int SOURCE_PORT_TRIES = 256;

  private final TranslatorContext context;
  private final Sessions sessions;
  private final Sender sender;
  private final Handshakes handshakes;
  private final IdleResets idleResets;
  private final IcmpTranslator.Ours ours;
  private final SplittableRandom random;
  private final IpPrefix[] connected;
  private final Tuple key = new Tuple();
  private final Tuple to = new Tuple();
  private final Tuple reply = new Tuple();

  ServiceSessions(
      TranslatorContext context,
      Sessions sessions,
      Sender sender,
      Handshakes handshakes,
      IdleResets idleResets,
      IcmpTranslator.Ours ours,
      SplittableRandom random) {
    this.context = context;
    this.sessions = sessions;
    this.sender = sender;
    this.handshakes = handshakes;
    this.idleResets = idleResets;
    this.ours = ours;
    this.random = random;
    this.connected =
        context.topology().links().stream()
            .flatMap(link -> link.addresses().stream())
            .map(InterfaceAddress::network)
            .toArray(IpPrefix[]::new);
  }

  Verdict open(FrameView view, int binding, ForwardTarget target, Gateway method) {
    boolean query = view.kind() == FrameKind.ICMP;
    if (query) {
      key.ofQuery(view);
    } else {
      key.of(view);
    }
    to.of(key);
    int port = query || target.port() == 0 ? key.destinationPort() : target.port();
    to.setDestination(target.address().high(), target.address().low(), port);
    if (method.sources().isEmpty() && areNeighbors()) {
      return Verdict.CLIENT_IS_NEIGHBOR;
    }
    long route = (long) target.link() << 32 | target.neighbor();
    Verdict refusal = sender.refusal(view, route, false);
    if (refusal == null) {
      refusal = openSession(view, binding, method, query);
    }
    if (refusal != null) {
      return refusal;
    }
    view.setBinding(binding);
    return sender.send(view, to, route, false);
  }

  private Verdict openSession(FrameView view, int binding, Gateway method, boolean query) {
    boolean tcp = view.protocol() == IpProtocol.TCP;
    boolean proxied = tcp && method.proxyProtocol(); // an echo request to the service has no connection
    if (proxied && ProxyHeaders.mayHaveData(view)) {
      return Verdict.NAT_PROTOCOL; // data with the SYN would overtake the header
    }
    int room = sessions.makeRoom(key, true);
    if (room != 0) {
      return room == Sessions.NO_ROOM ? Verdict.FLOW_TABLE_FULL : Verdict.EMBRYONIC_LIMIT;
    }
    if (!chooseSource(method)) {
      return method.sources().isEmpty() ? Verdict.NAT_TUPLE_IN_USE : Verdict.NAT_PORTS_EXHAUSTED;
    }
    boolean begins = tcp && TcpStates.isOpening(view);
    int state = tcp ? TcpStates.firstState(view) : udpOrQuery(query);
    long word =
        Word.of(Word.SESSION, SessionTable.code(key.protocol), state, sessions.tick(), binding)
            | Word.REFRESHES
            | (proxied ? Word.PROXIED : 0)
            | (tcp && idleResets.isWanted(binding, key.v6) ? Word.NUMBERED : 0);
    long around = ours.is(key.v6, key.sourceHigh, key.sourceLow) ? Word.AROUND : 0;
    sessions.open(
        key, to, begins ? Word.withCheck(word, TcpStates.checkOf(view)) : word, word | Word.REPLY | around);
    if (begins) {
      handshakes.onOpened(sessions.hashOf(reply.reverse(to)));
    }
    return null;
  }

  private static int udpOrQuery(boolean query) {
    return query ? SessionState.QUERY_FIRST : SessionState.UDP_FIRST;
  }

  /** Whether the server would answer its client directly, past us, so that the client would not know the answer. */
  private boolean areNeighbors() {
    for (IpPrefix network : connected) {
      if (network.contains(key.v6, key.sourceHigh, key.sourceLow)
          && network.contains(key.v6, to.destinationHigh, to.destinationLow)) {
        return true;
      }
    }
    return false;
  }

  /**
   * Finds a source for the server's side such that the reply's tuple is nobody's: with full NAT an address of the
   * service's, else the client's own, whose port changes only when the tuple is taken. A client keeps to one address
   * while that has ports. Ports are drawn at random until one is free (RFC 6056, section 3.3.2).
   */
  private boolean chooseSource(Gateway method) {
    List<IpAddress> sources = method.sources();
    boolean shared = !sources.isEmpty(); // by the workers; a client's own address comes back to its worker anyway
    int worker = shared ? context.worker() : 0;
    int workers = shared ? context.workers() : 1;
    int usual = shared ? (int) ((key.sourceLow * 0x9E37_79B9_7F4A_7C15L >>> 33) % sources.size()) : 0;
    setSource(sources, usual, key.sourcePort());
    if (PortPool.ownerOf(key.sourcePort(), workers) == worker && isFree()) {
      return true;
    }
    for (int i = 0; i < SOURCE_PORT_TRIES; i++) {
      // half of the tries are for the usual address, the others for all of them in turn
      int further = Math.max(0, 2 * i - SOURCE_PORT_TRIES) * sources.size() / SOURCE_PORT_TRIES;
      setSource(sources, usual + further, PortPool.anyPort(worker, workers, random));
      if (isFree()) {
        return true;
      }
    }
    return false;
  }

  /** Sets the port, and with full NAT the address, counted round; a query has its identifier in place of both ports. */
  private void setSource(List<IpAddress> sources, int index, int port) {
    if (sources.isEmpty()) {
      to.setSource(key.sourceHigh, key.sourceLow, port);
    } else {
      IpAddress source = sources.get(index % sources.size());
      to.setSource(source.high(), source.low(), port);
    }
    if (to.protocol == IpProtocol.ICMP || to.protocol == IpProtocol.ICMPV6) {
      to.ports = Tuple.ports(port, port);
    }
  }

  /** Whether nobody has the reply's tuple, or only a session whose time is over. */
  private boolean isFree() {
    return sessions.isFree(reply.reverse(to));
  }
}
