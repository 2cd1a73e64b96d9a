package io.lb4j.gateway.nat;

import io.lb4j.flow.FlowRecord;
import io.lb4j.forward.ForwardTarget;
import io.lb4j.forward.TranslatedForwarding;
import io.lb4j.forward.TranslatedHeader;
import io.lb4j.forward.Translator;
import io.lb4j.forward.TranslatorContext;
import io.lb4j.frame.FrameOutput;
import io.lb4j.frame.FrameView;
import io.lb4j.frame.Verdict;
import io.lb4j.gateway.Gateway;
import io.lb4j.gateway.Outbound;
import io.lb4j.service.VirtualService;
import io.lb4j.wire.IpProtocol;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The translator of one worker: what becomes of each packet that crosses the balancer.
 *
 * <pre>
 *   known session ───────────────────────────▶ translate ─▶ way out
 *   new, to a service ─▶ server chosen ─▶ open ─▶ translate ─▶ way out          (ServiceSessions)
 *   new, from inside ─▶ routed, or a mapping ─▶ open ─▶ translate ─▶ way out,     (Crossing, Mappings)
 *                                                        or round again when it is to us
 *   new, to a mapping ─▶ admitted? ─▶ open ─▶ translate ─▶ way out
 *   ICMP error ─▶ the quote's session ─▶ restore the quote ─▶ way out            (IcmpTranslator)
 *   everything else is refused
 * </pre>
 */
public final class NatTranslator implements Translator {
  private static final int REFRESHES_PER_TIMEOUT = 4;

  private final Outbound settings;
  private final Sessions sessions;
  private final Mappings mappings;
  private final Handshakes handshakes;
  private final IdleResets idleResets;
  private final TcpStates tcpStates;
  private final Departure departure;
  private final Sender sender;
  private final Crossing crossing;
  private final ServiceSessions services;
  private final IcmpTranslator icmp;
  private final UnsolicitedSyns unsolicited;
  private final ProxyHeaders proxyHeaders;
  private final ProxiedSessions proxied;
  private final SessionRecords records;
  private final SessionFastPath fastPath;
  private final Tuple key = new Tuple();
  private final Tuple to = new Tuple();
  private final Tuple reply = new Tuple();

  private AddressSet virtual = new AddressSet(List.of());

  /**
   * A translator without sessions.
   *
   * @param settings the rules
   * @param context what the worker lends
   */
  public NatTranslator(Outbound settings, TranslatorContext context) {
    SplittableRandom random = new SplittableRandom(context.seed() + context.worker());
    this.settings = settings;
    this.mappings = new Mappings(settings, random, context.worker(), context.workers());
    this.sessions =
        new Sessions(
            context.hash(),
            context.capacity(),
            mappings.entriesOfASession(false),
            context.overflow(),
            context.accounting(),
            new Ends(),
            settings.timeouts(),
            settings.icmpTimeout(),
            context.nowNs());
    mappings.keepIn(sessions);
    this.idleResets = new IdleResets(context, sessions, this::isOurs);
    this.handshakes = new Handshakes(context.accounting());
    this.tcpStates = new TcpStates(sessions, handshakes);
    this.departure = new Departure(context.egress(), context.loop(), context.errors(), context.allocator());
    this.sender =
        new Sender(departure, new Identifications(random, context.worker(), context.workers()));
    this.unsolicited =
        new UnsolicitedSyns(
            context.allocator(), context.errors(), settings.unsolicitedSyn(), context.heldEnded());
    this.proxyHeaders = new ProxyHeaders(context.allocator(), sessions);
    this.proxied = new ProxiedSessions(sessions, proxyHeaders, sender, context.egress());
    this.fastPath = new SessionFastPath(context, sessions, mappings);
    this.icmp = new IcmpTranslator(sessions, departure, proxyHeaders, context.topology(), this::isOurs);
    this.crossing = new Crossing(settings, context, sessions, mappings, sender, unsolicited, this::isOurs);
    this.services = new ServiceSessions(context, sessions, sender, handshakes, idleResets, this::isOurs, random);
    this.records = new SessionRecords(settings, context, sessions, mappings, proxyHeaders, idleResets, this::isOurs);
  }

  /** What else a session has goes with it. */
  private final class Ends implements Sessions.Listener {
    @Override
    public void onEnd(Tuple first, Tuple became, long word) {
      if (Word.has(word, Word.PROXIED)) {
        proxyHeaders.end(first);
      }
      if (Word.isMapped(word)) {
        mappings.onEnd(first, became);
      }
    }

    @Override
    public void onExpire(int handle) {
      idleResets.onExpire(handle);
    }

    @Override
    public void onAlive(int handle) {
      mappings.onAlive(handle);
    }
  }

  @Override
  public void adopt(List<VirtualService> declared) {
    virtual = new AddressSet(declared.stream().flatMap(service -> service.vips().stream()).toList());
    boolean v6Service =
        declared.stream()
            .anyMatch(service -> service.isV6() && service.forwarding() instanceof TranslatedForwarding);
    if (v6Service || settings.rules().stream().anyMatch(rule -> rule.from().address().isV6())) {
      boolean proxied =
          declared.stream()
              .filter(service -> service.isV6() && service.forwarding() instanceof Gateway)
              .anyMatch(service -> ((Gateway) service.forwarding()).proxyProtocol());
      sessions.enableV6(Math.max(mappings.entriesOfASession(true), proxied ? ProxyHeaders.ENTRIES : 0));
    }
    for (VirtualService service : declared) {
      if (service.policies().resetOnIdle() && service.forwarding() instanceof TranslatedForwarding) {
        sessions.keepNumbers(service.isV6());
      }
    }
    mappings.adopt(declared);
    records.adopt(declared);
    long shortestNs =
        declared.stream()
            .flatMap(service -> service.persistence().stream())
            .mapToLong(clients -> clients.timeout().toNanos())
            .min()
            .orElse(Long.MAX_VALUE);
    sessions.refreshEvery(shortestNs == Long.MAX_VALUE ? shortestNs : shortestNs / REFRESHES_PER_TIMEOUT);
  }

