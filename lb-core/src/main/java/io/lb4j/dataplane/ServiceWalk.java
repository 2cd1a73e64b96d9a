package io.lb4j.dataplane;

import io.lb4j.flow.FlowState;
import io.lb4j.flow.FlowTable;
import io.lb4j.flow.FlowTracker;
import io.lb4j.forward.TranslatedForwarding;
import io.lb4j.forward.Translator;
import io.lb4j.frame.FrameKind;
import io.lb4j.frame.FrameMarks;
import io.lb4j.frame.FrameView;
import io.lb4j.frame.Segments;
import io.lb4j.frame.Verdict;
import io.lb4j.service.LostFlows;
import io.lb4j.service.Overflow;
import io.lb4j.service.UnservedPolicy;
import io.lb4j.wire.IpProtocol;
import io.lb4j.wire.TcpHeader;
import org.jspecify.annotations.Nullable;

/**
 * The middle of the walk: a segment's flow, or the service and server of a new one. Owned by one worker.
 *
 * <pre>
 *   known flow, or session of the translator? ──yes──▶ server still there? ──▶ forward or translate
 *       │ no                                                │ no: opening SYNs go elsewhere, the rest as declared
 *       ▼                                                   ▼
 *   which service? ─▶ persistence ─▶ schedule ─▶ new flow or session
 *       │ none
 *       └─▶ the translator's other traffic, or what the settings say
 * </pre>
 */
final class ServiceWalk {
  private final WorkerState state;
  private final FlowTable flows;
  private final FlowAccounting accounting;
  private final ServerChoice servers;
  private final RouterErrors errors;
  private final StrayReplies strays;

  ServiceWalk(WorkerState state, FlowAccounting accounting, ServerChoice servers, RouterErrors errors) {
    this.state = state;
    this.errors = errors;
    this.flows = state.flows;
    this.accounting = accounting;
    this.servers = servers;
    this.strays = new StrayReplies(state);
  }

  /** A segment or first fragment, hashed. */
  Verdict onSegment(FrameView view) {
    Translator translator = state.translator;
    if (translator != null) {
      int session = translator.find(view);
      if (session != Translator.MISS) {
        return onSession(view, translator, session);
      }
      if (flows.size() == 0) {
        return onUnknownFlow(view, false);
      }
    }
    long place = flows.place(view);
    if (place == FlowTable.NOWHERE) {
      return onUnknownFlow(view, false);
    }
    return onKnownFlow(view, flows.handle(view.isV6(), place));
  }

  /** Whether a segment, hashed, belongs to no flow and no session here. */
  boolean isUnknown(FrameView view) {
    boolean session = state.translator != null && state.translator.find(view) != Translator.MISS;
    return !session && (flows.size() == 0 || flows.place(view) == FlowTable.NOWHERE);
  }

  // ---- known ---------------------------------------------------------------------------------------------------

  private Verdict onSession(FrameView view, Translator translator, int session) {
    int id = translator.binding(session);
    if (id == 0) {
      return translator.translate(view, session);
    }
    Binding binding = state.table.binding(id);
    boolean reply = translator.isReply(session);
    if (binding == null || !binding.keepsFlows()) {
      return onLostSession(view, translator, session, binding, reply);
    }
    CompiledService service = binding.service();
    if (!service.enabled()) {
      return Verdict.SERVICE_DISABLED;
    }
    if (!reply && !service.admits(view)) {
      return Verdict.CLIENT_DENIED;
    }
    if (reply && view.ingress() != binding.target().link() && !view.isAgain()) {
      return Verdict.SOURCE_SPOOFED; // a server speaks from where it is
    }
    if (!reply && translator.beginsAnew(view, session, binding.takesNewFlows())) {
      translator.end(session);
      return onUnknownFlow(view, false);
    }
    Verdict verdict = translator.translate(view, session);
    if (verdict == Verdict.FORWARD) {
      view.setBinding(id);
      if (reply) {
        state.counters.onReplyFrame(id, view.length());
      } else {
        state.counters.onServerFrame(id, view.length());
      }
    }
    return verdict;
  }

