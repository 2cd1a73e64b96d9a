package io.lb4j.control;

import io.lb4j.control.ServerStates.ServerState;
import io.lb4j.service.RealServer;
import io.lb4j.service.VirtualService;
import java.util.HashMap;
import java.util.Map;

/**
 * Who is in slow start: a server that begins to take new flows while others have their whole share already, because it
 * was added, has recovered or was switched to it. Everyone begins at once where nobody is settled, as at the first
 * start, and where all servers are used because none is healthy. Guarded by the registry's lock.
 */
final class Ramps {
  private final ServerStates states;

  Ramps(ServerStates states) {
    this.states = states;
  }

  /**
   * Takes over who takes new flows now. A change that leaves a server among these leaves its slow start as it is.
   *
   * @return since when servers are in slow start, by identity
   */
  Map<String, Long> update(VirtualService service, Eligibility eligibility, long nowNs) {
    long periodNs = service.policies().slowStart().toNanos();
    Map<String, Long> since = new HashMap<>();
    for (RealServer server : service.servers()) {
      ServerState state = states.of(service.name(), server.identity());
      state.takesNewFlows(eligibility.pool().contains(server), nowNs);
      state.endRamp(nowNs, periodNs);
      state.rampSinceNs().ifPresent(began -> since.put(server.identity(), began));
    }
    if (eligibility.forced() || since.size() == eligibility.pool().size()) {
      eligibility.pool().forEach(server -> states.of(service.name(), server.identity()).settle());
      return Map.of();
    }
    return since;
  }
}
