package io.lb4j.control;

import io.lb4j.address.IpAddress;
import io.lb4j.counters.ServerCounts;
import io.lb4j.dataplane.Binding;
import io.lb4j.dataplane.CompiledService;
import io.lb4j.dataplane.ForwardingTable;
import io.lb4j.forward.ForwardTarget;
import io.lb4j.forward.ForwarderProvider;
import io.lb4j.forward.Steering;
import io.lb4j.forward.TranslatedForwarding;
import io.lb4j.forward.TranslatorProvider;
import io.lb4j.neighbor.NeighborTable;
import io.lb4j.neighbor.OwnedAddresses;
import io.lb4j.persistence.PersistenceTable;
import io.lb4j.schedule.Candidate;
import io.lb4j.schedule.Schedule;
import io.lb4j.schedule.Scheduler;
import io.lb4j.service.EchoPolicy;
import io.lb4j.service.RealServer;
import io.lb4j.service.UnservedPolicy;
import io.lb4j.service.VirtualService;
import io.lb4j.settings.ConfigurationError;
import io.lb4j.settings.ConfigurationException;
import io.lb4j.steering.ClientSteering;
import io.lb4j.topology.Topology;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.IntFunction;
import java.util.function.LongSupplier;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * What the operator declared, and what outlives its changes: service ids, binding ids, persistence tables, next hops.
 * Safe from any thread: every change is checked as a whole, compiled, and only then kept and published.
 */
public final class ServiceRegistry {
  private final Topology topology;
  private final NeighborTable neighbors;
  private final UnservedPolicy unserved;
  private final EchoPolicy echo;
  private final Optional<TranslatorProvider> outbound;
  private final long schedulerSeed;
  private final int flowCapacity;
  private final int workers;
  private final long steeringSeed;
  private final LongSupplier clock;
  private final BindingIds bindingIds;
  private final Map<String, Integer> serviceIds = new HashMap<>();
  private final Map<String, PersistenceTable> clients = new HashMap<>();
  private final Map<String, Prepared> prepared = new HashMap<>();
  private final Set<Integer> staticNextHops = new HashSet<>();
  private Map<String, VirtualService> services = new LinkedHashMap<>();
  private long generation;

  /** A schedule, kept while nothing that it was made from changes, so that pickers keep their place. */
  private record Prepared(Scheduler scheduler, List<Candidate> candidates, Schedule schedule) {}

  /**
   * No services.
   *
   * @param topology interfaces and routes
   * @param neighbors where next hops are registered
   * @param unserved what becomes of frames to virtual addresses that no service wants
   * @param echo what becomes of echo requests to virtual addresses
   * @param outbound rules for traffic that servers start
   * @param schedulerSeed equal on instances that are to agree
   * @param flowCapacity flows or sessions of each worker
   * @param workers how many threads share the frames
   * @param steeringSeed secret, equal for all of them
   * @param clock nanoseconds
   * @param sweptGeneration the youngest generation that all workers have swept under
   * @param counts what the workers count under a binding id
   */
  public ServiceRegistry(
      Topology topology,
      NeighborTable neighbors,
      UnservedPolicy unserved,
      EchoPolicy echo,
      Optional<TranslatorProvider> outbound,
      long schedulerSeed,
      int flowCapacity,
      int workers,
      long steeringSeed,
      LongSupplier clock,
      LongSupplier sweptGeneration,
      IntFunction<ServerCounts> counts) {
    this.topology = topology;
    this.neighbors = neighbors;
    this.unserved = unserved;
    this.echo = echo;
    this.outbound = outbound;
    this.schedulerSeed = schedulerSeed;
    this.flowCapacity = flowCapacity;
    this.workers = workers;
    this.steeringSeed = steeringSeed;
    this.clock = clock;
    this.bindingIds = new BindingIds(sweptGeneration, counts);
  }

  /**
   * Names a next hop whose MAC address was configured; it is never forgotten.
   *
   * @param neighborId in the neighbour table
   */
  public synchronized void keepNextHop(int neighborId) {
    staticNextHops.add(neighborId);
  }

  /**
   * Replaces all services, after checking them.
   *
   * @param change makes the new services from the present ones, by name, in order of declaration
   * @return the snapshot to publish
   * @throws ConfigurationException when a rule is broken; nothing has changed then
   */
  public synchronized ForwardingTable change(UnaryOperator<Map<String, VirtualService>> change) {
    Map<String, VirtualService> next = change.apply(new LinkedHashMap<>(services));
    ConfigurationRules.check(next.values(), topology);
    Optional<TranslatorProvider> translation = ConfigurationRules.translation(next.values(), outbound);
    translation.ifPresent(rules -> rules.check(topology, next.values(), flowCapacity));
    Map<String, VirtualService> before = services;
    services = next;
    try {
      return compile();
    } catch (ConfigurationException e) {
      services = before;
      throw e;
    }
  }

  /**
   * All services.
   *
   * @return in order of declaration
   */
  public synchronized List<VirtualService> services() {
    return List.copyOf(services.values());
  }

  /**
   * A service by its name.
   *
   * @param name its name
   * @return the present declaration
   * @throws ConfigurationException when there is none of this name
   */
  public synchronized VirtualService service(String name) {
    VirtualService service = services.get(name);
    if (service == null) {
      throw new ConfigurationException(ConfigurationError.UNKNOWN_NAME, "service", name, "there is no such service");
    }
    return service;
  }

