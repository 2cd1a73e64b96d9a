package io.lb4j.gateway;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.lb4j.address.InterfaceAddress;
import io.lb4j.address.MacAddress;
import io.lb4j.core.LoadBalancer;
import io.lb4j.core.LoadBalancerBuilder;
import io.lb4j.frame.Verdict;
import io.lb4j.port.MemoryPort;
import io.lb4j.port.Port;
import io.lb4j.port.PortTraits;
import io.lb4j.service.EchoPolicy;
import io.lb4j.service.UnservedPolicy;
import io.lb4j.service.VirtualService;
import io.lb4j.settings.ConfigurationError;
import io.lb4j.settings.ConfigurationException;
import io.lb4j.testkit.FrameBuilder;
import io.lb4j.wire.TcpHeader;
import java.lang.reflect.Proxy;
import java.util.List;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The address that servers have as their gateway, which moves with the active one of two balancers. */
class GatewayAddressTest {
  private static FrameBuilder toGateway(Twins twins) {
    return FrameBuilder.from(Network.inside(twins.v6, 1), twins.gateway())
        .macs(twins.a.macs[Network.INSIDE], Network.mac(1));
  }

  private static Verdict receive(Twins twins, FrameBuilder frame) {
    return twins.a.receive(Network.INSIDE, frame.build());
  }

  private static Twins open(boolean v6, UnaryOperator<LoadBalancerBuilder> options) {
    Twins twins = new Twins(v6, options);
    twins.run(10);
    twins.sent.clear();
    return twins;
  }

  @BothFamilies
  void shouldAnswerEchoUnlessToldNotTo(boolean v6) {
    for (EchoPolicy policy : EchoPolicy.values()) {
      try (Twins twins = open(v6, b -> b.echo(policy))) {
        Verdict verdict = receive(twins, Frames.echo(toGateway(twins), v6, 7));
        assertThat(verdict).isEqualTo(policy == EchoPolicy.DROP ? Verdict.ECHO_REFUSED : Verdict.ANSWER);
        if (verdict == Verdict.ANSWER) {
          assertThat(twins.sent).hasSize(1);
          assertThat(twins.sent.get(0).hex()).startsWith(Twins.hex(Network.mac(1) + twins.a.macs[Network.INSIDE]));
        }
      }
    }
  }

  /** It is neither routed nor translated, though outbound rules let its sender send anywhere. */
  @BothFamilies
  void shouldServeNothing(boolean v6) {
    try (Twins twins = open(v6, b -> b)) {
      assertThat(receive(twins, toGateway(twins).tcp(4000, 80, TcpHeader.SYN))).isEqualTo(Verdict.NO_SERVICE);
      assertThat(receive(twins, toGateway(twins).udp(4000, 53))).isEqualTo(Verdict.NO_SERVICE);
      assertThat(receive(twins, toGateway(twins).udp(4000, 53).payload(new byte[16]).fragment(3, 0, true)))
          .isEqualTo(Verdict.NO_SERVICE);
      assertThat(receive(twins, toGateway(twins).protocol(132))).isEqualTo(Verdict.PROTOCOL_NOT_SERVED);
      assertThat(receive(twins, toGateway(twins).icmp(v6 ? 139 : 13, 0, new byte[16])))
          .isEqualTo(Verdict.ICMP_NOT_SERVED);
      assertThat(twins.sent).isEmpty();
      assertThat(twins.a.path.sessions()).isZero();
    }
  }

  @BothFamilies
  void shouldRejectWhereThatIsToldOfUnservedFrames(boolean v6) {
    try (Twins twins = open(v6, b -> b.unserved(UnservedPolicy.REJECT))) {
      assertThat(receive(twins, toGateway(twins).udp(4000, 53))).isEqualTo(Verdict.ANSWER);
    }
  }

  @BothFamilies
  void shouldRouteWhatIsSentByWayOfItAsEver(boolean v6) {
    try (Twins twins = open(v6, b -> b)) {
      assertThat(twins.whoHas(Network.INSIDE, twins.gateway()))
          .as("whose MAC address servers send to")
          .containsExactly(Twins.hex(twins.a.macs[Network.INSIDE]));
      FrameBuilder out =
          FrameBuilder.from(Network.inside(v6, 1), Network.peer(v6, 1))
              .macs(twins.a.macs[Network.INSIDE], Network.mac(1))
              .udp(5000, 53);
      assertThat(receive(twins, out)).isEqualTo(Verdict.FORWARD);
    }
  }

  @BothFamilies
  void shouldBeNobodysSource(boolean v6) {
    try (Twins twins = open(v6, b -> b)) {
      FrameBuilder forged =
          FrameBuilder.from(twins.gateway(), Network.peer(v6, 1))
              .macs(twins.a.macs[Network.INSIDE], Network.mac(1))
              .udp(5000, 53);
      assertThat(receive(twins, forged)).isEqualTo(Verdict.SOURCE_SPOOFED);
    }
  }

  // ---- refused -------------------------------------------------------------------------------------------------

  private static LoadBalancerBuilder builder(boolean v6, String gateway) {
    return LoadBalancer.builder()
        .networkInterface(
            "eth0", i -> i.mac(Network.OUTSIDE_MAC).address("198.51.100.5/24", "2001:db8:c::5/64").hostStack(false))
        .networkInterface(
            "eth1",
            i ->
                i.mac(Network.INSIDE_MAC)
                    .address("192.0.2.5/24", "2001:db8:5::5/64", "fe80::5/64")
                    .gatewayAddress(gateway)
                    .hostStack(false))
        .flowTable(64)
        .service(Network.web(v6, 1))
        .outbound(Outbound.builder().nat(Network.prefix(v6), Network.external(v6, 1)).build());
  }