  private Verdict onKnownFlow(FrameView view, int handle) {
    Binding binding = state.table.binding(flows.binding(handle));
    if (binding == null || !binding.keepsFlows()) {
      return onLostFlow(view, handle, binding);
    }
    CompiledService service = binding.service();
    if (!service.enabled()) {
      return Verdict.SERVICE_DISABLED;
    }
    if (!service.admits(view)) {
      return Verdict.CLIENT_DENIED;
    }
    int age = flows.age(handle, state.tick);
    if (age > FlowTable.FRESH_TICKS && age > service.timeoutTicks(flows.state(handle))) {
      flows.remove(handle);
      return onUnknownFlow(view, false);
    }
    if (view.protocol() == IpProtocol.UDP) {
      FlowTracker.onDatagram(flows, handle, state.tick);
    } else {
      if (isOpening(view) && beginsAnew(view, handle, binding, age)) {
        flows.remove(handle);
        return onUnknownFlow(view, false);
      }
      if (!trackTcp(view, handle, binding)) {
        return Verdict.CONNECTION_LIMIT;
      }
    }
    return forward(view, binding);
  }

  /** Records a segment; false when the flow, which had closed, may not live again. */
  private boolean trackTcp(FrameView view, int handle, Binding binding) {
    FlowState before = flows.state(handle);
    return before.isClosing() ? trackClosing(view, handle, binding, before) : trackOpen(view, handle, binding, before);
  }

  private boolean trackOpen(FrameView view, int handle, Binding binding, FlowState before) {
    FlowState after = FlowTracker.onSegment(flows, handle, view, state.tick);
    if (before == after && before != FlowState.SYN) {
      return true;
    }
    if (after.isClosing()) {
      accounting.onActiveChange(binding.id(), -1);
    }
    if (before == FlowState.SYN) {
      observeHandshake(view, binding, after);
    }
    return true;
  }

  /** A flow that goes on after its end needs a place like a new one. */
  private boolean trackClosing(FrameView view, int handle, Binding binding, FlowState before) {
    int sequence = flows.sequence(handle);
    int seen = state.tick - flows.age(handle, state.tick);
    if (FlowTracker.onSegment(flows, handle, view, state.tick).isClosing()) {
      return true;
    }
    if (!accounting.mayLiveAgain(binding.id())) {
      FlowTracker.stayClosed(flows, handle, before, sequence, seen);
      return false;
    }
    accounting.onActiveChange(binding.id(), 1);
    return true;
  }

  /** Only the client's half is seen: what it sends after its SYN tells whether the server has answered. */
  private void observeHandshake(FrameView view, Binding binding, FlowState after) {
    if (after == FlowState.ESTABLISHED) {
      accounting.onServerAnswered(binding.id(), -1);
    } else if (isOpening(view)) {
      accounting.onSynRepeated(binding.id());
    }
  }

  // ---- lost ----------------------------------------------------------------------------------------------------

  /** A flow that is dropped or reset stays until its time is over, so that its next packets fare alike. */
  private Verdict onLostFlow(FrameView view, int handle, @Nullable Binding binding) {
    int id = flows.binding(handle);
    int timeout = accounting.timeoutTicks(id, flows.state(handle));
    if (timeout >= 0 && flows.age(handle, state.tick) > timeout) {
      flows.remove(handle);
      return onUnknownFlow(view, false);
    }
    LostFlows.Fate fate = fate(view, binding, id);
    if (fate == LostFlows.Fate.REPICK || timeout < 0) {
      flows.remove(handle);
    }
    return end(view, fate, id);
  }

  /** The client's packets decide; what the server still sends is refused meanwhile. */
  private Verdict onLostSession(
      FrameView view, Translator translator, int session, @Nullable Binding binding, boolean reply) {
    if (view.kind() == FrameKind.ICMP) {
      translator.end(session); // the next echo finds another server
      return Verdict.SERVER_GONE;
    }
    int id = translator.binding(session);
    if (reply) {
      boolean reset = declaredFate(view, binding, id) == LostFlows.Fate.RESET;
      state.counters.onLost(id, false);
      return reset ? reset(view, Verdict.SERVER_GONE) : Verdict.SERVER_GONE;
    }
    LostFlows.Fate fate = fate(view, binding, id);
    if (fate == LostFlows.Fate.REPICK) {
      translator.end(session);
    }
    return end(view, fate, id);
  }

