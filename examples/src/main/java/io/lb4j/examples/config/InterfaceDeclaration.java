package io.lb4j.examples.config;

import io.lb4j.address.MacAddress;
import io.lb4j.core.InterfaceOptions;
import java.util.List;
import java.util.Optional;

/**
 * An interface as the file declares it. Immutable, shared.
 *
 * @param name the Linux interface, or the label of {@code --in} and {@code --out}
 * @param mac nothing when the live interface's own is used
 * @param addresses the balancer's own with their prefix length; empty when the live interface's are used
 * @param mtu 0 when the live interface's is used, or 1500 where there is none
 * @param gatewayAddresses that hosts on the link have as their gateway and only the active balancer holds
 */
public record InterfaceDeclaration(
    String name, Optional<MacAddress> mac, List<String> addresses, int mtu, List<String> gatewayAddresses) {
  /** Keeps copies of the addresses. */
  public InterfaceDeclaration {
    addresses = List.copyOf(addresses);
    gatewayAddresses = List.copyOf(gatewayAddresses);
  }

  /**
   * Sets what is the same for a live and an embedded interface.
   *
   * @param options of the interface
   * @return these options
   */
  public InterfaceOptions declare(InterfaceOptions options) {
    options.gatewayAddress(gatewayAddresses.toArray(String[]::new));
    return mtu > 0 ? options.mtu(mtu) : options;
  }
}
