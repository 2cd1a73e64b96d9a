package io.lb4j.examples.lab;

import static io.lb4j.examples.lab.LabFixture.assertClean;
import static io.lb4j.examples.lab.LabFixture.sources;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.AfterParameterizedClassInvocation;
import org.junit.jupiter.params.BeforeParameterizedClassInvocation;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The gateway between real kernels, with one worker and with two. Server s1 is routed, the others leave from a pool.
 * Needs root. Each number of arms is a class of its own, so that both run side by side.
 */
@Tag("root")
@Timeout(60)
abstract class GatewayLab {
  private static final String VIP4 = "198.51.100.100";
  private static final String VIP6 = "2001:db8:c::100";
  private static final int RR = 80;
  private static final int MAGLEV = 81;
  private static final int FIRST_SERVER = 84;
  private static final int UDP = LabServers.UDP_PORT;
  private static final int CLOSED = 9;
  private static final int HAIRPIN_PORT = 6000;
  private static final int LOW_MTU = 1400;
  private static final int PROBES = 5;
  private static final int MOST_TRACES = 3;
  private static final String SMALL_BUFFER = "4096 65536 65536";
  private static final Pattern HOP = Pattern.compile("(?m)^ *[0-9]+ +(\\S+)");
  private static final Pattern COUNT = Pattern.compile("(?m)^Icmp6?InEchoRep\\S+ +([0-9]+)");
  private static final Pattern TTL = Pattern.compile("ttl=([0-9]+)");

  private static LabFixture fixture;

  @Parameter(0)
  private LabTopology topology;

  @Parameter(1)
  private int workers;

  @BeforeParameterizedClassInvocation
  static void up(LabTopology topology, int workers) {
    fixture = LabFixture.bulk(LabIo.chosen(), topology, 3, "nginx");
    fixture.balance(
        new BalancerConfiguration(topology)
            .outbound()
            .setting("filtering: eif")
            .setting("workers: " + workers)
            .setting("echo: forward")
            .service("rr", "tcp", RR, "rr", "", 1, 1, 1)
            .service("maglev", "tcp", MAGLEV, "maglev", "", 1, 1, 1)
            .service("first", "tcp", FIRST_SERVER, "rr", "", 1)
            .service("udp", "udp", UDP, "rr", "", 1, 1, 1)
            .service("closed-tcp", "tcp", CLOSED, "rr", "", 1)
            .service("closed-udp", "udp", CLOSED, "rr", "", 1)
            .service("iperf", "tcp", 5201, "rr", "persistence: {timeout: 60s}", 1, 1, 1),
        RR);
  }

  @AfterParameterizedClassInvocation
  static void down() {
    if (fixture != null) {
      fixture.close();
    }
  }

  /** A family as one word: its name stands in the test's, its addresses come from here. */
  private enum Family {
    IPV4(VIP4, Lab.OUTSIDE4, Lab.POOL4, "192.0.2.5", "198.51.100.5", "198.51.100.1", "203.0.113.1"),
    IPV6(VIP6, Lab.OUTSIDE6, Lab.POOL6, "2001:db8:5::5", "2001:db8:c::5", "2001:db8:c::1", "2001:db8:f::1");

    private final String vip;
    private final String outside;
    private final String pool;
    private final String serverSide;
    private final String clientSide;
    private final String router;
    private final String routerOutside;

    Family(String vip, String outside, String pool, String serverSide, String clientSide, String router,
        String routerOutside) {
      this.vip = vip;
      this.outside = outside;
      this.pool = pool;
      this.serverSide = serverSide;
      this.clientSide = clientSide;
      this.router = router;
      this.routerOutside = routerOutside;
    }

    String server(int number) {
      return this == IPV4 ? Lab.server4(number) : Lab.server6(number);
    }

    String version() {
      return this == IPV4 ? "-4" : "-6";
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {VIP4, VIP6})
  void shouldAnswerEveryRequestOfKeptConnections(String vip) {
    assertClean(fixture.client("load", vip, RR, sources(vip), 64, 20_000), 20_000);
  }

