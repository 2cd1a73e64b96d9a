package io.lb4j.control;

import io.lb4j.counters.HandshakeCounts;
import io.lb4j.counters.ServerCounts;
import io.lb4j.dataplane.Binding;
import io.lb4j.dataplane.CompiledService;
import io.lb4j.dataplane.ForwardingTable;
import io.lb4j.event.Event;
import io.lb4j.forward.Steering;
import io.lb4j.forward.TranslatedForwarding;
import io.lb4j.forward.TranslatorProvider;
import io.lb4j.health.HealthReport;
import io.lb4j.lint.Declared;
import io.lb4j.lint.Lint;
import io.lb4j.neighbor.NeighborTable;
import io.lb4j.neighbor.OwnedAddresses;
import io.lb4j.service.Plan;
import io.lb4j.service.Protocol;
import io.lb4j.service.RealServer;
import io.lb4j.service.Role;
import io.lb4j.service.ServerHealth;
import io.lb4j.service.VirtualService;
import io.lb4j.settings.ConfigurationError;
import io.lb4j.settings.ConfigurationException;
import io.lb4j.settings.Finding;
import io.lb4j.steering.ClientSteering;
import io.lb4j.topology.Topology;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.IntFunction;
import java.util.function.LongSupplier;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;

/**
 * What the operator declared, and what outlives its changes: service ids, binding ids, persistence tables, next hops.
 * Safe from any thread: every change is checked as a whole, compiled, and only then kept and published.
 */
public final class ServiceRegistry {
  private final Topology topology;
  private final NextHops nextHops;
  private final BalancerSettings settings;
  private final LongSupplier clock;
  private final WorkerView view;
  private final BindingIds bindingIds;
  private final Pools pools;
  private final ServiceIds serviceIds = new ServiceIds();
  private final ClientTables clients;
  private final ServerStates states = new ServerStates();
  private final FormerMethods former = new FormerMethods();
  private final DepartedServers departed = new DepartedServers();
  private final ConnectionLimits limits = new ConnectionLimits();
  private final ServiceCompiler compiler;
  private HostRules hostRules = (next, addresses, translates, findings) -> {};
  private Map<String, VirtualService> services = new LinkedHashMap<>();
  private Set<Integer> idsInUse = Set.of();
  private Role role;
  private long generation;
  private long declarations;
  private boolean lags; // the last snapshot lacks something that is known: none could be made of it

  /** What a change that is refused must leave as it was. */
  private final class Before {
    private final Map<String, VirtualService> services = ServiceRegistry.this.services;
    private final ServiceIds serviceIds = ServiceRegistry.this.serviceIds.copy();
    private final Pools pools = ServiceRegistry.this.pools.copy();
    private final FormerMethods former = ServiceRegistry.this.former.copy();
    private final DepartedServers departed = ServiceRegistry.this.departed.copy();
    private final ServerStates states = ServiceRegistry.this.states.copy();

    private void restore() {
      ServiceRegistry.this.services = services;
      ServiceRegistry.this.serviceIds.restore(serviceIds);
      ServiceRegistry.this.pools.restore(pools);
      ServiceRegistry.this.former.restore(former);
      ServiceRegistry.this.departed.restore(departed);
      ServiceRegistry.this.states.restore(states);
    }
  }

  /**
   * No services.
   *
   * @param topology interfaces and routes
   * @param neighbors where next hops are registered
   * @param settings for all services
   * @param clock nanoseconds
   * @param view what the workers have done so far
   */
  public ServiceRegistry(
      Topology topology,
      NeighborTable neighbors,
      BalancerSettings settings,
      LongSupplier clock,
      WorkerView view) {
    this.topology = topology;
    this.nextHops = new NextHops(neighbors, view::adoptedGeneration);
    this.settings = settings;
    this.role = settings.firstRole();
    this.clock = clock;
    this.view = view;
    this.bindingIds = new BindingIds(view::sweptGeneration, view::server);
    this.clients = new ClientTables(clock);
    this.pools = new Pools(bindingIds, states, settings.schedulerSeed());
    this.compiler = new ServiceCompiler(topology, neighbors, serviceIds, bindingIds, pools, clients, limits, states);
  }

  /**
   * Adds the host's rules to those of control.
   *
   * @param rules asked before every change
   */
  public synchronized void hostRules(HostRules rules) {
    hostRules = rules;
  }

