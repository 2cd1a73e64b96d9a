package io.lb4j.examples.lab;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** {@code lb verify} with one interface for clients and servers, with full NAT, and without a balancer. Needs root. */
@Tag("root")
@Timeout(60)
final class SingleArmVerifyLabTest {
  private static VerifyFixture lab;

  @BeforeAll
  static void up() {
    LabFixture fixture = LabFixture.up(LabTopology.GATEWAY_SINGLE, 2, "nginx");
    BalancerConfiguration configuration =
        new BalancerConfiguration(LabTopology.GATEWAY_SINGLE)
            .service("first", "tcp", 80, "rr", "", 1)
            .fullNat("full", "tcp", 81, "rr", "", 1, 1);
    lab = VerifyFixture.up(fixture, configuration);
  }

  @AfterAll
  static void down() {
    if (lab != null) {
      lab.close();
    }
  }

  @Test
  void shouldMindTheGatewayOfThoseServersAloneThatNeedOneAndWhoHasOurAddresses() {
    lab.broken(2, "ip route del default; ip -6 route del default", "true");
    lab.verify();
    lab.broken(1, "ip route del default; ip -6 route del default", "true",
        "gateway-not-us " + Lab.server4(1), "gateway-not-us " + Lab.server6(1));
    lab.typeWhatItSays(lab.verify());
    lab.broken(2, "ip addr add 198.51.100.5/32 dev eth0; ip addr add 2001:db8:c::5/128 dev eth0 nodad", "true",
        "own-address-claimed 198.51.100.5", "own-address-claimed 2001:db8:c::5");
    lab.verify();
  }
}
