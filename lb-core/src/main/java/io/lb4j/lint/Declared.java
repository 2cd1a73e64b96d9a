package io.lb4j.lint;

import io.lb4j.forward.TranslatorProvider;
import io.lb4j.service.Role;
import io.lb4j.service.VirtualService;
import io.lb4j.topology.Topology;
import java.util.List;
import java.util.Optional;

/**
 * A whole configuration. Immutable, shared.
 *
 * @param topology interfaces and routes
 * @param services in the order of declaration
 * @param translation who translates addresses; nothing when nobody does
 * @param flowCapacity flows or sessions of each worker
 * @param workers how many
 * @param role whether the balancer serves or stands by
 */
public record Declared(
    Topology topology,
    List<VirtualService> services,
    Optional<TranslatorProvider> translation,
    int flowCapacity,
    int workers,
    Role role) {
  /** Keeps a copy of the services. */
  public Declared {
    services = List.copyOf(services);
  }
}
