package io.lb4j.core;

import io.lb4j.address.InterfaceAddress;
import io.lb4j.address.IpAddress;
import io.lb4j.control.HostRules;
import io.lb4j.neighbor.OwnedAddresses;
import io.lb4j.port.Port;
import io.lb4j.service.VirtualService;
import io.lb4j.settings.ConfigurationError;
import io.lb4j.settings.ConfigurationException;
import io.lb4j.topology.Topology;
import java.util.Collection;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;

/** What only a look at ports and threads can tell about services. Owned by the control side. */
final class HostCheck implements HostRules {
  private final Topology topology;
  private final LinkPorts ports;
  private final BooleanSupplier receiveAlone;

  /** {@code receiveAlone} tells whether several workers run that each receive for themselves. */
  HostCheck(Topology topology, LinkPorts ports, BooleanSupplier receiveAlone) {
    this.topology = topology;
    this.ports = ports;
    this.receiveAlone = receiveAlone;
  }

  @Override
  public void check(
      Collection<VirtualService> services,
      OwnedAddresses addresses,
      boolean translates,
      Consumer<ConfigurationException> findings) {
    ports
        .open()
        .filter(port -> port.traits().hostStack())
        .forEach(port -> checkKernelAddresses(port, services, addresses, findings));
    if (translates && receiveAlone.getAsBoolean()) {
      findings.accept(
          new ConfigurationException(
              ConfigurationError.NOT_SUPPORTED,
              "forwarding",
              "gateway",
              "several workers were started without a service that translates, and each receives for itself"));
    }
  }

  /** An address of ours alone that the kernel beside us holds would be answered by both. */
  private void checkKernelAddresses(
      Port port,
      Collection<VirtualService> services,
      OwnedAddresses addresses,
      Consumer<ConfigurationException> findings) {
    for (InterfaceAddress held : port.traits().addresses()) {
      IpAddress address = held.address();
      if (addresses.isVip(address.isV6(), address.high(), address.low())) {
        findings.accept(
            new ConfigurationException(
                ConfigurationError.VIP_HELD_BY_KERNEL,
                settingOf(address, services),
                address,
                "the host has assigned it to " + port.name() + " and would answer as well"));
      }
    }
  }

  private String settingOf(IpAddress address, Collection<VirtualService> services) {
    Optional<String> gateway =
        topology.links().stream()
            .filter(link -> link.gatewayAddresses().contains(address))
            .findFirst()
            .map(link -> "interface " + link.name() + ": gateway-addresses");
    return services.stream()
        .filter(service -> service.serves(address))
        .findFirst()
        .map(service -> "service " + service.name() + ": vip")
        .or(() -> gateway)
        .orElse("outbound: nat");
  }
}
