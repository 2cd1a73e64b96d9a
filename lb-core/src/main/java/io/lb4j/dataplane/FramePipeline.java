package io.lb4j.dataplane;

import io.lb4j.counters.WorkerCounters;
import io.lb4j.flow.FlowTable;
import io.lb4j.forward.Forwarder;
import io.lb4j.forward.Hairpin;
import io.lb4j.forward.Steering;
import io.lb4j.forward.Translator;
import io.lb4j.frame.FrameBatch;
import io.lb4j.frame.FrameKind;
import io.lb4j.frame.FrameOrder;
import io.lb4j.frame.FrameOutput;
import io.lb4j.frame.FrameParser;
import io.lb4j.frame.FrameStep;
import io.lb4j.frame.FrameView;
import io.lb4j.frame.Verdict;
import io.lb4j.neighbor.NeighborTable;
import io.lb4j.service.Role;
import org.jspecify.annotations.Nullable;

/**
 * The walk of a frame. Owned by one worker.
 *
 * <pre>
 *   parse ─▶ ours? ─▶ known flow? ──yes──────────────────────────────▶ forward ─▶ verdict
 *                         │ no                                            ▲
 *                         ▼                                               │
 *                      which service? ─▶ persistence ─▶ schedule ─▶ new flow
 *                         │ none
 *                         ├─▶ a reply, traffic that servers start: translate or route
 *                         └─▶ ARP, neighbour discovery, ICMP, fragments: answer, follow the flow, or pass
 * </pre>
 *
 * A batch goes through in stages, so that the cache misses of 32 frames overlap: all are parsed and hashed and their
 * flow buckets asked for, and only then is each resolved. Where frames of several kinds are mixed, those of a kind go
 * through these stages together; whatever depends on order keeps to that of arrival. A known flow never asks the
 * service table: its binding is checked against the snapshot, so that removal, drain and disabling still bite.
 */
final class FramePipeline implements Hairpin {
  private static final int SOURCE_GROUP_BIT = 0x0100;

  private final WorkerState state;
  private final WorkerCounters counters;
  private final FlowAccounting accounting;
  private final DirectFastPath fastPath;
  private final DirectNewcomers newcomers;
  private final ServiceWalk services;
  private final IcmpWalk icmp;
  private final FragmentWalk fragments;
  private final FrameStep[] arrival = {this::parse, this::touchFlows, this::touchSessions};
  private final FrameStep toUs = this::toUs;
  private final FrameOrder order = new FrameOrder();
  private final FrameView[] alone = new FrameView[1];
  private boolean passive; // another instance has the virtual addresses
  private boolean looping; // a packet is on its second walk, perhaps the first one was another worker's
  private int touched; // written only, so that the loads of the touch pass are kept

  /** Hears the final verdict of frames that waited. */
  interface HeldEnd {
    void end(long tag, Verdict verdict, int ingress, int egress, int binding, int length);
  }

  FramePipeline(
      WorkerState state,
      FlowAccounting accounting,
      NeighborTable neighbors,
      FragmentTable fragmentTable,
      RouterErrors errors,
      HeldEnd heldEnd) {
    this.state = state;
    this.counters = state.counters;
    this.accounting = accounting;
    DirectWays ways = new DirectWays(neighbors);
    ServerChoice servers = new ServerChoice(state);
    this.services = new ServiceWalk(state, accounting, servers, errors);
    this.fastPath = new DirectFastPath(state, ways);
    this.newcomers = new DirectNewcomers(state, services, servers, ways);
    this.icmp = new IcmpWalk(state, services);
    this.fragments = new FragmentWalk(state, services, fragmentTable, heldEnd);
  }