  /**
   * Names a next hop whose MAC address was configured; it is never forgotten.
   *
   * @param neighborId in the neighbour table
   */
  public synchronized void keepNextHop(int neighborId) {
    nextHops.fix(neighborId);
  }

  /**
   * Forgets the next hops of removed servers, once no worker can send to them any more.
   *
   * @param nowNs the time
   * @return when to call again at the latest
   */
  public synchronized long forgetNextHops(long nowNs) {
    return nextHops.tick(nowNs);
  }

  /**
   * Replaces all services, after checking them.
   *
   * @param change makes the new services from the present ones, by name, in order of declaration
   * @return the snapshot to publish
   * @throws ConfigurationException when a rule is broken; nothing has changed then
   */
  public synchronized ForwardingTable change(UnaryOperator<Map<String, VirtualService>> change) {
    return change(change, table -> {});
  }

  /**
   * Replaces all services, after checking them.
   *
   * @param change makes the new services from the present ones, by name, in order of declaration
   * @param approval asked last; what it throws refuses the change
   * @return the snapshot to publish
   * @throws ConfigurationException when a rule is broken; nothing has changed then
   */
  public synchronized ForwardingTable change(
      UnaryOperator<Map<String, VirtualService>> change, Consumer<ForwardingTable> approval) {
    Map<String, VirtualService> next = change.apply(new LinkedHashMap<>(services));
    Findings findings = new Findings();
    check(next.values(), findings);
    findings.refuse();
    Before before = new Before();
    try {
      former.onChange(services, next, generation + 1);
      services = next;
      states.settle(next.values());
      ForwardingTable table = compile(before.services);
      approval.accept(table);
      settle(table);
      declarations++;
      lags = false;
      return table;
    } catch (RuntimeException | Error e) {
      before.restore();
      throw e;
    }
  }

  /**
   * Takes over what is said of servers' health, one report after the other. Reports about servers that are not declared
   * are left out. When no snapshot can be made of it, the next call makes it.
   *
   * @param reports in the order in which they were made
   * @return the snapshot to publish; nothing when traffic goes as before
   */
  public synchronized Optional<ForwardingTable> report(List<HealthReport> reports) {
    for (HealthReport report : reports) {
      VirtualService declared = services.get(report.service());
      lags |= declared != null && states.report(declared, report);
    }
    return lags ? Optional.of(again()) : Optional.empty();
  }

  /** A snapshot of what is declared already, for what has changed beside. */
  private ForwardingTable again() {
    lags = true; // memory may be short, or a scheduler of the host's throw: the next call is to make up for it
    ForwardingTable table = compile(services);
    settle(table);
    lags = false;
    return table;
  }

  /**
   * Lets the balancer serve or stand by.
   *
   * @param next which
   * @return the snapshot to publish; nothing when it does so already
   */
  public synchronized Optional<ForwardingTable> become(Role next) {
    if (role == next && !lags) {
      return Optional.empty();
    }
    role = next;
    return Optional.of(again());
  }

  /**
   * Whether the balancer serves or stands by.
   *
   * @return as the latest snapshot says
   */
  public synchronized Role role() {
    return role;
  }

  /**
   * What happened to servers since the last call; to be told after the snapshot was published.
   *
   * @return in order
   */
  public synchronized List<Event> takeEvents() {
    return states.takeEvents();
  }

  /**
   * The health by which a server is used.
   *
   * @param service its service
   * @param server the server
   * @return {@link ServerHealth#UNKNOWN} while nobody has spoken
   */
  public synchronized ServerHealth health(String service, RealServer server) {
    return states.used(service, server.identity());
  }

  /**
   * How much of its share of the new flows a server gets now.
   *
   * @param service its service
   * @param server the server
   * @param nowNs the time
   * @return 1; less than that in slow start; 0 while it is down, or others take all new flows
   */
  public synchronized double share(String service, RealServer server, long nowNs) {
    VirtualService declared = services.get(service);
    return declared == null ? 0 : states.share(declared, server.identity(), nowNs);
  }

  /**
   * Takes over how long a server took to answer a probe. Where the balancer sees the servers' handshakes with clients
   * themselves, these count and probes do not.
   *
   * @param service its service
   * @param identity the server's, see {@link RealServer#identity()}; unknown ones are ignored
   * @param elapsedNs from question to answer
   * @param nowNs the time
   */
  public synchronized void responded(String service, String identity, long elapsedNs, long nowNs) {
    VirtualService declared = services.get(service);
    if (declared != null && !timesHandshakes(declared) && declared.serverOf(identity).isPresent()) {
      states.of(service, identity).response().measured(elapsedNs, nowNs);
    }
  }

