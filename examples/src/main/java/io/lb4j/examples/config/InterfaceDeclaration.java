package io.lb4j.examples.config;

import io.lb4j.address.MacAddress;
import java.util.List;
import java.util.Optional;

/**
 * An interface as the file declares it. Immutable, shared.
 *
 * @param name the Linux interface, or the label of {@code --in} and {@code --out}
 * @param mac nothing when the live interface's own is used
 * @param addresses the balancer's own with their prefix length; empty when the live interface's are used
 * @param mtu 0 when the live interface's is used, or 1500 where there is none
 */
public record InterfaceDeclaration(String name, Optional<MacAddress> mac, List<String> addresses, int mtu) {
  /** Keeps a copy of the addresses. */
  public InterfaceDeclaration {
    addresses = List.copyOf(addresses);
  }
}
