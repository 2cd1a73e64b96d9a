package io.lb4j.dataplane;

import io.lb4j.forward.DirectForwarding;
import io.lb4j.forward.SessionAccounting;
import io.lb4j.forward.Steering;
import io.lb4j.forward.TranslatorProvider;
import io.lb4j.neighbor.OwnedAddresses;
import io.lb4j.service.EchoPolicy;
import io.lb4j.service.Role;
import io.lb4j.service.UnservedPolicy;
import io.lb4j.topology.Topology;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Everything the workers work by, compiled by control and published with one release store. Immutable, shared; a
 * worker reads the reference once per burst and so never sees half a change.
 */
public final class ForwardingTable {
  /** No plain way: the binding itself has to be asked. */
  static final long NOT_PLAIN = 0;

  private static final long PLAIN = 1L << 62;
  private static final int LINK_SHIFT = 32;

  private final long generation;
  private final Topology topology;
  private final OwnedAddresses addresses;
  private final List<CompiledService> services;
  private final List<CompiledService> allServices;
  private final ServiceTable serviceTable;
  private final Binding[] bindings;
  private final @Nullable Departed[] departed;
  private final long[] plainWays;
  private final long[] plainSessions;
  private final Optional<TranslatorProvider> translation;
  private final Optional<Steering> steering;
  private final UnservedPolicy unserved;
  private final EchoPolicy echo;
  private final boolean hasV6;
  private final boolean bounded;

  /**
   * Compiles a table.
   *
   * @param generation one more than the table before
   * @param topology interfaces and routes
   * @param addresses virtual and interface addresses, and whether the virtual ones are ours now
   * @param services in order of their declaration
   * @param former services as they were before a change of their method, for the flows that they still have
   * @param bindings by binding id; null where an id is not in use. Not copied
   * @param departed removed servers that may have flows, by their former binding ids. Not copied
   * @param translation who translates addresses; nothing when no address is translated
   * @param steering which worker a frame belongs to; nothing with one worker
   * @param unserved what becomes of frames to virtual addresses that no service wants
   * @param echo what becomes of echo requests to virtual addresses
   */
  public ForwardingTable(
      long generation,
      Topology topology,
      OwnedAddresses addresses,
      List<CompiledService> services,
      List<CompiledService> former,
      Binding[] bindings,
      @Nullable Departed[] departed,
      Optional<TranslatorProvider> translation,
      Optional<Steering> steering,
      UnservedPolicy unserved,
      EchoPolicy echo) {
    this.generation = generation;
    this.topology = topology;
    this.addresses = addresses;
    this.services = List.copyOf(services);
    this.allServices = Stream.concat(services.stream(), former.stream()).toList();
    this.serviceTable = new ServiceTable(services);
    this.bindings = bindings;
    this.departed = departed;
    this.plainWays = Arrays.stream(bindings).mapToLong(this::plainWayOf).toArray();
    this.plainSessions = Arrays.stream(bindings).mapToLong(ForwardingTable::plainSession).toArray();
    this.translation = translation;
    this.steering = steering;
    this.unserved = unserved;
    this.echo = echo;
    this.bounded = Arrays.stream(bindings).anyMatch(binding -> binding != null && binding.isBounded());
    this.hasV6 =
        allServices.stream().anyMatch(service -> service.declaration().isV6() && service.isDirect());
  }

  /**
   * Counts publications.
   *
   * @return 1 for the first table
   */
  public long generation() {
    return generation;
  }

  /**
   * Interfaces and routes.
   *
   * @return the same in every table of a balancer
   */
  public Topology topology() {
    return topology;
  }

  /**
   * Virtual and interface addresses.
   *
   * @return what ARP and neighbour discovery answer for
   */
  public OwnedAddresses addresses() {
    return addresses;
  }

  /**
   * Whether the balancer serves or stands by.
   *
   * @return as it was when the table was compiled
   */
  public Role role() {
    return addresses.isActive() ? Role.ACTIVE : Role.PASSIVE;
  }

  /**
   * All services.
   *
   * @return in order of their declaration
   */
  public List<CompiledService> services() {
    return services;
  }

  /** The services, and those that only have flows from before a change of their method. */
  List<CompiledService> allServices() {
    return allServices;
  }

  /**
   * The server behind a number.
   *
   * @param id from a flow
   * @return null when the server was removed
   */
  public Binding binding(int id) {
    return id >= 0 && id < bindings.length ? bindings[id] : null;
  }

  /** What becomes of the flows of a removed server; null when it is not known any more, or was not removed. */
  @Nullable Departed departed(int id) {
    return id >= 0 && id < departed.length ? departed[id] : null;
  }

  /** One word for what known flows of most servers need, so that 4,000 servers' fit in the first-level cache. */
  private long plainWayOf(@Nullable Binding binding) {
    boolean plain =
        isPlain(binding)
            && !isNarrow(binding.target().link())
            && binding.service().forwarding() instanceof DirectForwarding direct
            && direct.changesLinkLayerOnly();
    return plain ? PLAIN | (long) binding.target().link() << LINK_SHIFT | binding.target().neighbor() : NOT_PLAIN;
  }

  /** Whether what comes in by another interface may be too long for this one. */
  private boolean isNarrow(int link) {
    int mtu = topology.links().get(link).mtu();
    return topology.links().stream().anyMatch(other -> other.mtu() > mtu);
  }

  private static boolean isPlain(@Nullable Binding binding) {
    return binding != null
        && binding.keepsFlows()
        && binding.service().enabled()
        && binding.service().admitsEverybody();
  }

  private static long plainSession(@Nullable Binding binding) {
    boolean plain = isPlain(binding) && !binding.service().isDirect();
    return plain ? (long) binding.target().link() << 32 | binding.target().neighbor() : SessionAccounting.NO_WAY;
  }

  /** Interface and next hop of a binding's known sessions, if nothing has to be asked. */
  long plainSession(int id) {
    return id < plainSessions.length ? plainSessions[id] : SessionAccounting.NO_WAY;
  }

  /** The way of a binding's known flows, if nothing has to be asked and nothing above the link layer changes. */
  long plainWay(int id) {
    return id < plainWays.length ? plainWays[id] : NOT_PLAIN;
  }

  static int link(long plainWay) {
    return (int) (plainWay >>> LINK_SHIFT) & 0xFFFF;
  }

  static int neighbor(long plainWay) {
    return (int) plainWay;
  }

  /**
   * The highest number that may be in use.
   *
   * @return 0 when there is no server
   */
  public int highestBinding() {
    return bindings.length - 1;
  }

  /**
   * Who translates addresses.
   *
   * @return nothing when no address is translated
   */
  public Optional<TranslatorProvider> translation() {
    return translation;
  }

  /**
   * Which worker a frame belongs to.
   *
   * @return nothing with one worker
   */
  public Optional<Steering> steering() {
    return steering;
  }

  ServiceTable serviceTable() {
    return serviceTable;
  }

  UnservedPolicy unserved() {
    return unserved;
  }

  EchoPolicy echo() {
    return echo;
  }

  /** Whether any server or service has a limit. */
  boolean isBounded() {
    return bounded;
  }

  boolean hasV6() {
    return hasV6;
  }
}
