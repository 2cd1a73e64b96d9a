package io.lb4j.neighbor;

import io.lb4j.address.MacAddress;
import io.lb4j.frame.FrameMarks;
import io.lb4j.frame.FrameOutput;
import io.lb4j.topology.Link;
import io.lb4j.wire.NeighborMessage;
import java.util.List;
import java.util.SplittableRandom;

/**
 * Finds the MAC addresses of registered next hops and keeps them fresh. Guarded by the link layer's lock.
 *
 * <pre>
 *   INCOMPLETE ──answer──▶ REACHABLE ──reachable time──▶ PROBE ──answer──▶ REACHABLE
 *     │  ▲  └──heard of────▶ STALE ───first probe delay───▶ │
 *     │  └────────────────── no answer to unicast probes ───┘
 *     └──no answer──▶ FAILED ──back-off over, still wanted──▶ INCOMPLETE
 * </pre>
 *
 * This is RFC 4861, section 7.3.3 for both families, with two choices of our own: every next hop that is registered
 * counts as in use, so STALE and REACHABLE always lead to PROBE; and when unicast probes fail, the group is asked once
 * more before the next hop is given up, so that one with a new MAC address is found again without a pause.
 */
final class Resolver {
  private final NeighborTable table;
  private final NeighborSettings settings;
  private final List<Link> links;
  private final LinkFrames frames;
  private final Timers timers;
  private final SplittableRandom random;
  private final NeighborListener listener;

  Resolver(
      NeighborTable table,
      NeighborSettings settings,
      List<Link> links,
      LinkFrames frames,
      Timers timers,
      SplittableRandom random,
      NeighborListener listener) {
    this.table = table;
    this.settings = settings;
    this.links = links;
    this.frames = frames;
    this.timers = timers;
    this.random = random;
    this.listener = listener;
  }

  /** The data path wants a next hop: begins to ask unless that is under way, or a back-off is that may go on. */
  void want(Neighbor neighbor, long nowNs, FrameOutput out) {
    NeighborState state = table.state(neighbor.id);
    boolean atOnce = neighbor.insisted.getAndSet(false) && state == NeighborState.FAILED;
    if (state.isResolved()) {
      neighbor.wanted.set(false);
    } else if (neighbor.registered && (atOnce || !timerOf(neighbor).armed)) {
      ask(neighbor, nowNs, out);
    }
  }

  private void ask(Neighbor neighbor, long nowNs, FrameOutput out) {
    neighbor.wanted.set(false);
    neighbor.solicitations = 0;
    if (table.update(neighbor, NeighborState.INCOMPLETE, 0)) {
      solicit(neighbor, nowNs, out);
    }
  }

  private void expire(Neighbor neighbor, long nowNs, FrameOutput out) {
    if (!neighbor.registered) {
      return;
    }
    switch (table.state(neighbor.id)) {
      case INCOMPLETE -> {
        if (neighbor.solicitations < settings.solicitations()) {
          solicit(neighbor, nowNs, out);
        } else {
          fail(neighbor, nowNs);
        }
      }
      case REACHABLE, STALE -> beginProbes(neighbor, nowNs, out);
      case PROBE -> {
        if (neighbor.solicitations < settings.probes()) {
          probe(neighbor, nowNs, out);
        } else {
          ask(neighbor, nowNs, out);
        }
      }
      case FAILED -> {
        if (neighbor.wanted.get()) {
          ask(neighbor, nowNs, out);
        }
      }
      case STATIC -> neighbor.wanted.set(false);
    }
  }

  private void solicit(Neighbor neighbor, long nowNs, FrameOutput out) {
    Link link = links.get(neighbor.link);
    out.transmit(
        neighbor.link,
        neighbor.address.isV6()
            ? frames.solicitation(link, neighbor.address)
            : frames.arpRequest(link, neighbor.address, MacAddress.BROADCAST.value()),
        FrameMarks.NONE);
    countSolicitation(neighbor, nowNs);
  }

  private void beginProbes(Neighbor neighbor, long nowNs, FrameOutput out) {
    neighbor.solicitations = 0;
    if (table.update(neighbor, NeighborState.PROBE, table.mac(neighbor.id))) {
      probe(neighbor, nowNs, out);
    }
  }

  private void probe(Neighbor neighbor, long nowNs, FrameOutput out) {
    Link link = links.get(neighbor.link);
    long mac = table.mac(neighbor.id);
    out.transmit(
        neighbor.link,
        neighbor.address.isV6()
            ? frames.unicastSolicitation(link, neighbor.address, mac)
            : frames.arpRequest(link, neighbor.address, mac),
        FrameMarks.NONE);
    countSolicitation(neighbor, nowNs);
  }

  private void countSolicitation(Neighbor neighbor, long nowNs) {
    neighbor.solicitations++;
    timers.arm(timerOf(neighbor), nowNs + settings.retransmitNs());
  }

