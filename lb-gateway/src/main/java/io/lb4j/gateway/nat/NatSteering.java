package io.lb4j.gateway.nat;

import io.lb4j.address.IpAddress;
import io.lb4j.address.IpPrefix;
import io.lb4j.forward.Steering;
import io.lb4j.frame.FrameKind;
import io.lb4j.frame.FrameView;
import io.lb4j.gateway.Gateway;
import io.lb4j.gateway.Outbound;
import io.lb4j.gateway.OutboundRule;
import io.lb4j.service.RealServer;
import io.lb4j.service.VirtualService;
import io.lb4j.wire.IcmpHeader;
import io.lb4j.wire.IpProtocol;
import io.lb4j.wire.Ipv4Header;
import io.lb4j.wire.Ipv6Header;
import io.netty.buffer.ByteBuf;
import java.util.Collection;
import java.util.HashSet;
import java.util.Set;

/**
 * Which worker has a session. Service traffic goes by the client's address, both ways; traffic that servers start goes
 * out by the inside host's address and comes back by the external port, whose owner made the mapping. Immutable, safe
 * from any thread.
 */
public final class NatSteering implements Steering {
  private final long seed;
  private final int workers;
  private final IpPrefix[] virtual;
  private final IpAddress[] external;
  private final IpAddress[] fullNat;
  private final IpPrefix[] inside;
  private final Set<Endpoint> servers = new HashSet<>();

  private record Endpoint(IpAddress address, int port) {}

  /**
   * Steering for some rules and services.
   *
   * @param outbound the rules
   * @param seed equal for all threads of a balancer
   * @param workers 2 or more
   * @param services all services
   */
  public NatSteering(Outbound outbound, long seed, int workers, Collection<VirtualService> services) {
    this.seed = seed | 1;
    this.workers = workers;
    this.virtual = services.stream().flatMap(service -> service.vips().stream()).toArray(IpPrefix[]::new);
    this.external =
        outbound.rules().stream().flatMap(rule -> rule.pool().stream()).distinct().toArray(IpAddress[]::new);
    this.inside = outbound.rules().stream().map(OutboundRule::from).toArray(IpPrefix[]::new);
    this.fullNat =
        services.stream()
            .filter(service -> service.forwarding() instanceof Gateway)
            .flatMap(service -> ((Gateway) service.forwarding()).sources().stream())
            .distinct()
            .toArray(IpAddress[]::new);
    for (VirtualService service : services) {
      for (RealServer server : service.servers()) {
        int first = server.port() != 0 ? server.port() : service.ports().first();
        int last = server.port() != 0 ? server.port() : service.ports().last();
        if (last - first < 1024) {
          for (int port = first; port <= last; port++) {
            servers.add(new Endpoint(server.address(), port));
          }
        } else {
          servers.add(new Endpoint(server.address(), 0));
        }
      }
    }
  }

  @Override
  public int workerOf(FrameView view) {
    return switch (view.kind()) {
      case SEGMENT -> ownerOf(view);
      case FIRST_FRAGMENT, LATER_FRAGMENT -> byAddress(view, view.sourceHigh() ^ view.destinationHigh(),
          view.sourceLow() ^ view.destinationLow());
      case ICMP -> icmp(view);
      case OTHER_PROTOCOL -> byAddress(view, view.sourceHigh(), view.sourceLow());
      case ARP, NOT_IP, MALFORMED -> 0;
    };
  }

  @Override
  public int ownerOf(FrameView view) {
    return owner(
        view.isV6(),
        view.sourceHigh(),
        view.sourceLow(),
        view.destinationHigh(),
        view.destinationLow(),
        view.ports());
  }

  private int owner(
      boolean v6, long sourceHigh, long sourceLow, long destinationHigh, long destinationLow, int ports) {
    int destinationPort = ports & 0xFFFF;
    if (isIn(virtual, v6, destinationHigh, destinationLow)) {
      boolean alsoPool = is(external, v6, destinationHigh, destinationLow);
      return alsoPool && !isServicePort(destinationPort)
          ? PortPool.ownerOf(destinationPort, workers)
          : worker(sourceHigh, sourceLow);
    }
    if (is(external, v6, destinationHigh, destinationLow) || is(fullNat, v6, destinationHigh, destinationLow)) {
      return PortPool.ownerOf(destinationPort, workers);
    }
    if (isServer(v6, sourceHigh, sourceLow, ports >>> 16)) {
      return worker(destinationHigh, destinationLow);
    }
    if (isIn(inside, v6, sourceHigh, sourceLow)) {
      return worker(sourceHigh, sourceLow);
    }
    return worker(destinationHigh, destinationLow);
  }

  private boolean isServicePort(int port) {
    return port < 0;
  }

  private boolean isServer(boolean v6, long high, long low, int port) {
    IpAddress address = IpAddress.of(v6, high, low);
    return servers.contains(new Endpoint(address, port)) || servers.contains(new Endpoint(address, 0));
  }

  private static boolean isIn(IpPrefix[] prefixes, boolean v6, long high, long low) {
    for (IpPrefix prefix : prefixes) {
      if (prefix.contains(v6, high, low)) {
        return true;
      }
    }
    return false;
  }

  private static boolean is(IpAddress[] addresses, boolean v6, long high, long low) {
    for (IpAddress address : addresses) {
      if (address.low() == low && address.high() == high && address.isV6() == v6) {
        return true;
      }
    }
    return false;
  }

  private int byAddress(FrameView view, long high, long low) {
    return worker(high, low);
  }

  private int worker(long high, long low) {
    long h = (low ^ seed) * 0xFF51_AFD7_ED55_8CCDL;
    h = (h ^ h >>> 32 ^ high) * 0xC4CE_B9FE_1A85_EC53L;
    return (int) ((h >>> 33) % workers);
  }

  private int icmp(FrameView view) {
    return 0;
  }
}