  /** A SYN begins anew in any case; the rest goes by what the service declares. */
  private LostFlows.Fate fate(FrameView view, @Nullable Binding binding, int id) {
    return isOpening(view) ? LostFlows.Fate.REPICK : declaredFate(view, binding, id);
  }

  private LostFlows.Fate declaredFate(FrameView view, @Nullable Binding binding, int id) {
    if (binding != null) {
      return binding.lost();
    }
    boolean tcp = view.protocol() == IpProtocol.TCP;
    Departed gone = state.table.departed(id);
    return gone != null ? gone.fate(tcp) : LostFlows.WHEN_REMOVED.of(tcp);
  }

  private Verdict end(FrameView view, LostFlows.Fate fate, int id) {
    state.counters.onLost(id, fate == LostFlows.Fate.REPICK);
    return switch (fate) {
      case REPICK -> onUnknownFlow(view, true);
      case RESET -> reset(view, Verdict.SERVER_GONE);
      case DROP, KEEP -> Verdict.SERVER_GONE;
    };
  }

  /** Tells the sender that there is no such connection, or no such port; the reason when it cannot be told. */
  private Verdict reset(FrameView view, Verdict reason) {
    int link = view.ingress();
    if (view.protocol() == IpProtocol.UDP) {
      return unreachable(view, reason);
    }
    if (!TcpResets.mayAnswer(view)) {
      return reason;
    }
    state.out.transmit(link, state.resets.answer(view, state.linkMacs[link]), FrameMarks.tagOf(view.marks()));
    return Verdict.ANSWER;
  }

  private Verdict unreachable(FrameView view, Verdict reason) {
    if (!state.icmp.mayError(state.nowNs)) {
      return reason;
    }
    int link = view.ingress();
    state.out.transmit(link, state.icmp.unreachable(view, state.linkMacs[link]), FrameMarks.tagOf(view.marks()));
    return Verdict.ANSWER;
  }

  private static boolean isOpening(FrameView view) {
    return (view.tcpFlags() & (TcpHeader.SYN | TcpHeader.ACK)) == TcpHeader.SYN;
  }

  /**
   * Whether a SYN on a known flow is a new connection from the same port, which the scheduler places anew with this
   * very packet. A flow that may be alive stays where it is: its server answers a stray SYN itself (RFC 5961, section
   * 4), so that a forged SYN moves nothing.
   */
  private boolean beginsAnew(FrameView view, int handle, Binding binding, int age) {
    FlowState known = flows.state(handle);
    if (known.isClosing()) {
      return true;
    }
    boolean retransmitted = known == FlowState.SYN && flows.sequence(handle) == view.tcpSequence() + 1;
    if (retransmitted) {
      return false;
    }
    return !binding.takesNewFlows() || age > binding.service().timeoutTicks(FlowState.FIN);
  }

  // ---- unknown -------------------------------------------------------------------------------------------------

  private @Nullable CompiledService serviceOf(FrameView view) {
    boolean tcp = view.protocol() == IpProtocol.TCP;
    return state
        .table
        .serviceTable()
        .find(view.isV6(), view.destinationHigh(), view.destinationLow(), tcp, view.destinationPort());
  }

  private Verdict onUnknownFlow(FrameView view, boolean midStream) {
    if (state.isOwnToVip(view)) {
      return state.endOwnToVip(view);
    }
    CompiledService service = serviceOf(view);
    if (service == null) {
      return onUnserved(view, Verdict.NO_SERVICE);
    }
    if (!service.enabled()) {
      return Verdict.SERVICE_DISABLED;
    }
    Translator translator = state.translator;
    if (translator != null && isFromOurs(view)) {
      return Verdict.SOURCE_SPOOFED;
    }
    if (!service.admits(view)) {
      return Verdict.CLIENT_DENIED;
    }
    if (translator != null && !service.isDirect() && translator.mustLoop(view)) {
      return translator.hairpin(view);
    }
    boolean tcp = view.protocol() == IpProtocol.TCP;
    if (tcp && !isOpening(view) && !isAdopted(view, service, midStream)) {
      return Verdict.TCP_NOT_SYN;
    }
    Binding binding = servers.choose(service, view);
    if (binding == null) {
      return refuseFlow(view, service);
    }
    if (service.onePacket()) {
      servers.remember(view, service, binding);
      return forward(view, binding);
    }
    return service.isDirect() ? begin(view, service, binding, tcp) : open(view, service, binding);
  }

