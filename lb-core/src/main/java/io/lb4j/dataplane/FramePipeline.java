package io.lb4j.dataplane;

import io.lb4j.counters.WorkerCounters;
import io.lb4j.flow.FlowState;
import io.lb4j.flow.FlowTable;
import io.lb4j.flow.FlowTracker;
import io.lb4j.forward.Forwarder;
import io.lb4j.frame.FrameBatch;
import io.lb4j.frame.FrameKind;
import io.lb4j.frame.FrameMarks;
import io.lb4j.frame.FrameOutput;
import io.lb4j.frame.FrameParser;
import io.lb4j.frame.FrameView;
import io.lb4j.frame.Verdict;
import io.lb4j.neighbor.LinkLayer;
import io.lb4j.neighbor.OwnedAddresses;
import io.lb4j.persistence.PersistenceTable;
import io.lb4j.schedule.HashInput;
import io.lb4j.schedule.HashInputs;
import io.lb4j.service.EchoPolicy;
import io.lb4j.service.UnservedPolicy;
import io.lb4j.wire.EthernetHeader;
import io.lb4j.wire.IcmpHeader;
import io.lb4j.wire.IpProtocol;
import io.lb4j.wire.TcpHeader;

/**
 * The walk of a frame. Owned by one worker.
 *
 * <pre>
 *   parse ─▶ ours? ─▶ known flow? ──yes──────────────────────────────▶ forward ─▶ verdict
 *                         │ no                                            ▲
 *                         ▼                                               │
 *                      which service? ─▶ persistence ─▶ schedule ─▶ new flow
 *                         │ none
 *                         └─▶ ARP, neighbour discovery, ICMP, fragments: answer, follow the flow, or pass
 * </pre>
 *
 * A batch goes through in stages, so that the cache misses of 32 frames overlap: all are parsed and hashed and their
 * flow buckets asked for, and only then is each resolved. A known flow never asks the service table: its binding is
 * checked against the snapshot, so that removal, drain and disabling still bite.
 */
final class FramePipeline {
  private static final HashInputs ECHO_HASH = HashInputs.of(HashInput.SOURCE_ADDRESS);

  /** Below the shortest time-out no flow can have expired: FlowTimeouts allows no less than a second. */
  private static final int FRESH_TICKS = (int) (1_000_000_000L / FlowTable.TICK_NS);

  private final WorkerCounters counters;
  private final FlowTable flows;
  private final FlowAccounting accounting;
  private final LinkLayer linkLayer;
  private final LinkEgress egress;
  private final FragmentTable fragments;
  private final IcmpMessages icmp;
  private final HeldEnd heldEnd;
  private final long schedulerSeed;
  private final long[] linkMacs;
  private final QuotedPacket quote = new QuotedPacket();
  private final FrameView released = new FrameView();
  private final FragmentTable.Ended fragmentEnded;

  private ForwardingTable table;
  private OwnedAddresses addresses;
  private ServiceRuntime[] runtimes = new ServiceRuntime[0];
  private long nowNs;
  private int tick;
  private FrameOutput out;
  private int touched; // written only, so that the loads of the touch pass are kept

  /** Hears the final verdict of frames that waited. */
  interface HeldEnd {
    void end(long tag, Verdict verdict, int ingress, int egress, int binding, int length);
  }

  FramePipeline(
      WorkerCounters counters,
      FlowTable flows,
      FlowAccounting accounting,
      LinkLayer linkLayer,
      LinkEgress egress,
      FragmentTable fragments,
      IcmpMessages icmp,
      HeldEnd heldEnd,
      long schedulerSeed,
      long[] linkMacs) {
    this.counters = counters;
    this.flows = flows;
    this.accounting = accounting;
    this.linkLayer = linkLayer;
    this.egress = egress;
    this.fragments = fragments;
    this.icmp = icmp;
    this.heldEnd = heldEnd;
    this.schedulerSeed = schedulerSeed;
    this.linkMacs = linkMacs;
    this.fragmentEnded = held -> endFragment(held, Verdict.FRAGMENT_NO_FIRST);
  }

  /** Takes over a snapshot; between bursts, never within one. */
  void adopt(ForwardingTable newTable, Forwarder[] forwarderByService) {
    ServiceRuntime[] next = new ServiceRuntime[forwarderByService.length];
    for (CompiledService service : newTable.services()) {
      int id = service.id();
      ServiceRuntime previous = id < runtimes.length ? runtimes[id] : null;
      next[id] = new ServiceRuntime(service, counters, forwarderByService[id], previous);
    }
    counters.reserve(newTable.highestBinding());
    if (newTable.hasV6()) {
      flows.enableV6();
    }
    accounting.adopt(newTable);
    runtimes = next;
    table = newTable;
    addresses = newTable.addresses();
  }

