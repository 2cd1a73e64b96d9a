package io.lb4j.neighbor;

import io.lb4j.address.IpAddress;
import io.lb4j.address.IpPrefix;
import io.lb4j.address.MacAddress;
import io.lb4j.frame.FrameMarks;
import io.lb4j.frame.FrameOutput;
import io.lb4j.topology.Link;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.jspecify.annotations.Nullable;

/**
 * The virtual addresses: each is probed, claimed, announced and defended (RFC 5227 for IPv4; RFC 4862, section 5.4 and
 * RFC 4861, section 7.2.6 for IPv6). Guarded by the link layer's lock.
 *
 * <pre>
 *   PASSIVE ◀──▶ all others, as the balancer's role changes
 *   NEW ──▶ PROBING ──nobody answers──▶ CLAIMED ──announce twice, then every refresh interval
 *              │  ▲                        └──conflict: announce once per defend interval
 *   somebody does └──conflict retry──┐
 *              └────────────────▶ CONFLICT
 * </pre>
 */
final class Claims {
  private final AnnouncementSettings settings;
  private final LinkFrames frames;
  private final Timers timers;
  private final SplittableRandom random;
  private final NeighborListener listener;
  private Map<Key, Claim> claims = new LinkedHashMap<>();
  private boolean anyNew;

  private record Key(int link, IpAddress address) {}

  Claims(
      AnnouncementSettings settings,
      LinkFrames frames,
      Timers timers,
      SplittableRandom random,
      NeighborListener listener) {
    this.settings = settings;
    this.frames = frames;
    this.timers = timers;
    this.random = random;
    this.listener = listener;
  }

  /** Takes over the virtual addresses of a configuration; those that stay keep their claims. */
  void adopt(OwnedAddresses owned) {
    Map<Key, Claim> before = claims;
    Map<Key, Claim> now = new LinkedHashMap<>();
    for (Link link : owned.links()) {
      for (IpPrefix vip : owned.virtualAddresses(link.index())) {
        if (vip.isHost()) {
          Key key = new Key(link.index(), vip.address());
          Claim kept = before.remove(key);
          Claim claim = kept != null ? kept : new Claim(link, vip.address(), this);
          become(claim, owned.isActive());
          now.put(key, claim);
        }
      }
    }
    before.values().forEach(gone -> timers.cancel(gone.timer));
    claims = now;
  }

  private void become(Claim claim, boolean active) {
    if (!active) {
      timers.cancel(claim.timer);
      claim.phase = Claim.Phase.PASSIVE;
    } else if (claim.phase == Claim.Phase.PASSIVE) {
      claim.phase = settings.enabled() ? Claim.Phase.NEW : Claim.Phase.CLAIMED;
      claim.defendedBefore = false;
      anyNew |= settings.enabled();
    }
  }

  /** How far each claim is, in the order of links and of declaration. */
  List<AddressClaim> list() {
    return claims.values().stream()
        .map(claim -> new AddressClaim(claim.link.name(), claim.address, claim.state()))
        .toList();
  }

  @Nullable Claim find(int link, IpAddress address) {
    return claims.get(new Key(link, address));
  }

  /** Begins with the addresses that came since the last tick. */
  void begin(long nowNs) {
    if (anyNew) {
      anyNew = false;
      claims.values().stream().filter(c -> c.phase == Claim.Phase.NEW).forEach(c -> beginProbing(c, nowNs));
    }
  }

  private void beginProbing(Claim claim, long nowNs) {
    claim.phase = Claim.Phase.PROBING;
    claim.sent = 0;
    timers.arm(claim.timer, nowNs + (probes(claim) == 0 ? 0 : random.nextLong(settings.probeWaitNs() + 1)));
  }

  private int probes(Claim claim) {
    return claim.address.isV6() ? settings.duplicateAddressProbes() : settings.arpProbes();
  }

  void expire(Claim claim, long nowNs, FrameOutput out) {
    switch (claim.phase) {
      case NEW, CONFLICT -> beginProbing(claim, nowNs);
      case PROBING -> {
        if (claim.sent < probes(claim)) {
          probe(claim, nowNs, out);
        } else {
          become(claim, nowNs, out);
        }
      }
      case CLAIMED -> announce(claim, nowNs, out);
      case PASSIVE -> {}
    }
  }

  private void probe(Claim claim, long nowNs, FrameOutput out) {
    boolean v6 = claim.address.isV6();
    out.transmit(
        claim.link.index(),
        v6 ? frames.duplicateAddressProbe(claim.link, claim.address) : frames.arpProbe(claim.link, claim.address),
        FrameMarks.NONE);
    claim.sent++;
    timers.arm(claim.timer, nowNs + (v6 ? settings.retransmitNs() : afterArpProbe(claim)));
  }

  private long afterArpProbe(Claim claim) {
    return claim.sent < settings.arpProbes()
        ? settings.probeMinNs() + random.nextLong(settings.probeMaxNs() - settings.probeMinNs() + 1)
        : settings.announceWaitNs();
  }

  private void become(Claim claim, long nowNs, FrameOutput out) {
    claim.phase = Claim.Phase.CLAIMED;
    claim.sent = 0;
    listener.virtualAddressClaimed(claim.link.index(), claim.address);
    if (settings.announcements() > 0) {
      announce(claim, nowNs, out);
    } else {
      refreshLater(claim, nowNs);
    }
  }

  private void announce(Claim claim, long nowNs, FrameOutput out) {
    transmitAnnouncement(claim, out);
    claim.sent++;
    if (claim.sent < settings.announcements()) {
      timers.arm(claim.timer, nowNs + settings.announceIntervalNs());
    } else {
      claim.sent = settings.announcements();
      refreshLater(claim, nowNs);
    }
  }

  private void refreshLater(Claim claim, long nowNs) {
    if (settings.refreshNs() > 0) {
      timers.arm(claim.timer, nowNs + settings.refreshNs());
    }
  }

  private void transmitAnnouncement(Claim claim, FrameOutput out) {
    out.transmit(
        claim.link.index(),
        claim.address.isV6()
            ? frames.unsolicitedAdvertisement(claim.link, claim.address)
            : frames.arpAnnouncement(claim.link, claim.address),
        FrameMarks.NONE);
  }

  /** Somebody else uses a virtual address, or probes for it while we do. */
  void conflict(Claim claim, long otherMac, long nowNs, FrameOutput out) {
    if (claim.phase == Claim.Phase.PROBING) {
      claim.phase = Claim.Phase.CONFLICT;
      timers.arm(claim.timer, nowNs + settings.conflictRetryNs());
      tell(claim, otherMac, false);
    } else if (claim.phase == Claim.Phase.CLAIMED && settings.enabled() && mayDefend(claim, nowNs)) {
      claim.defendedBefore = true;
      claim.defendedNs = nowNs;
      transmitAnnouncement(claim, out);
      tell(claim, otherMac, true);
    }
  }

  /** RFC 5227, section 2.4 (c): the address is kept, and defended no more often than this. */
  private boolean mayDefend(Claim claim, long nowNs) {
    return !claim.defendedBefore || nowNs - claim.defendedNs >= settings.defendIntervalNs();
  }

  private void tell(Claim claim, long otherMac, boolean claimed) {
    listener.virtualAddressConflict(claim.link.index(), claim.address, MacAddress.of(otherMac), claimed);
  }
}
