package io.lb4j.examples.lab;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.time.Duration;
import java.util.Set;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.Timeout;

/** As {@link DsrVerifyLabTest}, for servers that answer by way of the balancer. Needs root. */
@Tag("root")
@Timeout(120)
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
final class GatewayVerifyLabTest {
  private static final String OWN4 = "192.0.2.5";
  private static final String OWN6 = "2001:db8:5::5";

  private static VerifyFixture lab;

  @BeforeAll
  static void up() {
    LabFixture fixture = LabFixture.up(LabTopology.GATEWAY_DUAL, 9, "nginx", "nft");
    BalancerConfiguration configuration =
        new BalancerConfiguration(LabTopology.GATEWAY_DUAL)
            .service("web", "tcp", 80, "rr", "", 1, 1, 1, 1, 1, 1, 1, 1, 1)
            .service("udp", "udp", LabServers.UDP_PORT, "rr", "", 1, 1, 1, 1, 1, 1, 1, 1, 1);
    lab = VerifyFixture.up(fixture, configuration);
    fixture.balance(configuration, 80);
  }

  @AfterAll
  static void down() {
    if (lab != null) {
      lab.close();
    }
  }

  @Test
  @Order(1)
  void shouldFindNothingWrongWithGoodServersOfABusyBalancer() {
    LabProcess busy = lab.fixture.lab.spawnJava("cl", "busy", BusyClient.class, LabTopology.GATEWAY_DUAL.vip4(), "80",
        String.join(",", Lab.CLIENTS4), "8", "0");
    busy.awaitOutput("busy", Duration.ofSeconds(15));
    lab.verify();
    busy.endInput();
    busy.awaitEnd(Duration.ofSeconds(15));
    assertEquals(Set.of(), lab.toldByBalancer());
  }

  @Test
  @Order(2)
  void shouldTellApartWhatIsWrong() {
    lab.broken(2, "sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1", "true");
    lab.broken(1, "ip route replace default via " + Lab.server4(2) + "; ip -6 route replace default via "
            + Lab.server6(2), "true", "gateway-detour " + Lab.server4(1), "gateway-detour " + Lab.server6(1));
    lab.broken(3, "ip route del default; ip -6 route del default", "true",
        "gateway-not-us " + Lab.server4(3), "gateway-not-us " + Lab.server6(3));
    lab.broken(4, "kill $(cat " + lab.fixture.lab.directory().resolve("s4").resolve("nginx.pid") + ")", "true",
        "port-closed " + Lab.server4(4), "port-closed " + Lab.server6(4));
    lab.broken(5, "ip link set eth0 mtu 1400", "true",
        "mtu-too-small " + Lab.server4(5), "mtu-too-small " + Lab.server6(5));
    lab.broken(6, "nft 'add table inet t; add chain inet t out { type filter hook output priority 0; };"
            + " add rule inet t out ip saddr " + Lab.server4(6) + " ip saddr set 192.0.2.77;"
            + " add rule inet t out ip6 saddr " + Lab.server6(6) + " icmpv6 type != { nd-neighbor-solicit,"
            + " nd-neighbor-advert } ip6 saddr set 2001:db8:5::77;"
            + " add rule inet t out ip6 saddr " + Lab.server6(6) + " meta l4proto tcp ip6 saddr set 2001:db8:5::77'",
        "nft delete table inet t",
        "reply-wrong-source " + Lab.server4(6), "reply-wrong-source " + Lab.server6(6));
    lab.broken(7, "ip link set eth0 down", "true",
        "server-silent " + Lab.server4(7), "server-silent " + Lab.server6(7));
    lab.broken(8, "ip neigh replace " + OWN4 + " lladdr 02:00:00:00:99:99 dev eth0 nud permanent;"
            + " ip neigh replace " + OWN6 + " lladdr 02:00:00:00:99:99 dev eth0 nud permanent", "true",
        "server-has-wrong-mac " + OWN4, "server-has-wrong-mac " + OWN6);
    lab.broken(9, "ip route replace default via 192.0.2.250; ip -6 route replace default via 2001:db8:5::250", "true",
        "gateway-not-us " + Lab.server4(9), "gateway-not-us " + Lab.server6(9));
    lab.typeWhatItSays(lab.verify());
    lab.verify();
  }
}
