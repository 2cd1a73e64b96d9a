package io.lb4j.gateway.nat;

import io.lb4j.address.InterfaceAddress;
import io.lb4j.address.IpAddress;
import io.lb4j.address.IpPrefix;
import io.lb4j.forward.Egress;
import io.lb4j.forward.ForwardTarget;
import io.lb4j.forward.IcmpErrors;
import io.lb4j.forward.TranslatedForwarding;
import io.lb4j.forward.TranslatedHeader;
import io.lb4j.forward.Translator;
import io.lb4j.forward.TranslatorContext;
import io.lb4j.frame.FrameKind;
import io.lb4j.frame.FrameOutput;
import io.lb4j.frame.FrameView;
import io.lb4j.frame.Verdict;
import io.lb4j.gateway.Filtering;
import io.lb4j.gateway.Gateway;
import io.lb4j.gateway.Outbound;
import io.lb4j.service.VirtualService;
import io.lb4j.settings.ConfigurationError;
import io.lb4j.settings.ConfigurationException;
import io.lb4j.wire.IcmpHeader;
import io.lb4j.wire.IpProtocol;
import io.lb4j.wire.TcpHeader;
import io.netty.buffer.ByteBuf;
import java.util.List;
import java.util.SplittableRandom;
import org.jspecify.annotations.Nullable;

/**
 * The translator of one worker: what becomes of each packet that crosses the balancer.
 *
 * <pre>
 *   known session ───────────────────────────▶ translate ─▶ way out
 *   new, to a service ─▶ server chosen ─▶ open ─▶ translate ─▶ way out
 *   new, from inside ─▶ routed, or a mapping ─▶ open ─▶ translate ─▶ way out, or round again when it is to us
 *   new, to a mapping ─▶ admitted? ─▶ open ─▶ translate ─▶ way out
 *   everything else is refused
 * </pre>
 */
public final class NatTranslator implements Translator {
  /** Sessions at most: tables of more would not fit in one piece of memory. */
  static final int MAX_SESSIONS = 1 << 22;

  private static final int ADMINISTRATIVELY_PROHIBITED = 13;
  private static final int V6_ADMINISTRATIVELY_PROHIBITED = 1;
  private static final int SOURCE_PORT_TRIES = 64;
  private static final int FIRST_FREE_PORT = 1024;
  private static final int REFRESHES_PER_TIMEOUT = 4;

  private final Outbound settings;
  private final TranslatorContext context;
  private final SplittableRandom random;
  private final Sessions sessions;
  private final Mappings mappings;
  private final TcpStates tcpStates;
  private final Departure departure;
  private final IcmpTranslator icmp;
  private final Identifications identifications;
  private final UnsolicitedSyns unsolicited;
  private final ProxyHeaders proxyHeaders;
  private final FrameView piece = new FrameView();
  private final IpPrefix[] connected;

  private final Tuple key = new Tuple();
  private final Tuple to = new Tuple();
  private final Tuple reply = new Tuple();

  private AddressSet virtual = new AddressSet(List.of());
  private FrameOutput out;
  private long nowNs;

  /**
   * A translator without sessions.
   *
   * @param settings the rules
   * @param context what the worker lends
   */
  public NatTranslator(Outbound settings, TranslatorContext context) {
    if (context.capacity() > MAX_SESSIONS) {
      throw new ConfigurationException(
          ConfigurationError.OUT_OF_RANGE,
          "flow-table: capacity",
          context.capacity(),
          "a translator keeps " + MAX_SESSIONS + " sessions at most");
    }
    this.settings = settings;
    this.context = context;
    this.nowNs = context.nowNs();
    this.random = new SplittableRandom(context.seed() + context.worker());
    this.mappings = new Mappings(settings, random, context.seed(), context.worker(), context.workers());
    this.proxyHeaders = new ProxyHeaders(context.allocator());
    this.sessions =
        new Sessions(
            context.hash(),
            context.capacity(),
            context.overflow(),
            context.accounting(),
            this::onMappedEnd,
            settings.timeouts(),
            settings.icmpTimeout(),
            nowNs);
    mappings.keepIn(sessions);
    this.tcpStates = new TcpStates(sessions);
    this.departure = new Departure(context.egress(), context.loop(), context.errors(), context.allocator());
    this.icmp = new IcmpTranslator(sessions, departure, proxyHeaders, context.topology(), this::isOurs);
    this.identifications = new Identifications(random, context.worker(), context.workers());
    this.unsolicited =
        new UnsolicitedSyns(
            context.allocator(), context.errors(), settings.unsolicitedSyn(), context.heldEnded());
    this.connected =
        context.topology().links().stream()
            .flatMap(link -> link.addresses().stream())
            .map(InterfaceAddress::network)
            .toArray(IpPrefix[]::new);
  }

