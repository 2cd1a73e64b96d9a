package io.lb4j.gateway.nat;

import io.lb4j.address.IpAddress;
import io.lb4j.address.IpPrefix;
import io.lb4j.flow.FlowRecord;
import io.lb4j.flow.FlowTable;
import io.lb4j.forward.ForwardTarget;
import io.lb4j.forward.TranslatorContext;
import io.lb4j.gateway.Filtering;
import io.lb4j.gateway.Gateway;
import io.lb4j.gateway.Outbound;
import io.lb4j.service.VirtualService;
import io.lb4j.wire.IpProtocol;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Sessions as records: listed, ended by record, and taken over from another instance. Owned by one worker; not on the
 * way of packets.
 *
 * <p>A record holds what only the session knows. What the configuration says is asked anew when the session is taken
 * over: where the server is, which interface an inside host is behind, what goes round, which direction keeps the
 * session alive, and whether a filter is counted.
 *
 * <pre>
 *   sequence   lower 13 bits of the source's next sequence number; bit 23 of detail: above them the upper ones of the
 *              destination's
 *   detail     63 .. 32                            23         22 .. 20   19        18        17 .. 13   12 .. 0
 *              age of the other direction less     server     phase of   proxied   begun     state      lower bits of the
 *              the source's, in ticks; proxied:    has only   header,              outside              destination's next
 *              the client's first sequence number  answered   0: none                                   sequence number
 * </pre>
 */
final class SessionRecords {
  private static final int STATE_SHIFT = 13;
  private static final int STATE_MASK = 31;
  private static final long BEGUN_OUTSIDE = 1L << 18;
  private static final long PROXIED = 1L << 19;
  private static final int PHASE_SHIFT = 20;
  private static final int PHASE_MASK = 7;
  private static final long ONLY_ANSWERED = 1L << 23;
  private static final int UPPER_NUMBER = ~(int) Word.MAX_CHECK;
  private static final int UPPER_SHIFT = 32;
  private static final int OLDEST = 0xFFFF;
  private static final int HIGHEST_BINDING = FlowTable.MAX_BINDING;

  private final Outbound settings;
  private final TranslatorContext context;
  private final Sessions sessions;
  private final Mappings mappings;
  private final ProxyHeaders proxyHeaders;
  private final IdleResets idleResets;
  private final IcmpTranslator.Ours ours;
  private List<VirtualService> services = List.of();
  private @Nullable Places places; // made when it is asked for

  private final Tuple from = new Tuple(); // as the source sends
  private final Tuple became = new Tuple();
  private final Tuple key = new Tuple(); // as the first packet was sent
  private final Tuple to = new Tuple();
  private final Tuple reply = new Tuple();

  /** Which addresses are services', and which worker has a session; null with one worker. */
  private record Places(AddressSet virtual, AddressSet fullNat, @Nullable NatSteering steering) {}

  SessionRecords(
      Outbound settings,
      TranslatorContext context,
      Sessions sessions,
      Mappings mappings,
      ProxyHeaders proxyHeaders,
      IdleResets idleResets,
      IcmpTranslator.Ours ours) {
    this.settings = settings;
    this.context = context;
    this.sessions = sessions;
    this.mappings = mappings;
    this.proxyHeaders = proxyHeaders;
    this.idleResets = idleResets;
    this.ours = ours;
  }

  void adopt(List<VirtualService> declared) {
    services = declared;
    places = null;
  }

  private Places places() {
    if (places == null) {
      List<IpPrefix> sources =
          services.stream()
              .filter(service -> service.forwarding() instanceof Gateway)
              .flatMap(service -> ((Gateway) service.forwarding()).addresses().stream())
              .toList();
      places =
          new Places(
              new AddressSet(services.stream().flatMap(service -> service.vips().stream()).toList()),
              new AddressSet(sources),
              context.workers() == 1
                  ? null
                  : new NatSteering(settings, context.seed(), context.workers(), services));
    }
    return places;
  }

  // ---- listing -------------------------------------------------------------------------------------------------

