package io.lb4j.control;

import io.lb4j.counters.ResponseTime;
import io.lb4j.event.Event;
import io.lb4j.health.HealthReport;
import io.lb4j.monitor.Watermark;
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
  private final Map<String, Guard> guards = new HashMap<>();
  private final List<Event> events = new ArrayList<>();

  /** A server of a service, by what it is called on every instance. */
  record Key(String service, String identity) {}

  /** What a watermark goes by: a service's servers that may take new flows, and those of them that are well. */
  private static final class Guard {
    private boolean on;
    private int all;
    private int well;
    private @Nullable VirtualService service; // that was counted

    private Guard(boolean on) {
      this.on = on;
    }
  }

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

  /** How much of its share of the new flows a server gets, as the last snapshot has it. */
  double share(VirtualService service, String identity, long nowNs) {
    ServerState state = states.get(new Key(service.name(), identity));
    if (state == null || !state.takesNewFlows || !state.health().serves()) {
      return 0;
    }
    long periodNs = service.policies().slowStart().toNanos();
    return state.rampSinceNs == null || periodNs == 0
        ? 1
        : Math.max(0, Math.min(1, (nowNs - state.rampSinceNs) / (double) periodNs));
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
   * Takes a report about a server of a service. It costs the same however many servers there are, except when it is the
   * one with which a guard begins or ends.
   *
   * @return whether traffic goes another way now
   */
  boolean report(VirtualService service, HealthReport report) {
    Optional<RealServer> server = service.serverOf(report.identity());
    if (server.isEmpty()) {
      return false;
    }
    Guard guard = guards.computeIfAbsent(service.name(), name -> new Guard(false));
    if (guard.service != service) {
      count(service, guard);
    }
    ServerState state = of(service, server.get());
    boolean was = state.said().health().serves();
    state.said.put(report.source(), new ServerHealth(report.health(), report.reason(), report.detail()));
    boolean is = state.said().health().serves();
    if (was != is && server.get().takesNewFlows()) {
      guard.well += is ? 1 : -1;
    }
    return turn(service, guard) ? settleAll(service, guard, report) : settle(service, guard, server.get(), report);
  }

  /** Finds out anew which servers are used, after a change of declarations. */
  void settle(Collection<VirtualService> services) {
    for (VirtualService service : services) {
      Guard guard = guards.computeIfAbsent(service.name(), name -> new Guard(false));
      count(service, guard);
      turn(service, guard);
      settleAll(service, guard, null);
    }
  }

  private boolean settleAll(VirtualService service, Guard guard, @Nullable HealthReport cause) {
    boolean changed = false;
    for (RealServer server : service.servers()) {
      changed |= settle(service, guard, server, cause);
    }
    return changed;
  }

  private boolean settle(VirtualService service, Guard guard, RealServer server, @Nullable HealthReport cause) {
    ServerState state = of(service, server);
    ServerHealth before = state.used;
    state.used = used(guard, server, state);
    tell(service, server, before, state.used, cause);
    return before.health().serves() != state.health().serves();
  }

  private static ServerHealth used(Guard guard, RealServer server, ServerState state) {
    ServerHealth said = state.said();
    boolean goesDown = !said.health().serves() && state.health().serves();
    if (goesDown && guard.on && server.takesNewFlows()) {
      String why = said.detail().isEmpty() ? said.reason() : said.reason() + ", " + said.detail();
      return new ServerHealth(state.health(), "held", why);
    }
    return said;
  }

  private void count(VirtualService service, Guard guard) {
    guard.service = service;
    guard.all = 0;
    guard.well = 0;
    for (RealServer server : service.servers()) {
      if (server.takesNewFlows()) {
        guard.all++;
        guard.well += of(service, server).said().health().serves() ? 1 : 0;
      }
    }
  }

  /** Below the low mark the guard begins, from the high mark on it ends; answers whether it did either. */
  private boolean turn(VirtualService service, Guard guard) {
    Watermark mark = service.watermark();
    boolean now = guard.on ? !mark.isReached(guard.well, guard.all) : mark.isBelow(guard.well, guard.all);
    if (now == guard.on) {
      return false;
    }
    guard.on = now;
    events.add(new Event.MassFailure(service.name(), guard.all - guard.well, guard.all, now));
    return true;
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
    guards.clear();
    before.guards.forEach((name, guard) -> guards.put(name, new Guard(guard.on))); // counted when it is asked
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
    guards.keySet().retainAll(names);
  }
}
