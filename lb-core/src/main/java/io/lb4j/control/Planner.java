package io.lb4j.control;

import io.lb4j.address.IpAddress;
import io.lb4j.dataplane.Standing;
import io.lb4j.neighbor.OwnedAddresses;
import io.lb4j.service.FlowEffect;
import io.lb4j.service.LostFlows;
import io.lb4j.service.Protocol;
import io.lb4j.service.RealServer;
import io.lb4j.service.ServiceChange;
import io.lb4j.service.ServiceChange.Kind;
import io.lb4j.service.ServiceChange.ServerChange;
import io.lb4j.service.ServicePolicies;
import io.lb4j.service.UnservedPolicy;
import io.lb4j.service.VirtualService;
import java.util.ArrayList;
import java.util.Collection;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.BiFunction;
import org.jspecify.annotations.Nullable;

/**
 * Foretells what becomes of services, servers and their flows: the counterpart of what the data path does with the next
 * packet of a flow. Used under the registry's lock; changes nothing.
 */
final class Planner {
  private final World before;
  private final World after;
  private final UnservedPolicy unserved;
  private final BiFunction<VirtualService, RealServer, Long> flows;

  /** Services, and what their servers may be used for. Used under the registry's lock. */
  static final class World {
    private final Map<String, VirtualService> services = new LinkedHashMap<>();
    private final Map<String, Eligibility> eligibility = new HashMap<>();
    private final Destinations destinations;
    private final OwnedAddresses addresses;

    /**
     * Services at one time.
     *
     * @param services in order of declaration
     * @param states of their servers
     * @param addresses that the balancer has with them
     */
    World(Collection<VirtualService> services, ServerStates states, OwnedAddresses addresses) {
      services.forEach(service -> this.services.put(service.name(), service));
      services.forEach(
          service -> eligibility.put(service.name(), Eligibility.of(service, states.health(service))));
      this.destinations = Destinations.of(services);
      this.addresses = addresses;
    }

    private boolean isVirtual(IpAddress address) {
      return addresses.isVip(address.isV6(), address.high(), address.low());
    }

    private Eligibility eligibility(VirtualService service) {
      return eligibility.get(service.name());
    }
  }

  /**
   * A planner.
   *
   * @param before services as they are
   * @param after services as they are to be
   * @param unserved what becomes of packets that no service wants
   * @param flows of a server as it is
   */
  Planner(
      World before, World after, UnservedPolicy unserved, BiFunction<VirtualService, RealServer, Long> flows) {
    this.before = before;
    this.after = after;
    this.unserved = unserved;
    this.flows = flows;
  }

  List<ServiceChange> changes() {
    List<ServiceChange> changes = new ArrayList<>();
    before.services.forEach((name, old) -> {
      VirtualService now = after.services.get(name);
      if (now == null) {
        changes.add(new ServiceChange(name, Kind.REMOVED, List.of(), servers(old, null)));
      } else {
        changed(old, now).ifPresent(changes::add);
      }
    });
    after.services.forEach((name, now) -> {
      if (!before.services.containsKey(name)) {
        List<ServerChange> servers = now.servers().stream().map(Planner::added).toList();
        changes.add(new ServiceChange(name, Kind.ADDED, List.of(), servers));
      }
    });
    return changes;
  }

  private static ServerChange added(RealServer server) {
    return new ServerChange(server.name(), Kind.ADDED, 0, FlowEffect.KEPT);
  }

  private Optional<ServiceChange> changed(VirtualService old, VirtualService now) {
    List<ServerChange> servers = servers(old, now);
    List<String> settings = settings(old, now);
    if (settings.isEmpty() && servers.isEmpty()) {
      return Optional.empty();
    }
    Kind kind = settings.isEmpty() ? Kind.SAME : Kind.CHANGED;
    return Optional.of(new ServiceChange(now.name(), kind, settings, servers));
  }

  private List<ServerChange> servers(VirtualService old, @Nullable VirtualService now) {
    Map<String, RealServer> left = new LinkedHashMap<>();
    if (now != null) {
      now.servers().forEach(server -> left.put(server.identity(), server));
    }
    List<ServerChange> servers = new ArrayList<>();
    for (RealServer server : old.servers()) {
      RealServer next = left.remove(server.identity());
      Kind kind = next == null ? Kind.REMOVED : next.equals(server) ? Kind.SAME : Kind.CHANGED;
      long count = flows.apply(old, server);
      FlowEffect effect = effect(after, old, now, next);
      boolean faresOtherwise = count > 0 && effect != effect(before, old, old, server);
      if (kind != Kind.SAME || faresOtherwise) {
        servers.add(new ServerChange((next == null ? server : next).name(), kind, count, effect));
      }
    }
    left.values().forEach(server -> servers.add(added(server)));
    return servers;
  }

