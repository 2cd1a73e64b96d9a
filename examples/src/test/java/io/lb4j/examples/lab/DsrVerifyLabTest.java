package io.lb4j.examples.lab;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.Timeout;

/**
 * Servers of Direct Server Return with real kernels, broken in every way that the verifier knows: exactly what is
 * broken is found, beside a balancer that serves. Needs root.
 */
@Tag("root")
@Timeout(120)
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
final class DsrVerifyLabTest {
  private static final String OWN4 = "192.0.2.5";
  private static final String OWN6 = "2001:db8:5::5";
  private static final String VIP4 = Lab.VIP4;
  private static final String VIP6 = Lab.VIP6;

  /** Answers datagrams from a socket that is bound to no address, as many programs do. */
  private static final String WILDCARD =
      """
      import socket, threading
      def bound(family, address):
        s = socket.socket(family, socket.SOCK_DGRAM)
        if family == socket.AF_INET6:
          s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        s.bind((address, 7000))
        return s
      def serve(s):
        while True:
          try:
            data, peer = s.recvfrom(2048)
            s.sendto(data, peer)
          except OSError as e:
            print(e, flush=True)
      four, six = bound(socket.AF_INET, '0.0.0.0'), bound(socket.AF_INET6, '::')
      print('listening', flush=True)
      threading.Thread(target=serve, args=(four,)).start()
      serve(six)
      """;

  /** Mended by what the report says. */
  private static final String BY_COMMANDS = "true";

  private static VerifyFixture lab;
  private static BalancerConfiguration configuration;

  @BeforeAll
  static void up() {
    LabFixture fixture = LabFixture.up(8, "nginx", "nft", "python3", "ss");
    configuration =
        new BalancerConfiguration()
            .service("web", "tcp", 80, "rr", "", 1, 1, 1, 1, 1, 1, 1, 1)
            .service("udp", "udp", LabServers.UDP_PORT, "rr", "", 1, 1, 1, 1, 1, 1, 1, 1);
    lab = VerifyFixture.up(fixture, configuration);
  }

  @AfterAll
  static void down() {
    if (lab != null) {
      lab.close();
    }
  }

  private static String nginx(int server) {
    return lab.fixture.lab.directory().resolve("s" + server).resolve("nginx.pid").toString();
  }

  private static String startNginx(int server) {
    String home = lab.fixture.lab.directory().resolve("s" + server).toString();
    return "nginx -p " + home + " -c " + home + "/nginx.conf -e " + home + "/error.log >/dev/null 2>&1 &"
        + " for i in $(seq 200); do [ -s " + nginx(server) + " ] && break; sleep 0.05; done";
  }

  private static void endOf(int server, int port) {
    lab.fixture.lab.must("s" + server, "sh", "-c",
        "kill $(ss -Hlunp 'sport = :" + port + "' | sed 's/.*pid=\\([0-9]*\\).*/\\1/' | sort -u);"
            + " for i in $(seq 200); do [ -z \"$(ss -Hlun 'sport = :" + port + "')\" ] && exit 0; sleep 0.05; done; exit 1");
  }

  @Test
  @Order(1)
  void shouldFindNothingWrongWithGoodServersWithoutABalancer() {
    lab.verify();
  }

  @Test
  @Order(2)
  void shouldFindNothingWrongWithGoodServersOfABusyBalancer() {
    lab.fixture.balance(configuration, 80);
    LabProcess busy = lab.fixture.lab.spawnJava("cl", "busy", BusyClient.class, VIP4, "80",
        String.join(",", Lab.CLIENTS4), "8", "0");
    assertTrue(busy.awaitOutput("busy", Duration.ofSeconds(15)), busy::output);
    lab.verify();
    busy.endInput();
    busy.awaitEnd(Duration.ofSeconds(15));
    assertEquals(Set.of(), lab.toldByBalancer());
  }