  @Override
  public void adopt(List<VirtualService> services) {
    virtual = new AddressSet(services.stream().flatMap(service -> service.vips().stream()).toList());
    boolean v6Service =
        services.stream()
            .anyMatch(service -> service.isV6() && service.forwarding() instanceof TranslatedForwarding);
    if (v6Service || settings.rules().stream().anyMatch(rule -> rule.from().address().isV6())) {
      sessions.enableV6();
    }
    mappings.adopt(services);
    long shortestNs =
        services.stream()
            .flatMap(service -> service.persistence().stream())
            .mapToLong(clients -> clients.timeout().toNanos())
            .min()
            .orElse(Long.MAX_VALUE);
    sessions.refreshEvery(shortestNs == Long.MAX_VALUE ? shortestNs : shortestNs / REFRESHES_PER_TIMEOUT);
  }

  @Override
  public void begin(long burstNs, FrameOutput burstOut) {
    nowNs = burstNs;
    out = burstOut;
    mappings.at(burstNs);
    departure.begin(burstOut);
    sessions.at(burstNs);
  }

  // ---- known sessions ------------------------------------------------------------------------------------------

  @Override
  public int touch(FrameView view) {
    return sessions.touch(view);
  }

  @Override
  public int find(FrameView view) {
    return sessions.find(view);
  }

  @Override
  public int binding(int session) {
    return Word.binding(sessions.word(session));
  }

  @Override
  public boolean isReply(int session) {
    return Word.has(sessions.word(session), Word.REPLY);
  }

  /** A SYN of another connection: the old one has ended, is to go elsewhere, or has long been silent (RFC 5961). */
  @Override
  public boolean beginsAnew(FrameView view, int session, boolean takesNewFlows) {
    if (!TcpStates.isOpening(view) || view.protocol() != IpProtocol.TCP) {
      return false;
    }
    long word = sessions.word(session);
    int state = Word.state(word);
    if (SessionState.isClosing(state)) {
      return true;
    }
    if (SessionState.isOpening(state) && Word.check(word) == TcpStates.checkOf(view)) {
      return false; // sent again
    }
    return !takesNewFlows || sessions.isSilent(session);
  }

  @Override
  public void end(int session) {
    sessions.end(session, true);
  }

  @Override
  public Verdict translate(FrameView view, int session) {
    sessions.becomes(session, to);
    boolean around = Word.has(sessions.word(session), Word.AROUND);
    long route = around ? 0 : departure.route(to);
    Verdict refusal = around ? refusalBeforeLoop(view) : departure.refusal(view, route);
    if (refusal != null) {
      return refusal;
    }
    long word = track(view, session);
    boolean isReply = Word.has(word, Word.REPLY);
    view.setBinding(isReply ? 0 : Word.binding(word));
    if (Word.has(word, Word.PROXIED)) {
      return translateProxied(view, session, word, route);
    }
    return around ? sendAround(view) : send(view, route);
  }

  private Verdict refusalBeforeLoop(FrameView view) {
    return Departure.hasNoLife(view) ? departure.timeExceeded(view) : null;
  }

