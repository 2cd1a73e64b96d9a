package io.lb4j.examples.lab;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.LinkedHashMap;
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

  /** Three times what the others are closed after. */
  private static final Duration SILENCE = Duration.ofSeconds(6);

  private static final Map<String, Connection> connections = new LinkedHashMap<>();
  private static LabFixture fixture;
  private static long silentSinceNs;

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
    connectAll(workers);
  }

  @AfterParameterizedClassInvocation
  static void down() {
    if (fixture != null) {
      fixture.close();
    }
  }

  /** Begins every connection of this class at once, so that they are silent side by side. */
  private static void connectAll(int workers) {
    connections.clear();
    for (String vip : List.of(LabTopology.GATEWAY_DUAL.vip4(), LabTopology.GATEWAY_DUAL.vip6())) {
      for (int port : new int[] {PLAIN, FULL_NAT, PROXIED, SILENT}) {
        connections.put(key(vip, port), new Connection(vip, port, workers));
      }
    }
    connections.values().forEach(Connection::ask);
    connections.values().forEach(Connection::awaitWords);
    silentSinceNs = System.nanoTime();
  }

  /** Two processes that have said what they had to say. */
  private static final class Connection {
    private final String vip;
    private final int port;
    private final String name;
    private final LabProcess server;
    private LabProcess client;

    Connection(String vip, int port, int workers) {
      this.vip = vip;
      this.port = port;
      name = port + (vip.contains(":") ? "v6-" : "v4-") + workers;
      String address = vip.contains(":") ? Lab.server6(1) : Lab.server4(1);
      server = fixture.lab.spawnJava("s1", name, IdleEnd.class, "server", address, Integer.toString(port));
    }

    void ask() {
      assertTrue(server.awaitOutput("listening", PATIENCE), server::output);
      String source = LabFixture.sources(vip).get(0);
      client = fixture.lab.spawnJava("cl", name, IdleEnd.class, "client", source, vip, Integer.toString(port));
    }

    void awaitWords() {
      assertTrue(client.awaitOutput("waiting", PATIENCE), () -> client.output() + fixture.balancer.output());
      assertTrue(server.awaitOutput("waiting", PATIENCE), server::output);
    }

    List<LabProcess> ends() {
      return List.of(client, server);
    }
  }

  private static String key(String vip, int port) {
    return vip + " " + port;
  }

  private static List<LabProcess> ends(String family, int port) {
    LabTopology topology = LabTopology.GATEWAY_DUAL;
    return connections.get(key(family.equals("IPv4") ? topology.vip4() : topology.vip6(), port)).ends();
  }

  @ParameterizedTest
  @CsvSource({
    "IPv4, " + PLAIN, "IPv6, " + PLAIN, "IPv4, " + FULL_NAT, "IPv6, " + FULL_NAT, "IPv4, " + PROXIED, "IPv6, " + PROXIED
  })
  void shouldCloseTheSocketsOfBothEnds(String family, int port) {
    for (LabProcess end : ends(family, port)) {
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
    Lab.pause(Math.max(0, SILENCE.toMillis() - (System.nanoTime() - silentSinceNs) / 1_000_000));
    for (LabProcess end : ends(family, SILENT)) {
      assertTrue(end.isAlive(), end::output);
      assertFalse(end.output().contains("came:"), end::output);
      end.close();
    }
  }
}