  /** Sets the burst's time and output. */
  void begin(long burstNs, FrameOutput burstOut) {
    nowNs = burstNs;
    tick = FlowTable.tick(burstNs);
    out = burstOut;
    egress.at(burstNs);
  }

  /** Ends every frame of a batch with a verdict. */
  void process(FrameBatch batch) {
    int size = batch.size();
    int sum = 0;
    for (int i = 0; i < size; i++) {
      FrameView view = batch.get(i);
      if (FrameParser.parse(view) == FrameKind.SEGMENT) {
        sum += flows.touch(view.isV6(), hash(view));
      }
    }
    touched = sum;
    for (int i = 0; i < size; i++) {
      finish(batch.get(i));
    }
  }

  /** Ends a single frame, by the same steps. */
  Verdict process(FrameView view) {
    if (FrameParser.parse(view) == FrameKind.SEGMENT) {
      hash(view);
    }
    return finish(view);
  }

  private int hash(FrameView view) {
    int hash =
        view.isV6()
            ? flows.hash6(
                view.sourceHigh(),
                view.sourceLow(),
                view.destinationHigh(),
                view.destinationLow(),
                view.ports(),
                view.protocol())
            : flows.hash4(view.sourceLow(), view.destinationLow(), view.ports(), view.protocol());
    view.setHash(hash);
    return hash;
  }

  private Verdict finish(FrameView view) {
    counters.onReceived(view.ingress(), view.length());
    Verdict verdict = view.end(resolve(view));
    if (verdict != Verdict.HOLD) {
      counters.onVerdict(view.ingress(), verdict);
    }
    if (verdict == Verdict.ANSWER && view.egress() < 0) {
      counters.onOriginated(view.ingress(), -1); // the answer went through the output
    }
    return verdict;
  }

  private Verdict resolve(FrameView view) {
    if (view.kind() == FrameKind.MALFORMED) {
      return view.verdict();
    }
    long destination = EthernetHeader.destination(view.buffer(), view.start());
    if (destination != linkMacs[view.ingress()]) {
      return notToOurMac(view, destination);
    }
    if ((view.buffer().getByte(view.start() + EthernetHeader.SOURCE_OFFSET) & 1) != 0) {
      return Verdict.SOURCE_MAC_GROUP;
    }
    return switch (view.kind()) {
      case SEGMENT -> onSegment(view);
      case FIRST_FRAGMENT -> onFirstFragment(view);
      case LATER_FRAGMENT -> onLaterFragment(view);
      case ICMP -> onIcmp(view);
      case OTHER_PROTOCOL -> onOtherProtocol(view);
      case ARP -> linkLayer.onArp(view, nowNs, out);
      case NOT_IP, MALFORMED -> Verdict.PASS;
    };
  }

  // ---- link layer ----------------------------------------------------------------------------------------------

  /** Groups are for ARP, neighbour discovery and the host; a service frame to a group is nobody's (RFC 1122, 3.3.6). */
  private Verdict notToOurMac(FrameView view, long destination) {
    long source = EthernetHeader.source(view.buffer(), view.start());
    if (source == linkMacs[view.ingress()]) {
      return Verdict.OWN_FRAME;
    }
    if ((destination & 0x0100_0000_0000L) == 0) {
      return Verdict.OTHER_DESTINATION_MAC;
    }
    if ((source & 0x0100_0000_0000L) != 0) {
      return Verdict.SOURCE_MAC_GROUP;
    }
    if (view.kind() == FrameKind.ARP) {
      return linkLayer.onArp(view, nowNs, out);
    }
    if (view.kind() == FrameKind.ICMP && isNeighborMessage(view)) {
      return linkLayer.onNeighborMessage(view, nowNs, out);
    }
    return view.kind() != FrameKind.NOT_IP && isToVip(view) ? Verdict.OTHER_DESTINATION_MAC : Verdict.PASS;
  }

  private boolean isToVip(FrameView view) {
    return addresses.isVip(view.isV6(), view.destinationHigh(), view.destinationLow());
  }

  private static boolean isNeighborMessage(FrameView view) {
    return view.isV6() && IcmpHeader.isNeighborMessage(view.icmpType());
  }

  // ---- TCP and UDP ---------------------------------------------------------------------------------------------

