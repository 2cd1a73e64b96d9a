package io.lb4j.examples.lab;

import static io.lb4j.examples.lab.LabFixture.assertClean;
import static io.lb4j.examples.lab.LabFixture.sources;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.junit.jupiter.api.Timeout;

/**
 * What a real kernel does with the balancer's frames, and that a shield keeps them from it; or that it sees none of
 * them, where AF_XDP takes them away. Needs root.
 */
@Tag("root")
@Timeout(120)
final class KernelBesideLabTest {
  private static final int PORT = 80;
  private static final int UDP = LabServers.UDP_PORT;
  private static final int REQUESTS = 40;
  private static final Duration PATIENCE = Duration.ofSeconds(40);
  private static final String FORWARD =
      "echo 1 > /proc/sys/net/ipv4/ip_forward; echo 1 > /proc/sys/net/ipv6/conf/all/forwarding";

  private LabFixture fixture;

  private void up(LabTopology topology) {
    fixture = LabFixture.bulk(LabIo.chosen(), topology, 1, "nginx", "nft");
  }

  @AfterEach
  void down() {
    if (fixture != null) {
      fixture.close();
    }
  }

  private BalancerConfiguration configuration() {
    BalancerConfiguration configuration = new BalancerConfiguration(fixture.lab.topology());
    return configuration.service("web", "tcp", PORT, "rr", "", 1).service("udp", "udp", UDP, "rr", "", 1);
  }

  private void start(BalancerConfiguration configuration, String... options) {
    fixture.balancer = Balancer.start(fixture.lab, "lb", configuration, List.of(), List.of(options));
    said("balancing");
  }

  private void said(String text) {
    assertTrue(fixture.balancer.process().awaitOutput(text, PATIENCE), fixture.balancer::output);
  }

  private void end() {
    fixture.balancer.close();
  }

  private String tables() {
    return fixture.lab.must("lb", "nft", "list", "tables");
  }

  private void holdVips() {
    fixture.lab.must("lb", "ip", "addr", "add", fixture.lab.topology().vip4() + "/32", "dev", "lo");
    fixture.lab.must("lb", "ip", "addr", "add", fixture.lab.topology().vip6() + "/128", "dev", "eth0", "nodad");
  }

  private List<String> vips() {
    return List.of(fixture.lab.topology().vip4(), fixture.lab.topology().vip6());
  }

  @Test
  void shouldRefuseToRunBesideAKernelThatHasItsAddress() {
    up(LabTopology.DIRECT);
    holdVips();
    fixture.balancer = Balancer.start(fixture.lab, configuration());
    assertTrue(fixture.balancer.process().awaitEnd(PATIENCE), fixture.balancer::output);
    String said = fixture.balancer.output();
    assertTrue(said.contains("vip-held-by-kernel") && said.contains("answers clients itself"), said);
    assertTrue(said.contains("ip addr del " + Lab.VIP4 + "/32 dev lo") && said.contains("--shield"), said);
  }

  @Test
  void shouldKeepAKernelThatHasItsAddressFromResettingClients() {
    up(LabTopology.DIRECT);
    holdVips();
    start(configuration(), "--host-ignores-vips");
    if (fixture.lab.io().seenByKernel()) {
      KernelCounters before = KernelCounters.of(fixture.lab, "lb");
      vips().forEach(vip -> fixture.client("connect", vip, PORT, sources(vip), 3));
      assertTrue(KernelCounters.of(fixture.lab, "lb").since(before).resets() > 0, "no rule, and no resets");
    } else {
      assertServesWithoutResets();
    }
    end();

    start(configuration(), "--shield");
    assertServesWithoutResets();
    assertTrue(tables().contains("lb4j_"), this::tables);
    end();
    assertEquals("", tables());
  }

  private void assertServesWithoutResets() {
    KernelCounters before = KernelCounters.of(fixture.lab, "lb");
    for (String vip : vips()) {
      assertTrue(fixture.balancer.awaitAnswer(vip, PORT).answered() > 0, fixture.balancer::output);
      assertClean(fixture.client("connect", vip, PORT, sources(vip), REQUESTS), REQUESTS);
    }
    assertEquals(0, KernelCounters.of(fixture.lab, "lb").since(before).resets());
  }

  /** Datagrams of a server that is routed: what the kernel sends too is the same once more. */
  @Test
  void shouldKeepAKernelThatForwardsFromSendingTwice() {
    up(LabTopology.GATEWAY_DUAL);
    fixture.lab.must("lb", "sh", "-c", FORWARD);
    start(configuration().outbound());
    if (fixture.lab.io().seenByKernel()) {
      said("net.ipv4.ip_forward: the kernel forwards packets");
      said("sysctl -w net.ipv6.conf.all.forwarding=0");
      KernelCounters twice = datagrams(REQUESTS);
      assertTrue(twice.datagrams4() > REQUESTS && twice.datagrams6() > REQUESTS, twice::toString);
    } else {
      assertForwardsOnce();
    }
    end();

    start(configuration().outbound(), "--shield");
    assertForwardsOnce();
  }

