package io.lb4j.core;

import io.lb4j.address.IpAddress;
import io.lb4j.address.IpPrefix;
import io.lb4j.address.MacAddress;
import io.lb4j.dataplane.WaitStrategies;
import io.lb4j.dataplane.WaitStrategy;
import io.lb4j.event.EventListener;
import io.lb4j.flow.FlowTableOverflow;
import io.lb4j.forward.TranslatorProvider;
import io.lb4j.neighbor.AnnouncementSettings;
import io.lb4j.neighbor.NeighborSettings;
import io.lb4j.port.Port;
import io.lb4j.service.EchoPolicy;
import io.lb4j.service.Role;
import io.lb4j.service.UnservedPolicy;
import io.lb4j.service.VirtualService;
import io.lb4j.service.VirtualServiceBuilder;
import io.lb4j.settings.ConfigurationError;
import io.lb4j.settings.ConfigurationException;
import io.lb4j.settings.Finding;
import io.lb4j.topology.Route;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.PooledByteBufAllocator;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.LongSupplier;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * Wires interfaces, routes and virtual services into a {@link LoadBalancer}. Owned by its caller. Every setter refuses
 * a value that cannot be right; {@link #build()} checks the whole.
 */
public final class LoadBalancerBuilder {
  private static final int DEFAULT_FLOWS = 1 << 20;
  private static final int DEFAULT_WORKER_QUEUE = 1024;
  private static final int DEFAULT_PROBE_THREADS = 64;
  private static final int MOST_PROBE_THREADS = 4096;

  final List<InterfaceOptions> interfaces = new ArrayList<>();
  final List<Route> routes = new ArrayList<>();
  final Map<IpAddress, MacAddress> staticNeighbors = new LinkedHashMap<>();
  final List<VirtualService> services = new ArrayList<>();
  int flowCapacity = DEFAULT_FLOWS;
  FlowTableOverflow overflow = FlowTableOverflow.EVICT_EMBRYONIC;
  int workers = 1;
  int workerQueue = DEFAULT_WORKER_QUEUE;
  WaitStrategies waiting = WaitStrategies.PARK;
  int probeThreads = DEFAULT_PROBE_THREADS;
  long flowSeed = new SecureRandom().nextLong();
  long schedulerSeed;
  LongSupplier clock = System::nanoTime;
  UnservedPolicy unserved = UnservedPolicy.DROP;
  EchoPolicy echo = EchoPolicy.ANSWER;
  Role role = Role.ACTIVE;
  AnnouncementSettings announcements = AnnouncementSettings.defaults();
  NeighborSettings neighborSettings = NeighborSettings.defaults();
  ByteBufAllocator allocator = PooledByteBufAllocator.DEFAULT;
  final List<EventListener> listeners = new ArrayList<>();

  @Nullable TranslatorProvider outbound;

  LoadBalancerBuilder() {}

  /**
   * Adds an interface that takes everything from its port.
   *
   * @param name of the interface
   * @param port open, and used by nobody else; closed with the balancer
   * @return this
   */
  public LoadBalancerBuilder port(String name, Port port) {
    return networkInterface(name, options -> options.port(port));
  }

  /**
   * Adds an interface.
   *
   * @param name of the interface
   * @param options port, MAC address and addresses
   * @return this
   */
  public LoadBalancerBuilder networkInterface(String name, UnaryOperator<InterfaceOptions> options) {
    interfaces.add(options.apply(new InterfaceOptions(name)));
    return this;
  }

  /**
   * Adds a route beyond the connected networks.
   *
   * @param to destination prefix
   * @param via router on a connected network
   * @return this
   */
  public LoadBalancerBuilder route(String to, String via) {
    try {
      routes.add(new Route(IpPrefix.of(to), IpAddress.of(via)));
    } catch (IllegalArgumentException e) {
      throw new ConfigurationException(ConfigurationError.NOT_READABLE, "route", to + " via " + via, e.getMessage());
    }
    return this;
  }

  /**
   * Sets a neighbour's MAC address, which is then not asked for.
   *
   * @param address of the neighbour, on a connected network
   * @param mac its MAC address
   * @return this
   */
  public LoadBalancerBuilder neighbor(String address, String mac) {
    try {
      MacAddress parsed = MacAddress.of(mac);
      if (parsed.isMulticast() || parsed.value() == 0) {
        throw new ConfigurationException(
            ConfigurationError.NOT_UNICAST, "neighbor " + address, mac, "no station has this address");
      }
      staticNeighbors.put(IpAddress.of(address), parsed);
    } catch (IllegalArgumentException e) {
      throw new ConfigurationException(ConfigurationError.NOT_READABLE, "neighbor " + address, mac, e.getMessage());
    }
    return this;
  }

  /**
   * Adds a virtual service.
   *
   * @param service its builder
   * @return this
   */
  public LoadBalancerBuilder service(VirtualServiceBuilder service) {
    return service(service.build());
  }

  /**
   * Adds a virtual service.
   *
   * @param service its declaration
   * @return this
   */
  public LoadBalancerBuilder service(VirtualService service) {
    services.add(service);
    return this;
  }

  /**
   * Sets what becomes of traffic that servers start, and how addresses are translated.
   *
   * @param rules of a module that translates; without them nothing but the services' traffic crosses the balancer
   * @return this
   */
  public LoadBalancerBuilder outbound(TranslatorProvider rules) {
    this.outbound = rules;
    return this;
  }

  /**
   * Bounds the flows of each worker.
   *
   * @param capacity 16 to 16,777,216
   * @return this
   */
  public LoadBalancerBuilder flowTable(int capacity) {
    return flowTable(capacity, overflow);
  }

  /**
   * Bounds the flows of each worker.
   *
   * @param capacity 16 to 16,777,216
   * @param whenFull what happens to a new flow then
   * @return this
   */
  public LoadBalancerBuilder flowTable(int capacity, FlowTableOverflow whenFull) {
    this.flowCapacity = capacity;
    this.overflow = whenFull;
    return this;
  }

  /**
   * Sets the number of worker threads. Each has a queue of every port, or, where a port has not so many queues or
   * addresses are translated, receives its frames from threads beside the workers.
   *
   * @param count 1..64
   * @return this
   */
  public LoadBalancerBuilder workers(int count) {
    if (count < 1 || count > 64) {
      throw new ConfigurationException(ConfigurationError.OUT_OF_RANGE, "workers", count, "not in 1..64");
    }
    this.workers = count;
    return this;
  }

  /**
   * Bounds what waits for a worker that does not receive its frames from a port itself. A frame that finds no room is
   * dropped with {@link io.lb4j.frame.Verdict#WORKER_QUEUE_FULL}.
   *
   * @param frames from each queue of a port, 32 to 65,536; 1,024 unless told otherwise
   * @return this
   */
  public LoadBalancerBuilder workerQueue(int frames) {
    if (frames < 32 || frames > 65_536) {
      throw new ConfigurationException(ConfigurationError.OUT_OF_RANGE, "worker-queue", frames, "not in 32..65536");
    }
    this.workerQueue = frames;
    return this;
  }

  /**
   * Sets what all threads that carry frames do while nothing waits for them.
   *
   * @param strategy how they wait; {@link WaitStrategy#PARK} unless told otherwise
   * @return this
   */
  public LoadBalancerBuilder waitStrategy(WaitStrategy strategy) {
    return waitStrategy(WaitStrategies.all(strategy));
  }

  /**
   * Sets what threads that carry frames do while nothing waits for them, by their part in it.
   *
   * @param strategies how they wait
   * @return this
   */
  public LoadBalancerBuilder waitStrategy(WaitStrategies strategies) {
    this.waiting = strategies;
    return this;
  }

  /**
   * Fixes all randomness: the flow table's hash (else secret and new for every balancer), hashing schedulers (else 0,
   * so that instances agree, and everybody can compute their choice) and random waits. Equal seeds and equal input give
   * equal output.
   *
   * @param seed any number
   * @return this
   */
  public LoadBalancerBuilder seed(long seed) {
    this.flowSeed = seed;
    this.schedulerSeed = seed;
    return this;
  }

  /**
   * Sets the clock, {@link System#nanoTime} unless told otherwise. An embedder's {@code nowNs} is of the same clock:
   * the data path begins at the time of {@link #build()}.
   *
   * @param nanos nanoseconds, never running backwards
   * @return this
   */
  public LoadBalancerBuilder clock(LongSupplier nanos) {
    this.clock = nanos;
    return this;
  }

  /**
   * Decides about frames to a virtual address that no service wants.
   *
   * @param policy dropped unless told otherwise
   * @return this
   */
  public LoadBalancerBuilder unserved(UnservedPolicy policy) {
    this.unserved = policy;
    return this;
  }

  /**
   * Decides about echo requests to virtual addresses.
   *
   * @param policy answered unless told otherwise
   * @return this
   */
  public LoadBalancerBuilder echo(EchoPolicy policy) {
    this.echo = policy;
    return this;
  }

  /**
   * Sets whether the balancer begins by serving, or by standing by for another one with the same virtual addresses.
   *
   * @param first active unless told otherwise
   * @return this
   */
  public LoadBalancerBuilder role(Role first) {
    this.role = first;
    return this;
  }

  /**
   * Sets how virtual addresses are probed, announced and defended.
   *
   * @param settings the RFCs' unless told otherwise
   * @return this
   */
  public LoadBalancerBuilder announcements(AnnouncementSettings settings) {
    this.announcements = settings;
    return this;
  }

  /**
   * Sets how next hops are resolved, and how many frames wait for them.
   *
   * @param settings the RFCs' unless told otherwise
   * @return this
   */
  public LoadBalancerBuilder neighborSettings(NeighborSettings settings) {
    this.neighborSettings = settings;
    return this;
  }

  /**
   * Sets where frames of the balancer's own, and held copies, get their memory.
   *
   * @param newAllocator Netty's pooled one unless told otherwise
   * @return this
   */
  public LoadBalancerBuilder allocator(ByteBufAllocator newAllocator) {
    this.allocator = newAllocator;
    return this;
  }

  /**
   * Adds somebody who hears of events.
   *
   * @param listener called by control, see {@link EventListener}
   * @return this
   */
  public LoadBalancerBuilder listener(EventListener listener) {
    listeners.add(listener);
    return this;
  }

  /**
   * Bounds the threads that probes with sockets, and functions of the host, run on. Before Java 21 alone: later JDKs
   * have virtual threads. A probe that finds no free thread waits.
   *
   * @param most 1..4096; 64 unless told otherwise
   * @return this
   */
  public LoadBalancerBuilder probeThreads(int most) {
    if (most < 1 || most > MOST_PROBE_THREADS) {
      throw new ConfigurationException(
          ConfigurationError.OUT_OF_RANGE, "probe-threads", most, "not in 1.." + MOST_PROBE_THREADS);
    }
    this.probeThreads = most;
    return this;
  }

  /**
   * Finds out what {@link #build()} would refuse, all of it, and what is doubtful and would be told by {@link
   * LoadBalancer#findings()}. Builds nothing. What the host's kernel holds is found by building alone.
   *
   * @return errors, then warnings and information
   */
  public List<Finding> findings() {
    return Blueprint.findings(this);
  }

  /**
   * Checks everything and builds the balancer; nothing runs yet.
   *
   * @return a balancer to start, or to be embedded
   * @throws ConfigurationException naming setting, value, reason and remedy
   */
  public LoadBalancer build() {
    return new LoadBalancer(this);
  }
}
