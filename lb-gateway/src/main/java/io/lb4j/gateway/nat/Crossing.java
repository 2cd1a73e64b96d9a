package io.lb4j.gateway.nat;

import io.lb4j.forward.Egress;
import io.lb4j.forward.TranslatorContext;
import io.lb4j.frame.FrameKind;
import io.lb4j.frame.FrameView;
import io.lb4j.frame.Verdict;
import io.lb4j.gateway.Filtering;
import io.lb4j.gateway.Outbound;
import io.lb4j.wire.IcmpHeader;
import io.lb4j.wire.IpProtocol;
import org.jspecify.annotations.Nullable;

/**
 * Traffic that crosses the balancer without being a service's: what inside hosts start, what comes to mappings and
 * routed hosts, and the refusal of all else. Owned by one worker.
 *
 * <p>{@link #key} is the packet's tuple and {@link #to} what it becomes, from the public methods on.
 */
final class Crossing {
  private static final int ADMINISTRATIVELY_PROHIBITED = 13;
  private static final int V6_ADMINISTRATIVELY_PROHIBITED = 1;

  private final Outbound settings;
  private final TranslatorContext context;
  private final Sessions sessions;
  private final Mappings mappings;
  private final Sender sender;
  private final UnsolicitedSyns unsolicited;
  private final IcmpTranslator.Ours ours;
  private final Tuple key = new Tuple();
  private final Tuple to = new Tuple();
  private final Tuple reply = new Tuple();
  private long nowNs;

  Crossing(
      Outbound settings,
      TranslatorContext context,
      Sessions sessions,
      Mappings mappings,
      Sender sender,
      UnsolicitedSyns unsolicited,
      IcmpTranslator.Ours ours) {
    this.settings = settings;
    this.context = context;
    this.sessions = sessions;
    this.mappings = mappings;
    this.sender = sender;
    this.unsolicited = unsolicited;
    this.ours = ours;
  }

  void begin(long burstNs) {
    nowNs = burstNs;
  }

  /** How a packet without session ended; null when it is to an address of ours and no mapping's. */
  @Nullable Verdict onUnserved(FrameView view) {
    boolean query = isQuery(view);
    if (query) {
      key.ofQuery(view);
    } else {
      key.of(view);
    }
    if (isNotForOthers(key)) {
      return ours.is(key.v6, key.destinationHigh, key.destinationLow) ? null : Verdict.NOT_ROUTED;
    }
    int rule = view.isAgain() ? -1 : mappings.ruleOf(key.v6, key.sourceHigh, key.sourceLow);
    if (rule >= 0) {
      return fromInside(view, rule, query);
    }
    if (mappings.isExternal(key.v6, key.destinationHigh, key.destinationLow)) {
      return toMapping(view, query);
    }
    int inside = mappings.ruleOf(key.v6, key.destinationHigh, key.destinationLow);
    if (inside >= 0) {
      return mappings.isRouted(inside) ? toRouted(view, query) : Verdict.NOT_ROUTED;
    }
    return ours.is(key.v6, key.destinationHigh, key.destinationLow) ? null : Verdict.NOT_ROUTED;
  }

  // ---- what kind of packet -------------------------------------------------------------------------------------

  /** An ICMP message with an identifier, whole or a first fragment. */
  static boolean isQuery(FrameView view) {
    int protocol = view.protocol();
    if (protocol == IpProtocol.ICMPV6) {
      return view.isV6()
          && (view.icmpType() == IcmpHeader.V6_ECHO_REQUEST || view.icmpType() == IcmpHeader.V6_ECHO_REPLY);
    }
    return protocol == IpProtocol.ICMP && !view.isV6() && IcmpHeader.hasIdentifier(view.icmpType());
  }

  private static boolean isAnswer(FrameView view) {
    int type = view.icmpType();
    return view.isV6() ? type == IcmpHeader.V6_ECHO_REPLY : !IcmpHeader.isRequest(type);
  }

  private static boolean hasPorts(FrameView view) {
    return view.protocol() == IpProtocol.TCP || view.protocol() == IpProtocol.UDP;
  }

  private static boolean isIcmp(FrameView view) {
    return view.protocol() == (view.isV6() ? IpProtocol.ICMPV6 : IpProtocol.ICMP);
  }

  /**
   * Link-local addresses mean nothing on another link (RFC 3927, section 2.7; RFC 4291, section 2.5.6), "this network"
   * and loopback nothing on any (RFC 1812, section 5.3.7).
   */
  static boolean isNotForOthers(Tuple tuple) {
    long destination = tuple.destinationLow;
    if (tuple.v6) {
      boolean host = tuple.destinationHigh == 0 && destination >>> 1 == 0; // unspecified or loopback
      return host || tuple.sourceHigh >>> 54 == 0x3FA || tuple.destinationHigh >>> 54 == 0x3FA;
    }
    boolean linkLocal = tuple.sourceLow >>> 16 == 0xA9FE || destination >>> 16 == 0xA9FE;
    return linkLocal || destination >>> 24 == 0 || destination >>> 24 == 127;
  }

