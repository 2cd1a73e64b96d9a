package io.lb4j.lint;

import io.lb4j.address.IpAddress;
import io.lb4j.service.Activity;
import io.lb4j.service.Overflow;
import io.lb4j.service.RealServer;
import io.lb4j.service.VirtualService;
import io.lb4j.service.WhenAllDown;
import io.lb4j.settings.ConfigurationWarning;
import io.lb4j.settings.Finding;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

/** Whether a service's servers can take what comes. Owned by one thread. */
final class ServerRules {
  private final VirtualService service;
  private final List<RealServer> servers;
  private final String setting;
  private final Consumer<Finding> findings;

  /** Where a server listens; port 0 where it is the client's choice. */
  private record Place(IpAddress address, int port) {}

  ServerRules(VirtualService service, Consumer<Finding> findings) {
    this.service = service;
    this.servers = service.servers();
    this.setting = "service " + service.name();
    this.findings = findings;
  }

  void check() {
    if (service.enabled()) {
      takers();
    }
    standby();
    twice();
    weights();
  }

  private void takers() {
    if (servers.isEmpty()) {
      findings.accept(ConfigurationWarning.NO_SERVER.at(
          setting + ": servers", "there is none, so new flows are dropped"));
    } else if (servers.stream().noneMatch(server -> server.activity().takesNewFlows())) {
      findings.accept(ConfigurationWarning.NO_SERVER_TAKES_FLOWS.at(
          setting + ": servers", "all of them drain or are offline, so new flows are dropped"));
    } else if (servers.stream().noneMatch(RealServer::takesNewFlows)) {
      findings.accept(ConfigurationWarning.ALL_WEIGHTS_ZERO.at(
          setting + ": servers", "weight 0 takes no new flows, and all have it, so new flows are dropped"));
    }
  }

  private void standby() {
    boolean some = servers.stream().anyMatch(server -> server.activity() == Activity.STANDBY);
    boolean overflow = service.policies().overflow() == Overflow.STANDBY;
    if (!some && (overflow || service.policies().whenAllDown() == WhenAllDown.STANDBY)) {
      findings.accept(ConfigurationWarning.NO_STANDBY_SERVER.at(
          setting + (overflow ? ": overflow" : ": when-all-down"),
          "standby servers are to take what the others do not, and there is none, so it is dropped"));
    }
    if (some && servers.stream().noneMatch(server -> server.activity() == Activity.ONLINE)
        && servers.stream().noneMatch(server -> server.activity() == Activity.DRAIN)) {
      findings.accept(ConfigurationWarning.ONLY_STANDBY_SERVERS.at(
          setting + ": servers", "no server is online, so those of the lowest tier serve all the time"));
    }
  }

  private void twice() {
    Map<Place, RealServer> seen = new HashMap<>();
    for (RealServer server : servers) {
      int own = service.ports().size() == 1 ? service.ports().first() : 0;
      int port = server.port() != 0 ? server.port() : own;
      RealServer other = seen.putIfAbsent(new Place(server.address(), port), server);
      if (other != null) {
        findings.accept(ConfigurationWarning.SERVER_TWICE.at(
            setting + ": server " + server.name(),
            server.identity() + " is where server " + other.name() + " is, so that machine gets two shares"));
      }
    }
  }

  private void weights() {
    long different = servers.stream().mapToInt(RealServer::weight).filter(weight -> weight > 0).distinct().count();
    if (different > 1 && !service.scheduler().usesWeights()) {
      findings.accept(ConfigurationWarning.WEIGHTS_NOT_USED.at(
          setting + ": scheduler",
          service.scheduler().name() + " gives servers equal shares, and their weights differ"));
    }
  }
}