  @Test
  @Order(3)
  void shouldTellApartWhatIsWrongWithAddresses() {
    lab.broken(1, "ip link set eth0 down", "ip link set eth0 up; ip -6 addr add " + Lab.server6(1)
        + "/64 dev eth0 nodad; ip route replace default via 192.0.2.1; ip -6 route replace default via 2001:db8:5::1",
        "server-silent " + Lab.server4(1), "server-silent " + Lab.server6(1));
    lab.broken(2, "ip addr del " + VIP4 + "/32 dev lo; ip addr del " + VIP6 + "/128 dev lo",
        BY_COMMANDS, "vip-missing " + VIP4, "vip-missing " + VIP6);
    lab.broken(3, "sysctl -qw net.ipv4.conf.all.arp_ignore=0 net.ipv4.conf.eth0.arp_ignore=0; ip addr add " + VIP6
            + "/128 dev eth0 nodad",
        BY_COMMANDS, "server-answers-arp " + VIP4, "vip-on-nic " + VIP6);
    lab.broken(4, "sysctl -qw net.ipv4.conf.all.arp_announce=0 net.ipv4.conf.eth0.arp_announce=0",
        BY_COMMANDS, "vip-leaked " + VIP4, "udp-wrong-source " + VIP4, "udp-wrong-source " + VIP6);
    endOf(4, LabServers.UDP_PORT);
    LabProcess wildcard = lab.fixture.lab.spawn("s4", "wildcard", List.of("python3", "-c", WILDCARD));
    assertTrue(wildcard.awaitOutput("listening", Duration.ofSeconds(15)), wildcard::output);
    lab.broken(5, "ip link add up0 type veth peer name up1; ip link set up1 up; ip addr add 198.18.0.1/24 dev up0;"
            + " ip link set up0 up; ip route replace default via 198.18.0.2 dev up0;"
            + " sysctl -qw net.ipv4.conf.eth0.rp_filter=1",
        "ip link del up0; ip route add default via 192.0.2.1",
        "strict-rp-filter " + Lab.server4(5));
    lab.broken(6, "sysctl -qw net.ipv4.conf.all.rp_filter=2; ip addr del " + VIP4 + "/32 dev lo; ip addr add " + VIP4
            + "/24 dev lo; ip addr del " + VIP6 + "/128 dev lo; ip addr del " + Lab.server6(6) + "/64 dev eth0;"
            + " ip addr add " + VIP6 + "/64 dev lo nodad; ip addr add " + Lab.server6(6) + "/64 dev eth0 nodad",
        "ip -6 route replace default via 2001:db8:5::1",
        "vip-wrong-mask " + VIP4, "vip-wrong-mask " + VIP6);
    lab.broken(7, "kill $(cat " + nginx(7) + ")", startNginx(7), "port-closed " + VIP4, "port-closed " + VIP6);
    lab.broken(8, "ip addr del " + VIP4 + "/32 dev lo; ip addr add " + VIP4 + "/32 dev eth0;",
        BY_COMMANDS, "server-answers-arp " + VIP4);
    lab.fixture.lab.must("rt", "sh", "-c", "ip addr add " + VIP4 + "/32 dev eth0; ip addr add " + VIP6
        + "/128 dev eth0 nodad");
    lab.expect("", "vip-claimed " + VIP4, "vip-claimed " + VIP6);
    String text = lab.text("--server", "s2");
    for (String part : List.of("vip-missing: server s2, " + VIP4, "unanswered eth0: ", "lb setup ",
        " --server s2 --os linux", "ip addr add " + VIP4 + "/32 dev lo", " faults")) {
      assertTrue(text.contains(part), () -> part + " is not in\n" + text);
    }
    lab.typeWhatItSays(lab.verify());
    lab.verify();
    assertEquals(
        Set.of(
            "eth0 " + Lab.server4(3) + " server-answers-arp",
            "eth0 " + Lab.server6(3) + " vip-on-nic",
            "eth0 " + Lab.server4(4) + " vip-leaked",
            "eth0 " + Lab.server4(8) + " server-answers-arp"),
        lab.toldByBalancer());
    lab.fixture.lab.must("rt", "sh", "-c", "ip addr del " + VIP4 + "/32 dev eth0; ip addr del " + VIP6
        + "/128 dev eth0");
    lab.mend();
  }

