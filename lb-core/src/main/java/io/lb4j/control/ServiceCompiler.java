package io.lb4j.control;

import io.lb4j.address.IpAddress;
import io.lb4j.dataplane.Binding;
import io.lb4j.dataplane.CompiledService;
import io.lb4j.dataplane.Pool;
import io.lb4j.dataplane.ServiceClients;
import io.lb4j.dataplane.Standing;
import io.lb4j.forward.ForwardTarget;
import io.lb4j.forward.ForwarderProvider;
import io.lb4j.neighbor.NeighborTable;
import io.lb4j.persistence.PersistenceTable;
import io.lb4j.service.Activity;
import io.lb4j.service.RealServer;
import io.lb4j.service.VirtualService;
import io.lb4j.topology.Topology;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Compiles a declared service and its servers into what workers look at. Guarded by the registry's lock. */
final class ServiceCompiler {
  private final Topology topology;
  private final NeighborTable neighbors;
  private final ServiceIds serviceIds;
  private final BindingIds bindingIds;
  private final Pools pools;
  private final ClientTables clients;
  private final ConnectionLimits limits;
  private final ServerStates states;

  ServiceCompiler(
      Topology topology,
      NeighborTable neighbors,
      ServiceIds serviceIds,
      BindingIds bindingIds,
      Pools pools,
      ClientTables clients,
      ConnectionLimits limits,
      ServerStates states) {
    this.topology = topology;
    this.neighbors = neighbors;
    this.serviceIds = serviceIds;
    this.bindingIds = bindingIds;
    this.pools = pools;
    this.clients = clients;
    this.limits = limits;
    this.states = states;
  }

  /** Puts the servers' bindings beside those that are there. */
  CompiledService compile(VirtualService service, Map<Integer, Binding> bindings, long nowNs) {
    Eligibility eligibility = Eligibility.of(service, states.health(service));
    CompiledService compiled =
        new CompiledService(
            serviceIds.of(service.name()),
            service,
            ConfigurationRules.provider(service),
            pools.pool(service, eligibility, nowNs),
            pools.overflow(service, eligibility),
            ConnectionLimits.areIn(service),
            clientsOf(service));
    for (RealServer server : service.servers()) {
      int id = bindingIds.of(FormerMethods.owner(service), server.identity());
      bindings.put(id, binding(id, compiled, server, eligibility.standing(server)));
    }
    return compiled;
  }

  /** The service with the method it had before, for the flows of servers that it still has. */
  CompiledService compileFormer(VirtualService old, VirtualService now, Map<Integer, Binding> bindings) {
    CompiledService compiled =
        new CompiledService(
            serviceIds.of(FormerMethods.id(old)),
            old,
            ConfigurationRules.provider(old),
            Pool.EMPTY,
            Pool.EMPTY,
            false,
            null);
    Eligibility eligibility = Eligibility.of(now, states.health(now));
    for (RealServer server : old.servers()) {
      Standing standing = eligibility.standing(server);
      int id = bindingIds.of(FormerMethods.owner(old), server.identity());
      bindings.put(
          id,
          binding(id, compiled, server, new Standing(false, standing.keepsFlows(), standing.lost(), false, false)));
    }
    return compiled;
  }

  private Binding binding(int id, CompiledService service, RealServer server, Standing standing) {
    VirtualService declared = service.declaration();
    boolean online = server.activity() != Activity.STANDBY;
    return new Binding(
        id,
        service,
        server.name(),
        target(service.forwarding(), server),
        standing,
        limits.of(declared, server),
        online ? limits.of(declared) : null);
  }

  private @Nullable ServiceClients clientsOf(VirtualService service) {
    PersistenceTable table = clients.of(service);
    if (table == null) {
      return null;
    }
    Map<Integer, Integer> numbers = new HashMap<>();
    for (RealServer server : service.servers()) {
      int binding = bindingIds.of(FormerMethods.owner(service), server.identity());
      numbers.put(binding, clients.number(service, server));
    }
    return new ServiceClients(table, numbers);
  }

  private ForwardTarget target(ForwarderProvider forwarding, RealServer server) {
    IpAddress nextHop = forwarding.nextHop(server, topology);
    int link = ConfigurationRules.link(server, nextHop, topology);
    return new ForwardTarget(server.address(), server.port(), link, neighbors.register(link, nextHop));
  }
}
