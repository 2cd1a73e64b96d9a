package io.lb4j.control;

import io.lb4j.persistence.PersistenceTable;
import io.lb4j.persistence.SourceIpPersistence;
import io.lb4j.service.RealServer;
import io.lb4j.service.VirtualService;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * The persistence tables of services, and the numbers that the tables know servers by; both outlive changes. Guarded by
 * the registry's lock.
 *
 * <p>A number stands for a server's identity, in tables that services share for its address. It is never given out
 * twice, so that what a worker remembers under an older snapshot can name a server that is gone, but no other one.
 */
final class ClientTables {
  private final LongSupplier clock;
  private final Map<String, Integer> numbers = new HashMap<>();
  private Map<String, PersistenceTable> byService = new HashMap<>();
  private Map<PersistenceTable, Set<Integer>> serversOf = new HashMap<>();
  private Map<String, PersistenceTable> nextByService = new HashMap<>();
  private final List<Runnable> takeOvers = new ArrayList<>(); // when the snapshot is approved
  private int next = 1;

  ClientTables(LongSupplier clock) {
    this.clock = clock;
  }

  /**
   * Finds the tables for the services of a new snapshot. A table stays with its services; where services come together
   * or part, or settings change that leave clients as they are, what was remembered comes along.
   */
  void prepare(Collection<VirtualService> services) {
    nextByService = new HashMap<>();
    takeOvers.clear();
    Set<PersistenceTable> taken = new HashSet<>();
    for (List<VirtualService> set : SharedClients.sets(services)) {
      PersistenceTable table = table(set, taken);
      taken.add(table);
      set.forEach(service -> nextByService.put(service.name(), table));
    }
  }

  private PersistenceTable table(List<VirtualService> set, Set<PersistenceTable> taken) {
    SourceIpPersistence settings = set.get(0).persistence().orElseThrow();
    Set<PersistenceTable> before = new LinkedHashSet<>();
    for (VirtualService service : set) {
      PersistenceTable known = byService.get(service.name());
      if (known != null && known.settings().tellsClientsApartAs(settings)) {
        before.add(known);
      }
    }
    long nowNs = clock.getAsLong();
    PersistenceTable table =
        before.stream()
            .filter(known -> known.settings().equals(settings) && !taken.contains(known))
            .findFirst()
            .orElseGet(() -> new PersistenceTable(settings, nowNs));
    before.remove(table);
    before.forEach(other -> takeOvers.add(() -> table.restoreAll(other, nowNs)));
    return table;
  }

  /** The table of a service in the snapshot that is being made. */
  @Nullable PersistenceTable of(VirtualService service) {
    return nextByService.get(service.name());
  }

  /** What the service's table calls one of its servers. */
  int number(VirtualService service, RealServer server) {
    return numbers.computeIfAbsent(name(service, server), name -> next++);
  }

  private static String name(VirtualService service, RealServer server) {
    boolean shared = service.persistence().orElseThrow().scope().isShared();
    return shared ? server.address().toString() : server.identity();
  }

  /** The snapshot was made: servers that no service of a table has any more are forgotten there. */
  void keep(Collection<VirtualService> services) {
    takeOvers.forEach(Runnable::run);
    takeOvers.clear();
    Map<PersistenceTable, Set<Integer>> inUse = new HashMap<>();
    Set<String> names = new HashSet<>();
    for (VirtualService service : services) {
      PersistenceTable table = nextByService.get(service.name());
      if (table != null) {
        Set<Integer> servers = inUse.computeIfAbsent(table, key -> new HashSet<>());
        service.servers().forEach(server -> servers.add(number(service, server)));
        service.servers().forEach(server -> names.add(name(service, server)));
      }
    }
    inUse.forEach(
        (table, servers) -> {
          Set<Integer> gone = new HashSet<>(serversOf.getOrDefault(table, Set.of()));
          gone.removeAll(servers);
          if (!gone.isEmpty()) {
            table.forgetServers(gone);
          }
        });
    numbers.keySet().retainAll(names);
    serversOf = inUse;
    byService = nextByService;
  }
}