  @Test
  @Order(4)
  void shouldTellApartWhatIsWrongWithServicesAndTheWay() {
    lab.broken(1, "ip link set eth0 mtu 1400", "ip link set eth0 mtu 1500",
        "mtu-too-small " + Lab.server4(1), "mtu-too-small " + Lab.server6(1));
    lab.broken(2, "nft 'add table inet t; add chain inet t in { type filter hook input priority 0; };"
            + " add rule inet t in icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept;"
            + " add rule inet t in drop'", "nft delete table inet t",
        "server-filtered " + Lab.server4(2), "server-filtered " + Lab.server6(2));
    lab.broken(3, "nft 'add table inet t; add chain inet t out { type filter hook output priority 0; };"
            + " add rule inet t out ip saddr " + VIP4 + " ip saddr set " + Lab.server4(3) + ";"
            + " add rule inet t out ip6 saddr " + VIP6 + " ip6 saddr set " + Lab.server6(3) + "'",
        "nft delete table inet t",
        "reply-wrong-source " + VIP4, "reply-wrong-source " + VIP6);
    lab.broken(4, "ip neigh replace " + OWN4 + " lladdr 02:00:00:00:99:99 dev eth0 nud permanent;"
            + " ip neigh replace " + OWN6 + " lladdr 02:00:00:00:99:99 dev eth0 nud permanent",
        "ip neigh del " + OWN4 + " dev eth0; ip neigh del " + OWN6 + " dev eth0",
        "server-has-wrong-mac " + OWN4, "server-has-wrong-mac " + OWN6);
    lab.broken(5, "ip addr flush dev eth0 scope global; ip addr add " + Lab.server4(5) + "/29 dev eth0; ip addr add "
            + Lab.server6(5) + "/124 dev eth0 nodad; ip route replace default via 192.0.2.1 dev eth0 onlink;"
            + " ip -6 route replace default via 2001:db8:5::1 dev eth0 onlink",
        "ip addr flush dev eth0 scope global; ip addr add " + Lab.server4(5) + "/24 dev eth0; ip addr add "
            + Lab.server6(5) + "/64 dev eth0 nodad; ip route replace default via 192.0.2.1;"
            + " ip -6 route replace default via 2001:db8:5::1",
        "server-wrong-subnet " + Lab.server4(5), "server-wrong-subnet " + Lab.server6(5));
    lab.broken(6, "nft 'add table inet t; add chain inet t in { type filter hook input priority 0; };"
            + " add rule inet t in tcp dport 80 drop'", "nft delete table inet t",
        "service-filtered " + VIP4, "service-filtered " + VIP6);
    lab.broken(7, "ip addr add " + Lab.server4(8) + "/24 dev eth0; ip addr add " + Lab.server6(8)
            + "/64 dev eth0 nodad",
        "ip addr del " + Lab.server4(8) + "/24 dev eth0; ip addr del " + Lab.server6(8) + "/64 dev eth0");
    lab.fixture.lab.must("s7", "sh", "-c", "kill $(cat " + nginx(7) + ")");
    LabProcess own = lab.fixture.lab.spawnJava("s7", "own", LabServer.class, "s7", "7001", "all", Lab.server4(7),
        Lab.server6(7));
    assertTrue(own.awaitOutput("ready", Duration.ofSeconds(15)), own::output);
    lab.expect("s7", "service-not-on-vip " + VIP4, "service-not-on-vip " + VIP6);
    lab.expect("s8", "server-address-duplicate " + Lab.server4(8), "server-address-duplicate " + Lab.server6(8));
    lab.verify();
    lab.mend();
  }
}
