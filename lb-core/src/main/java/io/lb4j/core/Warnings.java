package io.lb4j.core;

import io.lb4j.control.ServiceRegistry;
import io.lb4j.event.Event;
import io.lb4j.event.EventListener;
import io.lb4j.settings.Finding;
import io.lb4j.settings.Severity;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;

/**
 * What is doubtful about the configuration that runs: asked for, and told when it is new. Under the balancer's lock.
 */
final class Warnings {
  private final List<Finding> ofDevices;
  private final ServiceRegistry registry;
  private final EventListener events;
  private Set<Finding> told = Set.of();

  Warnings(List<Finding> ofDevices, ServiceRegistry registry, EventListener events) {
    this.ofDevices = ofDevices;
    this.registry = registry;
    this.events = events;
  }

  /** Safe from any thread. */
  List<Finding> findings() {
    return Stream.concat(ofDevices.stream(), registry.findings().stream()).toList();
  }

  /** Tells of warnings that were not there before. */
  void tell() {
    Set<Finding> now = new LinkedHashSet<>(findings());
    now.removeIf(finding -> finding.severity() != Severity.WARNING);
    now.stream()
        .filter(finding -> !told.contains(finding))
        .forEach(news -> events.onEvent(
            new Event.DoubtfulSetting(news.code(), news.setting(), news.reason(), news.remedy())));
    told = now;
  }
}
