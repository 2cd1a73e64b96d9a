package io.lb4j.dataplane;

import io.lb4j.flow.FlowState;
import io.lb4j.flow.FlowTable;
import io.lb4j.flow.FlowTracker;
import io.lb4j.forward.TranslatedForwarding;
import io.lb4j.forward.Translator;
import io.lb4j.frame.FrameKind;
import io.lb4j.frame.FrameMarks;
import io.lb4j.frame.FrameView;
import io.lb4j.frame.Verdict;
import io.lb4j.persistence.PersistenceTable;
import io.lb4j.schedule.HashInputs;
import io.lb4j.service.UnservedPolicy;
import io.lb4j.wire.IpProtocol;
import io.lb4j.wire.TcpHeader;

/**
 * The middle of the walk: a segment's flow, or the service and server of a new one. Owned by one worker.
 *
 * <pre>
 *   known flow, or session of the translator? ──yes──▶ server still there? ──▶ forward or translate
 *       │ no                                                │ no: UDP and opening SYNs go elsewhere
 *       ▼                                                   ▼
 *   which service? ─▶ persistence ─▶ schedule ─▶ new flow or session
 *       │ none
 *       └─▶ the translator's other traffic, or what the settings say
 * </pre>
 */
final class ServiceWalk {
  /** Below the shortest time-out no flow can have expired: FlowTimeouts allows no less than a second. */
  private static final int FRESH_TICKS = (int) (1_000_000_000L / FlowTable.TICK_NS);

  private final WorkerState state;
  private final FlowTable flows;