  /** Takes over a snapshot; between bursts, never within one. */
  void adopt(ForwardingTable newTable, Forwarder[] forwarderByService, @Nullable Translator translator) {
    ServiceRuntime[] next = new ServiceRuntime[forwarderByService.length];
    for (CompiledService service : newTable.allServices()) {
      int id = service.id();
      ServiceRuntime previous = id < state.runtimes.length ? state.runtimes[id] : null;
      next[id] = new ServiceRuntime(service, newTable, counters, forwarderByService[id], previous);
    }
    counters.reserve(newTable.highestBinding());
    if (newTable.hasV6()) {
      state.flows.enableV6();
    }
    accounting.adopt(newTable);
    state.runtimes = next;
    state.table = newTable;
    state.steering = newTable.steering().orElse(null);
    state.addresses = newTable.addresses();
    passive = newTable.role() == Role.PASSIVE;
    state.translator = translator;
    if (translator != null) {
      translator.adopt(newTable.allServices().stream().map(CompiledService::declaration).toList());
    }
  }

  /** Sets the burst's time and output. */
  void begin(long burstNs, FrameOutput burstOut) {
    state.nowNs = burstNs;
    state.tick = FlowTable.tick(burstNs);
    state.out = burstOut;
    state.egress.at(burstNs);
    if (state.translator != null) {
      state.translator.begin(burstNs, burstOut);
    }
  }

  /** Ends every frame of a batch with a verdict. */
  void process(FrameBatch batch) {
    int frames = (int) ((1L << batch.size()) - 1);
    FrameView[] views = order.of(batch.views(), batch.size());
    FrameStep.runAll(arrival, views, frames);
    int usual = usual(views, frames);
    int unknown = forwardKnown(views, usual);
    finish(batch.views(), frames, order.inBatch(usual), order.inBatch(unknown));
  }

  /** Ends a single frame, by the same steps. */
  Verdict process(FrameView view) {
    if (FrameParser.parse(view) == FrameKind.SEGMENT) {
      state.hash(view);
      if (isShortest(view) && fastPath.forward(view)) {
        counters.onReceived(view.ingress(), 1, view.length());
        counters.onForwarded(view.ingress(), 1);
        return Verdict.FORWARD;
      }
    }
    alone[0] = view;
    int usual = usual(alone, 1);
    finish(alone, 1, usual, forwardKnown(alone, usual));
    return view.verdict();
  }

  /**
   * Whether the shortest way may be tried with a frame that comes alone: no batch is there to share what steps cost.
   */
  private boolean isShortest(FrameView view) {
    return state.translator == null
        && !passive
        && state.flows.size() != 0
        && view.isUsual()
        && isToUs(view.usualHead(), state.linkMacs[view.ingress()]);
  }

  private int parse(FrameView[] views, int first, int end) {
    for (int i = first; i < end; i++) {
      FrameView view = views[i];
      if (FrameParser.parse(view) == FrameKind.SEGMENT) {
        state.hash(view);
      }
    }
    return 0;
  }

  private int touchFlows(FrameView[] views, int first, int end) {
    FlowTable flows = state.flows;
    if (flows.size() == 0) {
      return 0;
    }
    int sum = 0;
    for (int i = first; i < end; i++) {
      FrameView view = views[i];
      if (view.kind() == FrameKind.SEGMENT) {
        sum += flows.touch(view.isV6(), view.hash());
      }
    }
    touched = sum;
    return 0;
  }

  private int touchSessions(FrameView[] views, int first, int end) {
    Translator translator = state.translator;
    if (translator == null) {
      return 0;
    }
    int sum = 0;
    for (int i = first; i < end; i++) {
      FrameView view = views[i];
      if (view.kind() == FrameKind.SEGMENT) {
        sum += translator.touch(view);
      }
    }
    touched = sum;
    return 0;
  }

  /** The frames that short ways are for. */
  private int usual(FrameView[] views, int frames) {
    return passive ? 0 : FrameStep.run(toUs, views, frames);
  }

  /** Forwards frames of known flows together, by the short ways; answers those that have no flow. */
  private int forwardKnown(FrameView[] views, int usual) {
    int unknown = usual;
    if (unknown != 0 && state.translator != null) {
      unknown = state.translator.forward(views, unknown);
    }
    if (unknown != 0 && state.flows.size() != 0) {
      unknown = fastPath.forward(views, unknown);
    }
    return unknown;
  }