  /**
   * What becomes of a server's flows.
   *
   * @param world the services by then
   * @param old the service that the flows came to
   * @param now the service of that name; null when it goes
   * @param next the server by then; null when it goes
   */
  private FlowEffect effect(
      World world, VirtualService old, @Nullable VirtualService now, @Nullable RealServer next) {
    if (now == null || next == null) {
      LostFlows fates = (now == null ? old : now).policies().whenRemoved();
      return ofLost(world, old, fates.of(old.protocol() == Protocol.TCP));
    }
    Standing standing = world.eligibility(now).standing(next);
    if (standing.keepsFlows()) {
      return now.enabled() ? FlowEffect.KEPT : FlowEffect.SUSPENDED;
    }
    return ofLost(world, old, standing.lost());
  }

  /** Of flows that their server does not keep: where they are scheduled anew depends on where they go. */
  private FlowEffect ofLost(World world, VirtualService old, LostFlows.Fate fate) {
    if (fate != LostFlows.Fate.REPICK) {
      return fate == LostFlows.Fate.RESET ? FlowEffect.RESET : FlowEffect.LOST;
    }
    Set<FlowEffect> effects = EnumSet.noneOf(FlowEffect.class);
    for (Destinations.Destination to : world.destinations.samples(old)) {
      effects.add(anew(world, world.destinations.find(old, to), to));
    }
    return effects.size() == 1 ? effects.iterator().next() : FlowEffect.MIXED;
  }

  /** Of a flow that is scheduled like a new one. */
  private FlowEffect anew(World world, Optional<VirtualService> service, Destinations.Destination to) {
    if (service.isEmpty()) {
      boolean told = unserved == UnservedPolicy.REJECT && world.isVirtual(to.address());
      return told ? FlowEffect.RESET : FlowEffect.LOST;
    }
    if (!service.get().enabled()) {
      return FlowEffect.SUSPENDED;
    }
    return world.eligibility(service.get()).pool().isEmpty() ? FlowEffect.LOST : FlowEffect.MOVED;
  }

  private static List<String> settings(VirtualService old, VirtualService now) {
    ServicePolicies was = old.policies();
    ServicePolicies is = now.policies();
    List<String> settings = new ArrayList<>();
    compare(settings, "vip", old.vips(), now.vips());
    compare(settings, "port", old.ports(), now.ports());
    compare(settings, "protocol", old.protocol(), now.protocol());
    compare(settings, "mode", old.forwarding(), now.forwarding());
    compare(settings, "scheduler", old.scheduler(), now.scheduler());
    compare(settings, "persistence", old.persistence(), now.persistence());
    compare(settings, "timeouts", old.timeouts(), now.timeouts());
    compare(settings, "enabled", old.enabled(), now.enabled());
    compare(settings, "allow, deny", was.access(), is.access());
    compare(settings, "max-connections", was.limit(), is.limit());
    compare(settings, "overflow", was.overflow(), is.overflow());
    compare(settings, "drain", was.drain(), is.drain());
    compare(settings, "when-all-down", was.whenAllDown(), is.whenAllDown());
    compare(settings, "when-down", was.whenDown(), is.whenDown());
    compare(settings, "when-removed", was.whenRemoved(), is.whenRemoved());
    compare(settings, "one-packet", was.onePacket(), is.onePacket());
    compare(settings, "adopt", was.adoption(), is.adoption());
    compare(settings, "reset-on-idle", was.resetOnIdle(), is.resetOnIdle());
    compare(settings, "slow-start", was.slowStart(), is.slowStart());
    compare(settings, "group", was.group(), is.group());
    compare(settings, "monitor", old.monitors(), now.monitors());
    compare(settings, "observation", old.observation(), now.observation());
    compare(settings, "watermark", old.watermark(), now.watermark());
    return settings;
  }

  private static void compare(List<String> settings, String name, Object was, Object is) {
    if (!was.equals(is)) {
      settings.add(name);
    }
  }
}