  /** Records the packet; answers the direction's word. */
  private long track(FrameView view, int session) {
    long word = sessions.word(session);
    int state = Word.state(word);
    boolean refreshes = Word.has(word, Word.REFRESHES);
    if (view.protocol() == IpProtocol.TCP) {
      boolean simple =
          state == SessionState.ESTABLISHED && (view.tcpFlags() & TcpStates.ANY_STATE_FLAGS) == 0;
      if (!simple) {
        refreshes = tcpStates.onSegment(view, session);
        word = sessions.word(session);
        if (TcpStates.isOpening(view)) {
          onOutboundSyn();
        }
      }
      if (!SessionState.isOpening(Word.state(word))) {
        word = TcpStates.withNext(word, view);
      }
    } else if (state == SessionState.UDP_FIRST && !Word.has(word, Word.REPLY)) {
      sessions.setState(session, SessionState.UDP);
      word = sessions.word(session);
    }
    if (refreshes) {
      word = Word.withTick(word, sessions.tick());
    }
    sessions.setWord(session, word);
    return word;
  }

  /** Only sessions that servers start can meet an unsolicited SYN; asking about others finds none. */
  private void onOutboundSyn() {
    if (unsolicited.held() > 0) {
      unsolicited.onOutboundSyn(reply.reverse(to));
    }
  }

  /** Rewrites a packet into {@link #to} and sends it. */
  private Verdict send(FrameView view, long route) {
    departure.prepare(view, route);
    Rewriter.packet(view, to, identification(view), true);
    return departure.send(view, route);
  }

  private Verdict sendAround(FrameView view) {
    Rewriter.packet(view, to, identification(view), false);
    return departure.sendAround(view);
  }

  /** Hosts that share a source address must not share identifications. */
  private int identification(FrameView view) {
    boolean shared = to.sourceLow != view.sourceLow() || to.sourceHigh != view.sourceHigh();
    return shared && Identifications.matters(view) ? identifications.next(to) : Rewriter.KEEP;
  }

  private Verdict translateProxied(FrameView view, int session, long word, long route) {
    int slot = Word.check(word);
    departure.prepare(view, route);
    if (Word.has(word, Word.REPLY)) {
      proxyHeaders.moveAcknowledgments(slot, view);
      Rewriter.packet(view, to, identification(view), true);
      return departure.send(view, route);
    }
    boolean due = proxyHeaders.isDue(slot, view);
    if ((view.tcpFlags() & TcpHeader.SYN) != 0) {
      proxyHeaders.onSyn(slot, view);
    }
    Rewriter.packet(view, to, identification(view), true);
    if (due) {
      Verdict verdict = sendProxyHeader(view, slot, session, route);
      if (verdict.isDrop()) {
        return verdict;
      }
    }
    proxyHeaders.moveSequence(slot, view);
    return departure.send(view, route);
  }

  private Verdict sendProxyHeader(FrameView view, int slot, int session, long route) {
    ByteBuf segment = proxyHeaders.segment(slot, view, sessions.key(session, key));
    piece.wrap(segment, 0, segment.readableBytes(), 0, -1);
    Verdict verdict =
        context.egress().send(piece, Egress.linkOf(route), Egress.neighborOf(route));
    if (verdict == Verdict.FORWARD) {
      out.transmit(Egress.linkOf(route), segment, piece.marks());
    } else {
      segment.release();
    }
    return verdict;
  }

  @Override
  public Verdict follow(FrameView view, TranslatedHeader path) {
    to.v6 = view.isV6();
    to.protocol = view.protocol();
    to.sourceHigh = path.sourceHigh;
    to.sourceLow = path.sourceLow;
    to.destinationHigh = path.destinationHigh;
    to.destinationLow = path.destinationLow;
    long route = departure.route(to);
    Verdict refusal = departure.refusal(view, route);
    if (refusal != null) {
      return refusal;
    }
    Rewriter.fragment(view, to, path.identification);
    return departure.send(view, route);
  }

  // ---- sessions of services ------------------------------------------------------------------------------------

