package io.lb4j.examples.lab;

import static io.lb4j.examples.lab.LabFixture.assertClean;
import static io.lb4j.examples.lab.LabFixture.sources;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Full NAT between real kernels: the servers' default gateway is another router, and the virtual address is in their
 * own subnet. Needs root.
 */
@Tag("root")
@Timeout(60)
final class FullNatLabTest {
  private static final int RR = 80;
  private static final int PROXIED = LabServers.PROXY_PORT;
  private static final int UDP = LabServers.UDP_PORT;

  private static LabFixture fixture;

  @BeforeAll
  static void up() {
    fixture = LabFixture.bulk(LabIo.chosen(), LabTopology.DIRECT, 3, "nginx");
    fixture.balance(
        new BalancerConfiguration()
            .setting("routes: [{to: 0.0.0.0/0, via: 192.0.2.1}, {to: \"::/0\", via: \"2001:db8:5::1\"}]")
            .fullNat("rr", "tcp", RR, "rr", "", 1, 1, 1)
            .fullNat("proxied", "tcp", PROXIED, "rr", "proxy-protocol: v2", 1, 1, 1)
            .fullNat("udp", "udp", UDP, "rr", "", 1, 1, 1),
        RR);
  }

  @AfterAll
  static void down() {
    if (fixture != null) {
      fixture.close();
    }
  }

  private static String natAddress(String vip) {
    return vip.contains(":") ? Lab.FULL_NAT6 : Lab.FULL_NAT4;
  }

  @ParameterizedTest
  @ValueSource(strings = {Lab.VIP4, Lab.VIP6})
  void shouldShowServersTheBalancersAddress(String vip) {
    ClientReport seen = fixture.client("connect", vip, RR, sources(vip), 300);
    assertEquals("", seen.problem());
    assertEquals(Map.of(natAddress(vip), 300), seen.seen());
    assertEquals(Map.of("s1", 100, "s2", 100, "s3", 100), seen.servers());
  }

  @ParameterizedTest
  @CsvSource({Lab.VIP4 + ", 60, 32", Lab.VIP6 + ", 60, 32", Lab.VIP4 + ", 30, 8000", Lab.VIP6 + ", 30, 8000"})
  void shouldCarryDatagramsBothWays(String vip, int count, int length) {
    ClientReport seen = fixture.client("udp", vip, UDP, sources(vip), count, length);
    assertEquals("", seen.problem());
    assertEquals(Map.of(natAddress(vip), count), seen.seen());
  }

  /** A web server reads the header that is put before the first byte, and every number after it is moved. */
  @ParameterizedTest
  @ValueSource(strings = {Lab.VIP4, Lab.VIP6})
  void shouldTellServersTheClientsAddress(String vip) {
    ClientReport seen = assertClean(fixture.client("connect", vip, PROXIED, sources(vip), 300), 300);
    assertEquals(sources(vip).size(), seen.seen().size(), seen::toString);
    assertClean(fixture.client("load", vip, PROXIED, sources(vip), 16, 4_000), 4_000);
    assertClean(fixture.client("download", vip, PROXIED, sources(vip)), 1);
  }

  @Test
  void shouldWriteRightChecksumsOnEveryLeg() {
    LegCapture.assertSound(fixture.lab, List.of("cl eth0", "rt eth0", "lb eth0", "s1 eth0"), () -> {
      for (String vip : List.of(Lab.VIP4, Lab.VIP6)) {
        assertEquals("", fixture.client("connect", vip, RR, sources(vip), 9).problem());
        assertClean(fixture.client("connect", vip, PROXIED, sources(vip), 9), 9);
        assertEquals("", fixture.client("udp", vip, UDP, sources(vip), 9, 33).problem());
      }
    });
  }

  @Test
  void shouldKeepTheLawOfCounters() {
    assertEquals("", fixture.client("connect", Lab.VIP4, RR, Lab.CLIENTS4, 6).problem());
    Map<String, Object> statistics = fixture.balancer.statistics();
    assertEquals(true, statistics.get("law"), statistics::toString);
    assertEquals(0, statistics.get("refused"), statistics::toString);
  }
}
