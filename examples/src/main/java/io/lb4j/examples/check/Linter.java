package io.lb4j.examples.check;

import io.lb4j.examples.config.Configuration;
import io.lb4j.examples.config.ConfigurationFileException;
import io.lb4j.examples.config.Finding;
import io.lb4j.examples.live.Rehearsal;
import io.lb4j.service.VirtualService;
import io.lb4j.settings.Severity;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/** Everything there is to say about a configuration that could be read: the library's findings. Owned by one thread. */
public final class Linter {
  private final Configuration configuration;

  /**
   * A linter.
   *
   * @param configuration read, and checked key by key
   */
  public Linter(Configuration configuration) {
    this.configuration = configuration;
  }

  /**
   * What the library refuses, and what it would tell.
   *
   * @return in the order of the file
   */
  public List<Finding> findings() {
    List<Finding> findings = new ArrayList<>();
    Rehearsal rehearsal = new Rehearsal(configuration);
    try {
      rehearsal.builder().findings().stream().map(configuration::finding).forEach(findings::add);
      if (findings.stream().noneMatch(finding -> finding.severity() == Severity.ERROR)) {
        rehearsal.build().close(); // what only building finds out
      }
    } catch (ConfigurationFileException e) {
      findings.addAll(e.findings());
    }
    return sorted(findings);
  }

  /**
   * The same, and what the file leaves to defaults although it matters.
   *
   * @return in the order of the file
   */
  public List<Finding> findingsAndDefaults() {
    List<Finding> findings = new ArrayList<>(findings());
    configuration.services().stream().filter(this::isLeftToDefaults).map(this::defaultMonitor).forEach(findings::add);
    return sorted(findings);
  }

  private static List<Finding> sorted(List<Finding> findings) {
    return findings.stream().sorted(Comparator.comparingInt(Finding::line)).toList();
  }

  private boolean isLeftToDefaults(VirtualService service) {
    String setting = "service " + service.name() + ": ";
    return !configuration.declares(setting + "monitor") && !configuration.declares(setting + "monitors");
  }

  private Finding defaultMonitor(VirtualService service) {
    boolean watched = !service.monitors().list().isEmpty();
    return configuration.finding(
        Severity.INFORMATION,
        "default-monitor",
        "service " + service.name() + ": monitor",
        watched ? "servers are watched by TCP connections, the default" : "nobody watches the servers, the default",
        watched ? "write 'monitor: none' if nobody is to watch them" : "name a monitor if somebody is to watch them");
  }
}