  private Verdict onSegment(FrameView view) {
    int handle = find(view);
    return handle == FlowTable.MISS ? onUnknownFlow(view) : onKnownFlow(view, handle);
  }

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

  private Verdict onKnownFlow(FrameView view, int handle) {
    Binding binding = table.binding(flows.binding(handle));
    if (binding == null || !binding.keepsFlows()) {
      return onGoneServer(view, handle);
    }
    CompiledService service = binding.service();
    if (!service.enabled()) {
      return Verdict.SERVICE_DISABLED;
    }
    int age = flows.age(handle, tick);
    if (age > FRESH_TICKS && age > service.timeoutTicks(flows.state(handle))) {
      flows.remove(handle);
      return onUnknownFlow(view);
    }
    if (view.protocol() == IpProtocol.UDP) {
      FlowTracker.onDatagram(flows, handle, tick);
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
    boolean isClosing = FlowTracker.onSegment(flows, handle, view, tick).isClosing();
    if (wasClosing != isClosing) {
      counters.onActiveChange(binding.id(), isClosing ? -1 : 1);
    }
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
    FlowState state = flows.state(handle);
    if (state.isClosing()) {
      return true;
    }
    boolean retransmitted = state == FlowState.SYN && flows.sequence(handle) == view.tcpSequence() + 1;
    if (retransmitted) {
      return false;
    }
    return !binding.takesNewFlows() || age > binding.service().timeoutTicks(FlowState.FIN);
  }

  /** The server was removed or is offline: UDP and new connections go elsewhere with this packet, the rest ends. */
  private Verdict onGoneServer(FrameView view, int handle) {
    boolean movable = view.protocol() == IpProtocol.UDP || isOpening(view);
    flows.remove(handle);
    return movable ? onUnknownFlow(view) : Verdict.SERVER_GONE;
  }

  private Verdict onUnknownFlow(FrameView view) {
    boolean tcp = view.protocol() == IpProtocol.TCP;
    CompiledService service =
        table
            .serviceTable()
            .find(view.isV6(), view.destinationHigh(), view.destinationLow(), tcp, view.destinationPort());
    if (service == null) {
      return unserved(view, Verdict.NO_SERVICE);
    }
    if (!service.enabled()) {
      return Verdict.SERVICE_DISABLED;
    }
    if (tcp && !isOpening(view)) {
      return Verdict.TCP_NOT_SYN;
    }
    Binding binding = choose(service, view);
    if (binding == null) {
      return Verdict.NO_SERVER;
    }
    int handle = insert(view, binding.id(), tcp ? FlowState.SYN : FlowState.UDP_FIRST);
    if (handle < 0) {
      return handle == FlowTable.NO_ROOM_EMBRYONIC ? Verdict.EMBRYONIC_LIMIT : Verdict.FLOW_TABLE_FULL;
    }
    counters.onFlowBegin(binding.id());
    PersistenceTable clients = service.persistence();
    if (clients != null) {
      clients.put(view.isV6(), view.sourceHigh(), view.sourceLow(), binding.id(), nowNs);
    }
    return forward(view, binding);
  }

  private int insert(FrameView view, int binding, FlowState state) {
    int sequence = state == FlowState.SYN ? view.tcpNextSequence() : 0;
    return view.isV6()
        ? flows.insert6(
            view.hash(),
            view.sourceHigh(),
            view.sourceLow(),
            view.destinationHigh(),
            view.destinationLow(),
            view.ports(),
            state,
            binding,
            sequence,
            tick)
        : flows.insert4(
            view.hash(), view.sourceLow(), view.destinationLow(), view.ports(), state, binding, sequence, tick);
  }

  /** The server for a new flow: the client's own while it keeps flows, else the scheduler's choice. */
  private Binding choose(CompiledService service, FrameView view) {
    PersistenceTable clients = service.persistence();
    if (clients != null) {
      int known = clients.find(view.isV6(), view.sourceHigh(), view.sourceLow(), nowNs);
      Binding binding = known == PersistenceTable.NONE ? null : table.binding(known);
      if (binding != null && binding.keepsFlows() && binding.service() == service) {
        return binding;
      }
    }
    HashInputs inputs = service.hashInputs();
    long hash =
        inputs.isEmpty()
            ? 0
            : inputs.hash(
                schedulerSeed,
                view.sourceHigh(),
                view.sourceLow(),
                view.destinationHigh(),
                view.destinationLow(),
                view.ports(),
                view.protocol());
    int picked = runtimes[service.id()].pick(hash);
    return picked == 0 ? null : table.binding(picked);
  }

  private Verdict forward(FrameView view, Binding binding) {
    view.setBinding(binding.id());
    Verdict verdict = runtimes[binding.service().id()].forwarder().forward(view, binding.target(), egress);
    if (verdict == Verdict.FORWARD) {
      counters.onServerFrame(binding.id(), view.length());
    }
    return verdict;
  }

  // ---- what no service wants -----------------------------------------------------------------------------------

  private Verdict onOtherProtocol(FrameView view) {
    return unserved(view, Verdict.PROTOCOL_NOT_SERVED);
  }

  /** No error is sent about ICMP: a fragment of it may be of an error itself (RFC 1122, section 3.2.2). */
  private Verdict unserved(FrameView view, Verdict reason) {
    if (!isToVip(view)) {
      return Verdict.PASS;
    }
    UnservedPolicy policy = table.unserved();
    if (policy == UnservedPolicy.PASS) {
      return Verdict.PASS;
    }
    boolean isIcmp = view.protocol() == IpProtocol.ICMP || view.protocol() == IpProtocol.ICMPV6;
    if (policy == UnservedPolicy.DROP || isIcmp || !icmp.mayError(nowNs)) {
      return reason;
    }
    out.transmit(view.ingress(), icmp.unreachable(view, linkMacs[view.ingress()]), FrameMarks.NONE);
    return Verdict.ANSWER;
  }

  // ---- ICMP ----------------------------------------------------------------------------------------------------

  private Verdict onIcmp(FrameView view) {
    if (isNeighborMessage(view)) {
      return linkLayer.onNeighborMessage(view, nowNs, out);
    }
    boolean vip = isToVip(view);
    if (!vip && !isOursAlone(view)) {
      return Verdict.PASS;
    }
    if (!IcmpMessages.checksumIsRight(view)) {
      return Verdict.ICMP_CHECKSUM;
    }
    if (IcmpMessages.isEchoRequest(view)) {
      return vip ? onEchoToVip(view) : answerEcho(view);
    }
    if (vip && IcmpHeader.isError(view.isV6(), view.icmpType())) {
      return onIcmpError(view);
    }
    return vip ? Verdict.ICMP_NOT_SERVED : Verdict.PASS;
  }

  /** An interface address that no kernel beside us answers for. */
  private boolean isOursAlone(FrameView view) {
    int link = addresses.interfaceOf(view.isV6(), view.destinationHigh(), view.destinationLow());
    return link >= 0 && !addresses.hostStack(link);
  }

  private Verdict onEchoToVip(FrameView view) {
    EchoPolicy policy = table.echo();
    if (policy == EchoPolicy.ANSWER) {
      return answerEcho(view);
    }
    if (policy == EchoPolicy.DROP) {
      return Verdict.ECHO_REFUSED;
    }
    CompiledService service =
        table.serviceTable().anyOn(view.isV6(), view.destinationHigh(), view.destinationLow());
    if (service == null || service.candidates().length == 0) {
      return Verdict.NO_SERVER;
    }
    long hash = ECHO_HASH.hash(schedulerSeed, view.sourceHigh(), view.sourceLow(), 0, 0, 0, 0);
    int[] candidates = service.candidates();
    int index = (int) Math.multiplyHigh(hash >>> 1, (long) candidates.length << 1);
    return forward(view, table.binding(candidates[index]));
  }

  private Verdict answerEcho(FrameView view) {
    IcmpMessages.answerEcho(view, linkMacs[view.ingress()]);
    return Verdict.ANSWER;
  }

  /** An error about a packet that a server sent goes to that server; it neither refreshes nor ends the flow. */
  private Verdict onIcmpError(FrameView view) {
    if (!quote.read(view)) {
      return Verdict.ICMP_QUOTE;
    }
    Binding binding = bindingOfQuote(view);
    return binding == null ? Verdict.ICMP_NO_FLOW : forward(view, binding);
  }

  private Binding bindingOfQuote(FrameView view) {
    int handle = findQuoted(view);
    if (handle != FlowTable.MISS) {
      Binding binding = table.binding(flows.binding(handle));
      return binding == null || !binding.keepsFlows() ? null : binding;
    }
    boolean tcp = quote.protocol() == IpProtocol.TCP;
    int servicePort = quote.clientPorts() & 0xFFFF;
    CompiledService service =
        table
            .serviceTable()
            .find(view.isV6(), view.destinationHigh(), view.destinationLow(), tcp, servicePort);
    if (service == null || service.hashInputs().isEmpty()) {
      return null;
    }
    long hash =
        service
            .hashInputs()
            .hash(
                schedulerSeed,
                quote.clientHigh(),
                quote.clientLow(),
                view.destinationHigh(),
                view.destinationLow(),
                quote.clientPorts(),
                quote.protocol());
    int picked = runtimes[service.id()].pick(hash);
    return picked == 0 ? null : table.binding(picked);
  }

  private int findQuoted(FrameView view) {
    int ports = quote.clientPorts();
    int protocol = quote.protocol();
    if (!view.isV6()) {
      int hash = flows.hash4(quote.clientLow(), view.destinationLow(), ports, protocol);
      return flows.find4(hash, quote.clientLow(), view.destinationLow(), ports, protocol);
    }
    long vipHigh = view.destinationHigh();
    long vipLow = view.destinationLow();
    int hash = flows.hash6(quote.clientHigh(), quote.clientLow(), vipHigh, vipLow, ports, protocol);
    return flows.find6(hash, quote.clientHigh(), quote.clientLow(), vipHigh, vipLow, ports, protocol);
  }

  // ---- fragments -----------------------------------------------------------------------------------------------

  /** The first fragment has the ports: it goes the way of a whole packet, and the others follow it. */
  private Verdict onFirstFragment(FrameView view) {
    hash(view);
    if (!isToVip(view)) {
      return onSegment(view);
    }
    Verdict verdict = view.end(onSegment(view));
    FragmentTable.Datagram datagram = fragments.of(view, nowNs, fragmentEnded);
    boolean accepted = verdict == Verdict.FORWARD || verdict == Verdict.HOLD;
    fragments.decide(datagram, accepted ? view.binding() : FragmentTable.REFUSED, nowNs);
    releaseFragments(datagram);
    return verdict;
  }

  private Verdict onLaterFragment(FrameView view) {
    if (!isToVip(view)) {
      return Verdict.PASS;
    }
    boolean tcp = view.protocol() == IpProtocol.TCP;
    boolean transport = tcp || view.protocol() == IpProtocol.UDP;
    boolean served =
        transport && table.serviceTable().serves(view.isV6(), view.destinationHigh(), view.destinationLow(), tcp);
    if (!served && !view.isV6()) {
      return table.unserved() == UnservedPolicy.PASS ? Verdict.PASS : Verdict.PROTOCOL_NOT_SERVED;
    }
    FragmentTable.Datagram datagram = fragments.of(view, nowNs, fragmentEnded);
    if (datagram.binding() == FragmentTable.WAITING) {
      return fragments.hold(datagram, view) ? Verdict.HOLD : Verdict.FRAGMENT_NO_ROOM;
    }
    return followFirst(view, datagram.binding());
  }

  private Verdict followFirst(FrameView view, int bindingId) {
    if (bindingId == FragmentTable.REFUSED) {
      return Verdict.FRAGMENT_REFUSED;
    }
    Binding binding = table.binding(bindingId);
    return binding == null || !binding.keepsFlows() ? Verdict.SERVER_GONE : forward(view, binding);
  }

  private void releaseFragments(FragmentTable.Datagram datagram) {
    FragmentTable.Held held = fragments.takeHeld(datagram);
    for (; held != null; held = fragments.takeHeld(datagram)) {
      released.wrap(held.frame, 0, held.frame.readableBytes(), held.marks, held.ingress);
      released.setTag(held.tag);
      FrameParser.parse(released);
      Verdict verdict = followFirst(released, datagram.binding());
      if (verdict == Verdict.FORWARD) {
        endHeld(held, Verdict.FORWARD, released.egress(), released.binding());
        out.transmit(released.egress(), held.frame, released.marks());
      } else if (verdict == Verdict.HOLD) {
        held.frame.release(); // copied once more, it waits for its next hop now
      } else {
        endFragment(held, verdict);
      }
    }
  }

  private void endFragment(FragmentTable.Held held, Verdict verdict) {
    endHeld(held, verdict, -1, 0);
    held.frame.release();
  }

  private void endHeld(FragmentTable.Held held, Verdict verdict, int egressLink, int binding) {
    heldEnd.end(held.tag, verdict, held.ingress, egressLink, binding, held.frame.readableBytes());
  }

  /** Ends fragments whose first one did not come in time. */
  void expireFragments() {
    fragments.expire(nowNs, fragmentEnded);
  }

  /** Ends all fragments that wait. */
  void close() {
    fragments.close(held -> endFragment(held, Verdict.CLOSED_WHILE_HELD));
  }
}
