package io.lb4j.control;

import io.lb4j.forward.DirectForwarding;
import io.lb4j.service.RealServer;
import io.lb4j.service.VirtualService;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.BiPredicate;
import java.util.stream.Collectors;

/**
 * Services as they were before a change between direct and translated forwarding: flows go on as they began, under
 * binding ids of their own. Guarded by the registry's lock.
 */
final class FormerMethods {
  private static final String DIRECT = " (direct)";
  private static final String TRANSLATED = " (translated)";

  private final Map<String, Former> former = new HashMap<>();

  private record Former(VirtualService service, long generation) {}

  /** Under which name the service's servers have their binding ids. */
  static String owner(VirtualService service) {
    return service.name() + (service.forwarding() instanceof DirectForwarding ? DIRECT : TRANSLATED);
  }

  /** Under which names the servers of the service may have binding ids. */
  static List<String> owners(VirtualService service) {
    return List.of(service.name() + DIRECT, service.name() + TRANSLATED);
  }

  /** The service behind such a name. */
  static String serviceOf(String owner) {
    return owner.substring(0, owner.length() - (owner.endsWith(DIRECT) ? DIRECT : TRANSLATED).length());
  }

  /** Under which name a former service has its id; the present one has its own name. */
  static String id(VirtualService old) {
    return "former\n" + old.name();
  }

  /** The service behind a name that has an id. */
  static String service(String id) {
    return id.substring(id.indexOf('\n') + 1);
  }

  /** Remembers the services whose method changes with a snapshot. */
  void onChange(Map<String, VirtualService> before, Map<String, VirtualService> after, long generation) {
    before.forEach(
        (name, old) -> {
          VirtualService now = after.get(name);
          if (now != null && !owner(now).equals(owner(old))) {
            former.put(name, new Former(old, generation));
          }
        });
  }

  /**
   * The service with its former method and those of its servers that had it, until all workers know of the change and
   * none of them has flows. All other settings are the present ones.
   */
  Optional<VirtualService> of(
      VirtualService now, long sweptGeneration, BiPredicate<VirtualService, RealServer> hasFlows) {
    Former old = former.get(now.name());
    if (old == null) {
      return Optional.empty();
    }
    boolean known = sweptGeneration >= old.generation;
    if (known && old.service.servers().stream().noneMatch(server -> hasFlows.test(old.service, server))) {
      former.remove(now.name());
      return Optional.empty();
    }
    return Optional.of(withFormerMethod(old.service, now));
  }

  private static VirtualService withFormerMethod(VirtualService old, VirtualService now) {
    Set<String> had = old.servers().stream().map(RealServer::identity).collect(Collectors.toSet());
    List<RealServer> servers = now.servers().stream().filter(server -> had.contains(server.identity())).toList();
    return now.toBuilder().forwarding(old.forwarding()).realServers(servers).build();
  }

  boolean isEmpty() {
    return former.isEmpty();
  }

  void retain(Set<String> services) {
    former.keySet().retainAll(services);
  }

  FormerMethods copy() {
    FormerMethods copy = new FormerMethods();
    copy.former.putAll(former);
    return copy;
  }

  void restore(FormerMethods copy) {
    former.clear();
    former.putAll(copy.former);
  }
}
