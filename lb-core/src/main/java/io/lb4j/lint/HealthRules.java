package io.lb4j.lint;

import io.lb4j.forward.TranslatedForwarding;
import io.lb4j.monitor.Monitor;
import io.lb4j.monitor.Monitors;
import io.lb4j.monitor.Watermark;
import io.lb4j.service.LostFlows;
import io.lb4j.service.Protocol;
import io.lb4j.service.RealServer;
import io.lb4j.service.VirtualService;
import io.lb4j.service.WhenAllDown;
import io.lb4j.settings.ConfigurationWarning;
import io.lb4j.settings.Finding;
import java.time.Duration;
import java.util.Optional;
import java.util.function.Consumer;

/** Whether somebody finds out what a service's policies go by. Owned by one thread. */
final class HealthRules {
  private static final Duration LONG = Duration.ofMinutes(1);

  private final VirtualService service;
  private final String setting;
  private final Consumer<Finding> findings;

  HealthRules(VirtualService service, Consumer<Finding> findings) {
    this.service = service;
    this.setting = "service " + service.name();
    this.findings = findings;
  }

  void check() {
    boolean watched = service.servers().stream().anyMatch(server -> !service.monitors(server).list().isEmpty());
    if (!watched && service.observation().isEmpty() && !service.servers().isEmpty()) {
      policy().ifPresent(key -> findings.accept(ConfigurationWarning.NOBODY_WATCHES.at(
          setting + ": " + key, "is about servers that are down, and nobody finds out that one is")));
    }
    responseTimes();
    slow(setting, service.monitors());
    for (RealServer server : service.servers()) {
      server.monitors().ifPresent(own -> slow(setting + ": server " + server.name(), own));
    }
  }

  /** The first setting that is about servers that are down. */
  private Optional<String> policy() {
    if (service.policies().whenAllDown() != WhenAllDown.CLOSED) {
      return Optional.of("when-all-down");
    }
    if (!service.policies().whenDown().equals(LostFlows.WHEN_DOWN)) {
      return Optional.of("when-down");
    }
    return service.watermark().equals(Watermark.NONE) ? Optional.empty() : Optional.of("watermark");
  }

  private void responseTimes() {
    boolean handshakes =
        service.protocol() == Protocol.TCP && service.forwarding() instanceof TranslatedForwarding;
    if (!service.scheduler().usesResponseTimes() || handshakes) {
      return;
    }
    for (RealServer server : service.servers()) {
      if (service.monitors(server).list().isEmpty()) {
        findings.accept(ConfigurationWarning.RESPONSE_NOT_MEASURED.at(
            setting + ": scheduler",
            service.scheduler().name() + " goes by response times, and server " + server.name()
                + " has no monitor that measures them"));
      }
    }
  }

  private void slow(String whose, Monitors monitors) {
    for (Monitor monitor : monitors.list()) {
      if (monitor.detection().compareTo(LONG) > 0) {
        findings.accept(ConfigurationWarning.SLOW_DETECTION.at(
            whose + ": monitor",
            "by " + monitor.check().type() + " a failure is found after up to " + monitor.detection().toSeconds()
                + " s, and clients are sent there until then"));
      }
    }
  }
}
