package io.lb4j.gateway.nat;

import io.lb4j.address.IpPrefix;
import io.lb4j.forward.Steering;
import io.lb4j.frame.FrameView;
import io.lb4j.frame.IcmpQuote;
import io.lb4j.gateway.Outbound;
import io.lb4j.gateway.OutboundRule;
import io.lb4j.gateway.nat.KnownAddresses.Known;
import io.lb4j.service.VirtualService;
import io.lb4j.wire.IcmpHeader;
import io.lb4j.wire.IpProtocol;
import io.lb4j.wire.Ipv4Header;
import io.lb4j.wire.Ipv6Header;
import io.netty.buffer.ByteBuf;
import java.util.Collection;
import org.jspecify.annotations.Nullable;

/**
 * Which worker has a session. Immutable, safe from any thread; allocates nothing per frame.
 *
 * <pre>
 *   a service's session       by the client's address; its reply, which a server's port tells, too
 *   with full NAT             the reply by the port it goes to: the client's worker chose one that it owns
 *   a mapped session          by the inside host's address; its reply by the external port, likewise
 *   a routed session          by the address outside
 *   between inside hosts      by the one that mappings may be for, else by both alike
 *   ICMP query, ICMP error    as a packet with the identifier for ports; as a reply to the quoted packet
 *   fragment                  by both addresses, so that all of a datagram meet; the first one tells whose it is
 * </pre>
 *
 * What a server sends from its service's port may also begin something. The worker that should have the session is
 * asked first; if it has none, {@link #otherOwnerOf} says who goes by the other rules.
 */
public final class NatSteering implements Steering {
  private static final int OUTSIDE = 0;
  private static final int ROUTED = 1;
  private static final int MAPPED = 2;

  /** What a packet's ports are. */
  private enum Kind {
    /** Those of TCP or UDP. */
    PORTS,
    /** The identifier of an ICMP request. */
    REQUEST,
    /** The identifier of an answer. */
    ANSWER,
    /** None. */
    NONE
  }

  private final long seed;
  private final int workers;
  private final KnownAddresses addresses;
  private final OutboundRule[] rules;

  /**
   * Steering for some rules and services.
   *
   * @param outbound the rules
   * @param seed equal for all threads of a balancer
   * @param workers 2 or more
   * @param services all services
   */
  public NatSteering(Outbound outbound, long seed, int workers, Collection<VirtualService> services) {
    this.seed = seed;
    this.workers = workers;
    this.addresses = new KnownAddresses(outbound, services);
    this.rules = outbound.rules().toArray(OutboundRule[]::new);
  }

  @Override
  public int workerOf(FrameView view) {
    return switch (view.kind()) {
      case FIRST_FRAGMENT, LATER_FRAGMENT -> ofFragment(view);
      case OTHER_PROTOCOL -> view.isFragment() ? ofFragment(view) : ownerOf(view);
      case SEGMENT, ICMP, ARP, NOT_IP, MALFORMED -> ownerOf(view);
    };
  }

  @Override
  public int ownerOf(FrameView view) {
    return switch (view.kind()) {
      case SEGMENT, FIRST_FRAGMENT -> owner(view, view.ports(), Kind.PORTS);
      case ICMP -> ofMessage(view);
      case OTHER_PROTOCOL -> isQuery(view) ? ofQuery(view) : owner(view, 0, Kind.NONE);
      case LATER_FRAGMENT -> ofFragment(view);
      case ARP, NOT_IP, MALFORMED -> 0;
    };
  }

  @Override
  public int otherOwnerOf(FrameView view) {
    return otherOwner(
        view.isV6(),
        view.sourceHigh(),
        view.sourceLow(),
        view.destinationHigh(),
        view.destinationLow(),
        view.sourcePort(),
        view.protocol());
  }

  private int otherOwner(
      boolean v6,
      long sourceHigh,
      long sourceLow,
      long destinationHigh,
      long destinationLow,
      int sourcePort,
      int protocol) {
    Known from = addresses.find(v6, sourceHigh, sourceLow);
    if (from == null || !from.serves(protocol, sourcePort)) {
      return NOBODY;
    }
    int inside = insideOf(v6, sourceHigh, sourceLow);
    Known to = addresses.find(v6, destinationHigh, destinationLow);
    if (inside == OUTSIDE || addresses.isVirtual(to, v6, destinationHigh, destinationLow)) {
      return NOBODY;
    }
    if (to != null && to.isExternal()) {
      return inside == MAPPED ? worker(sourceHigh, sourceLow) : NOBODY;
    }
    boolean fullNat = to != null && to.isFullNat();
    return fullNat ? NOBODY : ofCrossing(v6, sourceHigh, sourceLow, destinationHigh, destinationLow);
  }