  int list(int cursor, int slots, Consumer<FlowRecord> consumer) {
    return sessions.list(cursor, slots, handle -> consumer.accept(record(handle)));
  }

  private FlowRecord record(int handle) {
    long word = sessions.word(handle);
    sessions.key(handle, from);
    sessions.becomes(handle, became);
    int twin = sessions.twin(handle);
    long replyWord = twin == Sessions.MISS ? word : sessions.word(twin);
    if (!Word.has(word, Word.OUTBOUND)) {
      return record(FlowRecord.Kind.TRANSLATED, word, replyWord, headerOf(word));
    }
    if (isBegunInside(word)) {
      return record(FlowRecord.Kind.OUTBOUND, word, replyWord, 0);
    }
    reply.reverse(from);
    from.reverse(became);
    became.of(reply);
    return record(FlowRecord.Kind.OUTBOUND, replyWord, word, BEGUN_OUTSIDE);
  }

  /** Whose source becomes another one, or the interface of whose first packets is known, has an inside host begun. */
  private boolean isBegunInside(long word) {
    return !from.sameSource(became) || from.sameDestination(became) && Word.isFromInside(word);
  }

  private long headerOf(long word) {
    if (!Word.has(word, Word.PROXIED)) {
      return 0;
    }
    int note = proxyHeaders.find(from);
    return note == ProxyHeaders.NONE
        ? PROXIED
        : PROXIED
            | (long) proxyHeaders.phase(note) << PHASE_SHIFT
            | (proxyHeaders.hasOnlyAnswered(note) ? ONLY_ANSWERED : 0)
            | (long) proxyHeaders.firstByte(note) << UPPER_SHIFT;
  }

  /** The record of {@link #from} and {@link #became}; the words are of the source's packets and of those to it. */
  private FlowRecord record(FlowRecord.Kind kind, long sent, long received, long more) {
    int age = Word.age(sent, sessions.tick());
    int otherAge = Word.age(received, sessions.tick());
    boolean stays = from.sameSource(became) && from.sourcePort() == became.sourcePort();
    boolean query = SessionState.isQuery(Word.state(sent));
    long detail = Word.check(received) | (long) Word.state(sent) << STATE_SHIFT | more;
    if ((more & PROXIED) == 0) {
      detail |= (long) (otherAge - age) << UPPER_SHIFT;
    }
    boolean answered = (more & ONLY_ANSWERED) != 0;
    int upper = answered ? proxyHeaders.serversNext(proxyHeaders.find(from)) & UPPER_NUMBER : 0;
    return new FlowRecord(
        kind,
        from.protocol,
        IpAddress.of(from.v6, from.sourceHigh, from.sourceLow),
        from.sourcePort(),
        IpAddress.of(from.v6, from.destinationHigh, from.destinationLow),
        query ? 0 : from.destinationPort(),
        stays ? null : IpAddress.of(from.v6, became.sourceHigh, became.sourceLow),
        stays ? 0 : became.sourcePort(),
        Word.binding(sent),
        SessionState.shown(Word.state(sent)),
        Word.check(sent) | upper,
        detail,
        Math.min(age, otherAge) * FlowTable.TICK_NS);
  }

  // ---- reading records -----------------------------------------------------------------------------------------

  private static int state(FlowRecord record) {
    return (int) (record.detail() >>> STATE_SHIFT) & STATE_MASK;
  }

  private static boolean has(FlowRecord record, long flag) {
    return (record.detail() & flag) != 0;
  }

