package io.lb4j.examples.lab;

import static org.assertj.core.api.Assertions.assertThat;

import io.lb4j.address.IpAddress;
import io.lb4j.setup.ServerNeeds;
import io.lb4j.setup.SetupFlavour;
import io.lb4j.setup.SetupScript;
import io.lb4j.setup.SetupTarget;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Scripts of Direct Server Return on a machine that is not set up: clients are served, and nothing stays behind. */
@Tag("root")
@Timeout(120)
final class DirectSetupLabTest extends SetupLab {
  @BeforeAll
  static void up() {
    fixture = LabFixture.up(1, "nginx", "curl", "arping", "sysctl", "ip");
    machine = new ServerMachine(fixture, "s1");
    fixture.balance(
        new BalancerConfiguration().service("web", "tcp", WEB, "rr", "", 1).service("alt", "tcp", WEB + 1, "rr", "", 1),
        WEB);
  }

  @BeforeEach
  void reset() {
    machine.reset("ip route add default via 192.0.2.1 dev eth0; ip -6 route add default via 2001:db8:5::1 dev eth0");
  }

  @ParameterizedTest
  @ValueSource(strings = {"iproute2", "systemd-networkd", "netplan", "networkmanager", "ifupdown", "ifcfg"})
  void shouldServeClientsAndBeTakenBackExactly(String flavour) {
    serveAndTakeBack(flavour, "vip-missing", DirectSetupLabTest::mustBeSilent);
  }

  /** The balancer alone answers ARP, also when the server was just asked; the server asks by its own address. */
  private static void mustBeSilent() {
    String answers = fixture.lab.exec("rt", "arping", "-c", "2", "-w", "2", "-I", "eth0", Lab.VIP4).output();
    assertThat(answers).contains(LabNetwork.mac(5).toUpperCase(java.util.Locale.ROOT).substring(0, 17))
        .doesNotContain(LabNetwork.mac(11));
    assertThat(machine.on("sysctl -n net.ipv4.conf.all.arp_ignore net.ipv4.conf.eth0.arp_ignore"
        + " net.ipv4.conf.all.arp_announce net.ipv4.conf.eth0.arp_announce")).isEqualTo("1\n1\n2\n2\n");
  }

  /** What the script finds wrong it puts right, and back. */
  @ParameterizedTest
  @ValueSource(strings = {
      "ip addr add 192.0.2.100/24 dev lo", // takes the whole subnet
      "ip addr add 192.0.2.100/24 dev eth0", // answers ARP
      "ip addr add 192.0.2.100/24 dev eth0 label eth0:vip",
      "ip addr add 192.0.2.100/32 dev eth0",
      "ip addr add 2001:db8:5::100/64 dev eth0 nodad", // answers neighbour solicitations
      "ip addr add 2001:db8:5::100/64 dev lo nodad",
      "ip addr add 192.0.2.100/32 dev lo; ip addr add 2001:db8:5::100/128 dev lo", // right already
      "echo 3 > /proc/sys/net/ipv4/conf/eth0/arp_ignore", // answers for addresses of global scope
      "echo 8 > /proc/sys/net/ipv4/conf/all/arp_ignore", // answers for no address
  })
  void shouldPutRightWhatIsWrong(String broken) {
    machine.on(broken);
    String before = machine.state();
    machine.mustRun(machine.script());
    machine.mustServe(WEB);
    mustBeSilent();
    assertThat(machine.verify()).contains("all is well");
    assertThat(machine.on("ip -o addr show dev eth0")).doesNotContain("100/");
    machine.mustRun(machine.script());
    machine.mustRun(machine.script("--undo"));
    machine.mustBe(before);
  }

  /** Strict filtering hurts only where clients are answered by another interface. */
  @Test
  void shouldLoosenTheFilterWhereTheWayBackIsAnother() {
    machine.on("echo 1 > /proc/sys/net/ipv4/conf/all/rp_filter");
    String before = machine.state();
    machine.mustRun(machine.script());
    assertThat(machine.on("sysctl -n net.ipv4.conf.eth0.rp_filter")).isEqualTo("0\n");
    machine.mustRun(machine.script("--undo"));
    machine.mustBe(before);

    machine.on("ip link add eth9 type veth peer name peer9; ip link set eth9 up; ip link set peer9 up; "
        + "ip addr add 203.0.113.9/24 dev eth9; ip route replace default via 203.0.113.1");
    String other = machine.state();
    String script = machine.script("--flavour", "systemd-networkd");
    machine.mustRun(script);
    machine.mustRun(script);
    assertThat(machine.on("sysctl -n net.ipv4.conf.eth0.rp_filter")).isEqualTo("2\n");
    assertThat(machine.on("cat " + machine.root() + "/etc/sysctl.d/90-lb4j.conf"))
        .contains("net.ipv4.conf.eth0.rp_filter = 2");
    machine.mustRun(machine.script("--undo"));
    machine.mustBe(other);
  }

