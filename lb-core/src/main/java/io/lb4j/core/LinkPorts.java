package io.lb4j.core;

import io.lb4j.address.MacAddress;
import io.lb4j.dataplane.ForwardingTable;
import io.lb4j.port.Port;
import io.lb4j.port.SteeredPort;
import io.lb4j.settings.ConfigurationError;
import io.lb4j.settings.ConfigurationException;
import io.lb4j.topology.Link;
import io.lb4j.topology.Topology;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/** The ports that the interfaces are attached to; an embedded balancer may have none. Owned by the control side. */
final class LinkPorts {
  private final Topology topology;
  private final List<Optional<Port>> ports; // by index of the interface

  LinkPorts(Topology topology, List<Optional<Port>> ports) {
    this.topology = topology;
    this.ports = ports;
  }

  /** Those that there are. */
  Stream<Port> open() {
    return ports.stream().flatMap(Optional::stream);
  }

  /** One for every interface, in their order; refused when one is missing. */
  List<Port> all() {
    for (Link link : topology.links()) {
      if (ports.get(link.index()).isEmpty()) {
        throw new ConfigurationException(
            ConfigurationError.MISSING, "interface " + link.name() + ": port", "none", "a running balancer needs one");
      }
    }
    return open().toList();
  }

  /**
   * Whether workers cannot receive for themselves: a port has not a queue for each, or both directions have to meet.
   */
  boolean needPipeline(int workers, boolean translates) {
    boolean oneEach = open().allMatch(port -> port.queues() == workers);
    return workers > 1 && translates || !oneEach;
  }

  /** Whether each frame gets to its flow's worker; ports with queues enough spread frames by rules of their own. */
  boolean areSteered(int workers, boolean translates) {
    return ports.stream().anyMatch(Optional::isEmpty) || needPipeline(workers, translates);
  }

  /** Tells ports of our own MAC address where it is not the device's, of groups, and of what is to be steered. */
  void join(ForwardingTable table) {
    for (Link link : topology.links()) {
      Port port = ports.get(link.index()).orElseThrow();
      if (!port.traits().mac().equals(link.mac())) {
        port.join(link.mac());
      }
      List<MacAddress> groups = table.addresses().groups(link.index());
      groups.forEach(port::join);
      if (port instanceof SteeredPort steered) {
        steered.steer(Steered.of(table, link, port));
      }
    }
  }

  /** Closes all, also when one of them cannot be closed: then throws what the first of those threw. */
  void close() {
    RuntimeException failure = null;
    for (Port port : open().toList()) {
      try {
        port.close();
      } catch (RuntimeException e) {
        if (failure == null) {
          failure = e;
        } else {
          failure.addSuppressed(e);
        }
      }
    }
    if (failure != null) {
      throw failure;
    }
  }
}