  /** A segment of a connection that began without us, or with another server: the chosen server knows it, or resets. */
  private static boolean isAdopted(FrameView view, CompiledService service, boolean midStream) {
    int flags = view.tcpFlags();
    return (midStream || service.adopts()) && (flags & TcpHeader.ACK) != 0 && (flags & (TcpHeader.SYN | TcpHeader.RST)) == 0;
  }

  private Verdict refuseFlow(FrameView view, CompiledService service) {
    Verdict reason = servers.refusal();
    if (reason != Verdict.CONNECTION_LIMIT) {
      return reason;
    }
    Overflow overflow = service.declaration().policies().overflow();
    return switch (overflow) {
      case DROP, STANDBY -> reason;
      case RESET -> reset(view, reason);
      case UNREACHABLE -> prohibited(view, reason);
    };
  }

  private Verdict prohibited(FrameView view, Verdict reason) {
    if (!state.icmp.mayError(state.nowNs)) {
      return reason;
    }
    int link = view.ingress();
    state.out.transmit(link, state.icmp.prohibited(view, state.linkMacs[link]), FrameMarks.tagOf(view.marks()));
    return Verdict.ANSWER;
  }

  private Verdict begin(FrameView view, CompiledService service, Binding binding, boolean tcp) {
    accounting.expect(binding);
    int handle = insert(view, binding.id(), tcp ? FlowState.SYN : FlowState.UDP_FIRST);
    if (handle < 0) {
      accounting.settle();
      return handle == FlowTable.NO_ROOM_EMBRYONIC ? Verdict.EMBRYONIC_LIMIT : Verdict.FLOW_TABLE_FULL;
    }
    accounting.onBegin(binding.id());
    servers.remember(view, service, binding);
    return forward(view, binding);
  }

  /** Opens a session of an echo request, which counts and is bounded like any other. */
  Verdict openQuery(FrameView view, CompiledService service, Binding binding) {
    if (service.isBounded() && !binding.takePlace()) {
      return Verdict.CONNECTION_LIMIT;
    }
    return open(view, service, binding);
  }

  /** Opens a session of a service that translates; its place was taken. */
  private Verdict open(FrameView view, CompiledService service, Binding binding) {
    TranslatedForwarding method = (TranslatedForwarding) service.forwarding();
    accounting.expect(binding);
    Verdict verdict = state.translator.open(view, binding.id(), binding.target(), method);
    accounting.settle();
    if (verdict == Verdict.FORWARD || verdict == Verdict.HOLD) {
      servers.remember(view, service, binding);
    }
    if (verdict == Verdict.FORWARD) {
      view.setBinding(binding.id());
      state.counters.onServerFrame(binding.id(), view.length());
    }
    return verdict;
  }

  /** Enters a new flow; a handle, or why there is no room. */
  int insert(FrameView view, int binding, FlowState flowState) {
    int sequence = flowState == FlowState.SYN ? view.tcpNextSequence() : 0;
    return view.isV6()
        ? flows.insert6(
            view.hash(),
            view.sourceHigh(),
            view.sourceLow(),
            view.destinationHigh(),
            view.destinationLow(),
            view.ports(),
            flowState,
            binding,
            sequence,
            state.tick)
        : flows.insert4(
            view.hash(),
            view.sourceLow(),
            view.destinationLow(),
            view.ports(),
            flowState,
            binding,
            sequence,
            state.tick);
  }