  /**
   * The number that a server's flows carry.
   *
   * @param service name of the service
   * @param server one of its servers
   * @return a binding id
   */
  public synchronized int binding(String service, RealServer server) {
    return bindingIds.of(service, server.identity());
  }

  /**
   * What was counted under a binding id before its present server had it.
   *
   * @param binding a binding id
   * @return to be subtracted from the workers' counts
   */
  public synchronized ServerCounts baseline(int binding) {
    return bindingIds.baseline(binding);
  }

  private ForwardingTable compile() {
    generation++;
    serviceIds.keySet().retainAll(services.keySet());
    prepared.keySet().retainAll(services.keySet());
    clients.keySet().retainAll(services.keySet());
    List<CompiledService> compiled = new ArrayList<>();
    Map<Integer, Binding> bindings = new HashMap<>();
    Set<Integer> nextHops = new HashSet<>(staticNextHops);
    OwnedAddresses.Builder addresses = OwnedAddresses.builder(topology.links());
    outbound.ifPresent(rules -> rules.addresses().forEach(addresses::virtualAddress));
    for (VirtualService service : services.values()) {
      service.vips().forEach(addresses::virtualAddress);
      if (service.forwarding() instanceof TranslatedForwarding translated) {
        translated.addresses().forEach(addresses::virtualAddress);
      }
      CompiledService one = compile(service);
      compiled.add(one);
      for (RealServer server : service.servers()) {
        ForwardTarget target = target(one.forwarding(), server);
        nextHops.add(target.neighbor());
        int id = bindingIds.of(service.name(), server.identity());
        bindings.put(id, binding(id, one, server, target));
      }
    }
    bindingIds.retain(bindings.keySet(), generation).forEach(this::forgetClients);
    neighbors.retain(nextHops);
    Binding[] byId = new Binding[bindingIds.highest() + 1];
    bindings.forEach((id, binding) -> byId[id] = binding);
    Optional<TranslatorProvider> translation = ConfigurationRules.translation(services.values(), outbound);
    return new ForwardingTable(
        generation,
        topology,
        addresses.build(),
        compiled,
        byId,
        translation,
        steering(translation),
        unserved,
        echo);
  }

  /** Both directions of a translated flow go to one worker; where nothing is translated, a client's frames do. */
  private Optional<Steering> steering(Optional<TranslatorProvider> translation) {
    if (workers == 1) {
      return Optional.empty();
    }
    return Optional.of(
        translation
            .map(rules -> rules.steering(steeringSeed, workers, services.values()))
            .orElseGet(() -> new ClientSteering(steeringSeed, workers)));
  }

  private static Binding binding(int id, CompiledService service, RealServer server, ForwardTarget target) {
    return new Binding(
        id, service, server.name(), target, server.activity().keepsFlows(), server.takesNewFlows());
  }

  private void forgetClients(int binding) {
    clients.values().forEach(table -> table.forget(binding));
  }

  private CompiledService compile(VirtualService service) {
    List<RealServer> eligible = service.servers().stream().filter(RealServer::takesNewFlows).toList();
    int[] candidates =
        eligible.stream().mapToInt(server -> bindingIds.of(service.name(), server.identity())).toArray();
    return new CompiledService(
        serviceId(service.name()),
        service,
        ConfigurationRules.provider(service),
        scheduleOf(service, eligible),
        candidates,
        clientsOf(service));
  }

  private int serviceId(String name) {
    Integer known = serviceIds.get(name);
    if (known != null) {
      return known;
    }
    int id = 0;
    while (serviceIds.containsValue(id)) {
      id++;
    }
    serviceIds.put(name, id);
    return id;
  }

  private @Nullable Schedule scheduleOf(VirtualService service, List<RealServer> eligible) {
    if (eligible.isEmpty()) {
      prepared.remove(service.name());
      return null;
    }
    List<Candidate> candidates =
        eligible.stream().map(server -> new Candidate(server.identity(), server.weight())).toList();
    Prepared before = prepared.get(service.name());
    boolean same =
        before != null && before.scheduler.equals(service.scheduler()) && before.candidates.equals(candidates);
    Prepared now =
        same
            ? before
            : new Prepared(
                service.scheduler(), candidates, service.scheduler().prepare(candidates, schedulerSeed));
    prepared.put(service.name(), now);
    return now.schedule;
  }

  private @Nullable PersistenceTable clientsOf(VirtualService service) {
    if (service.persistence().isEmpty()) {
      clients.remove(service.name());
      return null;
    }
    PersistenceTable before = clients.get(service.name());
    boolean same = before != null && before.settings().equals(service.persistence().get());
    PersistenceTable now =
        same ? before : new PersistenceTable(service.persistence().get(), clock.getAsLong());
    clients.put(service.name(), now);
    return now;
  }

  private ForwardTarget target(ForwarderProvider forwarding, RealServer server) {
    IpAddress nextHop = forwarding.nextHop(server, topology);
    Optional<Integer> link = topology.linkOf(nextHop).map(found -> found.index());
    int index =
        link.orElseThrow(
            () ->
                new ConfigurationException(
                    ConfigurationError.SERVER_NOT_ON_LINK,
                    "server " + server.name() + ": address",
                    server.address(),
                    "no interface is connected to the next hop " + nextHop));
    return new ForwardTarget(server.address(), server.port(), index, neighbors.register(index, nextHop));
  }
}