  /** Reads addresses and ports of the source's packets; false when they cannot be a session's. */
  private boolean readTuples(FlowRecord record) {
    IpAddress source = record.source();
    IpAddress translated = record.translated() == null ? source : record.translated();
    int port = record.translated() == null ? record.sourcePort() : record.translatedPort();
    boolean oneFamily =
        source.isV6() == record.destination().isV6() && source.isV6() == translated.isV6();
    boolean query = record.protocol() != IpProtocol.TCP && record.protocol() != IpProtocol.UDP;
    int lowest = query ? 0 : 1; // mappings and filters have a port 0 where sessions have another
    boolean ports =
        isPort(record.sourcePort(), lowest) && isPort(port, lowest) && (query || isPort(record.destinationPort(), 1));
    if (!oneFamily || !ports) {
      return false;
    }
    from.v6 = source.isV6();
    from.protocol = record.protocol();
    from.setSource(source.high(), source.low(), record.sourcePort());
    from.setDestination(
        record.destination().high(),
        record.destination().low(),
        query ? record.sourcePort() : record.destinationPort());
    became.of(from);
    became.setSource(translated.high(), translated.low(), port);
    if (query) {
      became.ports = Tuple.ports(port, port);
    }
    return !query || record.protocol() == (from.v6 ? IpProtocol.ICMPV6 : IpProtocol.ICMP);
  }

  private static boolean isPort(int port, int lowest) {
    return port >= lowest && port <= 0xFFFF;
  }

  // ---- ending --------------------------------------------------------------------------------------------------

  /** Ends the session of a record; its client's persistence is not prolonged by that. */
  boolean end(FlowRecord record) {
    if (record.kind() == FlowRecord.Kind.DIRECT || !readTuples(record)) {
      return false;
    }
    int handle = sessions.find(from);
    if (handle == Sessions.MISS) {
      return false;
    }
    long word = sessions.word(handle);
    sessions.becomes(handle, to);
    boolean outbound = record.kind() == FlowRecord.Kind.OUTBOUND;
    boolean same =
        Word.has(word, Word.OUTBOUND) == outbound
            && Word.binding(word) == record.binding()
            && to.sameSource(became)
            && to.sourcePort() == became.sourcePort();
    if (same) {
      sessions.end(handle, true);
    }
    return same;
  }

  // ---- taking over ---------------------------------------------------------------------------------------------

  boolean restore(FlowRecord record) {
    boolean known =
        record.kind() != FlowRecord.Kind.DIRECT
            && record.idleNs() >= 0
            && readTuples(record)
            && SessionState.isOf(state(record), record.protocol());
    if (!known) {
      return false;
    }
    return record.kind() == FlowRecord.Kind.TRANSLATED ? restoreService(record) : restoreOutbound(record);
  }

  private boolean restoreService(FlowRecord record) {
    int binding = record.binding();
    ForwardTarget target = binding > 0 && binding <= HIGHEST_BINDING ? context.accounting().target(binding) : null;
    if (target == null || target.address().isV6() != from.v6 || !areOurs()) {
      return false;
    }
    boolean keepsPort = target.port() == 0 || SessionState.isQuery(state(record));
    key.of(from);
    to.of(became);
    to.setDestination(
        target.address().high(), target.address().low(), keepsPort ? became.destinationPort() : target.port());
    boolean proxied = has(record, PROXIED);
    int phase = (int) (record.detail() >>> PHASE_SHIFT) & PHASE_MASK;
    if (proxied ? record.protocol() != IpProtocol.TCP || !ProxyHeaders.isPhase(phase) : phase != 0) {
      return false;
    }
    boolean numbered = key.protocol == IpProtocol.TCP && idleResets.isWanted(binding, key.v6);
    long word =
        word(record, binding)
            | Word.REFRESHES
            | (proxied ? Word.PROXIED : 0)
            | (numbered ? Word.NUMBERED : 0);
    if (!fits(word, record)) {
      return false;
    }
    boolean around = ours.is(key.v6, key.sourceHigh, key.sourceLow);
    sessions.restore(
        key, to, sent(word, record), received(word, record) | Word.REPLY | (around ? Word.AROUND : 0));
    if (phase != 0) {
      int note = proxyHeaders.restore(key, phase, (int) (record.detail() >>> UPPER_SHIFT));
      if (has(record, ONLY_ANSWERED)) {
        proxyHeaders.setOnlyAnswered(note, record.sequence() & UPPER_NUMBER | (int) (record.detail() & Word.MAX_CHECK));
      }
    }
    return true;
  }

