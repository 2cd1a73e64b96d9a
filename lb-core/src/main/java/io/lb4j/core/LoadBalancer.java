package io.lb4j.core;

import io.lb4j.control.ControlLoop;
import io.lb4j.control.EventHub;
import io.lb4j.control.HandshakeTimes;
import io.lb4j.control.LimitEvents;
import io.lb4j.control.NeighborEvents;
import io.lb4j.control.PressureEvents;
import io.lb4j.control.RefusalEvents;
import io.lb4j.control.ServiceRegistry;
import io.lb4j.counters.WorkerCounters;
import io.lb4j.dataplane.Binding;
import io.lb4j.dataplane.DataPath;
import io.lb4j.dataplane.ForwardingTable;
import io.lb4j.dataplane.WaitStrategies;
import io.lb4j.dataplane.FrameProbes;
import io.lb4j.event.Event;
import io.lb4j.event.EventListener;
import io.lb4j.frame.Verdict;
import io.lb4j.health.HealthEngine;
import io.lb4j.health.HealthReport;
import io.lb4j.monitor.FrameProber;
import io.lb4j.neighbor.AddressClaim;
import io.lb4j.neighbor.LinkLayer;
import io.lb4j.neighbor.NeighborTable;
import io.lb4j.port.Port;
import io.lb4j.service.Plan;
import io.lb4j.service.RealServer;
import io.lb4j.service.Role;
import io.lb4j.service.ServerHealth;
import io.lb4j.service.VirtualService;
import io.lb4j.settings.ConfigurationException;
import io.lb4j.settings.Finding;
import io.lb4j.state.BalancerState;
import io.lb4j.state.ClientEntry;
import io.lb4j.state.ClientFilter;
import io.lb4j.state.FlowFilter;
import io.lb4j.state.FlowPage;
import io.lb4j.state.RestoreReport;
import io.lb4j.state.SaveReport;
import io.lb4j.state.StateStreamException;
import io.lb4j.steering.Pipeline;
import io.lb4j.topology.Topology;
import io.netty.buffer.ByteBufAllocator;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.LongSupplier;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * A layer-4 load balancer. Safe from any thread. {@link #start()} gives it threads of its own: one per worker that runs
 * to completion over the ports, or, where the ports have fewer queues than there are workers or addresses are
 * translated, a pipeline of receivers, workers and a transmitter. Or {@link #dataPath()} hands the one data path to the
 * caller, who brings frames and time.
 *
 * <p>Changes while it runs are compiled into a new snapshot and published with one release store; workers take it over
 * between bursts.
 */
public final class LoadBalancer implements AutoCloseable {
  private final Topology topology;
  private final LinkPorts ports;
  private final ServiceRegistry registry;
  private final LinkLayer linkLayer;
  private final FrameProbes probes;
  private final LongSupplier clock;
  private final AtomicReference<ForwardingTable> published = new AtomicReference<>();
  private final List<DataPath> dataPaths = new ArrayList<>();
  private final WorkerTotals totals = new WorkerTotals(dataPaths, this::countersBeside);
  private final int workerQueue;
  private final WaitStrategies waiting;
  private final ByteBufAllocator allocator;
  private final EventHub events;
  private final ControlLoop control;
  private final RateSampler rates;
  private final HealthEngine health;
  private volatile @Nullable RunningThreads running;
  private boolean closed;
  private volatile boolean stopped;
  private final BalancerState state;
  private final Warnings warnings;

  LoadBalancer(LoadBalancerBuilder from) {
    this.clock = from.clock;
    this.workerQueue = from.workerQueue;
    this.waiting = from.waiting;
    this.allocator = from.allocator;
    this.topology = Blueprint.topology(from);
    this.ports =
        new LinkPorts(topology, from.interfaces.stream().map(options -> Optional.ofNullable(options.port())).toList());
    this.control = new ControlLoop(clock);
    this.events = new EventHub(from.listeners, clock, control::wake);
    NeighborTable neighbors = new NeighborTable();
    this.registry = Blueprint.registry(from, topology, neighbors, totals);
    control.add(registry::forgetNextHops);
    control.add(new HandshakeTimes(registry, totals::handshakes));
    Blueprint.keepNextHops(from, topology, neighbors, registry);
    registry.hostRules(new HostCheck(topology, ports, this::receivesAlone));
    ForwardingTable first = registry.change(none -> Blueprint.byName(from.services));
    this.linkLayer =
        new LinkLayer(
            first.addresses(),
            neighbors,
            from.neighborSettings,
            from.announcements,
            new SplittableRandom(from.flowSeed),
            from.allocator,
            new NeighborEvents(topology, events));
    this.probes = new FrameProbes(topology, neighbors, linkLayer, from.allocator, from.flowSeed);
    published.setRelease(first);
    for (int worker = 0; worker < from.workers; worker++) {
      dataPaths.add(dataPath(from, neighbors, worker));
    }
    this.health =
        new HealthEngine(
            new RegisteredServers(registry, dataPaths, this::report),
            probes,
            from.probeThreads,
            from.flowSeed,
            control::wake);
    control.add(health::tick);
    control.add(new LimitEvents(published::getAcquire, events));
    control.add(new RefusalEvents(topology, published::getAcquire, totals::handshakes, events));
    control.add(new PressureEvents(totals::evictions, () -> totals.refusedFlows(topology.links().size()), events));
    this.rates =
        new RateSampler(clock.getAsLong(), topology.links(), registry::counted, totals::link);
    control.add(rates);
    control.addLast(events);
    this.state =
        new BalancerState(
            published::getAcquire, dataPaths, () -> running != null && !stopped, this::isSteered, clock);
    this.warnings = new Warnings(Blueprint.deviceFindings(from), registry, events);
    warnings.tell();
  }

  private DataPath dataPath(LoadBalancerBuilder from, NeighborTable neighbors, int worker) {
    return new DataPath(
        new DataPath.Parts(
            published::getAcquire,
            topology,
            neighbors,
            linkLayer,
            probes,
            from.neighborSettings,
            from.allocator,
            from.flowCapacity,
            from.overflow,
            from.flowSeed,
            from.schedulerSeed,
            worker,
            from.workers,
            clock.getAsLong()));
  }

  /**
   * Begins to build a balancer.
   *
   * @return a builder
   */
  public static LoadBalancerBuilder builder() {
    return new LoadBalancerBuilder();
  }

  /**
   * Starts the threads. Each worker runs to completion over a queue of every port. With several workers receivers and a
   * transmitter are beside them if a port has fewer queues, or if addresses are translated: then both directions of a
   * flow have to meet at one worker, for which no device's own distribution over queues will do.
   *
   * @throws ConfigurationException when an interface has no port
   * @throws IllegalStateException when it runs already or was closed
   */
  public synchronized void start() {
    if (closed || running != null) {
      throw new IllegalStateException(closed ? "the balancer was closed" : "the balancer runs already");
    }
    List<Port> open = ports.all();
    ports.join(published.getAcquire());
    resolveServers(published.getAcquire());
    running =
        ports.needPipeline(dataPaths.size(), translates())
            ? RunningThreads.of(
                new Pipeline(dataPaths, open, published::getAcquire, workerQueue, allocator, waiting, clock))
            : RunningThreads.toCompletion(dataPaths, open, waiting.work(), clock);
    running.start();
    control.start();
  }

  /**
   * Does what control does from time to time: monitors, rates, events. A started balancer has a thread for it; an
   * embedded one is ticked by its host, by any thread, not necessarily the one that owns the data path.
   *
   * @param nowNs the time, of the builder's clock
   * @return when to call again at the latest; compare as {@code deadline - now < 0}
   */
  public long tickControl(long nowNs) {
    return control.tick(nowNs);
  }

  /**
   * Adds somebody who hears of events from now on.
   *
   * @param listener called by control, see {@link EventListener}
   */
  public void addListener(EventListener listener) {
    events.add(listener);
  }

  /**
   * Lets somebody hear no more.
   *
   * @param listener as it was added
   */
  public void removeListener(EventListener listener) {
    events.remove(listener);
  }

  private boolean translates() {
    return published.getAcquire().translation().isPresent();
  }

  private boolean isSteered() {
    return ports.areSteered(dataPaths.size(), translates());
  }

  private boolean receivesAlone() {
    RunningThreads threads = running;
    return threads != null && dataPaths.size() > 1 && threads.isToCompletion();
  }

  /** Of receivers and transmitter, where there are such. */
  private List<WorkerCounters> countersBeside() {
    RunningThreads threads = running;
    return threads == null ? List.of() : threads.counters();
  }

  /**
   * The data path of an embedded balancer, to be owned by one thread of the caller.
   *
   * @return always the same object
   * @throws IllegalStateException when the balancer's own threads run, or when it has several workers
   */
  public synchronized DataPath dataPath() {
    if (running != null || dataPaths.size() != 1) {
      throw new IllegalStateException("an embedded balancer is not started and has one worker");
    }
    return dataPaths.get(0);
  }

  /**
   * Probes that are frames of the balancer's own, which no socket can send. They leave with the data path's next tick.
   *
   * @return always the same object, safe from any thread
   */
  public FrameProber frameProber() {
    return probes;
  }

  /**
   * Interfaces and routes.
   *
   * @return as built
   */
  public Topology topology() {
    return topology;
  }

  /**
   * All services as they are declared now.
   *
   * @return in order of declaration
   */
  public List<VirtualService> services() {
    return registry.services();
  }

  /**
   * A handle to one service.
   *
   * @param name its name
   * @return the handle
   * @throws ConfigurationException when there is none of this name
   */
  public ServiceControl service(String name) {
    registry.service(name);
    return new ServiceControl(this, name);
  }

  /**
   * Adds a service.
   *
   * @param service its declaration
   * @throws ConfigurationException when it does not fit the others; nothing has changed then
   */
  public void addService(VirtualService service) {
    publish(
        services -> {
          Blueprint.putNew(services, service);
          return services;
        });
  }

  /**
   * Removes a service: its flows end.
   *
   * @param name its name
   * @throws ConfigurationException when there is none of this name
   */
  public void removeService(String name) {
    registry.service(name);
    publish(
        services -> {
          services.remove(name);
          return services;
        });
  }

  /**
   * Replaces a service by another declaration of the same name; flows of servers that it keeps stay.
   *
   * @param service the new declaration
   * @throws ConfigurationException when there is none of this name, or when it does not fit the others
   */
  public void replaceService(VirtualService service) {
    change(service.name(), old -> service);
  }

  /**
   * Finds out what a change of all services would do, without doing it.
   *
   * @param services as they are to be
   * @return what is added, removed and changed, what becomes of flows, and what forbids it
   */
  public Plan plan(List<VirtualService> services) {
    return registry.plan(services);
  }

  /**
   * What is doubtful about the configuration as it is now, and done all the same. Warnings are also told as events, and
   * so logged: at first, and when a change brings new ones. See {@link io.lb4j.settings.ConfigurationWarning}.
   *
   * @return warnings and information, in the order of the rules
   */
  public List<Finding> findings() {
    return warnings.findings();
  }

  /**
   * Does what a plan says, all of it with one snapshot, or nothing.
   *
   * @param plan of this balancer
   * @throws ConfigurationException the first of its errors
   * @throws IllegalStateException when the services were changed after it was made
   */
  public synchronized void apply(Plan plan) {
    if (!plan.isApplicable()) {
      throw plan.errors().get(0);
    }
    if (plan.basis() != registry.declarations()) {
      throw new IllegalStateException("the services have changed since the plan was made: make it anew");
    }
    publish(before -> Blueprint.byName(plan.services()));
  }

  /**
   * Takes the virtual addresses over: from the next burst on frames to them are served, and with it each address is
   * probed and, where nobody else answers, announced and answered for. One that somebody still uses is told of as a
   * conflict and tried again later, the others do not wait for it; {@link #claims()} tells how far they are. Does
   * nothing when the balancer is active.
   */
  public void becomeActive() {
    become(Role.ACTIVE);
  }

  /**
   * Leaves the virtual addresses to another instance: once this returns none is answered for, announced or defended,
   * and from the next burst on frames to them end with {@link Verdict#PASSIVE}, those that wait with them. Servers are
   * watched as before, and flows are kept, though they grow old. Does nothing when the balancer is passive.
   */
  public void becomePassive() {
    become(Role.PASSIVE);
  }

  private synchronized void become(Role role) {
    registry.become(role).ifPresent(this::onRole);
  }

  private void onRole(ForwardingTable next) {
    published.setRelease(next);
    linkLayer.adopt(next.addresses());
    if (running != null) {
      resolveServers(next);
    }
    dataPaths.forEach(path -> path.submit((own, nowNs, out) -> {})); // a worker that sleeps looks now
    events.onEvent(new Event.RoleChanged(next.role() == Role.ACTIVE));
    warnings.tell();
    control.wake();
  }

  /**
   * Whether the balancer serves or stands by.
   *
   * @return as it was told last
   */
  public Role role() {
    return registry.role();
  }

  /**
   * The addresses that are the balancer's alone, and how far the claim on each is: virtual addresses, those of NAT
   * pools and gateway addresses.
   *
   * @return by interface, in the order of declaration; an address that is on several interfaces once for each
   */
  public List<AddressClaim> claims() {
    return linkLayer.claims();
  }

  VirtualService declaration(String name) {
    return registry.service(name);
  }

  void change(String name, UnaryOperator<VirtualService> change) {
    registry.service(name);
    publish(
        services -> {
          services.computeIfPresent(name, (key, service) -> change.apply(service));
          return services;
        });
  }

  /** Takes over reports about servers, and tells what became of them. */
  synchronized void report(List<HealthReport> reports) {
    registry.report(reports).ifPresent(published::setRelease);
    tell();
  }

  /** Under the balancer's lock, so that events keep their order. */
  private void tell() {
    registry.takeEvents().forEach(events::onEvent);
  }

  void responded(String service, String identity, long elapsedNs) {
    registry.responded(service, identity, elapsedNs, clock.getAsLong());
  }

  long responseNs(String service, RealServer server) {
    return registry.responseNs(service, server);
  }

  ServerHealth health(String service, RealServer server) {
    return registry.health(service, server);
  }

  private synchronized void publish(UnaryOperator<Map<String, VirtualService>> change) {
    rates.collect();
    ForwardingTable next = registry.change(change, this::joinGroupsOfRunning);
    published.setRelease(next);
    rates.adopt();
    linkLayer.adopt(next.addresses());
    if (running != null) {
      resolveServers(next);
    }
    events.onEvent(new Event.ServicesChanged(registry.declarations(), registry.services().size()));
    warnings.tell();
    tell();
    control.wake();
  }

  /** A device that refuses a group refuses the change. */
  private void joinGroupsOfRunning(ForwardingTable next) {
    if (running != null) {
      ports.join(next);
    }
  }

  /** Servers are asked for before the first client comes. */
  private void resolveServers(ForwardingTable table) {
    for (int id = 1; id <= table.highestBinding(); id++) {
      Binding binding = table.binding(id);
      if (binding != null) {
        linkLayer.solicit(binding.target().neighbor());
      }
    }
  }

  /**
   * What was counted so far.
   *
   * @return a snapshot
   */
  public Statistics statistics() {
    return new StatisticsReader(topology, registry, dataPaths, countersBeside(), events.counts()).read();
  }

  /**
   * Lists flows, a page at a time. While the balancer's threads run, each worker looks at its own table between two
   * bursts, a few thousand places at a time, and the caller waits. Else the calling thread does it, which has to be the
   * one that owns the data path; so it is for all methods about flows, and after {@link #close()} any thread may be it.
   *
   * @param filter which flows
   * @param position 0 for the first page, then {@link FlowPage#next()}
   * @param limit flows on the page, 1 or more; sessions of a translator may be a few more
   * @return a page
   * @throws ConfigurationException when the filter names a service that there is not
   * @throws IllegalArgumentException when the position is no page's, or the limit below 1
   * @throws io.lb4j.state.WorkersBusyException when a worker makes no progress with it for five seconds
   * @throws IllegalStateException when the balancer is closed, or the calling thread interrupted, meanwhile
   */
  public FlowPage flows(FlowFilter filter, long position, int limit) {
    return state.flows(filter, position, limit);
  }

  /**
   * Ends flows. What they knew is gone with them: a segment that follows is one of an unknown connection. The clients'
   * persistence is left as it is.
   *
   * @param filter which flows; not {@link FlowFilter#all()}
   * @return how many were ended
   * @throws IllegalArgumentException when the filter has no condition; see {@link #endAllFlows()}
   */
  public long endFlows(FlowFilter filter) {
    if (filter.isAll()) {
      throw new IllegalArgumentException("a filter without conditions means every flow: endAllFlows() ends those");
    }
    return state.endFlows(filter);
  }

  /**
   * Ends every flow of every service, and those that servers started.
   *
   * @return how many were ended
   */
  public long endAllFlows() {
    return state.endFlows(FlowFilter.all());
  }

  /**
   * Lists clients that persistence remembers. Looking does not extend their time.
   *
   * @param service by its name; where services share their clients, any of them
   * @param filter which clients
   * @param limit clients at most
   * @return in no order
   * @throws ConfigurationException when there is no such service, or when it remembers no clients
   */
  public List<ClientEntry> clients(String service, ClientFilter filter, int limit) {
    return state.clients(service, filter, limit);
  }

  /**
   * Forgets clients that persistence remembers; their flows go on.
   *
   * @param service by its name; where services share their clients, they are forgotten for all of them
   * @param filter which clients; not {@link ClientFilter#all()}
   * @return how many were forgotten
   * @throws IllegalArgumentException when the filter has no condition; see {@link #forgetAllClients}
   */
  public long forgetClients(String service, ClientFilter filter) {
    if (filter.isAll()) {
      throw new IllegalArgumentException("a filter without conditions means every client: see forgetAllClients()");
    }
    return state.forgetClients(service, filter);
  }

  /**
   * Forgets all clients that persistence remembers for a service.
   *
   * @param service by its name
   * @return how many were forgotten
   */
  public long forgetAllClients(String service) {
    return state.forgetClients(service, ClientFilter.all());
  }

  /**
   * How fast the counts grow, and the most active flows there were: looked at once a second by control.
   *
   * @return as it was at the last look
   */
  public Rates rates() {
    return rates.read();
  }

  /**
   * Saves flows, sessions and clients, for this instance after a restart or for another one. Each flow is saved as it
   * is at some moment of the call, by its worker between two bursts; the caller waits, and writes. What begins
   * meanwhile is saved or not. Whether the balancer runs makes the same difference as for {@link #flows}: to save all
   * that it knew, {@link #close()} it first.
   *
   * @param to takes the stream, in pieces of up to 64 KiB; flushed, not closed
   * @return how much was saved
   * @throws IOException of the stream
   */
  public SaveReport saveState(OutputStream to) throws IOException {
    return state.save(to, null);
  }

  /**
   * Saves flows, sessions and clients that were seen of late, for an instance that has what was saved before. Ends are
   * not told: what has ended since is known there until its time is over.
   *
   * @param to takes the stream; flushed, not closed
   * @param usedWithin since when
   * @return how much was saved
   * @throws IOException of the stream
   */
  public SaveReport saveState(OutputStream to, Duration usedWithin) throws IOException {
    return state.save(to, usedWithin);
  }

  /**
   * Takes over what an instance has saved: what is not known here yet, for servers that are declared here by the same
   * service, address and port, as far as there is room. It counts as flows of its servers, but not as new ones. No flow
   * of this instance gives way. Best before {@link #start()}, so that no frame comes before its flow; else the workers
   * take flows over between bursts.
   *
   * @param from as saved; read to its end mark, not closed
   * @return what became of it
   * @throws StateStreamException when it cannot be read to its end; what was whole before is taken over
   */
  public RestoreReport restoreState(InputStream from) throws StateStreamException {
    return state.restore(from);
  }

  /** Stops the threads, ends what waits, and closes the ports. Closing twice is harmless. */
  @Override
  public void close() {
    synchronized (this) {
      if (closed) {
        return;
      }
      closed = true;
    }
    boolean patient = control.stop(); // not under the lock: a report or a listener may be waiting for it
    patient &= health.end();
    end(!patient);
  }

  private synchronized void end(boolean wasInterrupted) {
    boolean interrupted = wasInterrupted;
    interrupted |= running != null && !running.stop();
    stopped = true;
    dataPaths.forEach(DataPath::close);
    ports.close();
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
