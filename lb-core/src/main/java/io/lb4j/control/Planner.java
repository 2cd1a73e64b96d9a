package io.lb4j.control;

import io.lb4j.dataplane.Standing;
import io.lb4j.service.FlowEffect;
import io.lb4j.service.Health;
import io.lb4j.service.LostFlows;
import io.lb4j.service.Protocol;
import io.lb4j.service.RealServer;
import io.lb4j.service.ServiceChange;
import io.lb4j.service.ServiceChange.Kind;
import io.lb4j.service.ServiceChange.ServerChange;
import io.lb4j.service.ServicePolicies;
import io.lb4j.service.VirtualService;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.BiFunction;
import java.util.function.Function;

/** Foretells what becomes of services, servers and their flows. Used under the registry's lock; changes nothing. */
final class Planner {
  private final Map<String, VirtualService> before;
  private final Map<String, VirtualService> after;
  private final BiFunction<VirtualService, RealServer, Long> flows;
  private final Function<VirtualService, Map<String, Health>> health;

  /**
   * A planner.
   *
   * @param before services as they are, by name
   * @param after services as they are to be
   * @param flows of a server as it is
   * @param health of a service's servers, by identity
   */
  Planner(
      Map<String, VirtualService> before,
      Map<String, VirtualService> after,
      BiFunction<VirtualService, RealServer, Long> flows,
      Function<VirtualService, Map<String, Health>> health) {
    this.before = before;
    this.after = after;
    this.flows = flows;
    this.health = health;
  }

  List<ServiceChange> changes() {
    List<ServiceChange> changes = new ArrayList<>();
    before.forEach((name, old) -> {
      VirtualService now = after.get(name);
      if (now == null) {
        changes.add(removed(old));
      } else {
        changed(old, now).ifPresent(changes::add);
      }
    });
    after.forEach((name, now) -> {
      if (!before.containsKey(name)) {
        changes.add(added(now));
      }
    });
    return changes;
  }

  private ServiceChange removed(VirtualService old) {
    List<ServerChange> servers =
        old.servers().stream()
            .map(server -> new ServerChange(server.name(), Kind.REMOVED, flows.apply(old, server), FlowEffect.LOST))
            .toList();
    return new ServiceChange(old.name(), Kind.REMOVED, List.of(), servers);
  }

  private static ServiceChange added(VirtualService now) {
    List<ServerChange> servers =
        now.servers().stream().map(server -> new ServerChange(server.name(), Kind.ADDED, 0, FlowEffect.KEPT)).toList();
    return new ServiceChange(now.name(), Kind.ADDED, List.of(), servers);
  }

  private Optional<ServiceChange> changed(VirtualService old, VirtualService now) {
    Eligibility eligibility = Eligibility.of(now, health.apply(now));
    Map<String, RealServer> kept = new LinkedHashMap<>();
    now.servers().forEach(server -> kept.put(server.identity(), server));
    List<ServerChange> servers = new ArrayList<>();
    for (RealServer server : old.servers()) {
      RealServer next = kept.remove(server.identity());
      Kind kind = next == null ? Kind.REMOVED : next.equals(server) ? Kind.SAME : Kind.CHANGED;
      long count = flows.apply(old, server);
      FlowEffect effect = effect(now, eligibility, next);
      if (kind != Kind.SAME || effect != FlowEffect.KEPT && count > 0) {
        servers.add(new ServerChange((next == null ? server : next).name(), kind, count, effect));
      }
    }
    kept.values().forEach(server -> servers.add(new ServerChange(server.name(), Kind.ADDED, 0, FlowEffect.KEPT)));
    List<String> settings = settings(old, now);
    if (settings.isEmpty() && servers.isEmpty()) {
      return Optional.empty();
    }
    return Optional.of(
        new ServiceChange(now.name(), settings.isEmpty() ? Kind.SAME : Kind.CHANGED, settings, servers));
  }

  /** What becomes of the flows of a server; {@code next} is null when it goes. */
  private static FlowEffect effect(VirtualService now, Eligibility eligibility, RealServer next) {
    boolean tcp = now.protocol() == Protocol.TCP;
    LostFlows.Fate fate = now.policies().whenRemoved().of(tcp);
    if (next != null) {
      Standing standing = eligibility.standing(next);
      if (standing.keepsFlows()) {
        return now.enabled() ? FlowEffect.KEPT : FlowEffect.SUSPENDED;
      }
      fate = standing.lost();
    }
    return switch (fate) {
      case KEEP -> FlowEffect.KEPT;
      case DROP -> FlowEffect.LOST;
      case RESET -> FlowEffect.RESET;
      case REPICK ->
          !now.enabled() ? FlowEffect.SUSPENDED : eligibility.pool().isEmpty() ? FlowEffect.LOST : FlowEffect.MOVED;
    };
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
