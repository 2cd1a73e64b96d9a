package io.lb4j.lint;

import io.lb4j.address.IpPrefix;
import io.lb4j.flow.FlowTimeouts;
import io.lb4j.forward.ForwarderProvider;
import io.lb4j.persistence.SourceIpPersistence;
import io.lb4j.schedule.HashInput;
import io.lb4j.service.AccessList;
import io.lb4j.service.ConnectionLimit;
import io.lb4j.service.Overflow;
import io.lb4j.service.Protocol;
import io.lb4j.service.RealServer;
import io.lb4j.service.VirtualService;
import io.lb4j.settings.ConfigurationWarning;
import io.lb4j.settings.Finding;
import java.time.Duration;
import java.util.Set;
import java.util.function.Consumer;

/** Which flows a service gets, how many, and how long it knows their clients. Owned by one thread. */
final class FlowRules {
  private final VirtualService service;
  private final Declared declared;
  private final String setting;
  private final Consumer<Finding> findings;

  FlowRules(VirtualService service, Declared declared, Consumer<Finding> findings) {
    this.service = service;
    this.declared = declared;
    this.setting = "service " + service.name();
    this.findings = findings;
  }

  void check() {
    for (VirtualService other : declared.services()) {
      if (takesFrom(other)) {
        findings.accept(ConfigurationWarning.SERVICES_NEST.at(
            setting + ": vip",
            "what is for " + other.vips() + " port " + other.ports() + " goes to service " + other.name()
                + ", which is more exact"));
      }
    }
    access();
    limits();
    service.persistence().ifPresent(this::persistence);
  }

  /** Whether frames that this service claims are another's: the longest prefix first, then the fewest ports. */
  private boolean takesFrom(VirtualService other) {
    if (other == service || other.protocol() != service.protocol()
        || other.ports().first() > service.ports().last() || service.ports().first() > other.ports().last()) {
      return false;
    }
    for (IpPrefix mine : service.vips()) {
      for (IpPrefix theirs : other.vips()) {
        if (mine.overlaps(theirs) && isMoreExact(theirs, other, mine)) {
          return true;
        }
      }
    }
    return false;
  }

  private boolean isMoreExact(IpPrefix theirs, VirtualService other, IpPrefix mine) {
    return theirs.length() > mine.length()
        || theirs.length() == mine.length() && other.ports().size() < service.ports().size();
  }

  private void access() {
    AccessList access = service.policies().access();
    boolean some = access.allow().stream().map(IpPrefix::address).anyMatch(a -> a.isV6() == service.isV6());
    if (!access.allow().isEmpty() && !some) {
      findings.accept(ConfigurationWarning.NOBODY_ALLOWED.at(
          setting + ": allow",
          access.allow() + " holds no IPv" + (service.isV6() ? 6 : 4) + " client, and the service has no others"));
    }
  }

  private void limits() {
    long room = (long) declared.flowCapacity() * declared.workers();
    ConnectionLimit limit = service.policies().limit();
    beyond(limit, room, setting);
    for (RealServer server : service.servers()) {
      beyond(server.limit(), room, setting + ": server " + server.name());
    }
    boolean allLimited =
        !service.servers().isEmpty() && service.servers().stream().allMatch(server -> server.limit().exists());
    long sum = service.servers().stream().mapToLong(server -> server.limit().most()).sum();
    if (limit.exists() && allLimited && sum < limit.most()) {
      findings.accept(ConfigurationWarning.LIMIT_NOT_REACHED.at(
          setting + ": max-connections", "the servers' own limits are " + sum + " together, below " + limit.most()));
    }
    boolean bounded = limit.exists() || service.servers().stream().anyMatch(server -> server.limit().exists());
    if (service.policies().overflow() != Overflow.DROP && !bounded) {
      findings.accept(ConfigurationWarning.OVERFLOW_NOT_USED.at(
          setting + ": overflow", "neither the service nor a server has a limit, so none is ever full"));
    }
  }

  private void beyond(ConnectionLimit limit, long room, String whose) {
    if (limit.most() > room) {
      findings.accept(ConfigurationWarning.TABLE_BELOW_LIMITS.at(
          whose + ": max-connections",
          "the flow table holds " + room + " flows, fewer than " + limit.most() + " connections"));
    }
  }

  private void persistence(SourceIpPersistence persistence) {
    if (service.scheduler().hashInputs().parts().equals(Set.of(HashInput.SOURCE_ADDRESS))) {
      findings.accept(ConfigurationWarning.PERSISTENCE_AND_HASH.at(
          setting + ": persistence", "the scheduler " + service.scheduler().name() + " hashes the client's address"));
    }
    Duration flow = silence();
    if (persistence.timeout().compareTo(flow) < 0) {
      findings.accept(ConfigurationWarning.PERSISTENCE_OUTLIVED.at(
          setting + ": persistence: timeout",
          persistence.timeout().toSeconds() + " s begin when a client's last flow has ended, and a silent one ends"
              + " after " + flow.toSeconds() + " s"));
    }
  }

  /** How long an established flow may be silent. */
  private Duration silence() {
    FlowTimeouts timeouts =
        service.timeouts().orElseGet(() ->
            service.forwarding() instanceof ForwarderProvider method
                ? method.timeouts()
                : FlowTimeouts.ONE_DIRECTION);
    return service.protocol() == Protocol.TCP ? timeouts.established() : timeouts.udp();
  }
}