  ServiceWalk(WorkerState state) {
    this.state = state;
    this.flows = state.flows;
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
        return onUnknownFlow(view);
      }
    }
    int handle = find(view);
    return handle == FlowTable.MISS ? onUnknownFlow(view) : onKnownFlow(view, handle);
  }

  /** Whether a segment, hashed, belongs to no flow and no session here. */
  boolean isUnknown(FrameView view) {
    boolean session = state.translator != null && state.translator.find(view) != Translator.MISS;
    return !session && (flows.size() == 0 || find(view) == FlowTable.MISS);
  }

  // ---- known ---------------------------------------------------------------------------------------------------

  private int find(FrameView view) {
    return view.isV6()
        ? flows.find6(
            view.hash(),
            view.sourceHigh(),
            view.sourceLow(),
            view.destinationHigh(),
            view.destinationLow(),
            view.ports(),
            view.protocol())
        : flows.find4(view.hash(), view.sourceLow(), view.destinationLow(), view.ports(), view.protocol());
  }

  private Verdict onSession(FrameView view, Translator translator, int session) {
    int id = translator.binding(session);
    if (id == 0) {
      return translator.translate(view, session);
    }
    Binding binding = state.table.binding(id);
    boolean reply = translator.isReply(session);
    if (binding == null || !binding.keepsFlows()) {
      translator.end(session);
      return !reply && isMovable(view) ? onUnknownFlow(view) : Verdict.SERVER_GONE;
    }
    CompiledService service = binding.service();
    if (!service.enabled()) {
      return Verdict.SERVICE_DISABLED;
    }
    if (service.isDirect()) {
      translator.end(session); // the service has changed its method
      return reply ? Verdict.SERVER_GONE : onUnknownFlow(view);
    }
    if (reply && view.ingress() != binding.target().link() && !view.isAgain()) {
      return Verdict.SOURCE_SPOOFED; // a server speaks from where it is
    }
    if (!reply && translator.beginsAnew(view, session, binding.takesNewFlows())) {
      translator.end(session);
      return onUnknownFlow(view);
    }
    Verdict verdict = translator.translate(view, session);
    if (verdict == Verdict.FORWARD) {
      view.setBinding(id);
      if (!reply) {
        state.counters.onServerFrame(id, view.length());
      }
    }
    return verdict;
  }

  private Verdict onKnownFlow(FrameView view, int handle) {
    Binding binding = state.table.binding(flows.binding(handle));
    if (binding == null || !binding.keepsFlows()) {
      flows.remove(handle);
      return isMovable(view) ? onUnknownFlow(view) : Verdict.SERVER_GONE;
    }
    CompiledService service = binding.service();
    if (!service.enabled()) {
      return Verdict.SERVICE_DISABLED;
    }
    if (!service.isDirect()) {
      flows.remove(handle); // the service has changed its method
      return onUnknownFlow(view);
    }
    int age = flows.age(handle, state.tick);
    if (age > FRESH_TICKS && age > service.timeoutTicks(flows.state(handle))) {
      flows.remove(handle);
      return onUnknownFlow(view);
    }
    if (view.protocol() == IpProtocol.UDP) {
      FlowTracker.onDatagram(flows, handle, state.tick);
    } else {
      if (isOpening(view) && beginsAnew(view, handle, binding, age)) {
        flows.remove(handle);
        return onUnknownFlow(view);
      }
      trackTcp(view, handle, binding);
    }
    return forward(view, binding);
  }

  private void trackTcp(FrameView view, int handle, Binding binding) {
    boolean wasClosing = flows.state(handle).isClosing();
    boolean isClosing = FlowTracker.onSegment(flows, handle, view, state.tick).isClosing();
    if (wasClosing != isClosing) {
      state.counters.onActiveChange(binding.id(), isClosing ? -1 : 1);
    }
  }

  /** When its server was removed or is offline, UDP and new connections go elsewhere with this packet, the rest ends. */
  private static boolean isMovable(FrameView view) {
    return view.protocol() == IpProtocol.UDP || isOpening(view);
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

  private Verdict onUnknownFlow(FrameView view) {
    boolean tcp = view.protocol() == IpProtocol.TCP;
    CompiledService service =
        state.table
            .serviceTable()
            .find(view.isV6(), view.destinationHigh(), view.destinationLow(), tcp, view.destinationPort());
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
    if (translator != null && !service.isDirect() && translator.mustLoop(view)) {
      return translator.hairpin(view);
    }
    if (tcp && !isOpening(view)) {
      return Verdict.TCP_NOT_SYN;
    }
    Binding binding = choose(service, view);
    if (binding == null) {
      return Verdict.NO_SERVER;
    }
    return service.isDirect() ? begin(view, service, binding, tcp) : open(view, service, binding);
  }

  private Verdict begin(FrameView view, CompiledService service, Binding binding, boolean tcp) {
    int handle = insert(view, binding.id(), tcp ? FlowState.SYN : FlowState.UDP_FIRST);
    if (handle < 0) {
      return handle == FlowTable.NO_ROOM_EMBRYONIC ? Verdict.EMBRYONIC_LIMIT : Verdict.FLOW_TABLE_FULL;
    }
    state.counters.onFlowBegin(binding.id());
    remember(view, service, binding);
    return forward(view, binding);
  }

  /** Opens a session of a service that translates, for a segment or an echo request. */
  Verdict open(FrameView view, CompiledService service, Binding binding) {
    TranslatedForwarding method = (TranslatedForwarding) service.forwarding();
    Verdict verdict = state.translator.open(view, binding.id(), binding.target(), method);
    if (verdict == Verdict.FORWARD || verdict == Verdict.HOLD) {
      remember(view, service, binding);
    }
    if (verdict == Verdict.FORWARD) {
      view.setBinding(binding.id());
      state.counters.onServerFrame(binding.id(), view.length());
    }
    return verdict;
  }

  private void remember(FrameView view, CompiledService service, Binding binding) {
    PersistenceTable clients = service.persistence();
    if (clients != null) {
      clients.put(view.isV6(), view.sourceHigh(), view.sourceLow(), binding.id(), state.nowNs);
    }
  }

  private int insert(FrameView view, int binding, FlowState flowState) {
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

  /** The server for a new flow: the client's own while it keeps flows, else the scheduler's choice. */
  private Binding choose(CompiledService service, FrameView view) {
    PersistenceTable clients = service.persistence();
    if (clients != null) {
      int known = clients.find(view.isV6(), view.sourceHigh(), view.sourceLow(), state.nowNs);
      Binding binding = known == PersistenceTable.NONE ? null : state.table.binding(known);
      if (binding != null && binding.keepsFlows() && binding.service() == service) {
        return binding;
      }
    }
    HashInputs inputs = service.hashInputs();
    long hash =
        inputs.isEmpty()
            ? 0
            : inputs.hash(
                state.schedulerSeed,
                view.sourceHigh(),
                view.sourceLow(),
                view.destinationHigh(),
                view.destinationLow(),
                view.ports(),
                view.protocol());
    int picked = state.runtimes[service.id()].pick(hash);
    return picked == 0 ? null : state.table.binding(picked);
  }

  /** Sends a frame to a server that it is bound to, unchanged above the link layer. */
  Verdict forward(FrameView view, Binding binding) {
    view.setBinding(binding.id());
    Verdict verdict =
        state.runtimes[binding.service().id()].forwarder().forward(view, binding.target(), state.egress);
    if (verdict == Verdict.FORWARD) {
      state.counters.onServerFrame(binding.id(), view.length());
    }
    return verdict;
  }

  // ---- what no service wants -----------------------------------------------------------------------------------

  /** The translator's other traffic, or a virtual address without a service; the rest is the host's. */
  Verdict onUnserved(FrameView view, Verdict reason) {
    Verdict translated = crossing(view);
    if (translated != null) {
      return translated;
    }
    return state.isToVip(view) ? refuse(view, reason) : Verdict.PASS;
  }

  /** What the translator makes of a packet; null when it is for a virtual or interface address, or a group. */
  Verdict crossing(FrameView view) {
    Translator translator = state.translator;
    if (translator == null || state.isToInterface(view) || isToGroup(view)) {
      return null;
    }
    int session = translator.findQuery(view);
    if (session != Translator.MISS) {
      return onSession(view, translator, session);
    }
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
  private boolean isFromOurs(FrameView view) {
    boolean v6 = view.isV6();
    long high = view.sourceHigh();
    long low = view.sourceLow();
    return !view.isAgain()
        && (state.addresses.isVip(v6, high, low) || state.addresses.interfaceOf(v6, high, low) >= 0);
  }

  private static boolean isToGroup(FrameView view) {
    return view.isV6() ? view.destinationHigh() >>> 56 == 0xFF : view.destinationLow() >>> 28 >= 0xE;
  }

  /** No error is sent about ICMP: a fragment of it may be of an error itself (RFC 1122, section 3.2.2). */
  private Verdict refuse(FrameView view, Verdict reason) {
    UnservedPolicy policy = state.table.unserved();
    if (policy == UnservedPolicy.PASS) {
      return Verdict.PASS;
    }
    boolean isIcmp = view.protocol() == IpProtocol.ICMP || view.protocol() == IpProtocol.ICMPV6;
    if (policy == UnservedPolicy.DROP || isIcmp || !state.icmp.mayError(state.nowNs)) {
      return reason;
    }
    int link = view.ingress();
    state.out.transmit(link, state.icmp.unreachable(view, state.linkMacs[link]), FrameMarks.NONE);
    return Verdict.ANSWER;
  }
}
