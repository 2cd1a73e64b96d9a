package io.lb4j.control;

import io.lb4j.counters.ResponseTime;
import io.lb4j.event.Event;
import io.lb4j.health.HealthReport;
import io.lb4j.service.Health;
import io.lb4j.service.RealServer;
import io.lb4j.service.ServerHealth;
import io.lb4j.service.VirtualService;
import java.util.ArrayList;
import java.util.Collection;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What control knows of each real server beside its declaration; it outlives every change that leaves service and
 * identity as they are. Guarded by the registry's lock.
 *
 * <p>What is <i>said</i> of a server and the health by which it is <i>used</i> are two things: below its watermark a
 * service goes on using servers that are said to be down.
 */
final class ServerStates {
  private static final long RESPONSE_TIME_CONSTANT_NS = 2_000_000_000L;

  private final Map<Key, ServerState> states = new HashMap<>();
  private final Set<String> guarded = new HashSet<>();
  private final List<Event> events = new ArrayList<>();

  /** A server of a service, by what it is called on every instance. */
  record Key(String service, String identity) {}

  /** Of one server. */
  static final class ServerState {
    private final ResponseTime response;
    private final Map<HealthReport.Source, ServerHealth> said = new EnumMap<>(HealthReport.Source.class);
    private ServerHealth used = ServerHealth.UNKNOWN;
    private @Nullable Long rampSinceNs;
    private boolean takesNewFlows;

    private ServerState(ResponseTime response) {
      this.response = response;
    }

    /** The health that counts for traffic. */
    Health health() {
      return used.health();
    }

    /** When the server began to take its share; nothing when it has it whole. */
    Optional<Long> rampSinceNs() {
      return Optional.ofNullable(rampSinceNs);
    }

    /** Takes over whether the server takes new flows: a slow start begins when it did not before. */
    void takesNewFlows(boolean now, long nowNs) {
      if (now != takesNewFlows) {
        rampSinceNs = now ? nowNs : null;
      }
      takesNewFlows = now;
    }

    /** Ends a slow start that has lasted for its period. */
    void endRamp(long nowNs, long periodNs) {
      if (rampSinceNs != null && nowNs - rampSinceNs >= periodNs) {
        settle();
      }
    }

    /** The server has its whole share. */
    void settle() {
      rampSinceNs = null;
    }

    /** How long it takes to answer. */
    ResponseTime response() {
      return response;
    }

    /** Response times are those of the same object: a snapshot has it too. */
    private ServerState copy() {
      ServerState copy = new ServerState(response);
      copy.said.putAll(said);
      copy.used = used;
      copy.rampSinceNs = rampSinceNs;
      copy.takesNewFlows = takesNewFlows;
      return copy;
    }

    /** Down when one source says so, else up when one says that. */
    private ServerHealth said() {
      ServerHealth sum = ServerHealth.UNKNOWN;
      for (ServerHealth one : said.values()) {
        if (one.health() == Health.DOWN) {
          return one;
        }
        sum = sum.health() == Health.UNKNOWN ? one : sum;
      }
      return sum;
    }
  }

  ServerState of(String service, String identity) {
    return states.computeIfAbsent(
        new Key(service, identity), key -> new ServerState(new ResponseTime(RESPONSE_TIME_CONSTANT_NS)));
  }

  private ServerState of(VirtualService service, RealServer server) {
    return of(service.name(), server.identity());
  }

  /** The health by which a server is used, and why. */
  ServerHealth used(String service, String identity) {
    ServerState state = states.get(new Key(service, identity));
    return state == null ? ServerHealth.UNKNOWN : state.used;
  }

  /** By identity, of a service's servers. */
  Map<String, Health> health(VirtualService service) {
    Map<String, Health> health = new HashMap<>();
    for (RealServer server : service.servers()) {
      health.put(server.identity(), used(service.name(), server.identity()).health());
    }
    return health;
  }

  /**
   * Takes a report about a server of a service.
   *
   * @return whether traffic goes another way now
   */
  boolean report(VirtualService service, HealthReport report) {
    ServerHealth now = new ServerHealth(report.health(), report.reason(), report.detail());
    of(service.name(), report.identity()).said.put(report.source(), now);
    return settle(service, report);
  }

  /** Finds out anew which servers are used, after a change of declarations. */
  void settle(Collection<VirtualService> services) {
    services.forEach(service -> settle(service, null));
  }

  private boolean settle(VirtualService service, @Nullable HealthReport cause) {
    guard(service);
    boolean changed = false;
    for (RealServer server : service.servers()) {
      ServerState state = of(service, server);
      ServerHealth before = state.used;
      state.used = used(service, server, state);
      tell(service, server, before, state.used, cause);
      changed |= before.health().serves() != state.health().serves();
    }
    return changed;
  }

  private ServerHealth used(VirtualService service, RealServer server, ServerState state) {
    ServerHealth said = state.said();
    boolean goesDown = !said.health().serves() && state.health().serves();
    if (goesDown && guarded.contains(service.name()) && server.takesNewFlows()) {
      String why = said.detail().isEmpty() ? said.reason() : said.reason() + ", " + said.detail();
      return new ServerHealth(state.health(), "held", why);
    }
    return said;
  }

  /** Below the low mark the guard begins, from the high mark on it ends. */
  private void guard(VirtualService service) {
    int all = 0;
    int well = 0;
    for (RealServer server : service.servers()) {
      if (server.takesNewFlows()) {
        all++;
        well += of(service, server).said().health().serves() ? 1 : 0;
      }
    }
    boolean was = guarded.contains(service.name());
    boolean now = was ? !service.watermark().isReached(well, all) : service.watermark().isBelow(well, all);
    if (now != was) {
      if (now) {
        guarded.add(service.name());
      } else {
        guarded.remove(service.name());
      }
      events.add(new Event.MassFailure(service.name(), all - well, all, now));
    }
  }

  private void tell(
      VirtualService service, RealServer server, ServerHealth was, ServerHealth is, @Nullable HealthReport cause) {
    boolean own = cause != null && cause.identity().equals(server.identity());
    if (was.health().serves() && !is.health().serves()) {
      events.add(new Event.ServerDown(service.name(), server.name(), is.reason(), is.detail()));
    } else if (!was.health().serves() && is.health().serves() || is.health() == Health.UP && was.health() != Health.UP) {
      String reason = own ? cause.reason() : is.reason();
      events.add(new Event.ServerUp(service.name(), server.name(), reason));
    }
  }

  /** What happened since the last call, in order. */
  List<Event> takeEvents() {
    List<Event> taken = List.copyOf(events);
    events.clear();
    return taken;
  }

  /** The same knowledge, which another change does not touch. */
  ServerStates copy() {
    ServerStates copy = new ServerStates();
    copy.restore(this);
    return copy;
  }

  /** Puts back what was known. */
  void restore(ServerStates before) {
    states.clear();
    before.states.forEach((key, state) -> states.put(key, state.copy()));
    guarded.clear();
    guarded.addAll(before.guarded);
    events.clear();
    events.addAll(before.events);
  }

  /** Forgets servers that are not declared any more. */
  void retain(Collection<VirtualService> services) {
    Set<Key> declared = new HashSet<>();
    Set<String> names = new HashSet<>();
    for (VirtualService service : services) {
      names.add(service.name());
      service.servers().forEach(server -> declared.add(new Key(service.name(), server.identity())));
    }
    states.keySet().retainAll(declared);
    guarded.retainAll(names);
  }
}
