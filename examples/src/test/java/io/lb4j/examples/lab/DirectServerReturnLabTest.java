package io.lb4j.examples.lab;

import static io.lb4j.examples.lab.LabFixture.assertClean;
import static io.lb4j.examples.lab.LabFixture.sources;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Direct server return between real kernels, with services that do not change. Needs root. */
@Tag("root")
@Timeout(90)
final class DirectServerReturnLabTest {
  private static final int RR = 80;
  private static final int WRR = 81;
  private static final int MAGLEV = 82;
  private static final int STICKY = 83;
  private static final int UDP = LabServers.UDP_PORT;

  private static LabFixture fixture;

  @BeforeAll
  static void up() {
    fixture = LabFixture.bulk(LabIo.chosen(), LabTopology.DIRECT, 3, "nginx");
    fixture.balance(
        new BalancerConfiguration()
            .service("rr", "tcp", RR, "rr", "", 1, 1, 1)
            .service("wrr", "tcp", WRR, "wrr", "", 3, 2, 1)
            .service("maglev", "tcp", MAGLEV, "maglev", "", 1, 1, 1)
            .service("sticky", "tcp", STICKY, "rr", "persistence: {timeout: 60s}", 1, 1, 1)
            .service("udp", "udp", UDP, "rr", "", 1, 1, 1)
            .service("iperf", "tcp", 5201, "rr", "persistence: {timeout: 60s}", 1, 1, 1),
        RR);
  }

  @AfterAll
  static void down() {
    if (fixture != null) {
      fixture.close();
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {Lab.VIP4, Lab.VIP6})
  void shouldAnswerEveryRequestOfKeptConnections(String vip) {
    assertClean(fixture.client("load", vip, RR, sources(vip), 64, 20_000), 20_000);
  }

  @ParameterizedTest
  @ValueSource(strings = {Lab.VIP4, Lab.VIP6})
  void shouldGiveEqualSharesUnderRoundRobin(String vip) {
    ClientReport seen = assertClean(fixture.client("connect", vip, RR, sources(vip), 9_999), 9_999);
    assertShares(seen, 1, 3_333, 3_333, 3_333);
  }

  @ParameterizedTest
  @ValueSource(strings = {Lab.VIP4, Lab.VIP6})
  void shouldGiveSharesByWeightUnderWeightedRoundRobin(String vip) {
    ClientReport seen = assertClean(fixture.client("connect", vip, WRR, sources(vip), 9_996), 9_996);
    assertShares(seen, 1, 4_998, 3_332, 1_666);
  }

  @ParameterizedTest
  @ValueSource(strings = {Lab.VIP4, Lab.VIP6})
  void shouldGiveNearlyEqualSharesUnderMaglev(String vip) {
    ClientReport seen = assertClean(fixture.client("connect", vip, MAGLEV, sources(vip), 10_000), 10_000);
    assertShares(seen, 200, 3_333, 3_333, 3_333);
  }

  private static void assertShares(ClientReport seen, int tolerance, int... expected) {
    for (int i = 0; i < expected.length; i++) {
      int share = seen.servers().getOrDefault("s" + (i + 1), 0);
      assertTrue(Math.abs(share - expected[i]) <= tolerance, seen::shares);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {Lab.VIP4, Lab.VIP6})
  void shouldKeepAClientWithItsServer(String vip) {
    ClientReport seen = assertClean(fixture.client("connect", vip, STICKY, sources(vip), 400), 400);
    assertEquals(sources(vip).size(), seen.perSource().size(), seen::toString);
    assertEquals(3, seen.servers().size(), seen::toString);
  }

  @ParameterizedTest
  @ValueSource(strings = {Lab.VIP4, Lab.VIP6})
  void shouldBalanceDatagrams(String vip) {
    ClientReport seen = assertClean(fixture.client("udp", vip, UDP, sources(vip), 300, 32), 300);
    assertShares(seen, 1, 100, 100, 100);
  }

  @ParameterizedTest
  @ValueSource(strings = {Lab.VIP4, Lab.VIP6})
  void shouldKeepTheFragmentsOfADatagramTogether(String vip) {
    ClientReport seen = assertClean(fixture.client("udp", vip, UDP, sources(vip), 60, 8_000), 60);
    assertShares(seen, 1, 20, 20, 20);
  }

  @ParameterizedTest
  @ValueSource(strings = {Lab.VIP4, Lab.VIP6})
  void shouldCarryIperf(String vip) {
    Assumptions.assumeTrue(Lab.installed("iperf3"), "the program 'iperf3' is missing");
    Outcome outcome = fixture.lab.exec("cl", Duration.ofSeconds(20),
        List.of("iperf3", "-c", vip, "-n", LabFixture.IPERF_BYTES, "--connect-timeout", "3000"));
    assertTrue(outcome.ok() && outcome.output().contains("receiver"), outcome::output);
  }

  @ParameterizedTest
  @ValueSource(strings = {Lab.VIP4, Lab.VIP6})
  void shouldAnswerPings(String vip) {
    Assumptions.assumeTrue(Lab.installed("ping"), "the program 'ping' is missing");
    Outcome outcome = fixture.lab.exec("cl", "ping", "-n", "-c", "3", "-i", "0.2", "-W", "2", vip);
    assertTrue(outcome.ok() && outcome.output().contains(" 0% packet loss"), outcome::output);
  }

  @ParameterizedTest
  @ValueSource(strings = {Lab.VIP4, Lab.VIP6})
  void shouldSeeNothingOfTheAnswer(String vip) {
    Assumptions.assumeTrue(Lab.installed("tcpdump"), "the program 'tcpdump' is missing");
    Passage seen = Passage.during(fixture.lab, vip,
        () -> assertClean(fixture.client("download", vip, RR, sources(vip)), 1));
    assertTrue(seen.requests() > 0, seen::toString);
    assertEquals(0, seen.answers(), seen::toString);
  }

  /** No neighbour is configured, and the kernel beside the balancer was not asked for one either. */
  @Test
  void shouldResolveServersByItself() {
    assertClean(fixture.client("connect", Lab.VIP4, RR, Lab.CLIENTS4, 6), 6);
    assertClean(fixture.client("connect", Lab.VIP6, RR, Lab.CLIENTS6, 6), 6);
    String kernel = fixture.lab.must("lb", "ip", "neigh", "show");
    for (int i = 1; i <= 3; i++) {
      String server4 = Lab.server4(i);
      String server6 = Lab.server6(i);
      assertTrue(kernel.lines().noneMatch(line -> line.startsWith(server4 + " ")), kernel);
      assertTrue(kernel.lines().noneMatch(line -> line.startsWith(server6 + " ")), kernel);
    }
  }

  @Test
  void shouldKeepTheLawOfCounters() {
    assertClean(fixture.client("connect", Lab.VIP4, RR, Lab.CLIENTS4, 6), 6);
    Map<String, Object> statistics = fixture.balancer.statistics();
    assertEquals(true, statistics.get("law"), statistics::toString);
    assertEquals(0, statistics.get("refused"), statistics::toString);
  }
}
