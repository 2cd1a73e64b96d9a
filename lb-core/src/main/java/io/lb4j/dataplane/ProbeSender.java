package io.lb4j.dataplane;

import io.lb4j.frame.FrameMarks;
import io.lb4j.frame.FrameOutput;
import io.lb4j.neighbor.LinkLayer;
import io.lb4j.neighbor.NeighborTable;
import io.netty.buffer.ByteBufAllocator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * Sends probes, once their next hop's MAC address is known, and again when half of the time is over; a lost frame is
 * not a dead server. Guarded by the lock of {@link FrameProbes}; {@link #isDue} may be asked without it.
 */
final class ProbeSender {
  /** Before a probe is repeated, and after, there is so much time at least. */
  private static final long SHORTEST_WAIT_NS = 200_000_000;

  /** It may be another worker that hears of the MAC address a probe waits for. */
  private static final long NEIGHBOR_CHECK_NS = 5_000_000;

  private static final long FAR_NS = 1L << 62;

  private final NeighborTable neighbors;
  private final LinkLayer linkLayer;
  private final ByteBufAllocator allocator;
  private final TreeSet<Probe> timed = new TreeSet<>(ProbeSender::byTime);
  private final Set<Probe> withoutMac = new LinkedHashSet<>();

  private volatile long nextNs; // the first of those that are timed
  private volatile boolean waitsForMac;
  private volatile long seenVersion; // of the neighbour table when withoutMac was looked at

  ProbeSender(NeighborTable neighbors, LinkLayer linkLayer, ByteBufAllocator allocator) {
    this.neighbors = neighbors;
    this.linkLayer = linkLayer;
    this.allocator = allocator;
  }

  private static int byTime(Probe a, Probe b) {
    int order = Long.signum(a.nextNs - b.nextNs);
    return order != 0 ? order : a.number - b.number;
  }

  /** Whether time or a MAC address has come that was waited for; of meaning while probes are in flight. */
  boolean isDue(long nowNs) {
    return nextNs - nowNs <= 0 || waitsForMac && neighbors.version() != seenVersion;
  }

  /** Begins with a probe that knows its way. */
  void start(Probe probe, long nowNs, FrameOutput out) {
    probe.deadlineNs = nowNs + probe.timeoutNs;
    schedule(probe, probe.deadlineNs);
    register(probe);
    send(probe, nowNs, out);
  }

  /** Ends with a probe, started or not. */
  void forget(Probe probe) {
    withoutMac.remove(probe);
    waitsForMac = !withoutMac.isEmpty();
    timed.remove(probe);
    updateNext(probe.nextNs);
  }

  /** Looks at a probe anew that was told something. Answers whether it is to be looked at earlier than was planned. */
  boolean settle(Probe probe) {
    boolean earlier = probe.settlesNs() - probe.deadlineNs < 0 && probe.settlesNs() != probe.nextNs;
    if (earlier) {
      schedule(probe, probe.settlesNs());
    }
    return earlier;
  }

  private void schedule(Probe probe, long atNs) {
    timed.remove(probe);
    probe.nextNs = atNs;
    timed.add(probe);
    updateNext(atNs);
  }

  private void updateNext(long orLongAfterNs) {
    nextNs = timed.isEmpty() ? orLongAfterNs + FAR_NS : timed.first().nextNs;
  }

  // ---- as time goes --------------------------------------------------------------------------------------------

  /** When to call {@link #sendWaiting} and {@link #nextOver} again at the latest. */
  long deadlineNs(long nowNs) {
    return waitsForMac && nextNs - nowNs > NEIGHBOR_CHECK_NS ? nowNs + NEIGHBOR_CHECK_NS : nextNs;
  }

  /** Sends what waited for a MAC address that is known by now. */
  void sendWaiting(long nowNs, FrameOutput out) {
    long version = neighbors.version();
    if (waitsForMac && version != seenVersion) {
      seenVersion = version;
      List.copyOf(withoutMac).forEach(probe -> send(probe, nowNs, out));
    }
  }

  /** Repeats what is due; answers a probe whose time is over, or null when there is none any more. */
  @Nullable Probe nextOver(long nowNs, FrameOutput out) {
    while (!timed.isEmpty() && timed.first().nextNs - nowNs <= 0) {
      Probe probe = timed.first();
      if (probe.settlesNs() - nowNs <= 0) {
        return probe;
      }
      schedule(probe, probe.settlesNs());
      send(probe, nowNs, out);
    }
    return null;
  }

  // ---- frames --------------------------------------------------------------------------------------------------

  private void register(Probe probe) {
    probe.neighbor = neighbors.registerOnDemand(probe.link.index(), probe.nextHop);
  }

  private void send(Probe probe, long nowNs, FrameOutput out) {
    if (!neighbors.isCurrent(probe.neighbor)) {
      register(probe);
    }
    if (neighbors.mac(probe.neighbor) == NeighborTable.UNRESOLVED) {
      awaitMac(probe);
      return;
    }
    withoutMac.remove(probe);
    waitsForMac = !withoutMac.isEmpty();
    for (ProbePacket packet : probe.unanswered()) {
      probe.taken |= transmit(probe, packet, out);
    }
    if (!probe.sent) {
      onFirstSent(probe, nowNs);
    }
  }

  private void awaitMac(Probe probe) {
    if (withoutMac.add(probe)) {
      seenVersion = neighbors.version();
      waitsForMac = true;
      linkLayer.insist(probe.neighbor);
    }
  }

  private void onFirstSent(Probe probe, long nowNs) {
    probe.sent = true;
    probe.sentNs = nowNs;
    long half = (probe.deadlineNs - nowNs) / 2;
    if (half >= SHORTEST_WAIT_NS) {
      schedule(probe, nowNs + half);
    }
  }

  /** Sends a packet of a probe, whose next hop was known before; may be called by any worker, without the lock. */
  boolean transmit(Probe probe, ProbePacket packet, FrameOutput out) {
    long mac = neighbors.mac(probe.neighbor);
    if (mac == NeighborTable.UNRESOLVED) {
      return false;
    }
    return out.transmit(
        probe.link.index(), packet.frame(allocator, mac, probe.link.mac().value()), FrameMarks.NONE);
  }
}