  private static void assertRefused(LoadBalancerBuilder builder, ConfigurationError error, String reason) {
    assertThatExceptionOfType(ConfigurationException.class)
        .isThrownBy(builder::build)
        .satisfies(e -> assertThat(e.error()).isEqualTo(error))
        .satisfies(e -> assertThat(e.setting()).isEqualTo("interface eth1: gateway-addresses"))
        .withMessageContaining(reason);
  }

  @ParameterizedTest
  @CsvSource({
    "false, 192.0.2.5, GATEWAY_ADDRESS_IN_USE, interface eth1",
    "true, 2001:db8:5::5, GATEWAY_ADDRESS_IN_USE, interface eth1",
    "true, fe80::5, GATEWAY_ADDRESS_IN_USE, interface eth1",
    "true, fe80::ff:fe00:5, GATEWAY_ADDRESS_IN_USE, interface eth1",
    "false, 198.51.100.5, GATEWAY_ADDRESS_IN_USE, interface eth0",
    "false, 198.51.100.1, GATEWAY_ADDRESS_NOT_ON_LINK, no subnet",
    "true, 2001:db8:c::1, GATEWAY_ADDRESS_NOT_ON_LINK, no subnet",
    "false, 192.0.2.11, GATEWAY_ADDRESS_IN_USE, server s1",
    "true, 2001:db8:5::1001, GATEWAY_ADDRESS_IN_USE, server s1"
  })
  void shouldRefuseAnAddressThatCannotBeOne(boolean v6, String gateway, ConfigurationError error, String reason) {
    assertRefused(builder(v6, gateway), error, reason);
  }

  @ParameterizedTest
  @CsvSource({"false, 192.0.2.77", "true, 2001:db8:5::77"})
  void shouldRefuseAnAddressThatMeansSomethingElse(boolean v6, String gateway) {
    ConfigurationError inUse = ConfigurationError.GATEWAY_ADDRESS_IN_USE;
    String direct = "service direct";
    VirtualService vip =
        VirtualService.tcp(gateway, 80).named("direct").forwarding(new DirectRouting())
            .realServer("s1", Network.inside(v6, 1)).build();
    assertRefused(builder(v6, gateway).service(vip), inUse, direct);
    VirtualService full =
        VirtualService.tcp(Network.vip(v6), 81).named("full").forwarding(Gateway.fullNat(gateway))
            .realServer("s1", Network.inside(v6, 1)).build();
    assertRefused(builder(v6, gateway).service(full), inUse, "service full");
    assertRefused(builder(v6, gateway).route(v6 ? "2001:db8:9::/64" : "203.0.113.0/24", gateway), inUse, "router");
    assertRefused(
        builder(v6, gateway).outbound(Outbound.builder().nat(Network.prefix(v6), gateway).build()), inUse, "outbound");
  }

  @BothFamilies
  void shouldRefuseAChangeThatWouldUseIt(boolean v6) {
    try (Twins twins = open(v6, b -> b)) {
      VirtualService vip =
          VirtualService.tcp(twins.gateway(), 80).named("direct").forwarding(new DirectRouting())
              .realServer("s1", Network.inside(v6, 1)).build();
      assertThatExceptionOfType(ConfigurationException.class)
          .isThrownBy(() -> twins.a.balancer.addService(vip))
          .satisfies(e -> assertThat(e.error()).isEqualTo(ConfigurationError.GATEWAY_ADDRESS_IN_USE));
      assertThat(twins.a.balancer.services()).hasSize(1);
    }
  }

  @ParameterizedTest
  @CsvSource({"192.0.2.256, NOT_READABLE", "224.0.0.1, NOT_UNICAST", "ff02::1, NOT_UNICAST", "::, NOT_UNICAST"})
  void shouldRefuseWhatIsNoHostsAddress(String gateway, ConfigurationError error) {
    assertThatExceptionOfType(ConfigurationException.class)
        .isThrownBy(() -> builder(false, gateway))
        .satisfies(e -> assertThat(e.error()).isEqualTo(error));
  }

  @Test
  void shouldTakeALinkLocalAddressOfIpv6() {
    try (LoadBalancer balancer = builder(true, "fe80::1").build()) {
      assertThat(balancer.claims()).anyMatch(claim -> claim.address().toString().equals("fe80::1"));
    }
  }

  @ParameterizedTest
  @CsvSource({"192.0.2.1", "2001:db8:5::1"})
  void shouldRefuseAnAddressThatTheKernelHas(String gateway) {
    try (MemoryPort memory = new MemoryPort("eth1", MacAddress.of(Network.INSIDE_MAC), 1, 64)) {
      Port port = withKernel(memory, "192.0.2.1/24", "2001:db8:5::1/64");
      LoadBalancerBuilder builder =
          LoadBalancer.builder()
              .flowTable(64)
              .networkInterface(
                  "eth1", i -> i.port(port).address("192.0.2.5/24", "2001:db8:5::5/64").gatewayAddress(gateway));
      assertRefused(builder, ConfigurationError.VIP_HELD_BY_KERNEL, "the host has assigned it");
    }
  }

  private static Port withKernel(Port port, String... addresses) {
    PortTraits own = port.traits();
    List<InterfaceAddress> assigned = List.of(addresses).stream().map(InterfaceAddress::of).toList();
    PortTraits traits =
        new PortTraits(own.mac(), own.mtu(), assigned, true, own.carriesPartialChecksums(), own.carriesGso());
    return (Port)
        Proxy.newProxyInstance(
            Port.class.getClassLoader(),
            new Class<?>[] {Port.class},
            (proxy, method, arguments) ->
                method.getName().equals("traits") ? traits : method.invoke(port, arguments));
  }
}