  @ParameterizedTest
  @ValueSource(strings = {VIP4, VIP6})
  void shouldGiveEqualSharesUnderRoundRobin(String vip) {
    ClientReport seen = assertClean(fixture.client("connect", vip, RR, sources(vip), 999), 999);
    assertEqualShares(seen, 999);
  }

  /** Each worker takes turns of its own; a client's port that comes twice is a known flow and takes none. */
  private void assertEqualShares(ClientReport seen, int count) {
    assertEquals(3, seen.servers().size());
    seen.servers().forEach((server, share) -> assertTrue(Math.abs(share - count / 3) <= workers + 1, seen.servers()::toString));
  }

  @ParameterizedTest
  @ValueSource(strings = {VIP4, VIP6})
  void shouldBalanceUnderMaglev(String vip) {
    assertEquals(3, assertClean(fixture.client("connect", vip, MAGLEV, sources(vip), 300), 300).servers().size());
  }

  @ParameterizedTest
  @CsvSource({VIP4 + ", 300, 32", VIP6 + ", 300, 32", VIP4 + ", 60, 8000", VIP6 + ", 60, 8000"})
  void shouldBalanceDatagramsBothWays(String vip, int count, int length) {
    ClientReport seen = assertClean(fixture.client("udp", vip, UDP, sources(vip), count, length), count);
    assertEqualShares(seen, count);
  }

  @ParameterizedTest
  @CsvSource({VIP4 + ", -d", VIP4 + ", -R", VIP6 + ", -d", VIP6 + ", -R"})
  void shouldCarryIperf(String vip, String direction) {
    Assumptions.assumeTrue(Lab.installed("iperf3"), "the program 'iperf3' is missing");
    List<String> command =
        new ArrayList<>(List.of("iperf3", "-c", vip, "-n", LabFixture.IPERF_BYTES, "--connect-timeout", "3000"));
    if (direction.equals("-R")) {
      command.add("-R");
    }
    Outcome outcome = fixture.lab.exec("cl", Duration.ofSeconds(20), command);
    assertTrue(outcome.ok() && outcome.output().contains("receiver"), outcome::output);
  }

  @ParameterizedTest
  @EnumSource
  void shouldShowCurlTheServersAnswer(Family family) {
    Assumptions.assumeTrue(Lab.installed("curl"), "the program 'curl' is missing");
    String url = family == Family.IPV4 ? "http://" + family.vip + "/" : "http://[" + family.vip + "]/";
    String client = sources(family.vip).get(0);
    Outcome outcome = fixture.lab.exec("cl", "curl", "-sg", "--max-time", "5", "--interface", client, url);
    assertTrue(outcome.output().matches("s[123] " + client + " \\S+\\n"), outcome::output);
  }

  /** The reply passes the balancer and comes from the virtual address. */
  @ParameterizedTest
  @ValueSource(strings = {VIP4, VIP6})
  void shouldSeeTheAnswer(String vip) {
    Assumptions.assumeTrue(Lab.installed("tcpdump"), "the program 'tcpdump' is missing");
    Passage seen = Passage.during(fixture.lab, vip,
        () -> assertClean(fixture.client("download", vip, RR, sources(vip)), 1));
    assertTrue(seen.requests() > 0 && seen.answers() > 0, seen::toString);
  }

  @ParameterizedTest
  @EnumSource
  void shouldRouteWhatAServerStarts(Family family) {
    ClientReport seen = fromServer("connect", 1, family, 80, 20);
    assertClean(seen, 20);
    assertEquals(Map.of("out", 20), seen.servers());
    assertClean(fromServer("udp", 1, family, UDP, 20, 8_000), 20);
  }

  @ParameterizedTest
  @EnumSource
  void shouldTranslateWhatAServerStarts(Family family) {
    ClientReport tcp = fromServer("connect", 2, family, 80, 20);
    assertEquals("", tcp.problem());
    assertEquals(Map.of(family.pool, 20), tcp.seen());
    ClientReport udp = fromServer("udp", 2, family, UDP, 20, 8_000);
    assertEquals("", udp.problem());
    assertEquals(Map.of(family.pool, 20), udp.seen());
  }