  /**
   * How long a server takes to answer, smoothed.
   *
   * @param service its service
   * @param server the server
   * @return nanoseconds; 0 when it is not known
   */
  public synchronized long responseNs(String service, RealServer server) {
    return states.of(service, server.identity()).response().smoothedNs();
  }

  /** Takes over what workers have timed of each binding since the last time. */
  synchronized void observeHandshakes(IntFunction<HandshakeCounts> sinceLastTime, long nowNs) {
    for (VirtualService service : services.values()) {
      for (RealServer server : timesHandshakes(service) ? service.servers() : List.<RealServer>of()) {
        HandshakeCounts news =
            sinceLastTime.apply(bindingIds.of(FormerMethods.owner(service), server.identity()));
        if (news.timed() > 0) {
          states.of(service.name(), server.identity()).response().measured(news.timeNs() / news.timed(), nowNs);
        }
      }
    }
  }

  /** Both halves of a connection pass, so that the answer to a SYN is seen. */
  private static boolean timesHandshakes(VirtualService service) {
    return service.protocol() == Protocol.TCP && service.forwarding() instanceof TranslatedForwarding;
  }

  /**
   * Finds out what a change would do.
   *
   * @param next all services as they are to be
   * @return changes, what becomes of flows, all errors and all warnings
   */
  public synchronized Plan plan(List<VirtualService> next) {
    Map<String, VirtualService> wanted = new LinkedHashMap<>();
    Findings findings = new Findings();
    for (VirtualService service : next) {
      if (wanted.putIfAbsent(service.name(), service) != null) {
        findings.add(twice(service));
      }
    }
    check(wanted.values(), findings);
    ServerStates foreseen = states.copy();
    foreseen.settle(wanted.values());
    for (VirtualService service : wanted.values()) {
      Eligibility eligibility = Eligibility.of(service, foreseen.health(service));
      findings.check(() -> pools.check(service, eligibility));
    }
    Planner planner =
        new Planner(
            new Planner.World(services.values(), states, addresses(services.values())),
            new Planner.World(wanted.values(), foreseen, addresses(wanted.values())),
            settings.unserved(),
            (service, server) -> counts(service, server).flows());
    return new Plan(declarations, next, planner.changes(), findings.all(), lint(wanted.values()));
  }

  /**
   * What is doubtful about the configuration and yet done.
   *
   * @return warnings and information
   */
  public List<Finding> findings() {
    return lint(services());
  }

  private List<Finding> lint(Collection<VirtualService> with) {
    Optional<TranslatorProvider> translation = ConfigurationRules.translation(with, settings.outbound());
    return Lint.findings(
        new Declared(topology, List.copyOf(with), translation, settings.flowCapacity(), settings.workers(), role()));
  }

  /**
   * Why two services of one name are refused.
   *
   * @param service the second of them
   * @return what to throw
   */
  public static ConfigurationException twice(VirtualService service) {
    return new ConfigurationException(
        ConfigurationError.DUPLICATE_NAME, "service", service.name(), "two services have this name");
  }

  private void check(Collection<VirtualService> next, Findings findings) {
    ConfigurationRules.check(next, topology, settings.outbound(), settings.flowCapacity(), findings);
    boolean translates = ConfigurationRules.translation(next, settings.outbound()).isPresent();
    hostRules.check(next, addresses(next), translates, findings::add);
  }