  /** A service still has the virtual address, and one the address that its servers see. */
  private boolean areOurs() {
    return places().virtual().contains(from.v6, from.destinationHigh, from.destinationLow)
        && (from.sameSource(became) || places().fullNat().contains(from.v6, became.sourceHigh, became.sourceLow));
  }

  private boolean restoreOutbound(FlowRecord record) {
    int rule = mappings.ruleOf(from.v6, from.sourceHigh, from.sourceLow);
    int link = context.egress().linkTowards(from.v6, from.sourceHigh, from.sourceLow);
    boolean translated = record.translated() != null;
    if (rule < 0 || link < 0 || Crossing.isNotForOthers(from) || translated == isUnchanged(rule)) {
      return false;
    }
    boolean begunInside = !has(record, BEGUN_OUTSIDE);
    key.of(begunInside ? from : reply.reverse(became));
    to.of(begunInside ? became : reply.reverse(from));
    boolean mapped = translated || begunInside && settings.filtering() == Filtering.ADDRESS_DEPENDENT;
    long word = word(record, 0) | Word.OUTBOUND | (mapped ? Word.MAPPED : 0);
    boolean both = from.protocol == IpProtocol.TCP || settings.inboundRefresh();
    long sent = Word.withLink(sent(word | Word.REFRESHES, record), link);
    long received = received(both ? word | Word.REFRESHES : word, record);
    if (!fits(word, record) || translated && !mappings.restore(from, became, rule, sent)) {
      return false;
    }
    long first = (begunInside ? sent : received) | aroundTo(to.destinationHigh, to.destinationLow);
    long second = (begunInside ? received : sent) | aroundTo(key.sourceHigh, key.sourceLow);
    sessions.restore(key, to, first, second | Word.REPLY);
    if (mapped) {
      mappings.onBegin(key, to, begunInside);
    }
    return true;
  }

  /** Whether a rule's hosts keep their addresses towards the destination. */
  private boolean isUnchanged(int rule) {
    return mappings.isRouted(rule)
        || mappings.ruleOf(from.v6, from.destinationHigh, from.destinationLow) >= 0;
  }

  private long aroundTo(long high, long low) {
    return ours.is(key.v6, high, low) ? Word.AROUND : 0;
  }

  /** What both directions' words have in common. */
  private long word(FlowRecord record, int binding) {
    return Word.of(Word.SESSION, SessionTable.code(record.protocol()), state(record), 0, binding);
  }

  private long sent(long word, FlowRecord record) {
    return Word.withCheck(Word.withTick(word, sessions.tick() - age(record, true)), record.sequence());
  }

  private long received(long word, FlowRecord record) {
    return Word.withCheck(Word.withTick(word, sessions.tick() - age(record, false)), (int) record.detail());
  }

  /** Ticks since the source's last packet, or the last one to it. */
  private static int age(FlowRecord record, boolean ofSource) {
    int idle = idle(record);
    int difference = has(record, PROXIED) ? 0 : (int) (record.detail() >> UPPER_SHIFT);
    int further = Math.max(0, ofSource ? -difference : difference);
    return Math.min(OLDEST, idle + Math.min(OLDEST, further));
  }

  private static int idle(FlowRecord record) {
    return (int) Math.min(OLDEST, record.idleNs() / FlowTable.TICK_NS);
  }

  /** Whether {@link #key} and {@link #to} are nobody's and this worker's, and there is room and time for them. */
  private boolean fits(long word, FlowRecord record) {
    reply.reverse(to);
    return !sessions.isOver(word, idle(record))
        && isThisWorkers()
        && sessions.isFree(key)
        && sessions.isFree(reply)
        && sessions.hasRoomFor(key.v6, SessionState.isEmbryonic(Word.state(word)));
  }

  private boolean isThisWorkers() {
    NatSteering steering = places().steering();
    return steering == null
        || steering.mayGoTo(context.worker(), key, false) && steering.mayGoTo(context.worker(), reply, true);
  }
}