  @Test
  void shouldSetUpEveryInterfaceAndFollowAChange() {
    machine.on("ip link add eth9.7 type veth peer name peer9; ip link set eth9.7 up; ip link set peer9 up; "
        + "ip addr add 203.0.113.9/24 dev eth9.7");
    String before = machine.state();
    machine.mustRun(script(List.of("192.0.2.11", "203.0.113.9"), "192.0.2.100", "192.0.2.101", "2001:db8:5::100"));
    assertThat(machine.on("cat /proc/sys/net/ipv4/conf/eth9.7/arp_ignore /proc/sys/net/ipv4/conf/eth9.7/arp_announce "
        + "/proc/sys/net/ipv4/conf/eth0/arp_ignore")).isEqualTo("1\n2\n1\n");
    machine.mustRun(script(List.of("192.0.2.11", "203.0.113.9"), "192.0.2.101", "192.0.2.102"));
    assertThat(machine.on("ip -o addr show dev lo")).contains("192.0.2.101/32", "192.0.2.102/32")
        .doesNotContain("192.0.2.100/", "5::100");
    machine.mustRun(machine.script("--undo"));
    machine.mustBe(before);
  }

  private static String script(List<String> addresses, String... vips) {
    ServerNeeds needs = new ServerNeeds("s1", "Direct Server Return", addresses.stream().map(IpAddress::of).toList(),
        Stream.of(vips).map(IpAddress::of).toList(), List.of());
    return SetupScript.apply(needs, SetupTarget.of(SetupFlavour.IPROUTE2));
  }

  @Test
  void shouldRefuseTheWrongMachine() {
    String before = machine.state();
    Outcome outcome = machine.run(script(List.of("192.0.2.99"), "192.0.2.100"));
    assertThat(outcome.status()).isEqualTo(1);
    assertThat(outcome.output()).contains("no interface has 192.0.2.99");
    machine.mustBe(before);
  }

  /** After a restart nothing of the running system is left, and nothing of it may be put back. */
  @Test
  void shouldForgetWhatARestartTookBack() {
    String before = machine.state();
    machine.mustRun(machine.script());
    machine.on("ip addr del " + Lab.VIP4 + "/32 dev lo; ip addr del " + Lab.VIP6 + "/128 dev lo; "
        + "for d in all eth0; do for k in arp_ignore arp_announce; do echo 0 > /proc/sys/net/ipv4/conf/$d/$k; done; done; "
        + "echo another > " + machine.root() + "/var/lib/lb4j-setup/boot; "
        + "sed -i 's/ [0-9]*$/ 7/' " + machine.root() + "/var/lib/lb4j-setup/sysctls");
    machine.mustRun(machine.script("--undo"));
    machine.mustBe(before);
  }

  /** As after a restart: the tool alone, with the files that the script wrote. */
  @ParameterizedTest
  @ValueSource(strings = {"systemd-networkd", "netplan", "ifupdown"})
  void shouldBeSetUpByTheToolAfterARestart(String flavour) {
    NetworkTool.require(flavour);
    String addresses = "ip -o addr show dev lo";
    machine.mustRun(machine.script(flavour(flavour, "--interface", "eth0")), "LB4J_LIVE=no");
    assertThat(machine.on(addresses)).doesNotContain("100/");
    machine.on("sysctl -q -p " + machine.root() + "/etc/sysctl.d/90-lb4j.conf"
        + (flavour.equals("ifupdown") ? "" : "; ip addr flush dev eth0 scope global"));
    machine.on(NetworkTool.start(flavour, machine.root(), addresses + " | grep -q '5::100/128' && "
        + "ip -4 route show exact default | grep -q via && ip -6 route show exact default | grep -q via", "lo"));
    assertThat(machine.on(addresses)).contains("192.0.2.100/32", "2001:db8:5::100/128", "127.0.0.1/8", "::1/128");
    machine.mustServe(WEB);
    assertThat(machine.verify()).contains("all is well");
    mustBeSilent();
  }
}
