package io.lb4j.examples.lab;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The gateway on one arm: clients, balancer and servers on one link, in two subnets. */
@Tag("root")
@Timeout(90)
final class SingleArmSetupLabTest extends SetupLab {
  @BeforeAll
  static void up() {
    fixture = LabFixture.up(LabTopology.GATEWAY_SINGLE, 1, "nginx", "curl", "sysctl", "ip");
    machine = new ServerMachine(fixture, "s1");
    fixture.balance(new BalancerConfiguration(LabTopology.GATEWAY_SINGLE).service("web", "tcp", WEB, "rr", "", 1), WEB);
  }

  @Test
  void shouldFindTheBalancersAddressInTheServersSubnet() {
    machine.reset("ip route add default via 192.0.2.1 dev eth0; ip -6 route add default via 2001:db8:5::1 dev eth0");
    String before = machine.state();
    machine.mustNotServe(WEB);
    machine.mustRun(machine.script());
    assertThat(machine.on("ip -4 route show exact default; ip -6 route show exact default"))
        .contains("default via 192.0.2.5 dev eth0", "default via 2001:db8:5::5 dev eth0 metric 1 ");
    machine.mustServe(WEB);
    assertThat(machine.verify()).contains("all is well");
    machine.mustRun(machine.script("--undo"));
    machine.mustBe(before);
  }
}