  /**
   * Counts the changes of declarations.
   *
   * @return 1 after the first
   */
  public synchronized long declarations() {
    return declarations;
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
   * The number that a server's flows carry, if it has one.
   *
   * @param service name of the service
   * @param server perhaps one of its servers
   * @return nothing when it is not, or no longer
   */
  public synchronized Optional<Integer> findBinding(String service, RealServer server) {
    VirtualService declared = services.get(service);
    return declared == null
        ? Optional.empty()
        : bindingIds.find(FormerMethods.owner(declared), server.identity());
  }

  /**
   * All services, and what was counted for their servers.
   *
   * @return in order of declaration
   */
  public synchronized List<CountedService> counted() {
    return services.values().stream().map(this::counted).toList();
  }

  private CountedService counted(VirtualService service) {
    return new CountedService(
        service,
        service.servers().stream()
            .map(server -> new CountedService.Server(server, counts(service, server)))
            .toList());
  }

  private ServerCounts counts(VirtualService service, RealServer server) {
    return bindingIds.counts(FormerMethods.owners(service), server.identity(), idsInUse);
  }

  /** Makes a snapshot; what it no longer needs is kept until it has been settled for. */
  private ForwardingTable compile(Map<String, VirtualService> declaredBefore) {
    generation++;
    forgetRemoved();
    limits.prepare();
    clients.prepare(services.values());
    List<CompiledService> compiled = new ArrayList<>();
    List<CompiledService> before = new ArrayList<>();
    Map<Integer, Binding> bindings = new HashMap<>();
    for (VirtualService service : services.values()) {
      compiled.add(compiler.compile(service, bindings, clock.getAsLong()));
      formerOf(service).ifPresent(old -> before.add(compiler.compileFormer(old, service, bindings)));
    }
    Binding[] byId = new Binding[bindingIds.highest() + 1];
    bindings.forEach((id, binding) -> byId[id] = binding);
    departed.onChange(bindingIds, bindings.keySet(), declaredBefore, services, generation);
    departed.forget(view.sweptGeneration(), id -> view.server(id).flows() > 0);
    Optional<TranslatorProvider> translation = ConfigurationRules.translation(services.values(), settings.outbound());
    return new ForwardingTable(
        generation,
        topology,
        addresses(services.values()),
        compiled,
        before,
        byId,
        departed.byId(bindingIds.highest()),
        translation,
        steering(translation),
        settings.unserved(),
        settings.echo());
  }

  /** Gives up what only the snapshot before needed. */
  private void settle(ForwardingTable table) {
    Set<Integer> inUse = new HashSet<>();
    Set<Integer> needed = new HashSet<>();
    for (int id = 1; id <= table.highestBinding(); id++) {
      Binding binding = table.binding(id);
      if (binding != null) {
        inUse.add(id);
        needed.add(binding.target().neighbor());
      }
    }
    for (VirtualService service : services.values()) {
      List<String> owners = FormerMethods.owners(service);
      service.servers().forEach(server -> bindingIds.carryOver(owners, server.identity(), idsInUse, inUse));
    }
    idsInUse = Set.copyOf(inUse);
    inUse.addAll(departed.ids());
    bindingIds.retain(inUse, generation);
    clients.keep(services.values());
    nextHops.settle(needed, generation);
    states.retain(services.values());
    limits.keep();
  }

  private Optional<VirtualService> formerOf(VirtualService service) {
    return former.of(service, view.sweptGeneration(), this::hasFlows);
  }

  private void forgetRemoved() {
    Set<String> names = services.keySet();
    serviceIds.retain(name -> names.contains(FormerMethods.service(name)));
    pools.retain(names);
    former.retain(names);
  }

  /** The balancer's addresses with some services; those of former methods stay while flows need them. */
  private OwnedAddresses addresses(Collection<VirtualService> with) {
    OwnedAddresses.Builder addresses = OwnedAddresses.builder(topology.links()).active(role == Role.ACTIVE);
    settings.outbound().ifPresent(rules -> rules.addresses().forEach(addresses::virtualAddress));
    for (VirtualService service : with) {
      service.vips().forEach(addresses::virtualAddress);
      Stream.concat(Stream.of(service), formerOf(service).stream())
          .map(VirtualService::forwarding)
          .filter(TranslatedForwarding.class::isInstance)
          .flatMap(method -> ((TranslatedForwarding) method).addresses().stream())
          .forEach(addresses::virtualAddress);
    }
    return addresses.build();
  }

  /** Whether a server still has flows that its service's former method forwards. */
  private boolean hasFlows(VirtualService service, RealServer server) {
    return bindingIds
        .find(FormerMethods.owner(service), server.identity())
        .map(id -> view.server(id).flows() > 0)
        .orElse(false);
  }

  /** Both directions of a translated flow go to one worker; where nothing is translated, a client's frames do. */
  private Optional<Steering> steering(Optional<TranslatorProvider> translation) {
    if (settings.workers() == 1) {
      return Optional.empty();
    }
    return Optional.of(
        translation
            .map(rules -> rules.steering(settings.steeringSeed(), settings.workers(), services.values()))
            .orElseGet(() -> new ClientSteering(settings.steeringSeed(), settings.workers())));
  }
}