  @Override
  public boolean mustLoop(FrameView view) {
    int rule = mappings.ruleOf(view.isV6(), view.sourceHigh(), view.sourceLow());
    return rule >= 0 && !mappings.isRouted(rule);
  }

  @Override
  public Verdict open(FrameView view, int binding, ForwardTarget target, TranslatedForwarding forwarding) {
    Gateway method = (Gateway) forwarding;
    boolean query = view.kind() == FrameKind.ICMP;
    if (query) {
      key.ofQuery(view);
    } else {
      key.of(view);
    }
    to.of(key);
    int port = query || target.port() == 0 ? key.destinationPort() : target.port();
    to.setDestination(target.address().high(), target.address().low(), port);
    if (method.sources().isEmpty() && areNeighbors(key, to)) {
      return Verdict.CLIENT_IS_NEIGHBOR;
    }
    long route = (long) target.link() << 32 | target.neighbor();
    Verdict refusal = departure.refusal(view, route);
    if (refusal != null) {
      return refusal;
    }
    boolean tcp = view.protocol() == IpProtocol.TCP;
    boolean proxied = tcp && method.proxyProtocol(); // an echo request to the service has no connection
    if (proxied && view.payloadLength() > 0) {
      return Verdict.NAT_PROTOCOL; // data with the SYN would overtake the header
    }
    int room = sessions.makeRoom(key, !query);
    if (room != 0) {
      return room == Sessions.NO_ROOM ? Verdict.FLOW_TABLE_FULL : Verdict.EMBRYONIC_LIMIT;
    }
    if (!chooseSource(method)) {
      return method.sources().isEmpty() ? Verdict.NAT_TUPLE_IN_USE : Verdict.NAT_PORTS_EXHAUSTED;
    }
    int slot = proxied ? proxyHeaders.begin(view) : ProxyHeaders.NONE;
    if (proxied && slot == ProxyHeaders.NONE) {
      return Verdict.FLOW_TABLE_FULL;
    }
    int state = tcp ? SessionState.FIRST_SYN : query ? SessionState.QUERY : SessionState.UDP_FIRST;
    long word = Word.of(Word.SESSION, SessionTable.code(key.protocol), state, sessions.tick(), binding) | Word.REFRESHES;
    long firstWord = tcp ? Word.withCheck(word, TcpStates.checkOf(view)) : word;
    long replyWord = word | Word.REPLY | aroundTo(key.sourceHigh, key.sourceLow);
    if (slot != ProxyHeaders.NONE) {
      firstWord = Word.withCheck(word, slot) | Word.PROXIED;
      replyWord = Word.withCheck(replyWord, slot) | Word.PROXIED;
    }
    sessions.open(key, to, firstWord, replyWord);
    view.setBinding(binding);
    return send(view, route);
  }

  /** Whether a server would answer its client directly, past us, so that the client would not know the answer. */
  private boolean areNeighbors(Tuple from, Tuple translated) {
    for (IpPrefix network : connected) {
      if (network.contains(from.v6, from.sourceHigh, from.sourceLow)
          && network.contains(from.v6, translated.destinationHigh, translated.destinationLow)) {
        return true;
      }
    }
    return false;
  }

  /**
   * Finds a source for the server's side such that the reply's tuple is nobody's: with full NAT an address of the
   * service's, else the client's own, whose port changes only when the tuple is taken.
   */
  private boolean chooseSource(Gateway method) {
    List<IpAddress> sources = method.sources();
    int wanted = key.sourcePort();
    if (!sources.isEmpty()) {
      int index = (int) ((key.sourceLow * 0x9E37_79B9_7F4A_7C15L >>> 33) % sources.size());
      IpAddress source = sources.get(index);
      to.setSource(source.high(), source.low(), wanted);
    }
    boolean mayKeep = sources.isEmpty() || PortPool.ownerOf(wanted, context.workers()) == context.worker();
    if (mayKeep && isFree()) {
      return true;
    }
    for (int i = 0; i < SOURCE_PORT_TRIES; i++) {
      int port = FIRST_FREE_PORT + random.nextInt(65536 - FIRST_FREE_PORT);
      if (sources.isEmpty() || PortPool.ownerOf(port, context.workers()) == context.worker()) {
        to.setSource(to.sourceHigh, to.sourceLow, port);
        if (to.protocol == IpProtocol.ICMP || to.protocol == IpProtocol.ICMPV6) {
          to.ports = Tuple.ports(port, port);
        }
        if (isFree()) {
          return true;
        }
      }
    }
    return false;
  }

