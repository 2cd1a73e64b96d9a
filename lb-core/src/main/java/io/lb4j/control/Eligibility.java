package io.lb4j.control;

import io.lb4j.dataplane.Standing;
import io.lb4j.service.Activity;
import io.lb4j.service.DrainBehavior;
import io.lb4j.service.Health;
import io.lb4j.service.LostFlows;
import io.lb4j.service.Overflow;
import io.lb4j.service.Protocol;
import io.lb4j.service.RealServer;
import io.lb4j.service.ServicePolicies;
import io.lb4j.service.VirtualService;
import io.lb4j.service.WhenAllDown;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.function.Predicate;

/**
 * Which servers of a service may be used for what: activity against health, the table in {@code docs/operations.md}.
 * Immutable, shared.
 *
 * @param service the declaration
 * @param health of each server, by identity
 * @param pool the servers that new flows are spread over
 * @param overflow the standby servers for new flows that limits refuse
 * @param forced whether the pool is used in spite of its health
 */
record Eligibility(
    VirtualService service,
    Map<String, Health> health,
    List<RealServer> pool,
    List<RealServer> overflow,
    boolean forced) {

  static Eligibility of(VirtualService service, Map<String, Health> health) {
    Predicate<RealServer> serves = server -> health(health, server).serves();
    List<RealServer> pool = service.servers().stream().filter(Eligibility::isOnline).filter(serves).toList();
    int tier = 0;
    if (pool.isEmpty()) {
      tier = lowestTier(service, serves, 0).orElse(0);
      pool = standby(service, serves, tier);
    }
    boolean forced = pool.isEmpty();
    if (forced) {
      pool = whenAllDown(service);
    }
    boolean overflows = service.policies().overflow() == Overflow.STANDBY && !forced;
    OptionalInt next = overflows ? lowestTier(service, serves, tier) : OptionalInt.empty();
    List<RealServer> overflow = next.isPresent() ? standby(service, serves, next.getAsInt()) : List.of();
    return new Eligibility(service, health, pool, overflow, forced && !pool.isEmpty());
  }

  private static Health health(Map<String, Health> health, RealServer server) {
    return health.getOrDefault(server.identity(), Health.UNKNOWN);
  }

  private static boolean isOnline(RealServer server) {
    return server.activity() == Activity.ONLINE && server.weight() > 0;
  }

  private static boolean isStandby(RealServer server) {
    return server.activity() == Activity.STANDBY && server.weight() > 0;
  }

  private static List<RealServer> standby(VirtualService service, Predicate<RealServer> serves, int tier) {
    return service.servers().stream()
        .filter(server -> isStandby(server) && server.tier() == tier)
        .filter(serves)
        .toList();
  }

  private static OptionalInt lowestTier(VirtualService service, Predicate<RealServer> serves, int above) {
    return service.servers().stream()
        .filter(server -> isStandby(server) && server.tier() > above)
        .filter(serves)
        .mapToInt(RealServer::tier)
        .min();
  }

  private static List<RealServer> whenAllDown(VirtualService service) {
    WhenAllDown policy = service.policies().whenAllDown();
    return switch (policy) {
      case CLOSED -> List.of();
      case OPEN -> service.servers().stream().filter(Eligibility::isOnline).toList();
      case STANDBY -> standby(service, any -> true, lowestTier(service, any -> true, 0).orElse(0));
    };
  }

  /** What a server may be used for. */
  Standing standing(RealServer server) {
    ServicePolicies policies = service.policies();
    boolean tcp = service.protocol() == Protocol.TCP;
    if (!server.activity().keepsFlows()) {
      return new Standing(false, false, policies.whenRemoved().of(tcp), false, false);
    }
    boolean picked = pool.contains(server);
    LostFlows.Fate whenDown = policies.whenDown().of(tcp);
    boolean serves = health(health, server).serves() || picked;
    if (!serves) {
      return new Standing(false, whenDown == LostFlows.Fate.KEEP, whenDown, false, false);
    }
    boolean drains = server.activity() == Activity.DRAIN || server.weight() == 0;
    if (!drains) {
      return new Standing(picked, true, whenDown, picked, picked);
    }
    DrainBehavior behavior = policies.drain();
    boolean honors = behavior != DrainBehavior.MIGRATE_VISITORS;
    return new Standing(false, true, whenDown, honors, behavior == DrainBehavior.PERSISTENCE_DRIVEN);
  }
}
