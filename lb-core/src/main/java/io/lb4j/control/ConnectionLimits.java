package io.lb4j.control;

import io.lb4j.dataplane.ConnectionCount;
import io.lb4j.service.ConnectionLimit;
import io.lb4j.service.RealServer;
import io.lb4j.service.VirtualService;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The counts that limits are held against. A count goes on over every change while there is a limit; workers carry
 * their flows over to a new one. Guarded by the registry's lock.
 */
final class ConnectionLimits {
  private Map<Bounded, ConnectionCount> counts = new HashMap<>();
  private Map<Bounded, ConnectionCount> next = new HashMap<>(); // of the snapshot that is being made
  private Map<ConnectionCount, ConnectionLimit> nextLimits = new HashMap<>();

  /** What has a limit: a server of a service, or all of them where the identity is empty. */
  private record Bounded(String service, String identity) {}

  static boolean areIn(VirtualService service) {
    return service.policies().limit().exists()
        || service.servers().stream().anyMatch(server -> server.limit().exists());
  }

  /** A snapshot is being made. */
  void prepare() {
    next = new HashMap<>();
    nextLimits = new HashMap<>();
  }

  /** The count of a server's connections; null without a limit. */
  @Nullable ConnectionCount of(VirtualService service, RealServer server) {
    return count(new Bounded(service.name(), server.identity()), server.limit());
  }

  /** The count of all connections of a service; null without a limit. */
  @Nullable ConnectionCount of(VirtualService service) {
    return count(new Bounded(service.name(), ""), service.policies().limit());
  }

  private @Nullable ConnectionCount count(Bounded whose, ConnectionLimit limit) {
    if (!limit.exists()) {
      return null;
    }
    ConnectionCount known = next.getOrDefault(whose, counts.get(whose));
    ConnectionCount count = known != null ? known : new ConnectionCount(limit);
    next.put(whose, count);
    nextLimits.put(count, limit);
    return count;
  }

  /** The snapshot was made: its limits are in force, and other counts are forgotten. */
  void keep() {
    counts = next;
    nextLimits.forEach(ConnectionCount::limit);
  }
}