  private static ClientReport fromServer(String what, int server, Family family, int port, int... numbers) {
    return fixture.clientOn("s" + server, what, family.outside, port, List.of(family.server(server)), numbers);
  }

  @ParameterizedTest
  @EnumSource
  void shouldLoopAServersConnectionToTheVirtualAddress(Family family) {
    ClientReport seen =
        fixture.clientOn("s2", "connect", family.vip, RR, List.of(family.server(2)), 30);
    assertEquals("", seen.problem());
    assertEquals(Map.of(family.pool, 30), seen.seen());
    assertEquals(3, seen.servers().size(), seen::toString);
  }

  /** An inside port is kept if its host's worker owns it: of two neighbouring pairs one worker of two owns one. */
  @ParameterizedTest
  @EnumSource
  void shouldLoopToAnotherServersExternalAddress(Family family) {
    List<ClientReport> clean = IntStream.range(0, workers)
        .map(pair -> HAIRPIN_PORT + 2 * pair)
        .parallel() // for those that get no answer have to wait for it
        .mapToObj(port -> loopTo(family, port))
        .filter(seen -> seen.problem().isEmpty())
        .toList();
    assertFalse(clean.isEmpty());
    assertEquals(Map.of("s3", 5), clean.get(0).servers());
    assertEquals(Map.of(family.pool, 5), clean.get(0).seen());
  }

  private static ClientReport loopTo(Family family, int port) {
    LabProcess peer = fixture.lab.spawnJava("s3", "peer" + family + port, LabServer.class, "s3",
        Integer.toString(port), family.outside, family.server(3));
    assertTrue(peer.awaitOutput("ready", Duration.ofSeconds(10)), peer::output);
    ClientReport seen = fixture.clientOn("s2", "udp", family.pool, port, List.of(family.server(2)), 5, 32);
    peer.close();
    return seen;
  }

  @ParameterizedTest
  @EnumSource
  void shouldAnswerPingsLikeARouter(Family family) {
    Assumptions.assumeTrue(Lab.installed("ping"), "the program 'ping' is missing");
    assertEquals(63, ping("cl", family.vip));
    assertEquals(62, ping("s1", family.outside));
    assertEquals(62, ping("s2", family.outside));
    assertTrue(pingWithTtl(1, "cl", family.vip).contains("From " + family.clientSide + " "), family.name());
    assertTrue(pingWithTtl(1, "s2", family.outside).contains("From " + family.serverSide + " "), family.name());
    assertTrue(pingWithTtl(2, "s2", family.outside).contains("From " + family.router + " "), family.name());
  }

  @ParameterizedTest
  @EnumSource
  void shouldCarryPingsInFragments(Family family) {
    Assumptions.assumeTrue(Lab.installed("ping"), "the program 'ping' is missing");
    assertEquals(62, ping("s1", family.outside, "-s", "3000"));
    assertEquals(62, ping("s2", family.outside, "-s", "3000"));
  }

  /** A port where nobody listens, of a server and of a host outside: reset, or port unreachable. */
  @ParameterizedTest
  @EnumSource
  void shouldBringRefusalsBack(Family family) {
    List<String> clients = sources(family.vip);
    assertRefused("ConnectException", fixture.client("connect", family.vip, CLOSED, clients, 1));
    assertRefused("PortUnreachable", fixture.client("udp", family.vip, CLOSED, clients, 1, 32));
    for (int server : new int[] {1, 2}) {
      assertRefused("ConnectException", fromServer("connect", server, family, CLOSED, 1));
      assertRefused("PortUnreachable", fromServer("udp", server, family, CLOSED, 1, 32));
    }
  }

  private static void assertRefused(String reason, ClientReport seen) {
    assertTrue(seen.problem().contains(reason), seen::toString);
  }