  /** Whether packets to an address come round to us again. */
  private boolean isOurs(boolean v6, long high, long low) {
    return mappings.isExternal(v6, high, low) || virtual.contains(v6, high, low);
  }

  @Override
  public void begin(long burstNs, FrameOutput burstOut) {
    mappings.at(burstNs);
    handshakes.begin(burstNs);
    crossing.begin(burstNs);
    departure.begin(burstOut);
    idleResets.begin(burstOut);
    proxied.begin(burstOut);
    sessions.at(burstNs);
  }

  // ---- known sessions ------------------------------------------------------------------------------------------

  @Override
  public int touch(FrameView view) {
    return sessions.touch(view);
  }

  @Override
  public int forward(FrameView[] views, int frames) {
    return fastPath.forward(views, frames);
  }

  @Override
  public int find(FrameView view) {
    return sessions.find(view);
  }

  @Override
  public int findQuery(FrameView view) {
    return Crossing.isQuery(view) ? sessions.find(key.ofQuery(view)) : MISS;
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
    if (view.protocol() != IpProtocol.TCP || !TcpStates.isOpening(view)) {
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
    long before = sessions.word(session);
    boolean looped = view.isAgain();
    if (!looped && (!Word.admits(before, view.ingress()) || isFromExternal(view))) {
      return Verdict.SOURCE_SPOOFED;
    }
    sessions.becomes(session, to);
    boolean around = Word.has(before, Word.AROUND);
    long route = sender.route(to, around);
    Verdict refusal = sender.refusal(view, route, around);
    if (refusal != null) {
      return refusal;
    }
    if (Word.has(before, Word.PROXIED) && proxied.refuses(view, session, before)) {
      return Verdict.NAT_PROTOCOL;
    }
    long word = track(view, session, before);
    view.setBinding(Word.has(word, Word.REPLY) ? 0 : Word.binding(word));
    return Word.has(word, Word.PROXIED)
        ? proxied.translate(view, session, to, route, around)
        : sender.send(view, to, route, around);
  }

  /** Only what went round inside us has an address of our pools as its source. */
  private boolean isFromExternal(FrameView view) {
    return mappings.isExternal(view.isV6(), view.sourceHigh(), view.sourceLow());
  }

  /** Records the packet; answers the direction's word. */
  private long track(FrameView view, int session, long before) {
    long word = before;
    int state = Word.state(word);
    boolean refreshes = Word.has(word, Word.REFRESHES);
    if (view.protocol() == IpProtocol.TCP) {
      boolean simple =
          state == SessionState.ESTABLISHED && (view.tcpFlags() & TcpStates.ANY_STATE_FLAGS) == 0;
      if (!simple) {
        refreshes = tcpStates.onSegment(view, session);
        word = sessions.word(session);
        if (TcpStates.isOpening(view)) {
          unsolicited.onOutboundSyn(reply.reverse(to));
        }
      }
      if (!SessionState.isUnopened(Word.state(word))) {
        word = TcpStates.withNext(word, view);
      }
      if (Word.keepsNumbers(word)) {
        idleResets.onSegment(view, session);
      }
    } else {
      int after = SessionState.afterPacket(state, Word.has(word, Word.REPLY), Word.has(word, Word.OUTBOUND));
      if (after != state) {
        sessions.setState(session, after);
        word = sessions.word(session);
      }
    }
    if (refreshes) {
      word = Word.withTick(word, sessions.tick());
    }
    if (word != before) {
      sessions.setWord(session, word);
    }
    return word;
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
    Rewriter.fragment(view, to, path.identification & 0xFFFF_FFFFL);
    return departure.send(view, route);
  }

  // ---- new sessions --------------------------------------------------------------------------------------------

  @Override
  public boolean mustLoop(FrameView view) {
    int rule = mappings.ruleOf(view.isV6(), view.sourceHigh(), view.sourceLow());
    return rule >= 0 && !mappings.isRouted(rule);
  }

  @Override
  public Verdict open(FrameView view, int binding, ForwardTarget target, TranslatedForwarding forwarding) {
    return services.open(view, binding, target, (Gateway) forwarding);
  }

  @Override
  public Verdict hairpin(FrameView view) {
    return crossing.hairpin(view);
  }

  @Override
  public @Nullable Verdict onUnserved(FrameView view) {
    return crossing.onUnserved(view);
  }

  @Override
  public @Nullable Verdict onIcmpError(FrameView view) {
    return icmp.onError(view);
  }

  @Override
  public Verdict route(FrameView view) {
    to.of(view);
    long route = departure.route(to);
    Verdict refusal = departure.refusal(view, route);
    return refusal != null ? refusal : sender.sendUnchanged(view, route);
  }

  // ---- records -------------------------------------------------------------------------------------------------

  @Override
  public int list(int cursor, int slots, Consumer<FlowRecord> to) {
    return records.list(cursor, slots, to);
  }

  @Override
  public boolean end(FlowRecord record) {
    return records.end(record);
  }

  @Override
  public boolean restore(FlowRecord record) {
    return records.restore(record);
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
  public long evictions() {
    return sessions.evictions();
  }

  @Override
  public void endHeld(Verdict verdict) {
    unsolicited.endAll(verdict);
  }
}