  // ---- from inside ---------------------------------------------------------------------------------------------

  private @Nullable Verdict fromInside(FrameView view, int rule, boolean query) {
    if (isSpoofed(view)) {
      return Verdict.SOURCE_SPOOFED;
    }
    boolean routed = mappings.isRouted(rule);
    if (ours.is(key.v6, key.destinationHigh, key.destinationLow)) {
      return toOurs(view, routed, query);
    }
    boolean unchanged = routed || mappings.ruleOf(key.v6, key.destinationHigh, key.destinationLow) >= 0;
    if (!query && !hasPorts(view)) {
      return isIcmp(view) ? Verdict.NOT_ROUTED : unchanged ? routeAlone(view) : Verdict.NAT_PROTOCOL;
    }
    if (query && isAnswer(view)) {
      return Verdict.NO_MAPPING;
    }
    if (view.protocol() == IpProtocol.TCP && !TcpStates.isOpening(view)) {
      return Verdict.TCP_NOT_SYN;
    }
    to.of(key);
    return unchanged ? openRouted(view, query) : openMapped(view, rule, query, false);
  }

  /** With several interfaces, an inside source comes in by the one that leads to it (RFC 3704, section 2.2). */
  private boolean isSpoofed(FrameView view) {
    return context.egress().linkTowards(view.isV6(), view.sourceHigh(), view.sourceLow()) != view.ingress();
  }

  /** An inside host to an external or virtual address that no service wants: a hairpin, or what outsiders get. */
  private @Nullable Verdict toOurs(FrameView view, boolean routed, boolean query) {
    boolean external = mappings.isExternal(key.v6, key.destinationHigh, key.destinationLow);
    if (!external || query) {
      return null;
    }
    return routed || !hasPorts(view) ? toMapping(view, query) : hairpin(view);
  }

  /** An inside host to an address of ours: it goes out translated, and comes in again. */
  Verdict hairpin(FrameView view) {
    key.of(view);
    if (isSpoofed(view)) {
      return Verdict.SOURCE_SPOOFED;
    }
    if (view.protocol() == IpProtocol.TCP && !TcpStates.isOpening(view)) {
      return Verdict.TCP_NOT_SYN;
    }
    to.of(key);
    return openMapped(view, mappings.ruleOf(key.v6, key.sourceHigh, key.sourceLow), false, true);
  }

  private Verdict openRouted(FrameView view, boolean query) {
    long route = sender.route(to, false);
    Verdict refusal = sender.refusal(view, route, false);
    int room = refusal == null ? sessions.makeRoom(key, true) : 0;
    if (refusal == null) {
      refusal = room != 0 ? verdictOf(room) : openOutward(view, query, settings.filtering() == Filtering.ADDRESS_DEPENDENT);
    }
    return refusal != null ? refusal : sender.send(view, to, route, false);
  }

  private Verdict openMapped(FrameView view, int rule, boolean query, boolean around) {
    long route = sender.route(to, around);
    Verdict refusal = sender.refusal(view, route, around);
    if (refusal != null) {
      return refusal;
    }
    int room = sessions.makeRoom(key, true);
    if (room != 0) {
      return refuseResources(view, verdictOf(room));
    }
    if (!mappings.translateSource(key, to, rule)) {
      return refuseResources(view, Verdict.NAT_PORTS_EXHAUSTED);
    }
    if (query) {
      to.ports = Tuple.ports(to.sourcePort(), to.sourcePort());
    }
    refusal = openOutward(view, query, true);
    if (refusal != null) {
      mappings.dropUnused(key);
      return refusal;
    }
    mappings.begunInside(key);
    return sender.send(view, to, route, around);
  }

  private static Verdict verdictOf(int room) {
    return room == Sessions.NO_ROOM ? Verdict.FLOW_TABLE_FULL : Verdict.EMBRYONIC_LIMIT;
  }

  /** No resources: said so (RFC 5508, REQ-8). */
  private Verdict refuseResources(FrameView view, Verdict reason) {
    int code = view.isV6() ? V6_ADMINISTRATIVELY_PROHIBITED : ADMINISTRATIVELY_PROHIBITED;
    context.errors().send(view, Departure.unreachable(view), code, 0);
    return reason;
  }

  private @Nullable Verdict openOutward(FrameView view, boolean query, boolean mapped) {
    long word = outboundWord(view, query, mapped);
    boolean both = view.protocol() == IpProtocol.TCP || settings.inboundRefresh();
    long first = Word.withLink(word | Word.REFRESHES, view.isAgain() ? -1 : view.ingress());
    Verdict refusal = openSession(view, first, both ? word | Word.REFRESHES : word);
    if (refusal == null && mapped) {
      mappings.onBegin(key, to, true);
    }
    if (refusal == null && TcpStates.isOpening(view)) {
      unsolicited.onOutboundSyn(reply.reverse(to));
    }
    return refusal;
  }

