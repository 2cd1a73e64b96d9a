package io.lb4j.examples.check;

import io.lb4j.examples.config.Configuration;
import io.lb4j.examples.config.Finding;
import io.lb4j.service.Activity;
import io.lb4j.service.Overflow;
import io.lb4j.service.VirtualService;
import io.lb4j.service.WhenAllDown;
import java.util.List;

/** Services that count on standby servers and have none. Immutable. */
final class StandbyRules {
  private final Configuration configuration;

  StandbyRules(Configuration configuration) {
    this.configuration = configuration;
  }

  List<Finding> findings() {
    return configuration.services().stream()
        .filter(service -> service.servers().stream().noneMatch(s -> s.activity() == Activity.STANDBY))
        .filter(StandbyRules::countsOnStandby)
        .map(this::finding)
        .toList();
  }

  private static boolean countsOnStandby(VirtualService service) {
    return service.policies().overflow() == Overflow.STANDBY
        || service.policies().whenAllDown() == WhenAllDown.STANDBY;
  }

  private Finding finding(VirtualService service) {
    String key = service.policies().overflow() == Overflow.STANDBY ? "overflow" : "when-all-down";
    return configuration.finding(
        Finding.Severity.WARNING,
        "no-standby-server",
        "service " + service.name() + ": " + key,
        "standby servers are to take what the others do not, and there is none, so it is dropped",
        "give a server the activity standby");
  }
}
