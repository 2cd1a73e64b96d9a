package io.lb4j.neighbor;

import io.lb4j.address.IpAddress;
import io.lb4j.address.MacAddress;
import io.lb4j.frame.FrameOutput;
import io.lb4j.frame.FrameView;
import io.lb4j.frame.Verdict;
import io.lb4j.topology.Link;
import io.lb4j.wire.IcmpHeader;
import io.netty.buffer.ByteBufAllocator;
import java.util.List;
import java.util.Queue;
import java.util.SplittableRandom;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.jspecify.annotations.Nullable;

/**
 * Speaks ARP, neighbour discovery and MLD on all links: resolves next hops into the {@link NeighborTable}, claims and
 * announces virtual addresses, and answers for them. Safe from any thread: received messages are a slow path under one
 * lock; {@link #tick} belongs to one worker and costs three reads while nothing is due; {@link #solicit} takes no lock.
 *
 * <p>Everything is bounded by what control registered, whatever the network sends. Time is an argument and chance comes
 * from the given source: the same seed and the same input give the same bytes out.
 *
 * <p>VLAN tags: answers carry the tags of their request; frames of our own accord are untagged.
 */
public final class LinkLayer {
  /** Timers that expire, and wishes that are granted, in one tick at most; the rest follows in the next. */
  private static final int WORK_PER_TICK = 64;

  private final Object lock = new Object();
  private final NeighborTable neighbors;
  private final Queue<Neighbor> wanted = new ConcurrentLinkedQueue<>();
  private final Timers timers = new Timers();
  private final Resolver resolver;
  private final Claims claims;
  private final NeighborListener listener;
  private final ArpResponder arp;
  private final NeighborDiscovery discovery;
  private final List<ListenerMembership> memberships; // by link

  private volatile OwnedAddresses owned;
  private volatile boolean disturbed = true; // something came up since the last tick
  private long nextDeadlineNs; // owned by the worker that ticks

  /**
   * A link layer that has sent nothing yet.
   *
   * @param owned our addresses; its links are final
   * @param neighbors the next hops, shared with control and workers
   * @param settings how next hops are resolved
   * @param announcements how virtual addresses are claimed
   * @param random the source of delays, owned by the link layer from now on
   * @param allocator gives the memory of frames
   * @param listener hears what changes
   */
  public LinkLayer(
      OwnedAddresses owned,
      NeighborTable neighbors,
      NeighborSettings settings,
      AnnouncementSettings announcements,
      SplittableRandom random,
      ByteBufAllocator allocator,
      NeighborListener listener) {
    LinkFrames frames = new LinkFrames(allocator);
    List<Link> links = owned.links();
    this.owned = owned;
    this.neighbors = neighbors;
    this.listener = listener;
    this.resolver = new Resolver(neighbors, settings, links, frames, timers, random, listener);
    this.claims = new Claims(announcements, frames, timers, random, listener);
    this.memberships =
        links.stream().map(link -> new ListenerMembership(link, announcements, frames, timers, random)).toList();
    ServerClaims serverClaims = new ServerClaims(neighbors, listener);
    this.arp = new ArpResponder(neighbors, resolver, claims, serverClaims);
    this.discovery = new NeighborDiscovery(neighbors, resolver, claims, serverClaims, frames);
    adopt(owned);
  }

  /**
   * Takes over the addresses of a new configuration: virtual addresses that stay keep their claims, new ones are
   * probed, and changes of membership are reported, from the next tick on. When the addresses are those of a passive
   * balancer, none is answered for, announced or defended once this returns; those of an active one that was passive
   * before are all probed anew. Memberships are kept while passive: solicitations then arrive from the first moment on.
   * For the control thread.
   *
   * @param next the addresses; its links are those of the start
   */
  public void adopt(OwnedAddresses next) {
    synchronized (lock) {
      owned = next;
      claims.adopt(next);
      for (int link = 0; link < memberships.size(); link++) {
        memberships.get(link).adopt(next.solicitedNodeGroups(link));
      }
      disturbed = true;
    }
  }

  /**
   * Reads a received ARP packet. A request for an address of ours is rewritten in place into the reply, with egress set
   * to the link it came from; tags and padding stay.
   *
   * @param view a frame of kind ARP
   * @param nowNs the time
   * @param out takes the defence of a virtual address
   * @return {@link Verdict#ANSWER}; {@link Verdict#ARP_MALFORMED} when the sender cannot be one; {@link Verdict#PASS}
   *     for all else, learned from or not
   */
  public Verdict onArp(FrameView view, long nowNs, FrameOutput out) {
    synchronized (lock) {
      return arp.onArp(view, owned, nowNs, out);
    }
  }