  private @Nullable Verdict openInward(FrameView view, boolean query, boolean mapped, long route) {
    long word = mappings.begunOutside(outboundWord(view, query, mapped), key, to);
    boolean both = view.protocol() == IpProtocol.TCP || settings.inboundRefresh();
    long replyWord = Word.withLink(word | Word.REFRESHES, Egress.linkOf(route));
    Verdict refusal = openSession(view, both ? word | Word.REFRESHES : word, replyWord);
    if (refusal == null && mapped) {
      mappings.onBegin(key, to, false);
    }
    return refusal;
  }

  private long outboundWord(FrameView view, boolean query, boolean mapped) {
    int state =
        view.protocol() == IpProtocol.TCP
            ? SessionState.FIRST_SYN
            : query ? SessionState.QUERY_FIRST : SessionState.UDP_FIRST;
    long word = Word.of(Word.SESSION, SessionTable.code(key.protocol), state, sessions.tick(), 0);
    return word | Word.OUTBOUND | (mapped ? Word.MAPPED : 0);
  }

  /** Opens the session of {@link #key} and {@link #to}, for which there is room; null when it is open. */
  private @Nullable Verdict openSession(FrameView view, long firstWord, long replyWord) {
    if (sessions.lookup(reply.reverse(to)) != Sessions.MISS) {
      return Verdict.NAT_TUPLE_IN_USE;
    }
    long first = firstWord | aroundTo(to.destinationHigh, to.destinationLow);
    if (view.protocol() == IpProtocol.TCP) {
      first = Word.withCheck(first, TcpStates.checkOf(view));
    }
    sessions.open(key, to, first, replyWord | Word.REPLY | aroundTo(key.sourceHigh, key.sourceLow));
    return null;
  }

  private long aroundTo(long high, long low) {
    return ours.is(key.v6, high, low) ? Word.AROUND : 0;
  }

  /** A protocol without ports keeps its addresses, and no session. */
  private Verdict routeAlone(FrameView view) {
    to.of(key);
    long route = sender.route(to, false);
    Verdict refusal = sender.refusal(view, route, false);
    return refusal != null ? refusal : sender.sendUnchanged(view, route);
  }

  // ---- from outside --------------------------------------------------------------------------------------------

  /** To an external address of a pool: null when no mapping has the port and a service or echo may. */
  private @Nullable Verdict toMapping(FrameView view, boolean query) {
    to.of(key);
    if (query && isAnswer(view)) {
      return mappings.translateDestination(key, to) ? Verdict.FILTERED : Verdict.NO_MAPPING;
    }
    if (!hasPorts(view)) {
      return query ? null : Verdict.NAT_PROTOCOL;
    }
    if (!mappings.translateDestination(key, to)) {
      return refuseInbound(view, Verdict.NO_MAPPING);
    }
    if (!mappings.admits(key)) {
      return refuseInbound(view, Verdict.FILTERED);
    }
    int room = sessions.makeRoom(key, true);
    boolean stillThere = mappings.translateDestination(key, to) && mappings.admits(key); // it may have given way
    return room != 0 ? verdictOf(room) : stillThere ? openInbound(view, query, true) : Verdict.NO_MAPPING;
  }

  private Verdict toRouted(FrameView view, boolean query) {
    boolean open = settings.filtering() == Filtering.ENDPOINT_INDEPENDENT;
    if (!query && !hasPorts(view)) {
      return isIcmp(view) ? Verdict.NOT_ROUTED : open ? routeAlone(view) : Verdict.FILTERED;
    }
    boolean admitted = query ? open && !isAnswer(view) : mappings.admits(key);
    if (!admitted) {
      return refuseInbound(view, Verdict.FILTERED);
    }
    int room = sessions.makeRoom(key, true);
    to.of(key);
    return room != 0 ? verdictOf(room) : openInbound(view, query, false);
  }

  private Verdict openInbound(FrameView view, boolean query, boolean mapped) {
    if (view.protocol() == IpProtocol.TCP && !TcpStates.isOpening(view)) {
      return Verdict.TCP_NOT_SYN;
    }
    long route = sender.route(to, false);
    Verdict refusal = sender.refusal(view, route, false);
    if (refusal == null) {
      refusal = openInward(view, query, mapped, route);
    }
    return refusal != null ? refusal : sender.send(view, to, route, false);
  }

  private Verdict refuseInbound(FrameView view, Verdict reason) {
    boolean unsolicitedSyn =
        view.kind() == FrameKind.SEGMENT && view.protocol() == IpProtocol.TCP && TcpStates.isOpening(view);
    return unsolicitedSyn ? unsolicited.hold(view, key, nowNs) : reason;
  }
}