  private static int ping(String host, String target, String... options) {
    List<String> command = new ArrayList<>(List.of("ping", "-n", "-c", "3", "-i", "0.1", "-W", "2", target));
    command.addAll(List.of(options));
    Outcome outcome = fixture.lab.exec(host, Duration.ofSeconds(10), command);
    assertTrue(outcome.ok() && outcome.output().contains(" 0% packet loss"), outcome::output);
    Matcher ttl = TTL.matcher(outcome.output());
    assertTrue(ttl.find(), outcome::output);
    return Integer.parseInt(ttl.group(1));
  }

  private static String pingWithTtl(int ttl, String host, String target) {
    return fixture.lab.exec(host, "ping", "-n", "-c", "1", "-W", "5", "-t", Integer.toString(ttl), target).output();
  }

  @ParameterizedTest
  @CsvSource({"IPV4, 1, -U", "IPV4, 1, -I", "IPV4, 2, -U", "IPV4, 2, -I",
      "IPV6, 1, -U", "IPV6, 1, -I", "IPV6, 2, -U", "IPV6, 2, -I"})
  void shouldBeAHopOfAServersPath(Family family, int server, String method) {
    assertEquals(List.of(family.serverSide, family.router, family.outside),
        hops("s" + server, family, family.outside, method));
  }

  @ParameterizedTest
  @EnumSource
  void shouldBeAHopOfAClientsPath(Family family) {
    assertEquals(List.of(family.routerOutside, family.clientSide, family.vip),
        hops("out", family, family.vip, "-T", "-p", "80"));
  }

  /**
   * Who answers on the way to a target two routers away. A trace whose answers all reached the host is made anew if
   * traceroute did not read them: Linux queues an ICMP error for a socket and marks the socket afterwards, and a reader
   * in between leaves a mark without an error, for which traceroute asks again and again instead of reading answers.
   */
  private static List<String> hops(String host, Family family, String target, String... method) {
    Assumptions.assumeTrue(Lab.installed("traceroute"), "the program 'traceroute' is missing");
    List<String> command = new ArrayList<>(
        List.of("traceroute", family.version(), "-n", "-q", "1", "-w", "10", "-m", Integer.toString(PROBES)));
    command.addAll(List.of(method));
    command.add(target);
    for (int trace = 1; ; trace++) {
      long before = echoReplies(host, family);
      Outcome outcome = fixture.lab.exec(host, Duration.ofSeconds(30), command);
      long answers = echoReplies(host, family) - before;
      List<String> hops = HOP.matcher(outcome.output()).results().map(hop -> hop.group(1)).toList();
      if (!hops.contains("*")) {
        return hops;
      }
      System.err.println(String.join(" ", command) + " saw no answer to some probes, while " + answers
          + " echo replies came:\n" + outcome.output() + whatBalancerKnows());
      if (answers < PROBES - 2 || trace == MOST_TRACES) {
        return hops;
      }
    }
  }

  /** How many a host's kernel has received so far. */
  private static long echoReplies(String host, Family family) {
    String counts = fixture.lab.must(host, "nstat", "-asz", family == Family.IPV4 ? "IcmpInEchoReps" : "Icmp6InEchoReplies");
    Matcher count = COUNT.matcher(counts);
    assertTrue(count.find(), counts);
    return Long.parseLong(count.group(1));
  }

  /** For a loss that nobody can ask about afterwards. */
  private static String whatBalancerKnows() {
    return fixture.balancer.ctl("status").output() + fixture.balancer.ctl("flows").output();
  }