  /** Sends a frame to a server that it is bound to, unchanged above the link layer. */
  Verdict forward(FrameView view, Binding binding) {
    view.setBinding(binding.id());
    int link = binding.target().link();
    if (isTooBig(view, link)) {
      errors.tooBig(view, state.egress.mtu(link));
      return Verdict.PACKET_TOO_BIG;
    }
    Verdict verdict =
        state.runtimes[binding.service().id()].forwarder().forward(view, binding.target(), state.egress);
    if (verdict == Verdict.FORWARD) {
      state.counters.onServerFrame(binding.id(), view.length());
    }
    return verdict;
  }

  /** Where servers are behind a narrower interface than clients. Nothing is fragmented, as nothing else is changed. */
  private boolean isTooBig(FrameView view, int link) {
    int mtu = state.egress.mtu(link);
    return view.ingress() >= 0 && mtu < state.egress.mtu(view.ingress()) && Segments.packetLength(view) > mtu;
  }

  // ---- what no service wants -----------------------------------------------------------------------------------

  /**
   * The translator's other traffic, a virtual address without a service, or a probe's answer; the rest is the host's.
   */
  Verdict onUnserved(FrameView view, Verdict reason) {
    Verdict translated = crossing(view);
    if (translated != null) {
      return translated;
    }
    if (state.isToVip(view)) {
      return refuse(view, reason);
    }
    return state.isProbeAnswer(view) ? Verdict.PROBE_ANSWERED : Verdict.PASS;
  }

  /** What the translator makes of a packet; null when it is for an address of ours, or a group. */
  Verdict crossing(FrameView view) {
    Translator translator = state.translator;
    if (translator == null || state.isToInterface(view) || state.isToGateway(view) || WorkerState.isToGroup(view)) {
      return null;
    }
    int session = translator.findQuery(view);
    if (session != Translator.MISS) {
      return onSession(view, translator, session);
    }
    strays.onUnknown(view, translator);
    if (isFromOurs(view)) {
      return isDirectReply(view) ? translator.route(view) : Verdict.SOURCE_SPOOFED;
    }
    return translator.onUnserved(view);
  }

  /** A direct service's server whose default gateway we are answers a client through us: it has the virtual address. */
  private boolean isDirectReply(FrameView view) {
    boolean hasPorts = view.kind() == FrameKind.SEGMENT || view.kind() == FrameKind.FIRST_FRAGMENT;
    if (!hasPorts || flows.size() == 0) {
      return false;
    }
    int ports = Integer.rotateLeft(view.ports(), 16);
    int protocol = view.protocol();
    long sourceHigh = view.destinationHigh();
    long source = view.destinationLow();
    long destinationHigh = view.sourceHigh();
    long destination = view.sourceLow();
    int handle;
    if (view.isV6()) {
      int hash = flows.hash6(sourceHigh, source, destinationHigh, destination, ports, protocol);
      handle = flows.find6(hash, sourceHigh, source, destinationHigh, destination, ports, protocol);
    } else {
      int hash = flows.hash4(source, destination, ports, protocol);
      handle = flows.find4(hash, source, destination, ports, protocol);
    }
    Binding binding = handle == FlowTable.MISS ? null : state.table.binding(flows.binding(handle));
    return binding != null && binding.target().link() == view.ingress();
  }

  /** Our own addresses as a source, in a packet that we have not sent round ourselves (RFC 1812, section 5.3.8). */
  boolean isFromOurs(FrameView view) {
    boolean v6 = view.isV6();
    long high = view.sourceHigh();
    long low = view.sourceLow();
    return state.addresses.mayBeOurs(v6, high, low)
        && !view.isAgain()
        && (state.addresses.isVip(v6, high, low) || state.addresses.interfaceOf(v6, high, low) >= 0);
  }

  /** No error is sent about ICMP: a fragment of it may be of an error itself (RFC 1122, section 3.2.2). */
  Verdict refuse(FrameView view, Verdict reason) {
    UnservedPolicy policy = state.table.unserved();
    if (policy == UnservedPolicy.PASS) {
      return Verdict.PASS;
    }
    boolean isIcmp = view.protocol() == IpProtocol.ICMP || view.protocol() == IpProtocol.ICMPV6;
    return policy == UnservedPolicy.DROP || isIcmp ? reason : unreachable(view, reason);
  }
}
