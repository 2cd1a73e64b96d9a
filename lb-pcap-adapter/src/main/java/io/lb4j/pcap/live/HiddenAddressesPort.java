package io.lb4j.pcap.live;

import io.lb4j.address.IpPrefix;
import io.lb4j.port.Port;
import io.lb4j.port.PortTraits;
import io.lb4j.port.PortWrapper;
import io.lb4j.port.SteeredPort;
import io.lb4j.port.SteeredPrefixes;
import java.util.List;

/**
 * A port whose host has addresses that are the balancer's, and never sees a frame for them: they are none of the
 * host's. Safe where the port is.
 */
final class HiddenAddressesPort extends PortWrapper implements SteeredPort {
  private final Port port;
  private final PortTraits traits;

  HiddenAddressesPort(Port port, List<IpPrefix> hidden) {
    super(port);
    this.port = port;
    PortTraits all = port.traits();
    this.traits =
        new PortTraits(
            all.mac(),
            all.mtu(),
            all.addresses().stream()
                .filter(held -> hidden.stream().noneMatch(prefix -> prefix.contains(held.address())))
                .toList(),
            all.hostStack(),
            all.carriesPartialChecksums(),
            all.carriesGso());
  }

  @Override
  public PortTraits traits() {
    return traits;
  }

  @Override
  public void steer(SteeredPrefixes prefixes) {
    if (port instanceof SteeredPort steered) {
      steered.steer(prefixes);
    }
  }
}
