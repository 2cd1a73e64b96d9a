package io.lb4j.gateway;

import io.lb4j.address.IpAddress;
import io.lb4j.address.IpPrefix;
import io.lb4j.service.RealServer;
import io.lb4j.service.VirtualService;
import io.lb4j.settings.ConfigurationWarning;
import io.lb4j.settings.Finding;
import io.lb4j.topology.Topology;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.stream.Collectors;

/** Whether what servers start gets out, and clients are not taken for servers. Owned by one thread. */
final class OutboundLint {
  private static final int FEW_PORTS = 1024;

  private final Outbound outbound;
  private final Topology topology;
  private final List<VirtualService> services; // whose servers have the balancer as default gateway
  private final Consumer<Finding> findings;

  OutboundLint(
      Outbound outbound, Topology topology, Collection<VirtualService> all, Consumer<Finding> findings) {
    this.outbound = outbound;
    this.topology = topology;
    this.services =
        all.stream()
            .filter(service -> service.forwarding() instanceof Gateway gateway && gateway.sources().isEmpty())
            .toList();
    this.findings = findings;
  }

  void check() {
    services.forEach(this::serversReachOut);
    for (OutboundRule rule : outbound.rules()) {
      nested(rule);
      clientsAreNotInside(rule);
      pool(rule);
    }
    timeouts();
  }

  private void serversReachOut(VirtualService service) {
    List<RealServer> without =
        service.servers().stream()
            .filter(server -> topology.subnetOf(server.address()).isPresent())
            .filter(server -> outbound.rules().stream().noneMatch(rule -> rule.from().contains(server.address())))
            .toList();
    if (!without.isEmpty()) {
      findings.accept(ConfigurationWarning.NO_OUTBOUND_RULE.at(
          "service " + service.name(),
          without.stream().map(RealServer::name).collect(Collectors.joining(", "))
              + " cannot start connections through the balancer: no rule of 'outbound' holds "
              + (without.size() == 1 ? "the address" : "these addresses") + ", for example {from: "
              + topology.subnetOf(without.get(0).address()).orElseThrow() + "}"));
    }
  }

  private void nested(OutboundRule rule) {
    outbound.rules().stream()
        .filter(other -> other != rule && other.from().overlaps(rule.from()))
        .filter(other -> other.from().length() < rule.from().length())
        .forEach(other -> findings.accept(ConfigurationWarning.OUTBOUND_RULES_NEST.at(
            "outbound " + rule.from() + ": from",
            rule.from() + " is in " + other.from() + " too: its hosts have this rule, the longer prefix")));
  }

  /** A client that counts as an inside host would be translated before a service sees it. */
  private void clientsAreNotInside(OutboundRule rule) {
    services.stream()
        .flatMap(service -> service.vips().stream())
        .flatMap(vip -> topology.subnetOf(vip.address()).stream())
        .distinct()
        .filter(subnet -> subnet.overlaps(rule.from()))
        .forEach(subnet -> findings.accept(ConfigurationWarning.CLIENTS_INSIDE.at(
            "outbound " + rule.from() + ": from",
            rule.from() + " overlaps the virtual addresses' subnet " + subnet + ", so clients there count as servers,"
                + " and what they ask for is translated twice")));
  }

  private void pool(OutboundRule rule) {
    String setting = "outbound " + rule.from() + ": nat";
    for (IpAddress address : rule.pool()) {
      GatewayLint.reachable(setting, address, topology, findings);
      Optional<IpPrefix> subnet = topology.subnetOf(address).filter(rule.from()::overlaps);
      subnet.ifPresent(inside -> findings.accept(ConfigurationWarning.POOL_AMONG_SERVERS.at(
          setting, address + " is in " + inside + ", the inside hosts' own subnet, where no outside host is")));
    }
    int ports = rule.pool().size() * (rule.lastPort() - rule.firstPort() + 1);
    if (!rule.isRouted() && ports < FEW_PORTS) {
      findings.accept(ConfigurationWarning.POOL_TOO_SMALL.at(
          "outbound " + rule.from() + ": ports",
          "all hosts share " + ports + " ports, one for each inside address and port that sends"));
    }
  }

  private void timeouts() {
    String setting = "outbound-timeouts";
    GatewayLint.established(setting, outbound.timeouts(), findings);
    GatewayLint.udp(setting, outbound.timeouts(), findings);
    if (outbound.icmpTimeout().toSeconds() < 60) {
      findings.accept(ConfigurationWarning.TIMEOUT_BELOW_RFC.at(
          setting + ": icmp",
          "what is silent for " + outbound.icmpTimeout().toSeconds() + " s is forgotten; RFC 5508 asks for 60 s"));
    }
  }
}
