package io.lb4j.control;

import io.lb4j.neighbor.OwnedAddresses;
import io.lb4j.service.VirtualService;
import io.lb4j.settings.ConfigurationException;
import java.util.Collection;
import java.util.function.Consumer;

/** Rules about what control cannot see: ports and the kernel beside them, threads. Called under the registry's lock. */
@FunctionalInterface
public interface HostRules {
  /**
   * Checks services before they are declared.
   *
   * @param services as they are to be
   * @param addresses that the balancer is to have then
   * @param translates whether addresses are to be translated
   * @param findings takes everything that is wrong
   */
  void check(
      Collection<VirtualService> services,
      OwnedAddresses addresses,
      boolean translates,
      Consumer<ConfigurationException> findings);
}
