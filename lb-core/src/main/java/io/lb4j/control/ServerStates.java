package io.lb4j.control;

import io.lb4j.service.Health;
import io.lb4j.service.RealServer;
import io.lb4j.service.VirtualService;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What control knows of each real server beside its declaration; it outlives every change that leaves service and
 * identity as they are. Guarded by the registry's lock.
 */
final class ServerStates {
  private final Map<Key, ServerState> states = new HashMap<>();

  /** A server of a service, by what it is called on every instance. */
  record Key(String service, String identity) {}

  /** Of one server. */
  static final class ServerState {
    private Health monitored = Health.UNKNOWN;
    private boolean inhibited;
    private @Nullable Long rampSinceNs;

    /** What monitors and observation say together. */
    Health health() {
      return inhibited ? Health.DOWN : monitored;
    }

    Health monitored() {
      return monitored;
    }

    boolean isInhibited() {
      return inhibited;
    }

    /** When the server began to take its share; nothing when it has it whole. */
    Optional<Long> rampSinceNs() {
      return Optional.ofNullable(rampSinceNs);
    }

    /** Answers whether that changes anything. */
    boolean report(Health now) {
      Health before = health();
      monitored = now;
      return health() != before;
    }

    void inhibit(boolean on) {
      inhibited = on;
    }

    void ramp(@Nullable Long sinceNs) {
      rampSinceNs = sinceNs;
    }
  }

  ServerState of(String service, String identity) {
    return states.computeIfAbsent(new Key(service, identity), key -> new ServerState());
  }

  /** By identity, of a service's servers. */
  Map<String, Health> health(VirtualService service) {
    Map<String, Health> health = new HashMap<>();
    for (RealServer server : service.servers()) {
      health.put(server.identity(), of(service.name(), server.identity()).health());
    }
    return health;
  }

  /** Forgets servers that are not declared any more. */
  void retain(Collection<VirtualService> services) {
    Set<Key> declared = new HashSet<>();
    for (VirtualService service : services) {
      service.servers().forEach(server -> declared.add(new Key(service.name(), server.identity())));
    }
    states.keySet().retainAll(declared);
  }
}
