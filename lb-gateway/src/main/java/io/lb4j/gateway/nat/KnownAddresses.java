package io.lb4j.gateway.nat;

import io.lb4j.address.IpAddress;
import io.lb4j.address.IpPrefix;
import io.lb4j.gateway.Gateway;
import io.lb4j.gateway.Outbound;
import io.lb4j.service.PortRange;
import io.lb4j.service.RealServer;
import io.lb4j.service.VirtualService;
import io.lb4j.wire.IpProtocol;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What the configuration says of single addresses: virtual, of a NAT pool, a full NAT's source, a real server.
 * Immutable once built, shared; one probe of a hash table per question, which allocates nothing.
 */
final class KnownAddresses {
  /** What is known of one address. */
  static final class Known {
    private final long high;
    private final long low;
    private boolean virtual;
    private boolean external;
    private boolean fullNat;
    private final BitSet[] servicePorts = {new BitSet(), new BitSet()}; // TCP, UDP; of external addresses only
    private final List<Endpoint> declared = new ArrayList<>();
    private Endpoint[] endpoints = {};

    private Known(IpAddress address) {
      this.high = address.high();
      this.low = address.low();
    }

    private void addService(VirtualService service) {
      servicePorts[indexOf(service.protocol().number())].set(service.ports().first(), service.ports().last() + 1);
    }

    private static int indexOf(int protocol) {
      return protocol == IpProtocol.TCP ? 0 : 1;
    }

    /** An address of a NAT pool. */
    boolean isExternal() {
      return external;
    }

    /** An address that servers see instead of the clients'. */
    boolean isFullNat() {
      return fullNat;
    }

    /** A real server that clients' addresses reach. */
    boolean isServer() {
      return endpoints.length > 0;
    }

    /** Whether a service of an external address has a port, so that no mapping can. */
    boolean isServicePort(int protocol, int port) {
      return servicePorts[indexOf(protocol)].get(port);
    }

    /** Whether a real server serves a port. */
    boolean serves(int protocol, int port) {
      for (Endpoint endpoint : endpoints) {
        if (endpoint.protocol == protocol && endpoint.ports.contains(port)) {
          return true;
        }
      }
      return false;
    }
  }

  private record Endpoint(int protocol, PortRange ports) {}

  private final Known[] v4;
  private final Known[] v6;
  private final IpPrefix[] virtualPrefixes; // those of more than one address

  KnownAddresses(Outbound outbound, Collection<VirtualService> services) {
    Map<IpAddress, Known> all = new HashMap<>();
    outbound.rules().forEach(rule -> rule.pool().forEach(address -> known(all, address).external = true));
    services.forEach(service -> add(service, all));
    services.forEach(service -> markPrefixes(service, all));
    all.forEach((address, known) -> markPorts(address, known, services));
    all.values().forEach(known -> known.endpoints = known.declared.toArray(Endpoint[]::new));
    this.v4 = table(all, false);
    this.v6 = table(all, true);
    this.virtualPrefixes =
        services.stream()
            .flatMap(service -> service.vips().stream())
            .filter(vip -> !vip.isHost())
            .distinct()
            .toArray(IpPrefix[]::new);
  }

  private static Known known(Map<IpAddress, Known> all, IpAddress address) {
    return all.computeIfAbsent(address, Known::new);
  }

  private static void add(VirtualService service, Map<IpAddress, Known> all) {
    service.vips().stream().filter(IpPrefix::isHost).forEach(vip -> known(all, vip.address()).virtual = true);
    if (service.forwarding() instanceof Gateway gateway) {
      gateway.sources().forEach(source -> known(all, source).fullNat = true);
      if (gateway.sources().isEmpty()) {
        service.servers().forEach(server -> known(all, server.address()).declared.add(endpoint(service, server)));
      }
    }
  }

  private static Endpoint endpoint(VirtualService service, RealServer server) {
    PortRange ports = server.port() == 0 ? service.ports() : PortRange.of(server.port());
    return new Endpoint(service.protocol().number(), ports);
  }

  private static void markPrefixes(VirtualService service, Map<IpAddress, Known> all) {
    if (!service.vips().stream().allMatch(IpPrefix::isHost)) {
      all.forEach((address, known) -> known.virtual |= service.serves(address));
    }
  }

  private static void markPorts(IpAddress address, Known known, Collection<VirtualService> services) {
    if (known.external && known.virtual) {
      services.stream().filter(service -> service.serves(address)).forEach(known::addService);
    }
  }

  private static Known[] table(Map<IpAddress, Known> all, boolean family) {
    List<Known> members = all.keySet().stream().filter(address -> address.isV6() == family).map(all::get).toList();
    Known[] table = new Known[Integer.highestOneBit(members.size() + 1) << 2];
    for (Known member : members) {
      table[slot(table, member.high, member.low)] = member;
    }
    return table;
  }

  /** The slot that holds the address, or the free one where it would be. */
  private static int slot(Known[] table, long high, long low) {
    int mask = table.length - 1;
    int slot = (int) ((high * 31 + low) * 0x9E37_79B9_7F4A_7C15L >>> 32) & mask;
    while (table[slot] != null && (table[slot].low != low || table[slot].high != high)) {
      slot = slot + 1 & mask;
    }
    return slot;
  }

  /** What is known of an address; null for most. */
  @Nullable Known find(boolean isV6, long high, long low) {
    Known[] table = isV6 ? v6 : v4;
    return table[slot(table, high, low)];
  }

  /** Whether an address is virtual; {@code known} is what {@link #find} answers for it. */
  boolean isVirtual(@Nullable Known known, boolean isV6, long high, long low) {
    if (known != null) {
      return known.virtual;
    }
    for (IpPrefix prefix : virtualPrefixes) {
      if (prefix.contains(isV6, high, low)) {
        return true;
      }
    }
    return false;
  }
}
