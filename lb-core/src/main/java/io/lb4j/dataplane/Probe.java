package io.lb4j.dataplane;

import io.lb4j.address.InterfaceAddress;
import io.lb4j.address.IpAddress;
import io.lb4j.frame.FrameView;
import io.lb4j.monitor.ProbeReason;
import io.lb4j.monitor.ProbeResult;
import io.lb4j.topology.Link;
import io.lb4j.topology.Topology;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A probe in flight: what it asks, and what it was told so far. Guarded by the lock of {@link FrameProbes}; number and
 * server are immutable.
 */
abstract class Probe {
  final int number; // its port and echo identifier
  final IpAddress server;
  final long timeoutNs;
  final Consumer<ProbeResult> done;

  // the way, found by the first worker
  @Nullable Link link;
  @Nullable IpAddress nextHop;
  int neighbor = -1;

  // time
  long deadlineNs;
  long nextNs; // when it has to be looked at; changed by FrameProbes alone
  long sentNs;
  boolean sent; // or tried to
  boolean taken; // by the port

  @Nullable ProbeResult result;

  Probe(int number, IpAddress server, long timeoutNs, Consumer<ProbeResult> done) {
    this.number = number;
    this.server = server;
    this.timeoutNs = timeoutNs;
    this.done = done;
  }

  /** Finds the way and puts the packets together; answers what is in the way, or null. */
  abstract @Nullable ProbeResult prepare(Topology topology, SplittableRandom random);

  /** What to send, now or again. */
  abstract List<ProbePacket> unanswered();

  /** A segment or datagram to the probe's port. True when it is an answer. */
  abstract boolean onSegment(FrameView view, long nowNs);

  /** A reply with the probe's identifier. True when it is an answer. */
  abstract boolean onEchoReply(FrameView view, long nowNs);

  /** An ICMP error or redirect that quotes a packet with the probe's number. True when it is about the probe. */
  abstract boolean onQuote(FrameView view, long quote, long nowNs);

  /** A packet from our own address that has the probe's number. True when it is the probe itself. */
  abstract boolean onReturn(FrameView view);

  /** The result when nothing more is waited for, of a probe that was sent. */
  abstract ProbeResult whenSilent();

  /** When the answer is good enough unless more comes; the deadline while there is none. */
  abstract long settlesNs();

  /** What is sent to the server after the end, so that it keeps nothing of the probe. */
  @Nullable ProbePacket farewell() {
    return null;
  }

  final void answered(long nowNs) {
    result = ProbeResult.answered(Math.max(0, nowNs - sentNs));
  }

  final void failed(ProbeReason reason, String detail) {
    result = ProbeResult.failed(reason, detail);
  }

  /** The result when nothing more is waited for. */
  final ProbeResult atEnd() {
    if (!sent) {
      return ProbeResult.failed(
          ProbeReason.NO_NEIGHBOR,
          (nextHop.equals(server) ? "" : "router ")
              + nextHop
              + " does not answer "
              + (nextHop.isV6() ? "neighbour discovery" : "ARP")
              + " on "
              + link.name());
    }
    return taken ? whenSilent() : ProbeResult.failed(ProbeReason.FAILED, "interface " + link.name() + " takes no frame");
  }

  /**
   * Our own address that packets to the server's network come from: one whose network has the server, else the first
   * of the family, a link-local one last.
   */
  static Optional<IpAddress> source(Link link, IpAddress server, boolean v6) {
    return link.addresses().stream()
        .filter(own -> own.address().isV6() == v6)
        .min(Comparator.comparingInt(own -> rank(own, server)))
        .map(InterfaceAddress::address);
  }

  private static int rank(InterfaceAddress own, IpAddress server) {
    if (own.network().contains(server)) {
      return 0;
    }
    return own.address().isLinkLocal() ? 2 : 1;
  }

  static ProbeResult noSource(Link link, boolean v6) {
    return ProbeResult.failed(
        ProbeReason.FAILED, "interface " + link.name() + " has no IPv" + (v6 ? 6 : 4) + " address to ask from");
  }
}
