package io.lb4j.dataplane;

import io.lb4j.counters.WorkerCounters;
import io.lb4j.flow.FlowHash;
import io.lb4j.flow.FlowTable;
import io.lb4j.forward.Steering;
import io.lb4j.forward.Translator;
import io.lb4j.frame.FrameMarks;
import io.lb4j.frame.FrameOutput;
import io.lb4j.frame.FrameView;
import io.lb4j.frame.Segments;
import io.lb4j.frame.Verdict;
import io.lb4j.neighbor.LinkLayer;
import io.lb4j.neighbor.OwnedAddresses;
import org.jspecify.annotations.Nullable;

/**
 * What the parts of the walk share: the worker's tables, the snapshot it works by, and the burst's time and output.
 * Owned by one worker; the pipeline writes, the parts read.
 */
final class WorkerState {
  final WorkerCounters counters;
  final FlowTable flows;
  final FlowHash flowHash;
  final LinkLayer linkLayer;
  final LinkEgress egress;
  final IcmpMessages icmp;
  final TcpResets resets;
  final FrameProbes probes;
  final long schedulerSeed;
  final long clientSeed;
  final long[] linkMacs;
  final boolean[] finishing; // by link: whether checksums have to be finished before a frame leaves
  final int[] superFrameMtus; // by link: the largest packet of a super-frame's segments, 0 where none may leave
  final int worker;

  ForwardingTable table;
  OwnedAddresses addresses;
  ServiceRuntime[] runtimes = new ServiceRuntime[0];
  @Nullable Translator translator;
  @Nullable Steering steering;
  @Nullable HandOver others; // null: all frames are this worker's
  HandOver.@Nullable Reason takenOver; // why the frame at hand came from another worker; null: from a port
  int handedTo; // the worker that the last frame was handed over to
  long nowNs;
  int tick;
  FrameOutput out;

  WorkerState(
      WorkerCounters counters,
      FlowTable flows,
      FlowHash flowHash,
      LinkLayer linkLayer,
      LinkEgress egress,
      IcmpMessages icmp,
      TcpResets resets,
      FrameProbes probes,
      long schedulerSeed,
      long clientSeed,
      long[] linkMacs,
      boolean[] finishing,
      int[] superFrameMtus,
      int worker) {
    this.counters = counters;
    this.flows = flows;
    this.flowHash = flowHash;
    this.linkLayer = linkLayer;
    this.egress = egress;
    this.icmp = icmp;
    this.resets = resets;
    this.probes = probes;
    this.schedulerSeed = schedulerSeed;
    this.clientSeed = clientSeed;
    this.linkMacs = linkMacs;
    this.finishing = finishing;
    this.superFrameMtus = superFrameMtus;
    this.worker = worker;
  }

  /** Whether a usual frame may leave as it is. */
  boolean isWhole(FrameView view, int link) {
    return view.marks() == FrameMarks.NONE || isCarried(view, link);
  }

  private boolean isCarried(FrameView view, int link) {
    boolean isSuperFrame = (view.marks() & FrameMarks.GSO) != 0;
    return !finishing[link] && (!isSuperFrame || Segments.packetLength(view) <= superFrameMtus[link]);
  }

  boolean isToVip(FrameView view) {
    return addresses.isVip(view.isV6(), view.destinationHigh(), view.destinationLow());
  }

  boolean isToInterface(FrameView view) {
    return addresses.interfaceOf(view.isV6(), view.destinationHigh(), view.destinationLow()) >= 0;
  }

  boolean isToGateway(FrameView view) {
    return addresses.isGateway(view.isV6(), view.destinationHigh(), view.destinationLow());
  }

  static boolean isToGroup(FrameView view) {
    return view.isV6() ? view.destinationHigh() >>> 56 == 0xFF : view.destinationLow() >>> 28 >= 0xE;
  }

  /** Whether a packet has to do with virtual addresses, or would cross: what a passive balancer leaves to the other. */
  boolean isForActive(FrameView view) {
    return isToVip(view) || translator != null && !isToInterface(view) && !isToGroup(view);
  }

  /** Whether a packet that no flow and no service wants answers to a probe of ours. */
  boolean isProbeAnswer(FrameView view) {
    return probes.areInFlight() && isToInterface(view) && probes.onAnswer(view, nowNs, out);
  }

  /**
   * Whether a packet claims to be from an interface of ours to a virtual address of ours: forged, or a probe that a
   * server has sent on instead of keeping it. It is no client's, and nothing of the balancer answers it.
   */
  boolean isOwnToVip(FrameView view) {
    return addresses.mayBeOurs(view.isV6(), view.sourceHigh(), view.sourceLow())
        && !view.isAgain()
        && addresses.interfaceOf(view.isV6(), view.sourceHigh(), view.sourceLow()) >= 0
        && isToVip(view);
  }

  /** The end of such a packet. */
  Verdict endOwnToVip(FrameView view) {
    boolean returned = probes.areInFlight() && probes.onReturn(view, nowNs, out);
    return returned ? Verdict.OWN_FRAME : Verdict.SOURCE_SPOOFED;
  }

  /** Whether frames may belong to other workers, and can be given to them. */
  boolean isShared() {
    return others != null && steering != null;
  }

  /** Gives a frame to its owner; it is gone then, or dropped. */
  Verdict handOver(FrameView view, int owner, HandOver.Reason reason) {
    int link = view.ingress();
    if (!others.handOver(view, owner, reason)) {
      return Verdict.WORKER_QUEUE_FULL;
    }
    handedTo = owner;
    counters.onHandOver(link, 1);
    return Verdict.HANDED_OVER;
  }

  /** Keeps the hash of a segment's flow in its view. */
  int hash(FrameView view) {
    int hash =
        view.isV6()
            ? flowHash.of6(
                view.sourceHigh(),
                view.sourceLow(),
                view.destinationHigh(),
                view.destinationLow(),
                view.ports(),
                view.protocol())
            : flowHash.of4(view.sourceLow() << 32 | view.destinationLow(), view.ports(), view.protocol());
    view.setHash(hash);
    return hash;
  }
}