  /**
   * Whether a worker gets the packets of a session's direction, at once or after another worker that does not know it.
   *
   * @param reply whether the direction is the second one, which tells an ICMP answer from a request
   */
  boolean mayGoTo(int worker, Tuple of, boolean reply) {
    boolean query = of.protocol != IpProtocol.TCP && of.protocol != IpProtocol.UDP;
    Kind kind = !query ? Kind.PORTS : reply ? Kind.ANSWER : Kind.REQUEST;
    int owner =
        owner(
            of.v6,
            of.sourceHigh,
            of.sourceLow,
            of.destinationHigh,
            of.destinationLow,
            of.ports,
            of.protocol,
            kind);
    return owner == worker
        || !query
            && worker
                == otherOwner(
                    of.v6,
                    of.sourceHigh,
                    of.sourceLow,
                    of.destinationHigh,
                    of.destinationLow,
                    of.sourcePort(),
                    of.protocol);
  }

  // ---- packets -------------------------------------------------------------------------------------------------

  private int owner(FrameView view, int ports, Kind kind) {
    return owner(
        view.isV6(),
        view.sourceHigh(),
        view.sourceLow(),
        view.destinationHigh(),
        view.destinationLow(),
        ports,
        view.protocol(),
        kind);
  }

  private int owner(
      boolean v6,
      long sourceHigh,
      long sourceLow,
      long destinationHigh,
      long destinationLow,
      int ports,
      int protocol,
      Kind kind) {
    Known from = addresses.find(v6, sourceHigh, sourceLow);
    Known to = addresses.find(v6, destinationHigh, destinationLow);
    int toPort = ports & 0xFFFF;
    boolean toPool = to != null && to.isExternal();
    if (addresses.isVirtual(to, v6, destinationHigh, destinationLow)
        && (!toPool || isForService(to, protocol, toPort, kind))) {
      boolean translated = from != null && from.isExternal(); // an inside client's, on its second walk
      return translated ? PortPool.ownerOf(ports >>> 16, workers) : worker(sourceHigh, sourceLow);
    }
    if (to != null && to.isFullNat()) {
      return PortPool.ownerOf(toPort, workers);
    }
    boolean fromServer = isServed(from, protocol, ports >>> 16, kind, Kind.ANSWER);
    if (toPool) {
      boolean begins = !fromServer && insideOf(v6, sourceHigh, sourceLow) == MAPPED;
      return begins ? worker(sourceHigh, sourceLow) : PortPool.ownerOf(toPort, workers);
    }
    if (fromServer) {
      return worker(destinationHigh, destinationLow);
    }
    return isServed(to, protocol, toPort, kind, Kind.REQUEST)
        ? worker(sourceHigh, sourceLow)
        : ofCrossing(v6, sourceHigh, sourceLow, destinationHigh, destinationLow);
  }

  /** To an address that is virtual and of a pool as well: services' ports are none of the pool's. */
  private static boolean isForService(Known to, int protocol, int port, Kind kind) {
    return kind == Kind.PORTS ? to.isServicePort(protocol, port) : kind != Kind.ANSWER;
  }

  /**
   * Whether an address is a server's, and a port one of its service, or a message of the kind that servers are sent.
   */
  private static boolean isServed(@Nullable Known known, int protocol, int port, Kind kind, Kind ofServers) {
    if (known == null) {
      return false;
    }
    return kind == Kind.PORTS ? known.serves(protocol, port) : kind == ofServers && known.isServer();
  }

  /** Traffic that is no service's and to no external address. */
  private int ofCrossing(boolean v6, long sourceHigh, long sourceLow, long destinationHigh, long destinationLow) {
    int from = insideOf(v6, sourceHigh, sourceLow);
    int to = insideOf(v6, destinationHigh, destinationLow);
    if (from == OUTSIDE || to == OUTSIDE) {
      return from == ROUTED ? worker(destinationHigh, destinationLow) : worker(sourceHigh, sourceLow);
    }
    if (from == to) {
      return worker(sourceHigh + destinationHigh, sourceLow + destinationLow);
    }
    return from == MAPPED ? worker(sourceHigh, sourceLow) : worker(destinationHigh, destinationLow);
  }

  /** By the longest prefix, as the translator has it. */
  private int insideOf(boolean v6, long high, long low) {
    int length = -1;
    int found = OUTSIDE;
    for (OutboundRule rule : rules) {
      IpPrefix prefix = rule.from();
      if (prefix.length() > length && prefix.contains(v6, high, low)) {
        length = prefix.length();
        found = rule.isRouted() ? ROUTED : MAPPED;
      }
    }
    return found;
  }

