package io.lb4j.service;

import io.lb4j.settings.ConfigurationException;
import io.lb4j.settings.Finding;
import java.util.List;
import java.util.stream.Stream;

/**
 * What a change of all services would do, found out without doing it. Immutable, shared. Flows are those of the moment,
 * as far as they go to addresses and ports that their service has now; whom an access list or a connection limit will
 * turn away is not foretold.
 *
 * @param basis counts the changes of declarations before this one; a plan whose basis has passed is not applied
 * @param services as they are to be, in order of declaration
 * @param changes services that are added, removed or changed, or whose flows do not simply go on
 * @param errors why it cannot be done; empty when it can
 * @param warnings what would be doubtful about the configuration then
 */
public record Plan(
    long basis,
    List<VirtualService> services,
    List<ServiceChange> changes,
    List<ConfigurationException> errors,
    List<Finding> warnings) {
  /** Unmodifiable lists. */
  public Plan {
    services = List.copyOf(services);
    changes = List.copyOf(changes);
    errors = List.copyOf(errors);
    warnings = List.copyOf(warnings);
  }

  /**
   * Whether it can be applied.
   *
   * @return true without errors
   */
  public boolean isApplicable() {
    return errors.isEmpty();
  }

  /**
   * Whether it does anything.
   *
   * @return true without changes
   */
  public boolean isEmpty() {
    return changes.isEmpty();
  }

  /**
   * Flows that an effect meets.
   *
   * @param effect which
   * @return a count; of {@link FlowEffect#KEPT} only those of the servers among the changes
   */
  public long flows(FlowEffect effect) {
    return servers().filter(server -> server.effect() == effect).mapToLong(ServiceChange.ServerChange::flows).sum();
  }

  private Stream<ServiceChange.ServerChange> servers() {
    return changes.stream().flatMap(change -> change.servers().stream());
  }
}
