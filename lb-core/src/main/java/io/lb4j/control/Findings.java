package io.lb4j.control;

import io.lb4j.settings.ConfigurationException;
import java.util.ArrayList;
import java.util.List;

/**
 * All that is wrong with a configuration, in the order of the rules, nothing twice. Owned by the thread that checks.
 */
final class Findings {
  private final List<ConfigurationException> found = new ArrayList<>();

  /** Applies a rule; answers whether it holds. */
  boolean check(Runnable rule) {
    try {
      rule.run();
      return true;
    } catch (ConfigurationException e) {
      add(e);
      return false;
    }
  }

  void add(ConfigurationException finding) {
    if (found.stream().noneMatch(known -> known.getMessage().equals(finding.getMessage()))) {
      found.add(finding);
    }
  }

  /** All findings. */
  List<ConfigurationException> all() {
    return List.copyOf(found);
  }

  /**
   * Refuses what is wrong.
   *
   * @throws ConfigurationException the first finding
   */
  void refuse() {
    if (!found.isEmpty()) {
      throw found.get(0);
    }
  }
}