  private boolean isFree() {
    return sessions.find(reply.reverse(to)) == Sessions.MISS;
  }

  /** The flag of a direction whose packets are to one of our own addresses. */
  private long aroundTo(long high, long low) {
    return isOurs(key.v6, high, low) ? Word.AROUND : 0;
  }

  private void onMappedEnd(Tuple first, Tuple became) {
    int slot = sessions.endedProxySlot();
    if (slot >= 0) {
      proxyHeaders.end(slot);
    } else {
      mappings.onEnd(first, became);
    }
  }

  // ---- traffic that servers start ------------------------------------------------------------------------------

  @Override
  public @Nullable Verdict onUnserved(FrameView view) {
    boolean query = isQuery(view);
    if (query) {
      int session = sessions.find(key.ofQuery(view));
      if (session != Sessions.MISS) {
        return translate(view, session);
      }
    } else {
      key.of(view);
    }
    if (isLinkLocal(key)) {
      return isVirtual(key) ? null : Verdict.NOT_ROUTED;
    }
    int rule = mappings.ruleOf(key.v6, key.sourceHigh, key.sourceLow);
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
    return isVirtual(key) ? null : Verdict.NOT_ROUTED;
  }

  /** An ICMP message with an identifier, whole or a first fragment. */
  private static boolean isQuery(FrameView view) {
    int protocol = view.protocol();
    if (protocol == IpProtocol.ICMPV6) {
      return view.isV6()
          && (view.icmpType() == IcmpHeader.V6_ECHO_REQUEST || view.icmpType() == IcmpHeader.V6_ECHO_REPLY);
    }
    return protocol == IpProtocol.ICMP && !view.isV6() && IcmpHeader.hasIdentifier(view.icmpType());
  }

  private static boolean hasPorts(FrameView view) {
    return view.protocol() == IpProtocol.TCP || view.protocol() == IpProtocol.UDP;
  }

  /** Link-local addresses mean nothing on another link (RFC 3927, section 2.7; RFC 4291, section 2.5.6). */
  private static boolean isLinkLocal(Tuple tuple) {
    return tuple.v6
        ? tuple.sourceHigh >>> 54 == 0x3FA || tuple.destinationHigh >>> 54 == 0x3FA
        : tuple.sourceLow >>> 16 == 0xA9FE || tuple.destinationLow >>> 16 == 0xA9FE;
  }

  private boolean isVirtual(Tuple tuple) {
    return virtual.contains(tuple.v6, tuple.destinationHigh, tuple.destinationLow);
  }

  /** Whether packets to an address come round to us again. */
  private boolean isOurs(boolean v6, long high, long low) {
    return mappings.isExternal(v6, high, low) || virtual.contains(v6, high, low);
  }

  private Verdict fromInside(FrameView view, int rule, boolean query) {
    if (isSpoofed(view)) {
      return Verdict.SOURCE_SPOOFED;
    }
    boolean routed = mappings.isRouted(rule);
    if (isOurs(key.v6, key.destinationHigh, key.destinationLow)) {
      return toOurs(view, routed, query);
    }
    boolean toInside = mappings.ruleOf(key.v6, key.destinationHigh, key.destinationLow) >= 0;
    if (!query && !hasPorts(view)) {
      return routed || toInside ? routeAlone(view) : Verdict.NAT_PROTOCOL;
    }
    if (query && isAnswer(view) || view.protocol() == IpProtocol.TCP && !TcpStates.isOpening(view)) {
      return query ? Verdict.NO_MAPPING : Verdict.TCP_NOT_SYN;
    }
    to.of(key);
    return routed || toInside ? openRouted(view, query) : openMapped(view, rule, query, false);
  }