  /**
   * Ends all other frames, in the order in which they came: those that begin flows together, then the rest one by one.
   * Frames leave in that order too, whichever way they went.
   */
  private void finish(FrameView[] views, int frames, int usual, int unknown) {
    newcomers.begin(views, unknown);
    int walked = frames & ~countEnded(views, usual);
    for (int rest = walked; rest != 0; rest &= rest - 1) {
      finish(views[Integer.numberOfTrailingZeros(rest)]);
    }
  }

  /** Usual frames, to us. */
  private int toUs(FrameView[] views, int first, int end) {
    long[] macs = state.linkMacs;
    int others = 0;
    for (int i = first; i < end; i++) {
      FrameView view = views[i];
      if (!view.isUsual() || !isToUs(view.usualHead(), macs[view.ingress()])) {
        others |= 1 << i;
      }
    }
    return others;
  }

  /** By the first eight bytes: the destination, and two bytes of the source, which must be no group. */
  private static boolean isToUs(long head, long mac) {
    return head >>> 16 == mac && (head & SOURCE_GROUP_BIT) == 0;
  }

  /** Counts frames that have gone a short way, all at once that came by one interface; answers which have. */
  private int countEnded(FrameView[] views, int frames) {
    int ended = 0;
    int others = frames;
    while (others != 0) {
      int rest = others;
      int link = views[Integer.numberOfTrailingZeros(rest)].ingress();
      int received = 0;
      int forwarded = 0;
      long bytes = 0;
      for (; rest != 0; rest &= rest - 1) {
        int i = Integer.numberOfTrailingZeros(rest);
        FrameView view = views[i];
        if (view.ingress() != link) {
          continue;
        }
        others &= ~(1 << i);
        Verdict verdict = view.verdict();
        if (verdict == null) {
          continue;
        }
        ended |= 1 << i;
        received++;
        bytes += view.length();
        if (verdict == Verdict.FORWARD) {
          forwarded++;
        } else {
          count(view, verdict);
        }
      }
      counters.onReceived(link, received, bytes);
      counters.onForwarded(link, forwarded);
    }
    return ended;
  }

  private Verdict finish(FrameView view) {
    counters.onReceived(view.ingress(), 1, view.length());
    return count(view, view.end(resolve(view)));
  }

  /** Ends a frame that another worker received and handed over. */
  Verdict takeOver(FrameView view, HandOver.Reason reason) {
    counters.onHandOver(view.ingress(), -1);
    looping = reason == HandOver.Reason.HAIRPIN;
    FrameKind kind = looping ? FrameParser.parseAgain(view) : FrameParser.parse(view);
    if (kind == FrameKind.SEGMENT) {
      state.hash(view);
    }
    state.takenOver = reason;
    try {
      return count(view, view.end(looping ? dispatch(view) : resolve(view)));
    } finally {
      looping = false;
      state.takenOver = null;
    }
  }

  private Verdict count(FrameView view, Verdict verdict) {
    if (verdict.kind() != Verdict.Kind.HOLD) {
      counters.onVerdict(view.ingress(), verdict);
    }
    boolean throughOutput = view.egress() < 0 && (verdict == Verdict.ANSWER || verdict == Verdict.FORWARD);
    if (throughOutput) {
      counters.onOriginated(view.ingress(), -1); // an answer of its own, or fragments
    }
    return verdict;
  }

  private Verdict resolve(FrameView view) {
    if (view.kind() == FrameKind.MALFORMED) {
      return view.verdict();
    }
    long macs = view.getLong(view.start()); // the destination, and two bytes of the source
    if (macs >>> 16 != state.linkMacs[view.ingress()]) {
      return notToOurMac(view, macs >>> 16);
    }
    if ((macs & SOURCE_GROUP_BIT) != 0) {
      return Verdict.SOURCE_MAC_GROUP;
    }
    return view.kind() == FrameKind.SEGMENT && !passive ? onSegment(view) : dispatch(view);
  }

