package io.lb4j.setup;

import io.lb4j.address.IpAddress;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;

/** What servers of the tests need: both methods, and one family or both. */
final class Cases {
  static final ServerNeeds DIRECT4 = direct("192.0.2.21", "192.0.2.10", "192.0.2.11");
  static final ServerNeeds DIRECT6 = direct("2001:db8:1::21", "2001:db8:1::10");
  static final ServerNeeds DIRECT = new ServerNeeds("rs1", "Direct Server Return",
      addresses("192.0.2.21", "2001:db8:1::21"), addresses("192.0.2.10", "2001:db8:1::10", "2001:db8:1::11"), List.of());
  static final ServerNeeds GATEWAY4 = gateway("192.0.2.11", "192.0.2.5");
  static final ServerNeeds GATEWAY6 = gateway("2001:db8:5::11", "fe80::5");
  static final ServerNeeds GATEWAY = new ServerNeeds("s1", "gateway",
      addresses("192.0.2.11", "2001:db8:5::11"), List.of(), addresses("192.0.2.5", "2001:db8:5::5"));

  private Cases() {}

  static List<IpAddress> addresses(String... texts) {
    return Arrays.stream(texts).map(IpAddress::of).toList();
  }

  static ServerNeeds direct(String address, String... vips) {
    return new ServerNeeds("rs1", "Direct Server Return", addresses(address), addresses(vips), List.of());
  }

  static ServerNeeds gateway(String address, String gateway) {
    return new ServerNeeds("s1", "gateway", addresses(address), List.of(), addresses(gateway));
  }

  /** Name and needs of each. */
  static Stream<Object[]> all() {
    return Stream.of(
        new Object[] {"dsr-ipv4", DIRECT4},
        new Object[] {"dsr-ipv6", DIRECT6},
        new Object[] {"dsr-both", DIRECT},
        new Object[] {"gateway-ipv4", GATEWAY4},
        new Object[] {"gateway-ipv6", GATEWAY6},
        new Object[] {"gateway-both", GATEWAY});
  }

  static SetupTarget target(SetupFlavour flavour) {
    return flavour == SetupFlavour.NETSH ? SetupTarget.of(flavour, "Ethernet 2") : SetupTarget.of(flavour);
  }
}
