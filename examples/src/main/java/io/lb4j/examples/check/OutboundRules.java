package io.lb4j.examples.check;

import io.lb4j.address.IpAddress;
import io.lb4j.examples.config.Configuration;
import io.lb4j.examples.config.Finding;
import io.lb4j.examples.config.Finding.Severity;
import io.lb4j.gateway.Gateway;
import io.lb4j.gateway.OutboundRule;
import io.lb4j.service.RealServer;
import io.lb4j.service.VirtualService;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** Whether what servers start gets out, and clients are not taken for servers. Owned by one thread. */
final class OutboundRules {
  private final Configuration configuration;
  private final Network network;
  private final List<OutboundRule> rules;
  private final List<Finding> findings = new ArrayList<>();

  OutboundRules(Configuration configuration, Network network) {
    this.configuration = configuration;
    this.network = network;
    this.rules = configuration.outbound().map(outbound -> outbound.rules()).orElse(List.of());
  }

  List<Finding> findings() {
    services().forEach(this::serversReachOut);
    for (OutboundRule rule : rules) {
      clientsAreNotInside(rule);
      rule.pool().forEach(address -> poolIsReachable(rule, address));
    }
    return findings;
  }

  /** Services whose servers have the balancer as default gateway. */
  private Stream<VirtualService> services() {
    return configuration.services().stream()
        .filter(service -> service.forwarding() instanceof Gateway gateway && gateway.sources().isEmpty());
  }

  private void serversReachOut(VirtualService service) {
    List<RealServer> without =
        service.servers().stream()
            .filter(server -> network.subnetOf(server.address()).isPresent())
            .filter(server -> rules.stream().noneMatch(rule -> rule.from().contains(server.address())))
            .toList();
    if (!without.isEmpty()) {
      findings.add(configuration.finding(
          Severity.INFORMATION,
          "no-outbound-rule",
          "service " + service.name(),
          without.stream().map(RealServer::name).collect(Collectors.joining(", "))
              + " cannot start connections through the balancer: no rule of 'outbound' holds "
              + (without.size() == 1 ? "the address" : "these addresses"),
          "add {from: " + network.subnetOf(without.get(0).address()).orElseThrow()
              + "} to 'outbound', with 'nat' unless the servers' addresses are known outside"));
    }
  }

  /** A client that counts as an inside host would be translated before a service sees it. */
  private void clientsAreNotInside(OutboundRule rule) {
    services()
        .flatMap(service -> service.vips().stream())
        .flatMap(vip -> network.subnetOf(vip.address()).stream())
        .distinct()
        .filter(subnet -> subnet.overlaps(rule.from()))
        .forEach(subnet -> findings.add(configuration.finding(
            Severity.WARNING,
            "clients-inside",
            "outbound " + rule.from() + ": from",
            rule.from() + " overlaps the virtual addresses' subnet " + subnet + ", so clients there count as servers,"
                + " and what they ask for is translated twice",
            "narrow the prefix to the servers' subnet")));
  }

  private void poolIsReachable(OutboundRule rule, IpAddress address) {
    if (network.subnetOf(address).isEmpty() && network.routes(address.isV6()).isEmpty()) {
      findings.add(configuration.finding(
          Severity.WARNING,
          "pool-not-on-link",
          "outbound " + rule.from() + ": nat",
          address + " is in no interface's subnet, and there is no router that could send answers here",
          "choose an address in the clients' subnet, or declare the route to the router that sends it here"));
    }
  }
}
