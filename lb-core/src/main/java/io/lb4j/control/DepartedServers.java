package io.lb4j.control;

import io.lb4j.dataplane.Departed;
import io.lb4j.flow.FlowTimeouts;
import io.lb4j.service.LostFlows;
import io.lb4j.service.VirtualService;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.function.IntPredicate;
import org.jspecify.annotations.Nullable;

/**
 * Servers that were removed and may have flows yet. They keep their binding ids until all workers know of the removal
 * and no flow is left, so that each flow meets the fate that is declared whenever its next packet comes. Guarded by the
 * registry's lock.
 */
final class DepartedServers {
  private final Map<Integer, Server> servers = new HashMap<>();

  private record Server(String service, LostFlows fates, FlowTimeouts timeouts, long generation) {}

  /**
   * Finds the servers that a new snapshot lacks.
   *
   * @param ids of all servers that were declared so far
   * @param inUse ids of those that still are
   * @param before services as they were
   * @param after services as they are to be
   * @param generation of the snapshot
   */
  void onChange(
      BindingIds ids,
      Set<Integer> inUse,
      Map<String, VirtualService> before,
      Map<String, VirtualService> after,
      long generation) {
    servers.keySet().removeAll(inUse);
    ids.forEach(
        (owner, id) -> {
          VirtualService old = before.get(FormerMethods.serviceOf(owner));
          if (!inUse.contains(id) && old != null) {
            servers.putIfAbsent(id, of(old, generation));
          }
        });
    servers.replaceAll((id, server) -> withFates(server, after.get(server.service)));
  }

  private static Server of(VirtualService service, long generation) {
    FlowTimeouts timeouts =
        service.timeouts().orElseGet(() -> ConfigurationRules.provider(service).timeouts());
    return new Server(service.name(), service.policies().whenRemoved(), timeouts, generation);
  }

  /** What is declared now decides, while the service itself is there. */
  private static Server withFates(Server server, @Nullable VirtualService now) {
    return now == null
        ? server
        : new Server(server.service, now.policies().whenRemoved(), server.timeouts, server.generation);
  }

  /**
   * Forgets servers that no flow remembers.
   *
   * @param sweptGeneration the youngest generation that all workers have swept under
   * @param hasFlows whether any worker has flows of an id
   */
  void forget(long sweptGeneration, IntPredicate hasFlows) {
    servers.entrySet().removeIf(
        entry -> sweptGeneration >= entry.getValue().generation && !hasFlows.test(entry.getKey()));
  }

  /** Their ids. */
  Set<Integer> ids() {
    return Set.copyOf(servers.keySet());
  }

  /** By binding id. */
  Departed[] byId(int highest) {
    Departed[] byId = new Departed[highest + 1];
    servers.forEach((id, server) -> byId[id] = new Departed(server.fates, server.timeouts));
    return byId;
  }

  DepartedServers copy() {
    DepartedServers copy = new DepartedServers();
    copy.restore(this);
    return copy;
  }

  void restore(DepartedServers before) {
    servers.clear();
    servers.putAll(before.servers);
  }
}
