package io.lb4j.examples.lab;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Scripts of the gateway on a machine whose answers go elsewhere: clients are served, and nothing stays behind. */
@Tag("root")
@Timeout(120)
final class GatewaySetupLabTest extends SetupLab {
  @BeforeAll
  static void up() {
    fixture = LabFixture.up(LabTopology.GATEWAY_DUAL, 1, "nginx", "curl", "sysctl", "ip");
    machine = new ServerMachine(fixture, "s1");
    fixture.balance(new BalancerConfiguration(LabTopology.GATEWAY_DUAL).service("web", "tcp", WEB, "rr", "", 1), WEB);
  }

  /** Default routes of several kinds, none of which leads to the balancer. */
  @BeforeEach
  void elsewhere() {
    machine.reset("ip -4 route add default via 192.0.2.1 dev eth0 proto static src 192.0.2.11 mtu 1400 onlink; "
        + "ip -4 route add default via 192.0.2.2 dev eth0 proto dhcp metric 100; "
        + "ip -6 route add default via 2001:db8:5::1 dev eth0 proto static pref high; "
        + "ip -6 route add default via fe80::1 dev eth0 proto ra metric 512");
  }

  @ParameterizedTest
  @ValueSource(strings = {"iproute2", "systemd-networkd", "netplan", "networkmanager", "ifupdown", "ifcfg"})
  void shouldServeClientsAndBeTakenBackExactly(String flavour) {
    serveAndTakeBack(flavour, "gateway-not-us", GatewaySetupLabTest::mustNotBeRedirected);
  }

  private static void mustNotBeRedirected() {
    assertThat(machine.on("cd /proc/sys/net; cat ipv4/conf/all/accept_redirects ipv4/conf/eth0/accept_redirects "
        + "ipv4/conf/all/secure_redirects ipv4/conf/eth0/secure_redirects ipv6/conf/eth0/accept_redirects | sort -u"))
        .isEqualTo("0\n");
  }

  /** Another gateway in a later configuration replaces ours, and the undo still restores what was there first. */
  @Test
  void shouldFollowAnotherGateway() {
    String before = machine.state();
    String script = machine.script();
    machine.mustRun(script.replace("192.0.2.5", "192.0.2.77").replace("2001:db8:5::5", "2001:db8:5::77"));
    assertThat(machine.on("ip -4 route show exact default; ip -6 route show exact default"))
        .contains("default via 192.0.2.77 dev eth0", "default via 2001:db8:5::77 dev eth0 metric 1 ");
    machine.mustRun(script);
    machine.mustServe(WEB);
    assertThat(machine.on("ip -4 route; ip -6 route")).doesNotContain("::77", ".77");
    machine.mustRun(machine.script("--undo"));
    machine.mustBe(before);
  }

  /** A restart brings the machine's own routes back, and what a set-up after it replaces has to return all the same. */
  @Test
  void shouldRestoreTheRoutesOfAfterARestart() {
    String before = machine.state();
    machine.mustRun(machine.script());
    machine.on("ip -4 route del default via 192.0.2.5 dev eth0; ip -6 route del default via 2001:db8:5::5 dev eth0; "
        + "ip -4 route add default via 192.0.2.1 dev eth0 proto static src 192.0.2.11 mtu 1400 onlink; "
        + "for k in accept_redirects secure_redirects; do for d in all eth0; do echo 1 > /proc/sys/net/ipv4/conf/$d/$k; "
        + "done; done; echo 1 > /proc/sys/net/ipv6/conf/eth0/accept_redirects; "
        + "echo another > " + machine.root() + "/var/lib/lb4j-setup/boot");
    machine.mustRun(machine.script());
    machine.mustServe(WEB);
    machine.mustRun(machine.script("--undo"));
    machine.mustBe(before);
  }

  @Test
  void shouldRefuseAGatewayOfAnotherSubnet() {
    String before = machine.state();
    Outcome outcome = machine.run(machine.script().replace("192.0.2.5", "198.51.100.5"));
    assertThat(outcome.status()).isEqualTo(1);
    assertThat(outcome.output()).contains("the gateway 198.51.100.5 is in no subnet of this machine");
    machine.mustBe(before);
  }

  /** Somebody set another route meanwhile: that one stays. */
  @Test
  void shouldNotUndoWhatSomebodyElseChanged() {
    machine.mustRun(machine.script());
    machine.on("ip -4 route replace default via 192.0.2.88 dev eth0");
    Outcome outcome = machine.run(machine.script("--undo"));
    assertThat(outcome.status()).as(outcome.output()).isZero();
    assertThat(outcome.output()).contains("gone already");
    assertThat(machine.on("ip -4 route show exact default")).startsWith("default via 192.0.2.88");
  }

  /** As after a restart: the tool alone, with the files that the script wrote. */
  @ParameterizedTest
  @ValueSource(strings = {"systemd-networkd", "netplan", "ifupdown"})
  void shouldBeSetUpByTheToolAfterARestart(String flavour) {
    NetworkTool.require(flavour);
    machine.mustRun(machine.script(flavour(flavour, "--interface", "eth0")), "LB4J_LIVE=no");
    machine.on("sysctl -q -p " + machine.root() + "/etc/sysctl.d/90-lb4j.conf; ip addr flush dev eth0 scope global");
    machine.on(NetworkTool.start(flavour, machine.root(),
        "ip -6 route show exact 8000::/1 | grep -q via && ip -4 route show exact 128.0.0.0/1 | grep -q via", "eth0"));
    machine.mustServe(WEB);
    assertThat(machine.verify()).contains("all is well");
    assertThat(machine.on("ip -4 route get 198.51.100.10; ip -6 route get 2001:db8:c::10"))
        .contains("via 192.0.2.5", "via 2001:db8:5::5");
  }
}
