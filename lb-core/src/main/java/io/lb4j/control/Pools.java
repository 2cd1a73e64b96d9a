package io.lb4j.control;

import io.lb4j.counters.ResponseTime;
import io.lb4j.dataplane.Pool;
import io.lb4j.dataplane.Ramp;
import io.lb4j.schedule.Candidate;
import io.lb4j.schedule.Schedule;
import io.lb4j.schedule.Scheduler;
import io.lb4j.service.RealServer;
import io.lb4j.service.VirtualService;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Compiles the servers that take new flows. A schedule is kept while nothing that it was made from changes, so that
 * pickers keep their place. Guarded by the registry's lock.
 */
final class Pools {
  private final BindingIds bindingIds;
  private final ServerStates states;
  private final Ramps ramps;
  private final long seed;
  private final Map<Key, Prepared> prepared = new HashMap<>();

  private enum Kind {
    POOL,
    SETTLED,
    OVERFLOW
  }

  private record Key(String service, Kind kind) {}

  private record Prepared(Scheduler scheduler, List<Candidate> candidates, Schedule schedule) {
    private boolean isOf(Scheduler other, List<Candidate> others) {
      return scheduler.equals(other) && candidates.equals(others);
    }
  }

  Pools(BindingIds bindingIds, ServerStates states, long seed) {
    this.bindingIds = bindingIds;
    this.states = states;
    this.ramps = new Ramps(states);
    this.seed = seed;
  }

  /** The servers that new flows are spread over. */
  Pool pool(VirtualService service, Eligibility eligibility, long nowNs) {
    Map<String, Long> sinceNs = ramps.update(service, eligibility, nowNs);
    return pool(service, Kind.POOL, eligibility.pool(), ramp(service, eligibility.pool(), sinceNs));
  }

  /** The servers for new flows that limits refuse to these. */
  Pool overflow(VirtualService service, Eligibility eligibility) {
    return pool(service, Kind.OVERFLOW, eligibility.overflow(), null);
  }

  /**
   * Refuses what a scheduler will refuse when it compiles its servers.
   *
   * @throws io.lb4j.settings.ConfigurationException by the scheduler
   */
  void check(VirtualService service, Eligibility eligibility) {
    List<Candidate> candidates = candidates(eligibility.pool());
    Prepared known = prepared.get(new Key(service.name(), Kind.POOL));
    if (!candidates.isEmpty() && (known == null || !known.isOf(service.scheduler(), candidates))) {
      service.scheduler().prepare(candidates, seed);
    }
  }

  /** Forgets services that are not declared any more. */
  void retain(Set<String> services) {
    prepared.keySet().removeIf(key -> !services.contains(key.service));
  }

  /** The same schedules, which another change does not touch. */
  Pools copy() {
    Pools copy = new Pools(bindingIds, states, seed);
    copy.restore(this);
    return copy;
  }

  /** Puts back the schedules that were there. */
  void restore(Pools before) {
    prepared.clear();
    prepared.putAll(before.prepared);
  }

  private Pool pool(VirtualService service, Kind kind, List<RealServer> servers, @Nullable Ramp ramp) {
    Schedule schedule = schedule(service, kind, servers);
    if (schedule == null) {
      return Pool.EMPTY;
    }
    int[] bindings =
        servers.stream()
            .mapToInt(server -> bindingIds.of(FormerMethods.owner(service), server.identity()))
            .toArray();
    ResponseTime[] responses =
        servers.stream()
            .map(server -> states.of(service.name(), server.identity()).response())
            .toArray(ResponseTime[]::new);
    return new Pool(schedule, bindings, responses, ramp);
  }

  private @Nullable Schedule schedule(VirtualService service, Kind kind, List<RealServer> servers) {
    Key key = new Key(service.name(), kind);
    if (servers.isEmpty()) {
      prepared.remove(key);
      return null;
    }
    Scheduler scheduler = service.scheduler();
    List<Candidate> candidates = candidates(servers);
    Prepared before = prepared.get(key);
    if (before == null || !before.isOf(scheduler, candidates)) {
      prepared.put(key, new Prepared(scheduler, candidates, scheduler.prepare(candidates, seed)));
    }
    return prepared.get(key).schedule;
  }

  private static List<Candidate> candidates(List<RealServer> servers) {
    return servers.stream().map(server -> new Candidate(server.identity(), server.weight())).toList();
  }

  private @Nullable Ramp ramp(VirtualService service, List<RealServer> servers, Map<String, Long> sinceNs) {
    List<Integer> starting = new ArrayList<>();
    List<Integer> settled = new ArrayList<>();
    for (int i = 0; i < servers.size(); i++) {
      (sinceNs.containsKey(servers.get(i).identity()) ? starting : settled).add(i);
    }
    Schedule others =
        schedule(
            service, Kind.SETTLED, starting.isEmpty() ? List.of() : settled.stream().map(servers::get).toList());
    if (others == null) {
      return null;
    }
    return new Ramp(
        starting.stream().mapToInt(Integer::intValue).toArray(),
        starting.stream().mapToLong(i -> sinceNs.get(servers.get(i).identity())).toArray(),
        starting.stream().mapToDouble(i -> share(service, servers, servers.get(i))).toArray(),
        service.policies().slowStart().toNanos(),
        settled.stream().mapToInt(Integer::intValue).toArray(),
        others);
  }

  /** The part of the new flows that is a server's in the end. */
  private static double share(VirtualService service, List<RealServer> servers, RealServer server) {
    return service.scheduler().usesWeights()
        ? server.weight() / (double) servers.stream().mapToLong(RealServer::weight).sum()
        : 1.0 / servers.size();
  }
}
