package io.lb4j.examples.config;

import io.lb4j.address.IpAddress;
import io.lb4j.address.MacAddress;
import io.lb4j.dataplane.WaitStrategies;
import io.lb4j.flow.FlowTableOverflow;
import io.lb4j.gateway.Outbound;
import io.lb4j.neighbor.AnnouncementSettings;
import io.lb4j.service.EchoPolicy;
import io.lb4j.service.Role;
import io.lb4j.service.UnservedPolicy;
import io.lb4j.service.VirtualService;
import io.lb4j.topology.Route;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * What a file declares, without where. Immutable, shared; equal when two files say the same.
 *
 * @param interfaces one or more
 * @param routes beyond the connected networks
 * @param neighbors that are not asked for
 * @param services in the order of the file
 * @param flowCapacity of the flow table
 * @param overflow what becomes of a new flow when the table is full
 * @param workers threads that own flows
 * @param waiting what threads do while there is nothing to do
 * @param seed nothing when it is chosen by chance
 * @param echo who answers echo requests
 * @param unserved what becomes of frames that no service wants
 * @param announcements how virtual addresses are announced
 * @param role whether it begins by serving or by standing by
 * @param outbound what becomes of traffic that servers start; nothing when the file does not say
 */
record Declarations(
    List<InterfaceDeclaration> interfaces,
    List<Route> routes,
    Map<IpAddress, MacAddress> neighbors,
    List<VirtualService> services,
    int flowCapacity,
    FlowTableOverflow overflow,
    int workers,
    WaitStrategies waiting,
    OptionalLong seed,
    EchoPolicy echo,
    UnservedPolicy unserved,
    AnnouncementSettings announcements,
    Role role,
    Optional<Outbound> outbound) {
  /** Copies that nobody changes. */
  Declarations {
    interfaces = List.copyOf(interfaces);
    routes = List.copyOf(routes);
    neighbors = Collections.unmodifiableMap(new LinkedHashMap<>(neighbors));
    services = List.copyOf(services);
  }

  Declarations withServices(List<VirtualService> others) {
    return new Declarations(
        interfaces, routes, neighbors, others, flowCapacity, overflow, workers, waiting, seed, echo, unserved,
        announcements, role, outbound);
  }

  /** The keys beside {@code services} that two files differ in. */
  List<String> differences(Declarations other) {
    Map<String, Object> theirs = other.fixed();
    List<String> keys = new ArrayList<>();
    fixed().forEach((key, value) -> {
      if (!value.equals(theirs.get(key))) {
        keys.add(key);
      }
    });
    return keys;
  }

  private Map<String, Object> fixed() {
    Map<String, Object> values = new LinkedHashMap<>();
    values.put("interfaces", interfaces);
    values.put("routes", routes);
    values.put("neighbors", neighbors);
    Outbound rules = outbound.orElse(Outbound.none());
    values.put("outbound", outbound.map(Outbound::rules));
    values.put("filtering", rules.filtering());
    values.put("pooling", rules.pooling());
    values.put("unsolicited-syn", rules.unsolicitedSyn());
    values.put("inbound-refresh", rules.inboundRefresh());
    values.put("outbound-timeouts", List.of(rules.timeouts(), rules.icmpTimeout()));
    values.put("flow-table", List.of(flowCapacity, overflow));
    values.put("workers", workers);
    values.put("wait-strategy", waiting);
    values.put("seed", seed);
    values.put("echo", echo);
    values.put("unserved", unserved);
    values.put("announce", announcements);
    values.put("role", role);
    return values;
  }
}
