package io.lb4j.dsr;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lb4j.address.IpAddress;
import io.lb4j.service.VirtualService;
import io.lb4j.service.VirtualServiceBuilder;
import io.lb4j.setup.ServerNeeds;
import io.lb4j.setup.SetupFlavour;
import io.lb4j.setup.SetupScript;
import io.lb4j.setup.SetupTarget;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What services of Direct Server Return ask of a machine. */
class DsrServerSetupTest {
  private static VirtualService service(String name, String vip, int port, String... servers) {
    VirtualServiceBuilder builder =
        VirtualService.tcp(vip, port).named(name).forwarding(DirectServerReturn.create());
    for (int i = 0; i < servers.length; i++) {
      builder.realServer("rs" + (i + 1), servers[i]);
    }
    return builder.build();
  }

  @Test
  void shouldAskForEveryVirtualAddressOfEveryService() {
    ServerNeeds needs = DsrServerSetup.needs("rs2", List.of(
        service("web", "192.0.2.10", 80, "192.0.2.21", "192.0.2.22"),
        service("tls", "192.0.2.10", 443, "192.0.2.21", "192.0.2.22"),
        service("web6", "2001:db8:1::10", 80, "2001:db8:1::21", "2001:db8:1::22"),
        service("other", "192.0.2.99", 80, "192.0.2.21")));
    assertThat(needs.addresses()).extracting(IpAddress::toString).containsExactly("192.0.2.22", "2001:db8:1::22");
    assertThat(needs.virtualAddresses()).extracting(IpAddress::toString)
        .containsExactly("192.0.2.10", "2001:db8:1::10");
    assertThat(needs.gateways()).isEmpty();
    assertThat(SetupScript.apply(needs, SetupTarget.of(SetupFlavour.IPROUTE2)))
        .contains("loopback_address -4 192.0.2.10 32\n", "loopback_address -6 2001:db8:1::10 128\n");
  }

  /** Else the script of one name takes back what that of the other has made on the same machine. */
  @Test
  void shouldTakeNamesWithAnAddressInCommonForOneMachine() {
    List<VirtualService> services = List.of(
        service("web", "192.0.2.10", 80, "192.0.2.21", "192.0.2.22"),
        VirtualService.udp("192.0.2.53", 53).named("dns").forwarding(DirectServerReturn.create())
            .realServer("dns1", "192.0.2.22").realServer("dns2", "192.0.2.21").build(),
        VirtualService.udp("2001:db8:1::53", 53).named("dns6").forwarding(DirectServerReturn.create())
            .realServer("dns1", "2001:db8:1::22").build());
    for (String name : List.of("rs2", "dns1")) {
      ServerNeeds needs = DsrServerSetup.needs(name, services);
      assertThat(needs.addresses()).extracting(IpAddress::toString).containsExactly("192.0.2.22", "2001:db8:1::22");
      assertThat(needs.virtualAddresses()).extracting(IpAddress::toString)
          .containsExactly("192.0.2.10", "192.0.2.53", "2001:db8:1::53");
    }
  }

  @Test
  void shouldRefuseWhatItCannotSetUp() {
    List<VirtualService> services = List.of(service("web", "192.0.2.10", 80, "192.0.2.21"));
    assertThatThrownBy(() -> DsrServerSetup.needs("rs7", services)).hasMessageContaining("rs7");
    List<VirtualService> prefix = List.of(service("web", "192.0.2.128/28", 80, "192.0.2.21"));
    assertThatThrownBy(() -> DsrServerSetup.needs("rs1", prefix))
        .hasMessageContaining("ip route add local 192.0.2.128/28 dev lo");
  }
}