  private void fail(Neighbor neighbor, long nowNs) {
    if (!table.update(neighbor, NeighborState.FAILED, 0)) {
      return;
    }
    neighbor.backOffNs =
        neighbor.backOffNs == 0
            ? settings.backOffMinNs()
            : Math.min(neighbor.backOffNs * 2, settings.backOffMaxNs());
    timers.arm(timerOf(neighbor), nowNs + neighbor.backOffNs);
    if (!neighbor.lost) {
      neighbor.lost = true;
      tellLost(neighbor);
    }
  }

  /** Of hosts that traffic alone asked for and that never were there nobody hears: strangers make up as many a second. */
  private void tellLost(Neighbor neighbor) {
    if (neighbor.lastMac != 0) {
      listener.neighborLost(neighbor.link, neighbor.address, MacAddress.of(neighbor.lastMac));
    } else if (!table.isOnDemand(neighbor)) {
      listener.neighborLost(neighbor.link, neighbor.address, null);
    }
  }

  /** ARP named a next hop as sender: merged (RFC 826); the reply to a request of ours confirms it. */
  void onArp(Neighbor neighbor, long mac, boolean reply, long nowNs) {
    if (reply && isAwaiting(neighbor)) {
      record(neighbor, NeighborState.REACHABLE, mac, nowNs);
    } else if (table.mac(neighbor.id) != mac) {
      record(neighbor, NeighborState.STALE, mac, nowNs);
    }
  }

  private boolean isAwaiting(Neighbor neighbor) {
    NeighborState state = table.state(neighbor.id);
    boolean asking = state == NeighborState.INCOMPLETE || state == NeighborState.PROBE;
    return asking && timerOf(neighbor).armed;
  }

  /** A next hop solicited somebody (RFC 4861, section 7.2.3). */
  void onSolicitation(Neighbor neighbor, long mac, long nowNs) {
    if (table.mac(neighbor.id) != mac) {
      record(neighbor, NeighborState.STALE, mac, nowNs);
    }
  }

  /**
   * A next hop advertised itself (RFC 4861, section 7.2.5).
   *
   * @param mac target link-layer address, or {@link NeighborMessage#NO_ADDRESS}
   */
  void onAdvertisement(Neighbor neighbor, long mac, int flags, long nowNs) {
    boolean solicited = (flags & NeighborMessage.SOLICITED) != 0;
    boolean override = (flags & NeighborMessage.OVERRIDE) != 0;
    NeighborState confirmed = solicited ? NeighborState.REACHABLE : NeighborState.STALE;
    NeighborState state = table.state(neighbor.id);
    long known = table.mac(neighbor.id);
    boolean other = mac != NeighborMessage.NO_ADDRESS && mac != known;
    if (!state.isResolved()) {
      if (mac != NeighborMessage.NO_ADDRESS) {
        record(neighbor, confirmed, mac, nowNs);
      }
    } else if (other && !override) {
      if (state == NeighborState.REACHABLE) {
        record(neighbor, NeighborState.STALE, known, nowNs);
      }
    } else if (solicited || other) {
      record(neighbor, confirmed, other ? mac : known, nowNs);
    }
  }

  private void record(Neighbor neighbor, NeighborState state, long mac, long nowNs) {
    NeighborState before = table.state(neighbor.id);
    if (!table.update(neighbor, state, mac)) {
      return;
    }
    neighbor.backOffNs = 0;
    if (state == NeighborState.REACHABLE) {
      timers.arm(timerOf(neighbor), nowNs + jittered(settings.reachableNs()));
    } else if (before != NeighborState.STALE) { // changes without end do not put the probe off
      timers.arm(timerOf(neighbor), nowNs + settings.firstProbeDelayNs());
    }
    tell(neighbor, mac, nowNs);
  }

  private void tell(Neighbor neighbor, long mac, long nowNs) {
    long last = neighbor.lastMac;
    neighbor.lastMac = mac;
    if (last == 0 || neighbor.lost) {
      neighbor.lost = false;
      listener.neighborFound(neighbor.link, neighbor.address, MacAddress.of(mac));
    } else if (last != mac) {
      moved(neighbor, last, mac, nowNs);
    }
  }

  private void moved(Neighbor neighbor, long from, long to, long nowNs) {
    neighbor.changes++;
    if (!neighbor.movedBefore || nowNs - neighbor.movedNs >= settings.movedEventNs()) {
      listener.neighborMoved(
          neighbor.link, neighbor.address, MacAddress.of(from), MacAddress.of(to), neighbor.changes);
      neighbor.movedBefore = true;
      neighbor.movedNs = nowNs;
      neighbor.changes = 0;
    }
  }

  /** A time between one half and three halves of the given (RFC 4861, section 6.3.2). */
  private long jittered(long ns) {
    return ns / 2 + random.nextLong(ns + 1);
  }

  private Timer timerOf(Neighbor neighbor) {
    Timer timer = neighbor.timer;
    if (timer == null) {
      timer = new Timer((nowNs, out) -> expire(neighbor, nowNs, out));
      neighbor.timer = timer;
    }
    return timer;
  }
}
