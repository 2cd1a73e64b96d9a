package io.lb4j.examples.lab;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.AfterParameterizedClassInvocation;
import org.junit.jupiter.params.BeforeParameterizedClassInvocation;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Real kernels believe the resets of connections that were silent for too long: a socket at either end is closed. Needs
 * root.
 */
@Tag("root")
@Timeout(90)
@ParameterizedClass
@ValueSource(ints = {1, 2})
final class IdleResetLabTest {
  private static final int RR = 80;
  private static final int PLAIN = 90;
  private static final int FULL_NAT = 91;
  private static final int PROXIED = 92;
  private static final int SILENT = 93;
  private static final Duration PATIENCE = Duration.ofSeconds(20);

  private static LabFixture fixture;

  @Parameter(0)
  private int workers;

  @BeforeParameterizedClassInvocation
  static void up(int workers) {
    fixture = LabFixture.up(LabTopology.GATEWAY_DUAL, 1, "nginx");
    String idle = "timeouts: {established: 2s}\n    reset-on-idle: true";
    fixture.balance(
        new BalancerConfiguration(LabTopology.GATEWAY_DUAL)
            .outbound()
            .setting("workers: " + workers)
            .service("rr", "tcp", RR, "rr", "", 1)
            .service("plain", "tcp", PLAIN, "rr", idle, 1)
            .fullNat("full", "tcp", FULL_NAT, "rr", idle, 1)
            .fullNat("proxied", "tcp", PROXIED, "rr", "proxy-protocol: v2\n    " + idle, 1)
            .service("silent", "tcp", SILENT, "rr", "timeouts: {established: 2s}", 1),
        RR);
  }

  @AfterParameterizedClassInvocation
  static void down() {
    if (fixture != null) {
      fixture.close();
    }
  }

  private static LabProcess spawn(String host, String name, String... arguments) {
    return fixture.lab.spawnJava(host, name, IdleEnd.class, arguments);
  }

  /** Both ends, which have said what they had to say. */
  private List<LabProcess> connect(String vip, int port) {
    String name = port + (vip.contains(":") ? "v6-" : "v4-") + workers;
    String address = vip.contains(":") ? Lab.server6(1) : Lab.server4(1);
    LabProcess server = spawn("s1", name, "server", address, Integer.toString(port));
    assertTrue(server.awaitOutput("listening", PATIENCE), server::output);
    String source = LabFixture.sources(vip).get(0);
    LabProcess client = spawn("cl", name, "client", source, vip, Integer.toString(port));
    assertTrue(client.awaitOutput("waiting", PATIENCE), () -> client.output() + fixture.balancer.output());
    assertTrue(server.awaitOutput("waiting", PATIENCE), server::output);
    return List.of(client, server);
  }

  private static String vip(String family) {
    return family.equals("IPv4") ? LabTopology.GATEWAY_DUAL.vip4() : LabTopology.GATEWAY_DUAL.vip6();
  }

  @ParameterizedTest
  @CsvSource({
    "IPv4, " + PLAIN, "IPv6, " + PLAIN, "IPv4, " + FULL_NAT, "IPv6, " + FULL_NAT, "IPv4, " + PROXIED, "IPv6, " + PROXIED
  })
  void shouldCloseTheSocketsOfBothEnds(String family, int port) {
    for (LabProcess end : connect(vip(family), port)) {
      assertTrue(end.awaitOutput("came:", PATIENCE), end::output);
      assertTrue(end.output().contains("came: Connection reset"), end::output);
      assertTrue(end.awaitEnd(PATIENCE), end::output);
    }
    Map<String, Object> statistics = fixture.balancer.statistics();
    assertEquals(true, statistics.get("law"), statistics::toString);
  }

  /** What is above is because of the setting. */
  @ParameterizedTest
  @ValueSource(strings = {"IPv4", "IPv6"})
  void shouldTellNobodyWhereThatIsNotAskedFor(String family) {
    List<LabProcess> ends = connect(vip(family), SILENT);
    Lab.pause(6_000);
    for (LabProcess end : ends) {
      assertFalse(end.output().contains("came:"), end::output);
      end.close();
    }
  }
}