  /**
   * Reads a received message of neighbour discovery or MLD (types 130 to 137 and 143). A solicitation for an address of
   * ours is answered: in place, with egress set to the link it came from, when the frame has room; else by a frame
   * given to the output, and the view's egress stays as it was.
   *
   * @param view a frame of kind ICMP, IPv6
   * @param nowNs the time
   * @param out takes answers that need a frame of their own, and the defence of a virtual address
   * @return {@link Verdict#ANSWER}; {@link Verdict#NEIGHBOR_MESSAGE_MALFORMED} when a check fails; {@link Verdict#PASS}
   *     for all else, learned from or not
   */
  public Verdict onNeighborMessage(FrameView view, long nowNs, FrameOutput out) {
    if (!NeighborMessageCheck.isValid(view)) {
      return Verdict.NEIGHBOR_MESSAGE_MALFORMED;
    }
    synchronized (lock) {
      return switch (view.icmpType()) {
        case IcmpHeader.V6_NEIGHBOR_SOLICITATION -> discovery.onSolicitation(view, owned, nowNs, out);
        case IcmpHeader.V6_NEIGHBOR_ADVERTISEMENT -> discovery.onAdvertisement(view, owned, nowNs, out);
        case IcmpHeader.V6_LISTENER_QUERY -> {
          memberships.get(view.ingress()).onQuery(view, nowNs);
          yield Verdict.PASS;
        }
        default -> Verdict.PASS;
      };
    }
  }

  /**
   * The data path, or control, wants the MAC address of a next hop now. It is asked for at the next tick unless that is
   * under way; a next hop that failed is asked for again when its back-off is over. Takes no lock; cheap enough for
   * every frame without a MAC address.
   *
   * @param neighborId a next hop; any other id is ignored
   */
  public void solicit(int neighborId) {
    Neighbor neighbor = neighbors.neighbor(neighborId);
    if (neighbor != null && !neighbor.wanted.get() && neighbor.wanted.compareAndSet(false, true)) {
      wanted.add(neighbor);
      disturbed = true;
    }
  }

  /**
   * As {@link #solicit}, for somebody who has to know whether a next hop is there now: one that failed is asked for at
   * the next tick, whatever is left of its back-off. To be called at a bounded rate. Takes no lock.
   *
   * @param neighborId a next hop; any other id is ignored
   */
  public void insist(int neighborId) {
    Neighbor neighbor = neighbors.neighbor(neighborId);
    if (neighbor != null && neighbor.insisted.compareAndSet(false, true)) {
      wanted.add(neighbor);
      disturbed = true;
    }
  }

  /**
   * Does what is due. For one worker, once per burst and whenever the answered deadline is reached.
   *
   * @param nowNs the time
   * @param out takes the frames
   * @return the next deadline, to be compared as {@code deadline - now < 0}; far in the future when there is none, in
   *     the past when there is more to do at once. Another thread can bring it forward: it must not keep the worker
   *     from calling again for long
   */
  public long tick(long nowNs, FrameOutput out) {
    if (!disturbed && !timers.changed() && nowNs - nextDeadlineNs < 0) {
      return nextDeadlineNs;
    }
    synchronized (lock) {
      disturbed = false;
      memberships.forEach(membership -> membership.begin(nowNs, out));
      claims.begin(nowNs);
      boolean more = !grantWishes(nowNs, out);
      long timerNs = timers.expire(nowNs, out, WORK_PER_TICK);
      nextDeadlineNs = more ? nowNs - 1 : timerNs;
      return nextDeadlineNs;
    }
  }

  /**
   * Asks for what the data path wants; answers whether that was all. Wishes for next hops that gave way to others
   * meanwhile cost no turn: in a flood of addresses they would come faster than they go.
   */
  private boolean grantWishes(long nowNs, FrameOutput out) {
    for (int granted = 0; granted < WORK_PER_TICK; ) {
      Neighbor next = wanted.poll();
      if (next == null) {
        return true;
      }
      if (next.registered) {
        resolver.want(next, nowNs, out);
        granted++;
      }
    }
    return wanted.isEmpty();
  }

  /**
   * Whether a virtual address is ours by now.
   *
   * @param link index of the interface
   * @param address the virtual address
   * @return true when it is answered for; false while it is probed, in conflict, or unknown
   */
  public boolean isClaimed(int link, IpAddress address) {
    synchronized (lock) {
      Claim claim = claims.find(link, address);
      return claim != null && claim.phase == Claim.Phase.CLAIMED;
    }
  }

  /**
   * How far the claims on addresses that are the balancer's alone are. Prefixes of more than one address are not
   * claimed and not among them.
   *
   * @return by interface, in the order of declaration
   */
  public List<AddressClaim> claims() {
    synchronized (lock) {
      return claims.list();
    }
  }

  /**
   * The next hop of control's that has a MAC address. Looks at all of them: to be called at a bounded rate.
   *
   * @param link index of the interface
   * @param mac 48 bits
   * @param v6 the family that is wanted where it has addresses of both
   * @return its address; null when there is none
   */
  public @Nullable IpAddress serverOf(int link, long mac, boolean v6) {
    Neighbor server = neighbors.findByMac(link, mac, v6);
    return server == null ? null : server.address;
  }

  /**
   * Tells the listener that a next hop's answers have another source than its address.
   *
   * @param link index of the interface
   * @param server the next hop
   * @param mac its MAC address
   * @param source what its answers have instead
   */
  public void tellWrongSource(int link, IpAddress server, long mac, IpAddress source) {
    synchronized (lock) {
      listener.wrongSource(link, server, MacAddress.of(mac), source);
    }
  }

  /** How many timers are set: a measure of all that the link layer remembers. */
  int timersSet() {
    synchronized (lock) {
      return timers.size();
    }
  }
}
