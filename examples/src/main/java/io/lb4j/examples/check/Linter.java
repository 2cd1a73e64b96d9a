package io.lb4j.examples.check;

import io.lb4j.examples.config.Configuration;
import io.lb4j.examples.config.ConfigurationFileException;
import io.lb4j.examples.config.Finding;
import io.lb4j.examples.live.Rehearsal;
import io.lb4j.service.VirtualService;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;

/** Everything there is to say about a configuration that could be read. Owned by one thread. */
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
   * What the library refuses, and what it cannot know to be wrong.
   *
   * @return in the order of the file
   */
  public List<Finding> findings() {
    List<Finding> findings = new ArrayList<>(refusals());
    findings.addAll(new StandbyRules(configuration).findings());
    Network.of(configuration)
        .map(network -> Stream.of(
            new GatewayRules(configuration, network).findings(),
            new OutboundRules(configuration, network).findings()))
        .orElseGet(Stream::empty)
        .flatMap(List::stream)
        .filter(finding -> findings.stream().noneMatch(known -> isSame(known, finding)))
        .toList()
        .forEach(findings::add);
    findings.sort(Comparator.comparingInt(Finding::line));
    return findings;
  }

  /**
   * The same, and what the file leaves to defaults although it matters.
   *
   * @return in the order of the file
   */
  public List<Finding> findingsAndDefaults() {
    List<Finding> findings = new ArrayList<>(findings());
    configuration.services().stream().filter(this::isLeftToDefaults).map(this::defaultMonitor).forEach(findings::add);
    findings.sort(Comparator.comparingInt(Finding::line));
    return findings;
  }

  private boolean isLeftToDefaults(VirtualService service) {
    String setting = "service " + service.name() + ": ";
    return !configuration.declares(setting + "monitor") && !configuration.declares(setting + "monitors");
  }

  private Finding defaultMonitor(VirtualService service) {
    boolean watched = !service.monitors().list().isEmpty();
    return configuration.finding(
        Finding.Severity.INFORMATION,
        "default-monitor",
        "service " + service.name() + ": monitor",
        watched ? "servers are watched by TCP connections, the default" : "nobody watches the servers, the default",
        watched ? "write 'monitor: none' if nobody is to watch them" : "name a monitor if somebody is to watch them");
  }

  private List<Finding> refusals() {
    try {
      new Rehearsal(configuration).build().close();
      return List.of();
    } catch (ConfigurationFileException e) {
      return e.findings();
    }
  }

  private static boolean isSame(Finding a, Finding b) {
    return a.line() == b.line() && a.code().equals(b.code());
  }
}
