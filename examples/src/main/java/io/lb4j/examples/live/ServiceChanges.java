package io.lb4j.examples.live;

import io.lb4j.core.LoadBalancer;
import io.lb4j.service.VirtualService;
import io.lb4j.settings.ConfigurationException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.stream.Collectors;

/** The difference between the services that run and those that are declared now. Owned by the control thread. */
final class ServiceChanges {
  private final LoadBalancer balancer;
  private final Map<String, VirtualService> before;
  private final Map<String, VirtualService> after;

  /**
   * A difference.
   *
   * @param balancer running
   * @param before what it serves
   * @param after what the file declares now
   */
  ServiceChanges(LoadBalancer balancer, List<VirtualService> before, List<VirtualService> after) {
    this.balancer = balancer;
    this.before = byName(before);
    this.after = byName(after);
  }

  private static Map<String, VirtualService> byName(List<VirtualService> services) {
    return services.stream().collect(Collectors.toMap(VirtualService::name, Function.identity()));
  }

  /** Applies it service by service: removals, replacements, additions. Answers what was done. */
  List<String> apply(Consumer<ConfigurationException> refusals) {
    List<String> done = new ArrayList<>();
    for (String name : before.keySet()) {
      if (!after.containsKey(name)) {
        step(done, "removed " + name, () -> balancer.removeService(name), refusals);
      }
    }
    after.forEach((name, service) -> {
      VirtualService old = before.get(name);
      if (old != null && !isSame(old, service)) {
        step(done, "replaced " + name, () -> balancer.replaceService(service), refusals);
      }
    });
    after.forEach((name, service) -> {
      if (!before.containsKey(name)) {
        step(done, "added " + name, () -> balancer.addService(service), refusals);
      }
    });
    return done;
  }

  private static void step(
      List<String> done, String what, Runnable change, Consumer<ConfigurationException> refusals) {
    try {
      change.run();
      done.add(what);
    } catch (ConfigurationException e) {
      refusals.accept(e);
    }
  }

  /** Whether two declarations say the same. */
  static boolean isSame(VirtualService a, VirtualService b) {
    return a.vips().equals(b.vips())
        && a.ports().equals(b.ports())
        && a.protocol() == b.protocol()
        && a.forwarding().equals(b.forwarding())
        && a.scheduler().equals(b.scheduler())
        && a.persistence().equals(b.persistence())
        && a.timeouts().equals(b.timeouts())
        && a.enabled() == b.enabled()
        && a.servers().equals(b.servers());
  }
}
