package io.lb4j.gateway;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lb4j.address.InterfaceAddress;
import io.lb4j.address.IpAddress;
import io.lb4j.address.MacAddress;
import io.lb4j.service.VirtualService;
import io.lb4j.service.VirtualServiceBuilder;
import io.lb4j.setup.ServerNeeds;
import io.lb4j.topology.Link;
import io.lb4j.topology.Topology;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** What services of the gateway ask of a machine. */
class GatewayServerSetupTest {
  private static final Link OUTSIDE = link(0, List.of(), "198.51.100.5/24", "2001:db8:c::5/64");
  private static final Link INSIDE = link(1, List.of(), "192.0.2.5/25", "192.0.2.133/25", "2001:db8:5::5/64");

  private static Link link(int index, List<String> gateways, String... addresses) {
    return new Link(index, "eth" + index, MacAddress.of(index + 1), 1500,
        Stream.of(addresses).map(InterfaceAddress::of).toList(), true, false, false,
        gateways.stream().map(IpAddress::of).toList());
  }

  private static VirtualService service(String vip, Gateway method, String... servers) {
    VirtualServiceBuilder builder = VirtualService.tcp(vip, 80).named("web" + vip).forwarding(method);
    for (int i = 0; i < servers.length; i++) {
      builder.realServer("s" + (i + 1), servers[i]);
    }
    return builder.build();
  }

  private static List<String> gateways(ServerNeeds needs) {
    return needs.gateways().stream().map(IpAddress::toString).toList();
  }

  /** On one arm and on two: the address that is in the server's own subnet. */
  @Test
  void shouldNameTheBalancersAddressInTheServersSubnet() {
    List<VirtualService> services = List.of(
        service("198.51.100.100", Gateway.create(), "192.0.2.11", "192.0.2.140"),
        service("2001:db8:c::100", Gateway.create(), "2001:db8:5::11"));
    Topology dual = new Topology(List.of(OUTSIDE, INSIDE), List.of());
    assertThat(gateways(GatewayServerSetup.needs("s1", services, dual))).containsExactly("192.0.2.5", "2001:db8:5::5");
    assertThat(gateways(GatewayServerSetup.needs("s2", services, dual))).containsExactly("192.0.2.133");
    Topology single = new Topology(List.of(link(0, List.of(), "198.51.100.5/24", "192.0.2.5/24")), List.of());
    assertThat(gateways(GatewayServerSetup.needs("s1", services.subList(0, 1), single))).containsExactly("192.0.2.5");
  }

  /** It moves along with the active one of a pair. */
  @Test
  void shouldPreferAGatewayAddress() {
    Link pair = link(1, List.of("192.0.2.1", "fe80::1", "192.0.2.129"), "192.0.2.5/25", "192.0.2.133/25",
        "2001:db8:5::5/64");
    Topology topology = new Topology(List.of(OUTSIDE, pair), List.of());
    List<VirtualService> services = List.of(
        service("198.51.100.100", Gateway.create(), "192.0.2.11", "192.0.2.140"),
        service("2001:db8:c::100", Gateway.create(), "2001:db8:5::11"));
    assertThat(gateways(GatewayServerSetup.needs("s1", services, topology))).containsExactly("192.0.2.1", "fe80::1");
    assertThat(gateways(GatewayServerSetup.needs("s2", services, topology))).containsExactly("192.0.2.129");
  }

  /** A machine of two names, one of each family, needs both gateways by either name. */
  @Test
  void shouldTakeNamesWithAnAddressInCommonForOneMachine() {
    List<VirtualService> services = List.of(
        service("198.51.100.100", Gateway.create(), "192.0.2.11"),
        VirtualService.tcp("198.51.100.101", 80).named("alt").forwarding(Gateway.create())
            .realServer("alt1", "192.0.2.11").build(),
        VirtualService.tcp("2001:db8:c::101", 80).named("alt6").forwarding(Gateway.create())
            .realServer("alt1", "2001:db8:5::11").build());
    Topology dual = new Topology(List.of(OUTSIDE, INSIDE), List.of());
    for (String name : List.of("s1", "alt1")) {
      assertThat(gateways(GatewayServerSetup.needs(name, services, dual)))
          .containsExactly("192.0.2.5", "2001:db8:5::5");
    }
  }

  @Test
  void shouldAskNothingForFullNat() {
    Topology topology = new Topology(List.of(OUTSIDE, INSIDE), List.of());
    ServerNeeds needs = GatewayServerSetup.needs(
        "s1", List.of(service("192.0.2.100", Gateway.fullNat("192.0.2.9"), "192.0.2.11")), topology);
    assertThat(needs.isNothing()).isTrue();
  }

  @Test
  void shouldRefuseWhatItCannotSetUp() {
    Topology topology = new Topology(List.of(OUTSIDE, INSIDE), List.of());
    List<VirtualService> away = List.of(service("198.51.100.100", Gateway.create(), "203.0.113.11"));
    assertThatThrownBy(() -> GatewayServerSetup.needs("s1", away, topology)).hasMessageContaining("server-not-on-link");
    assertThatThrownBy(() -> GatewayServerSetup.needs("s9", away, topology)).hasMessageContaining("s9");
    List<VirtualService> two = List.of(
        service("198.51.100.100", Gateway.create(), "192.0.2.11"),
        service("198.51.100.101", Gateway.create(), "192.0.2.140"));
    assertThatThrownBy(() -> GatewayServerSetup.needs("s1", two, topology)).hasMessageContaining("one default gateway");
  }
}
