package io.lb4j.setup;

import io.lb4j.settings.ConfigurationError;
import io.lb4j.settings.ConfigurationException;
import java.util.Optional;

/**
 * Where a script is to run. Immutable, shared.
 *
 * @param flavour who keeps the set-up
 * @param interfaceName the machine's interface towards the balancer; nothing when the script finds it by the server's
 *     addresses
 */
public record SetupTarget(SetupFlavour flavour, Optional<String> interfaceName) {
  /** Refuses names that no interface can have, or that would mean something to a shell or a file's format. */
  public SetupTarget {
    interfaceName.ifPresent(name -> Names.checkInterface(flavour, name));
    if (flavour == SetupFlavour.NETSH && interfaceName.isEmpty()) {
      throw new ConfigurationException(
          ConfigurationError.MISSING,
          "interface",
          "none",
          "a batch file cannot look for the interface; 'netsh interface show interface' lists them");
    }
  }

  /**
   * A machine whose script finds its interfaces.
   *
   * @param flavour who keeps the set-up
   * @return the target
   */
  public static SetupTarget of(SetupFlavour flavour) {
    return new SetupTarget(flavour, Optional.empty());
  }

  /**
   * A machine with an interface that is known.
   *
   * @param flavour who keeps the set-up
   * @param interfaceName for example {@code eth0}, {@code Ethernet 2}
   * @return the target
   */
  public static SetupTarget of(SetupFlavour flavour, String interfaceName) {
    return new SetupTarget(flavour, Optional.of(interfaceName));
  }
}