  /** An inside host to an external or virtual address that no service wants: a hairpin, or what outsiders get. */
  private @Nullable Verdict toOurs(FrameView view, boolean routed, boolean query) {
    boolean external = mappings.isExternal(key.v6, key.destinationHigh, key.destinationLow);
    if (!external || query) {
      return null;
    }
    return routed || !hasPorts(view) ? toMapping(view, query) : hairpin(view);
  }

  @Override
  public Verdict hairpin(FrameView view) {
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

  private static boolean isAnswer(FrameView view) {
    int type = view.icmpType();
    return view.isV6() ? type == IcmpHeader.V6_ECHO_REPLY : !IcmpHeader.isRequest(type);
  }

  /** With several interfaces, an inside source comes in by the one that leads to it (RFC 3704, section 2.2). */
  private boolean isSpoofed(FrameView view) {
    long back = context.egress().route(view.isV6(), view.sourceHigh(), view.sourceLow());
    return back == Egress.NO_ROUTE || Egress.linkOf(back) != view.ingress();
  }

  private Verdict openRouted(FrameView view, boolean query) {
    long route = departure.route(to);
    Verdict refusal = departure.refusal(view, route);
    if (refusal == null) {
      refusal = openOutbound(view, query, settings.filtering() == Filtering.ADDRESS_DEPENDENT, true);
    }
    return refusal != null ? refusal : send(view, route);
  }

  private Verdict openMapped(FrameView view, int rule, boolean query, boolean around) {
    long route = around ? 0 : departure.route(to);
    Verdict refusal = around ? refusalBeforeLoop(view) : departure.refusal(view, route);
    if (refusal != null) {
      return refusal;
    }
    int room = sessions.makeRoom(key, !query);
    if (room != 0) {
      return refuseResources(view, room == Sessions.NO_ROOM ? Verdict.FLOW_TABLE_FULL : Verdict.EMBRYONIC_LIMIT);
    }
    if (!mappings.translateSource(key, to, rule)) {
      return refuseResources(view, Verdict.NAT_PORTS_EXHAUSTED);
    }
    if (query) {
      to.ports = Tuple.ports(to.sourcePort(), to.sourcePort());
    }
    refusal = openOutbound(view, query, true, true);
    if (refusal != null) {
      mappings.dropUnused(key);
      return refusal;
    }
    if (TcpStates.isOpening(view)) {
      onOutboundSyn();
    }
    return around ? sendAround(view) : send(view, route);
  }

  /** No resources: said so (RFC 5508, REQ-8). */
  private Verdict refuseResources(FrameView view, Verdict reason) {
    prohibit(context.errors(), view);
    return reason;
  }

  private static void prohibit(IcmpErrors errors, FrameView view) {
    int code = view.isV6() ? V6_ADMINISTRATIVELY_PROHIBITED : ADMINISTRATIVELY_PROHIBITED;
    errors.send(view, Departure.unreachable(view), code, 0);
  }

  /** Opens the session of {@link #key} and {@link #to}; null when it is open. */
  private @Nullable Verdict openOutbound(FrameView view, boolean query, boolean mapped, boolean fromInside) {
    int room = sessions.makeRoom(key, !query);
    if (room != 0) {
      return room == Sessions.NO_ROOM ? Verdict.FLOW_TABLE_FULL : Verdict.EMBRYONIC_LIMIT;
    }
    if (!isFree()) {
      return Verdict.NAT_TUPLE_IN_USE;
    }
    boolean tcp = view.protocol() == IpProtocol.TCP;
    int state = tcp ? SessionState.FIRST_SYN : query ? SessionState.QUERY : SessionState.UDP_FIRST;
    long word = Word.of(Word.SESSION, SessionTable.code(key.protocol), state, sessions.tick(), 0);
    if (mapped) {
      word |= Word.MAPPED;
    }
    boolean both = tcp || settings.inboundRefresh();
    long firstWord = both || fromInside ? word | Word.REFRESHES : word;
    long replyWord = (both || !fromInside ? word | Word.REFRESHES : word) | Word.REPLY;
    firstWord |= aroundTo(to.destinationHigh, to.destinationLow);
    replyWord |= aroundTo(key.sourceHigh, key.sourceLow);
    sessions.open(key, to, tcp ? Word.withCheck(firstWord, TcpStates.checkOf(view)) : firstWord, replyWord);
    if (mapped) {
      mappings.onBegin(key, to, fromInside);
    }
    return null;
  }

  /** A protocol without ports keeps its addresses, and no session: out of inside networks only. */
  private Verdict routeAlone(FrameView view) {
    to.of(key);
    long route = departure.route(to);
    Verdict refusal = departure.refusal(view, route);
    if (refusal != null) {
      return refusal;
    }
    Rewriter.countDown(view);
    return departure.send(view, route);
  }

  // ---- traffic that comes in -----------------------------------------------------------------------------------

  /** To an external address of a pool: null when no mapping has the port and a service or echo may. */
  private @Nullable Verdict toMapping(FrameView view, boolean query) {
    boolean virtualToo = isVirtual(key);
    to.of(key);
    if (query && isAnswer(view)) {
      return mappings.translateDestination(key, to) ? Verdict.FILTERED : Verdict.NO_MAPPING;
    }
    if (!hasPorts(view)) {
      return query || virtualToo ? null : Verdict.NAT_PROTOCOL;
    }
    if (!mappings.translateDestination(key, to)) {
      return virtualToo ? null : refuseInbound(view, Verdict.NO_MAPPING);
    }
    if (!mappings.admits(key)) {
      return refuseInbound(view, Verdict.FILTERED);
    }
    return openInbound(view, query, true);
  }

  private Verdict toRouted(FrameView view, boolean query) {
    boolean open = settings.filtering() == Filtering.ENDPOINT_INDEPENDENT;
    if (!query && !hasPorts(view)) {
      return open ? routeAlone(view) : Verdict.FILTERED;
    }
    boolean admitted = query ? open && !isAnswer(view) : mappings.admits(key);
    if (!admitted) {
      return refuseInbound(view, Verdict.FILTERED);
    }
    to.of(key);
    return openInbound(view, query, false);
  }

  private Verdict openInbound(FrameView view, boolean query, boolean mapped) {
    if (view.protocol() == IpProtocol.TCP && !TcpStates.isOpening(view)) {
      return Verdict.TCP_NOT_SYN;
    }
    long route = departure.route(to);
    Verdict refusal = departure.refusal(view, route);
    if (refusal == null) {
      refusal = openOutbound(view, query, mapped, false);
    }
    return refusal != null ? refusal : send(view, route);
  }

  private Verdict refuseInbound(FrameView view, Verdict reason) {
    boolean unsolicitedSyn =
        view.kind() == FrameKind.SEGMENT && view.protocol() == IpProtocol.TCP && TcpStates.isOpening(view);
    return unsolicitedSyn ? unsolicited.hold(view, key, nowNs) : reason;
  }

  @Override
  public @Nullable Verdict onIcmpError(FrameView view) {
    return icmp.onError(view);
  }

  // ---- time ----------------------------------------------------------------------------------------------------

  @Override
  public long tick(long tickNs, int budget) {
    return unsolicited.expire(tickNs, sessions.sweep(tickNs, budget));
  }

  @Override
  public long rounds() {
    return sessions.rounds();
  }

  @Override
  public int held() {
    return unsolicited.held();
  }

  @Override
  public int sessions() {
    return sessions.size();
  }

  @Override
  public void close() {
    unsolicited.close();
  }
}
