package io.lb4j.lint;

import io.lb4j.forward.ForwarderProvider;
import io.lb4j.service.VirtualService;
import io.lb4j.settings.Finding;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/** Looks for what no rule refuses and somebody may regret. Safe from any thread. */
public final class Lint {
  private Lint() {}

  /**
   * Everything there is to say.
   *
   * @param declared a configuration, also one that a rule refuses
   * @return warnings and information, nothing twice
   */
  public static List<Finding> findings(Declared declared) {
    Set<Finding> found = new LinkedHashSet<>();
    new NetworkRules(declared, found::add).check();
    for (VirtualService service : declared.services()) {
      new AddressRules(service, declared.topology(), found::add).check();
      new ServerRules(service, found::add).check();
      new FlowRules(service, declared, found::add).check();
      new HealthRules(service, found::add).check();
      if (service.forwarding() instanceof ForwarderProvider method) {
        method.lint(service, declared.services(), declared.topology(), found::add);
      }
    }
    declared.translation().ifPresent(rules -> rules.lint(declared.topology(), declared.services(), found::add));
    return List.copyOf(found);
  }
}
