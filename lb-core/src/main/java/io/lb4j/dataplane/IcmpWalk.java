package io.lb4j.dataplane;

import io.lb4j.flow.FlowTable;
import io.lb4j.frame.FrameView;
import io.lb4j.frame.Verdict;
import io.lb4j.schedule.HashInput;
import io.lb4j.schedule.HashInputs;
import io.lb4j.service.EchoPolicy;
import io.lb4j.wire.IcmpHeader;
import io.lb4j.wire.IpProtocol;

/**
 * The branch of ICMP and ICMPv6: neighbour discovery, echo to virtual addresses, and errors, which follow the flow that
 * they are about. Owned by one worker.
 */
final class IcmpWalk {
  private static final HashInputs ECHO_HASH = HashInputs.of(HashInput.SOURCE_ADDRESS);

  private final WorkerState state;
  private final ServiceWalk services;
  private final QuotedPacket quote = new QuotedPacket();

  IcmpWalk(WorkerState state, ServiceWalk services) {
    this.state = state;
    this.services = services;
  }

  static boolean isNeighborMessage(FrameView view) {
    return view.isV6() && IcmpHeader.isNeighborMessage(view.icmpType());
  }

  Verdict onIcmp(FrameView view) {
    if (isNeighborMessage(view)) {
      return state.linkLayer.onNeighborMessage(view, state.nowNs, state.out);
    }
    boolean vip = state.isToVip(view);
    boolean translates = state.translator != null && !state.isToInterface(view) && !state.isToGateway(view);
    if (state.isOwnToVip(view)) {
      return state.endOwnToVip(view);
    }
    if (!vip && state.isProbeAnswer(view)) {
      return Verdict.PROBE_ANSWERED;
    }
    if (!vip && !translates && !isOursAlone(view)) {
      return Verdict.PASS;
    }
    if (!IcmpMessages.checksumIsRight(view)) {
      return Verdict.ICMP_CHECKSUM;
    }
    if (IcmpHeader.isError(view.isV6(), view.icmpType())) {
      return onError(view, vip, translates);
    }
    Verdict translated = services.crossing(view);
    if (translated != null) {
      return translated;
    }
    if (IcmpMessages.isEchoRequest(view)) {
      return vip ? onEchoToVip(view) : answerEcho(view);
    }
    return vip ? Verdict.ICMP_NOT_SERVED : Verdict.PASS;
  }

  /** An interface address that no kernel beside us answers for. */
  private boolean isOursAlone(FrameView view) {
    int link = state.addresses.interfaceOf(view.isV6(), view.destinationHigh(), view.destinationLow());
    return link >= 0 && !state.addresses.hostStack(link);
  }

  private Verdict onEchoToVip(FrameView view) {
    EchoPolicy policy = state.table.echo();
    if (policy == EchoPolicy.ANSWER || policy == EchoPolicy.FORWARD && state.isToGateway(view)) {
      return answerEcho(view); // a gateway address has no server to ask
    }
    if (policy == EchoPolicy.DROP) {
      return Verdict.ECHO_REFUSED;
    }
    CompiledService service =
        state.table.serviceTable().anyOn(view.isV6(), view.destinationHigh(), view.destinationLow());
    if (service == null || service.pool().candidates().length == 0) {
      return Verdict.NO_SERVER;
    }
    if (!service.enabled()) {
      return Verdict.SERVICE_DISABLED;
    }
    if (!service.admits(view)) {
      return Verdict.CLIENT_DENIED;
    }
    long hash = ECHO_HASH.hash(state.schedulerSeed, view.sourceHigh(), view.sourceLow(), 0, 0, 0, 0);
    int[] candidates = service.pool().candidates();
    int index = (int) Math.multiplyHigh(hash >>> 1, (long) candidates.length << 1);
    Binding binding = state.table.binding(candidates[index]);
    return service.isDirect() ? services.forward(view, binding) : services.openQuery(view, service, binding);
  }

  private Verdict answerEcho(FrameView view) {
    IcmpMessages.answerEcho(view, state.linkMacs[view.ingress()]);
    return Verdict.ANSWER;
  }

  /** An error about a packet that a server sent goes to that server; it neither refreshes nor ends the flow. */
  private Verdict onError(FrameView view, boolean vip, boolean translates) {
    Verdict translated = translates ? state.translator.onIcmpError(view) : null;
    if (translated != null) {
      return translated;
    }
    if (!vip) {
      return translates ? Verdict.ICMP_NO_FLOW : Verdict.PASS;
    }
    if (!quote.read(view)) {
      return Verdict.ICMP_QUOTE;
    }
    Binding binding = bindingOfQuote(view);
    return binding == null ? Verdict.ICMP_NO_FLOW : services.forward(view, binding);
  }

  private Binding bindingOfQuote(FrameView view) {
    int handle = findQuoted(view);
    if (handle != FlowTable.MISS) {
      Binding binding = state.table.binding(state.flows.binding(handle));
      boolean usable = binding != null && binding.keepsFlows() && binding.service().isDirect();
      return usable ? binding : null;
    }
    boolean tcp = quote.protocol() == IpProtocol.TCP;
    int servicePort = quote.clientPorts() & 0xFFFF;
    CompiledService service =
        state.table.serviceTable().find(view.isV6(), view.destinationHigh(), view.destinationLow(), tcp, servicePort);
    if (service == null || !service.isDirect() || service.hashInputs().isEmpty()) {
      return null;
    }
    long hash =
        service
            .hashInputs()
            .hash(
                state.schedulerSeed,
                quote.clientHigh(),
                quote.clientLow(),
                view.destinationHigh(),
                view.destinationLow(),
                quote.clientPorts(),
                quote.protocol());
    return state.runtimes[service.id()].pick(hash, state.nowNs);
  }

  private int findQuoted(FrameView view) {
    FlowTable flows = state.flows;
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
}