  private Verdict dispatch(FrameView view) {
    return passive && isForActive(view) ? standBy(view) : walk(view);
  }

  private boolean isForActive(FrameView view) {
    return switch (view.kind()) {
      case SEGMENT, FIRST_FRAGMENT, LATER_FRAGMENT, OTHER_PROTOCOL -> state.isForActive(view);
      case ICMP -> !IcmpWalk.isNeighborMessage(view) && state.isForActive(view);
      case ARP, NOT_IP, MALFORMED -> false;
    };
  }

  /** Nothing is answered, sent on or remembered; only our own probes are known again, since servers are watched. */
  private Verdict standBy(FrameView view) {
    return state.isOwnToVip(view) ? state.endOwnToVip(view) : Verdict.PASSIVE;
  }

  private Verdict walk(FrameView view) {
    return switch (view.kind()) {
      case SEGMENT -> onSegment(view);
      case FIRST_FRAGMENT -> fragments.onFirst(view);
      case LATER_FRAGMENT -> fragments.onLater(view);
      case ICMP -> icmp.onIcmp(view);
      case OTHER_PROTOCOL ->
          view.isFragment() && state.translator != null
              ? fragments.onFirstQuery(view)
              : services.onUnserved(view, Verdict.PROTOCOL_NOT_SERVED);
      case ARP -> state.linkLayer.onArp(view, state.nowNs, state.out);
      case NOT_IP, MALFORMED -> Verdict.PASS;
    };
  }

  private Verdict onSegment(FrameView view) {
    if (state.isShared() && state.takenOver == null) {
      int other = state.steering.otherOwnerOf(view);
      if (other != Steering.NOBODY && other != state.worker && services.isUnknown(view)) {
        return state.handOver(view, other, HandOver.Reason.UNKNOWN_FLOW);
      }
    }
    return services.onSegment(view);
  }

  /** A packet whose source was translated and whose destination is ours: once more, as if it came from outside. */
  @Override
  public Verdict again(FrameView view) {
    if (looping) {
      return Verdict.NOT_ROUTED; // nothing goes round twice, whatever a translator may think
    }
    if (FrameParser.parseAgain(view) == FrameKind.MALFORMED) {
      return view.verdict();
    }
    if (state.isShared()) {
      int owner = state.steering.ownerOf(view);
      if (owner != state.worker) {
        return state.handOver(view, owner, HandOver.Reason.HAIRPIN);
      }
    }
    if (view.kind() == FrameKind.SEGMENT) {
      state.hash(view);
    }
    looping = true;
    try {
      return dispatch(view);
    } finally {
      looping = false;
    }
  }

  /** Groups are for ARP, neighbour discovery and the host; a service frame to a group is nobody's (RFC 1122, 3.3.6). */
  private Verdict notToOurMac(FrameView view, long destination) {
    long source = view.sourceMac();
    if (source == state.linkMacs[view.ingress()]) {
      return Verdict.OWN_FRAME;
    }
    if ((destination & 0x0100_0000_0000L) == 0) {
      return Verdict.OTHER_DESTINATION_MAC;
    }
    if ((source & 0x0100_0000_0000L) != 0) {
      return Verdict.SOURCE_MAC_GROUP;
    }
    if (view.kind() == FrameKind.ARP) {
      return state.linkLayer.onArp(view, state.nowNs, state.out);
    }
    if (view.kind() == FrameKind.ICMP && IcmpWalk.isNeighborMessage(view)) {
      return state.linkLayer.onNeighborMessage(view, state.nowNs, state.out);
    }
    return view.kind() != FrameKind.NOT_IP && state.isToVip(view) ? Verdict.OTHER_DESTINATION_MAC : Verdict.PASS;
  }

  /** Ends fragments whose first one did not come in time. */
  void expireFragments() {
    fragments.expire();
  }

  /** Ends all fragments that wait. */
  void endHeld(Verdict verdict) {
    fragments.endHeld(verdict);
  }
}
