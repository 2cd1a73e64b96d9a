package io.lb4j.state;

import io.lb4j.address.IpPrefix;
import io.lb4j.dataplane.Binding;
import io.lb4j.dataplane.ForwardingTable;
import io.lb4j.flow.FlowMatch;
import io.lb4j.flow.FlowRecord;
import io.lb4j.flow.FlowState;
import io.lb4j.settings.ConfigurationError;
import io.lb4j.settings.ConfigurationException;
import java.time.Duration;
import java.util.BitSet;
import java.util.EnumSet;
import java.util.Optional;
import java.util.Set;

/**
 * Which flows are meant, in the operator's words. Every condition has to hold; one that is not given always does.
 * Immutable, shared.
 *
 * @param kinds whose they are; empty for any
 * @param service name of their service
 * @param server name of their real server, of whichever service if none is given
 * @param protocol in the IP header: 6 for TCP, 17 for UDP; 0 for any
 * @param states where they stand; empty for any
 * @param client network of the client, or of the inside host that talks to somebody outside
 * @param destination network of the virtual address, or of whom the inside host talks to
 * @param destinationPort its port; 0 for any
 * @param leastIdle silent for so long at least
 * @param mostIdle silent for so long at most: what has changed since then
 */
public record FlowFilter(
    Set<FlowRecord.Kind> kinds,
    Optional<String> service,
    Optional<String> server,
    int protocol,
    Set<FlowState> states,
    Optional<IpPrefix> client,
    Optional<IpPrefix> destination,
    int destinationPort,
    Optional<Duration> leastIdle,
    Optional<Duration> mostIdle) {
  private static final FlowFilter ALL =
      new FlowFilter(
          Set.of(),
          Optional.empty(),
          Optional.empty(),
          0,
          Set.of(),
          Optional.empty(),
          Optional.empty(),
          0,
          Optional.empty(),
          Optional.empty());

  /** Refuses numbers that no packet has. */
  public FlowFilter {
    if (protocol < 0 || protocol > 255) {
      throw new IllegalArgumentException("a protocol is 0..255: " + protocol);
    }
    if (destinationPort < 0 || destinationPort > 65535) {
      throw new IllegalArgumentException("a port is 0..65535: " + destinationPort);
    }
    kinds = Set.copyOf(kinds);
    states = Set.copyOf(states);
  }

  /**
   * Every flow.
   *
   * @return a filter to add conditions to
   */
  public static FlowFilter all() {
    return ALL;
  }

  /**
   * Whether there is no condition.
   *
   * @return true for {@link #all()}
   */
  public boolean isAll() {
    return equals(ALL);
  }

  /**
   * Flows of some kinds.
   *
   * @param first a kind
   * @param others further ones
   * @return a new filter
   */
  public FlowFilter kind(FlowRecord.Kind first, FlowRecord.Kind... others) {
    return with(EnumSet.of(first, others), service, server, protocol, states);
  }

  /**
   * Flows of a service.
   *
   * @param name of the service
   * @return a new filter
   */
  public FlowFilter service(String name) {
    return with(kinds, Optional.of(name), server, protocol, states);
  }

  /**
   * Flows of a server.
   *
   * @param name of the server
   * @return a new filter
   */
  public FlowFilter server(String name) {
    return with(kinds, service, Optional.of(name), protocol, states);
  }

  /**
   * Flows of a protocol.
   *
   * @param number in the IP header, 1..255
   * @return a new filter
   */
  public FlowFilter protocol(int number) {
    return with(kinds, service, server, number, states);
  }

  /**
   * Flows that stand in some states.
   *
   * @param first a state
   * @param others further ones
   * @return a new filter
   */
  public FlowFilter state(FlowState first, FlowState... others) {
    return with(kinds, service, server, protocol, EnumSet.of(first, others));
  }

  private FlowFilter with(
      Set<FlowRecord.Kind> newKinds,
      Optional<String> newService,
      Optional<String> newServer,
      int newProtocol,
      Set<FlowState> newStates) {
    return new FlowFilter(
        newKinds,
        newService,
        newServer,
        newProtocol,
        newStates,
        client,
        destination,
        destinationPort,
        leastIdle,
        mostIdle);
  }

  /**
   * Flows of some clients.
   *
   * @param network that they are in
   * @return a new filter
   */
  public FlowFilter client(IpPrefix network) {
    return with(Optional.of(network), destination, destinationPort, leastIdle, mostIdle);
  }

  /**
   * Flows to some virtual addresses, or hosts outside.
   *
   * @param network that they are in
   * @return a new filter
   */
  public FlowFilter destination(IpPrefix network) {
    return with(client, Optional.of(network), destinationPort, leastIdle, mostIdle);
  }

  /**
   * Flows to a port.
   *
   * @param port 1..65535
   * @return a new filter
   */
  public FlowFilter destinationPort(int port) {
    return with(client, destination, port, leastIdle, mostIdle);
  }

  /**
   * Flows without a frame for a while.
   *
   * @param time for so long at least
   * @return a new filter
   */
  public FlowFilter idleAtLeast(Duration time) {
    return with(client, destination, destinationPort, Optional.of(time), mostIdle);
  }

  /**
   * Flows with a frame of late.
   *
   * @param time since then at most
   * @return a new filter
   */
  public FlowFilter idleAtMost(Duration time) {
    return with(client, destination, destinationPort, leastIdle, Optional.of(time));
  }

  private FlowFilter with(
      Optional<IpPrefix> newClient,
      Optional<IpPrefix> newDestination,
      int newPort,
      Optional<Duration> newLeast,
      Optional<Duration> newMost) {
    return new FlowFilter(
        kinds, service, server, protocol, states, newClient, newDestination, newPort, newLeast, newMost);
  }

  /**
   * The same by the numbers that flows carry.
   *
   * @throws ConfigurationException when there is no service of the name
   */
  FlowMatch match(ForwardingTable table) {
    service.ifPresent(name -> check(name, table));
    return new FlowMatch(
        kinds.isEmpty() ? null : EnumSet.copyOf(kinds),
        service.isEmpty() && server.isEmpty() ? null : bindings(table),
        protocol,
        states.isEmpty() ? null : EnumSet.copyOf(states),
        client.orElse(null),
        destination.orElse(null),
        destinationPort,
        leastIdle.map(Duration::toNanos).orElse(0L),
        mostIdle.map(Duration::toNanos).orElse(Long.MAX_VALUE));
  }

  private static void check(String service, ForwardingTable table) {
    if (table.services().stream().noneMatch(known -> known.declaration().name().equals(service))) {
      throw new ConfigurationException(ConfigurationError.UNKNOWN_NAME, "service", service, "there is no such service");
    }
  }

  private BitSet bindings(ForwardingTable table) {
    BitSet bindings = new BitSet();
    for (int id = 1; id <= table.highestBinding(); id++) {
      Binding binding = table.binding(id);
      if (binding != null && isOf(binding)) {
        bindings.set(id);
      }
    }
    return bindings;
  }

  private boolean isOf(Binding binding) {
    String serviceName = binding.service().declaration().name();
    return service.filter(name -> !name.equals(serviceName)).isEmpty()
        && server.filter(name -> !name.equals(binding.serverName())).isEmpty();
  }
}