  /** The router says that its way out became narrow; the server hears it through the balancer and goes on. */
  @Test
  void shouldTellAServerOfANarrowPath() {
    Assumptions.assumeTrue(Lab.installed("curl"), "the program 'curl' is missing");
    forgetPathMtu();
    String usualBuffer = fixture.lab.must("out", "sysctl", "-n", "net.ipv4.tcp_rmem").strip();
    receiveBuffer(SMALL_BUFFER); // else all may be under way before the path becomes narrow
    List<LabProcess> downloads = Stream.of(Family.values()).map(GatewayLab::download).toList();
    Lab.pause(500);
    try {
      for (Family family : Family.values()) {
        assertFalse(pathMtu(family).contains(" mtu "), pathMtu(family));
      }
      fixture.lab.must("rt", "ip", "link", "set", "eth1", "mtu", Integer.toString(LOW_MTU));
      for (LabProcess download : downloads) {
        download.endInput();
        assertTrue(download.awaitEnd(Duration.ofSeconds(20)), download::output);
      }
    } finally {
      fixture.lab.must("rt", "ip", "link", "set", "eth1", "mtu", "1500");
      receiveBuffer(usualBuffer);
    }
    for (LabProcess download : downloads) {
      assertEquals(LabServers.DOWNLOAD_BYTES + "\n", download.output());
    }
    for (Family family : Family.values()) {
      assertTrue(pathMtu(family).contains(" mtu " + LOW_MTU), pathMtu(family));
    }
    forgetPathMtu();
  }

  private static void receiveBuffer(String sizes) {
    fixture.lab.must("out", "sysctl", "-qw", "net.ipv4.tcp_rmem=" + sizes);
  }

  /**
   * A download of which all but what fits into buffers waits until the input ends: who reads it does not read before.
   * Not by a limit of curl's, which lets all pass at once where curl was kept from the processor at its start.
   */
  private static LabProcess download(Family family) {
    String address = family == Family.IPV4 ? family.vip : "[" + family.vip + "]";
    return fixture.lab.spawn("out", "curl" + family, List.of("sh", "-c",
        "exec 3<&0; curl -sg --max-time 15 \"$0\" < /dev/null | { read go <&3; wc -c; }",
        "http://" + address + ":" + FIRST_SERVER + "/1m"));
  }

  private static void forgetPathMtu() {
    for (Family family : Family.values()) {
      fixture.lab.must("s1", "ip", family.version(), "route", "flush", "cache");
    }
  }

  private static String pathMtu(Family family) {
    return fixture.lab.must("s1", "ip", family.version(), "route", "get", family.outside);
  }

  @Test
  void shouldWriteRightChecksumsOnEveryLeg() {
    List<String> legs = new ArrayList<>(List.of("cl eth0", "rt eth0", "out eth0", "lb eth0", "s1 eth0", "s2 eth0"));
    if (topology == LabTopology.GATEWAY_DUAL) {
      legs.add("lb eth1");
    }
    LegCapture.assertSound(fixture.lab, legs, () -> {
      Stream.of(Family.values()).parallel().forEach(family -> {
        List<String> clients = sources(family.vip);
        assertClean(fixture.client("connect", family.vip, RR, clients, 30), 30);
        assertClean(fixture.client("udp", family.vip, UDP, clients, 30, 33), 30);
        assertClean(fixture.client("udp", family.vip, UDP, clients, 6, 8_000), 6);
        assertClean(fixture.client("download", family.vip, RR, clients), 1);
        assertClean(fromServer("connect", 1, family, 80, 6), 6);
        assertEquals("", fromServer("connect", 2, family, 80, 6).problem());
        assertEquals("", fromServer("udp", 2, family, UDP, 6, 33).problem());
        assertRefused("PortUnreachable", fromServer("udp", 2, family, CLOSED, 1, 33));
        assertRefused("PortUnreachable", fixture.client("udp", family.vip, CLOSED, clients, 1, 33));
        ping("s2", family.outside);
        pingWithTtl(2, "s2", family.outside);
      });
    });
  }

  @Test
  void shouldKeepTheLawOfCounters() {
    assertClean(fixture.client("connect", VIP4, RR, Lab.CLIENTS4, 6), 6);
    Map<String, Object> statistics = fixture.balancer.statistics();
    assertEquals(true, statistics.get("law"), statistics::toString);
    assertEquals(0, statistics.get("refused"), statistics::toString);
  }
}