  /** By the balancer alone, which has nothing to warn of; the kernel keeps what is its own. */
  private void assertForwardsOnce() {
    assertFalse(fixture.balancer.output().contains("forwards packets"), fixture.balancer::output);
    fixture.awaitAnswers(PORT);
    KernelCounters before = KernelCounters.of(fixture.lab, "lb");
    KernelCounters once = datagrams(REQUESTS);
    assertEquals(REQUESTS, once.datagrams4());
    assertEquals(REQUESTS, once.datagrams6());
    vips().forEach(vip -> assertClean(fixture.client("connect", vip, PORT, sources(vip), REQUESTS), REQUESTS));
    KernelCounters kernel = KernelCounters.of(fixture.lab, "lb").since(before);
    assertEquals(0, kernel.forwarded4(), kernel::toString);
    assertEquals(0, kernel.forwarded6(), kernel::toString);
    assertPings("s1", "192.0.2.5", "2001:db8:5::5");
    assertPings("cl", "198.51.100.5", "2001:db8:c::5");
    Map<String, Object> statistics = fixture.balancer.statistics();
    assertEquals(true, statistics.get("law"), statistics::toString);
  }

  /** From server s1 to the host outside, of each family; what came there. */
  private KernelCounters datagrams(int count) {
    KernelCounters before = KernelCounters.of(fixture.lab, "out");
    for (String[] pair : new String[][] {
        {Lab.OUTSIDE4, Lab.server4(1)}, {Lab.OUTSIDE6, Lab.server6(1)}}) {
      ClientReport seen = fixture.clientOn("s1", "udp", pair[0], UDP, List.of(pair[1]), count, 32);
      assertEquals(count, seen.answered(), seen::toString);
    }
    return KernelCounters.of(fixture.lab, "out").since(before);
  }

  /** The host's own addresses are the kernel's. */
  private void assertPings(String host, String... addresses) {
    for (String address : addresses) {
      Outcome outcome = fixture.lab.exec(host, "ping", "-n", "-c", "2", "-i", "0.2", "-W", "2", address);
      assertTrue(outcome.ok() && !outcome.output().contains("DUP"), outcome::output);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"KILL", "TERM", "INT"})
  void shouldLeaveNoRuleHoweverItEnds(String signal) {
    up(LabTopology.DIRECT);
    List<String> heedingAll = List.of("env", "--default-signal"); // shells in the background have SIGINT ignored
    fixture.balancer = Balancer.start(fixture.lab, "lb", configuration(), heedingAll, List.of("--shield"));
    said("balancing");
    String table = tables();
    assertTrue(table.contains("_eth0"), table);
    fixture.lab.must("lb", "nft", "flush", "ruleset");
    assertEquals(table, tables());
    fixture.balancer.process().signal(signal);
    assertTrue(fixture.balancer.process().awaitEnd(PATIENCE), fixture.balancer::output);
    await(() -> tables().isEmpty(), () -> signal + ": " + tables());
  }

  @Test
  void shouldCoverWhatAFileAdds() {
    LabFixture.assumeNotIgnored("HUP");
    up(LabTopology.DIRECT);
    start(configuration(), "--shield");
    fixture.balancer.reload(configuration().text()
        + "  - {name: new, vip: 192.0.2.150, port: 80, protocol: tcp, mode: dsr, monitor: none, servers: []}\n");
    await(() -> fixture.lab.must("lb", "nft", "list", "ruleset").contains("192.0.2.150"), fixture.balancer::output);
    fixture.balancer.reload(configuration());
    await(() -> !fixture.lab.must("lb", "nft", "list", "ruleset").contains("192.0.2.150"), fixture.balancer::output);
  }

  @Test
  void shouldSayWhichRightAShieldNeeds() {
    up(LabTopology.DIRECT);
    fixture.balancer = Balancer.start(fixture.lab, "lb", configuration(),
        List.of("setpriv", "--bounding-set", "-all,+net_raw"), List.of("--shield"));
    assertTrue(fixture.balancer.process().awaitEnd(PATIENCE), fixture.balancer::output);
    assertTrue(fixture.balancer.output().contains("CAP_NET_ADMIN"), fixture.balancer::output);
  }

  private static void await(Supplier<Boolean> condition, Supplier<String> state) {
    long deadlineNs = System.nanoTime() + PATIENCE.toNanos();
    while (!condition.get() && System.nanoTime() - deadlineNs < 0) {
      Lab.pause(50);
    }
    assertTrue(condition.get(), state);
  }
}