  private int ofFragment(FrameView view) {
    boolean v6 = view.isV6();
    Known to = addresses.find(v6, view.destinationHigh(), view.destinationLow());
    boolean toPool = to != null && to.isExternal();
    if (!toPool && addresses.isVirtual(to, v6, view.destinationHigh(), view.destinationLow())) {
      Known from = addresses.find(v6, view.sourceHigh(), view.sourceLow());
      if (from == null || !from.isExternal()) {
        return worker(view.sourceHigh(), view.sourceLow());
      }
    }
    return worker(view.sourceHigh() + view.destinationHigh(), view.sourceLow() + view.destinationLow());
  }

  private int worker(long high, long low) {
    long h = (low ^ seed) * 0xFF51_AFD7_ED55_8CCDL;
    h = (h ^ h >>> 32 ^ high) * 0xC4CE_B9FE_1A85_EC53L;
    h = (h ^ h >>> 29 ^ seed >>> 17) * 0x9E37_79B9_7F4A_7C15L;
    return (int) ((h >>> 33) % workers);
  }

  // ---- ICMP ----------------------------------------------------------------------------------------------------

  private int ofMessage(FrameView view) {
    int type = view.icmpType();
    if (view.isV6() && IcmpHeader.isNeighborMessage(type)) {
      return 0;
    }
    if (IcmpHeader.isError(view.isV6(), type)) {
      long quote = IcmpQuote.find(view);
      return quote == IcmpQuote.UNREADABLE ? owner(view, 0, Kind.NONE) : ofQuote(view, quote);
    }
    return isQuery(view) ? ofQuery(view) : owner(view, 0, Kind.NONE);
  }

  private static boolean isQuery(FrameView view) {
    boolean icmp = view.protocol() == (view.isV6() ? IpProtocol.ICMPV6 : IpProtocol.ICMP);
    return icmp && kindOf(view.isV6(), view.icmpType()) != Kind.NONE;
  }

  private static Kind kindOf(boolean v6, int type) {
    if (v6) {
      return type == IcmpHeader.V6_ECHO_REQUEST
          ? Kind.REQUEST
          : type == IcmpHeader.V6_ECHO_REPLY ? Kind.ANSWER : Kind.NONE;
    }
    return !IcmpHeader.hasIdentifier(type) ? Kind.NONE : IcmpHeader.isRequest(type) ? Kind.REQUEST : Kind.ANSWER;
  }

  private int ofQuery(FrameView view) {
    int identifier = identifier(view.buffer(), view.transport());
    return owner(view, identifier << 16 | identifier, kindOf(view.isV6(), view.icmpType()));
  }

  private static int identifier(ByteBuf buffer, int icmp) {
    return buffer.getUnsignedShort(icmp + IcmpHeader.IDENTIFIER_OFFSET);
  }

  /** The quoted packet was sent by us, or by somebody beside us: its session's other direction is what comes back. */
  private int ofQuote(FrameView view, long quote) {
    ByteBuf buffer = view.buffer();
    boolean v6 = view.isV6();
    int ip = IcmpQuote.network(view);
    int transport = IcmpQuote.transportOf(quote);
    int protocol = IcmpQuote.protocolOf(quote);
    Kind kind = Kind.NONE;
    int ports = 0;
    if (protocol == IpProtocol.TCP || protocol == IpProtocol.UDP) {
      kind = Kind.PORTS;
      ports = Integer.rotateLeft(buffer.getInt(transport), 16);
    } else if (protocol == (v6 ? IpProtocol.ICMPV6 : IpProtocol.ICMP)) {
      kind = turned(kindOf(v6, buffer.getUnsignedByte(transport)));
      ports = identifier(buffer, transport) << 16 | identifier(buffer, transport);
    }
    if (!v6) {
      long source = Ipv4Header.source(buffer, ip) & 0xFFFF_FFFFL;
      long destination = Ipv4Header.destination(buffer, ip) & 0xFFFF_FFFFL;
      return owner(false, 0, destination, 0, source, ports, protocol, kind);
    }
    int source = ip + Ipv6Header.SOURCE_OFFSET;
    int destination = ip + Ipv6Header.DESTINATION_OFFSET;
    return owner(
        true,
        buffer.getLong(destination),
        buffer.getLong(destination + 8),
        buffer.getLong(source),
        buffer.getLong(source + 8),
        ports,
        protocol,
        kind);
  }

  private static Kind turned(Kind kind) {
    return kind == Kind.REQUEST ? Kind.ANSWER : kind == Kind.ANSWER ? Kind.REQUEST : kind;
  }
}
