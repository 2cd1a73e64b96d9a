package io.lb4j.examples.lab;

import static io.lb4j.examples.lab.LabFixture.assertClean;
import static io.lb4j.examples.lab.LabFixture.sources;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.lb4j.examples.report.Json;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * Faults of a server, each found by the monitors that can see it and by no other, in time and with its reason. Needs
 * root.
 */
@Tag("root")
@Timeout(180)
final class MonitorLabTest {
  private static final int TCP = 80;
  private static final int HTTP = 81;
  private static final int DSR = 82;
  private static final int PING = 83;
  private static final int INTERVAL_MS = 300;
  private static final int TIMEOUT_MS = 200;
  private static final int COUNT = 2;
  private static final int FOUND_WITHIN_MS = COUNT * INTERVAL_MS + TIMEOUT_MS;
  private static final int RECOVERED_WITHIN_MS = COUNT * INTERVAL_MS;
  /** What a machine that is busy with other things may add. */
  private static final int ALLOWANCE_MS = 2_000;
  private static final int PATIENCE_MS = 15_000;
  private static final Duration PATIENCE = Duration.ofMillis(PATIENCE_MS);
  private static final List<String> NONE = List.of();

  private static LabFixture fixture;

  @BeforeAll
  static void up() {
    fixture = LabFixture.up(3, "nginx");
    fixture.balance(
        new BalancerConfiguration()
            .service("tcp", "tcp", TCP, "rr", monitor("tcp"), 1, 1, 1)
            .service("http", "tcp", HTTP, "rr", monitor("http"), 1, 1, 1)
            .service("dsr", "tcp", DSR, "rr", monitor("dsr"), 1, 1, 1)
            .service("ping", "tcp", PING, "rr", monitor("ping"), 1, 1, 1),
        TCP);
    awaitHealth("s2", Map.of());
  }

  @AfterAll
  static void down() {
    if (fixture != null) {
      fixture.close();
    }
  }

  private static String monitor(String type) {
    return "monitor: {type: " + type + ", interval: " + INTERVAL_MS + "ms, timeout: " + TIMEOUT_MS + "ms, in: " + COUNT
        + ", out: " + COUNT + ", jitter: 0}";
  }

  private static Map<String, Object> ask(String command) {
    Outcome outcome = fixture.balancer.ctl(command, "--json");
    assertTrue(outcome.ok(), outcome::output);
    try {
      return Json.object(outcome.output());
    } catch (IOException e) {
      throw new AssertionError(outcome.output(), e);
    }
  }

  /** A server's services that are down, with the reasons. */
  private static Map<String, String> down(String server) {
    Map<String, String> down = new TreeMap<>();
    for (Object each : (List<?>) ask("servers").get("servers")) {
      Map<?, ?> row = (Map<?, ?>) each;
      if (row.get("name").equals(server) && !row.get("health").equals("up")) {
        down.put((String) row.get("service"), row.get("health") + " " + row.get("reason"));
      }
    }
    return down;
  }

  /** Waits until exactly these services of a server are down, for one of the reasons. */
  private static void awaitHealth(String server, Map<String, List<String>> wanted) {
    long deadlineNs = System.nanoTime() + PATIENCE.toNanos();
    Map<String, String> seen = down(server);
    while (!seen.keySet().equals(both(wanted).keySet())) {
      assertTrue(System.nanoTime() - deadlineNs < 0, wanted + " was to come, but is " + seen);
      Lab.pause(50);
      seen = down(server);
    }
    both(wanted).forEach(new Reasons(seen)::check);
  }

  /** Why services are down. */
  private record Reasons(Map<String, String> seen) {
    void check(String service, List<String> reasons) {
      String found = seen.get(service);
      assertTrue(reasons.stream().anyMatch(reason -> found.equals("down " + reason)), service + " is " + found);
    }
  }

  /** What holds for a service holds for IPv4 and IPv6. */
  private static Map<String, List<String>> both(Map<String, List<String>> wanted) {
    Map<String, List<String>> both = new TreeMap<>();
    wanted.forEach((service, reasons) -> {
      both.put(service + "4", reasons);
      both.put(service + "6", reasons);
    });
    return both;
  }

  /** When servers went down or up since. */
  private static Map<String, Long> after(Instant begin, String event) {
    Map<String, Long> times = new LinkedHashMap<>();
    for (Object each : (List<?>) ask("events").get("events")) {
      Map<?, ?> entry = (Map<?, ?>) each;
      long afterMs = Duration.between(begin, Instant.parse((String) entry.get("time"))).toMillis();
      if (entry.get("event").equals(event) && afterMs >= 0) {
        times.putIfAbsent((String) entry.get("subject"), afterMs);
      }
    }
    return times;
  }

  private static Instant now() {
    return Instant.ofEpochMilli(System.currentTimeMillis());
  }

  private static void assertTimes(Map<String, Long> times, int mostMs, String what) {
    System.out.println(what + ": " + times);
    times.forEach((server, ms) -> assertTrue(ms <= mostMs + ALLOWANCE_MS, what + ": " + server + " after " + ms + " ms"));
  }

  /**
   * Breaks a server, and mends it.
   *
   * @param port of a service that is to notice
   * @param wanted which services notice, and for which reasons
   */
  private static void fault(
      String what, int server, int port, Map<String, List<String>> wanted, Runnable breaks, Runnable mends) {
    String name = "s" + server;
    List<LabProcess> busy = List.of(busy(Lab.VIP4, port), busy(Lab.VIP6, port));
    Instant broken = now();
    breaks.run();
    awaitHealth(name, wanted);
    Map<String, Long> found = after(broken, "ServerDown");
    Lab.pause(FOUND_WITHIN_MS);
    awaitHealth(name, wanted); // nobody else has noticed anything in the meantime
    assertEquals(Map.of(), down("s" + (server + 1)));
    busy.forEach(one -> assertWindow(one, name, broken, found));
    assertTimes(found, FOUND_WITHIN_MS, what + ", found");
    for (String vip : List.of(Lab.VIP4, Lab.VIP6)) {
      ClientReport seen = assertClean(fixture.client("connect", vip, port, sources(vip), 12), 12);
      assertFalse(seen.servers().containsKey(name), seen::toString);
    }
    Instant mended = now();
    mends.run();
    awaitHealth(name, Map.of());
    assertTimes(after(mended, "ServerUp"), RECOVERED_WITHIN_MS, what + ", recovered");
    for (String vip : List.of(Lab.VIP4, Lab.VIP6)) {
      ClientReport seen = assertClean(fixture.client("connect", vip, port, sources(vip), 12), 12);
      assertEquals(3, seen.servers().size(), seen::toString);
    }
    Map<String, Object> status = ask("status");
    assertEquals(true, status.get("law"), status::toString);
  }

  private static LabProcess busy(String vip, int port) {
    LabProcess busy = fixture.lab.spawnJava("cl", "busy" + port + (vip.contains(":") ? "v6" : "v4"), BusyClient.class,
        vip, Integer.toString(port), String.join(",", sources(vip)), "8", "0");
    assertTrue(busy.awaitOutput("busy", PATIENCE), busy::output);
    return busy;
  }

  /** Only connections that began before the server was found to be down were lost, and others went on. */
  private static void assertWindow(LabProcess busy, String server, Instant broken, Map<String, Long> found) {
    busy.endInput();
    assertTrue(busy.awaitEnd(Duration.ofSeconds(30)), busy::output);
    String output = busy.output();
    long lastMs = found.values().stream().mapToLong(Long::longValue).max().orElseThrow();
    List<String> late = new ArrayList<>();
    int lost = 0;
    for (String line : output.lines().filter(each -> each.startsWith("broke\t")).toList()) {
      lost++;
      if (Long.parseLong(line.split("\t")[1]) - broken.toEpochMilli() > lastMs) {
        late.add(line);
      }
    }
    assertEquals(NONE, late, () -> server + " was found after " + lastMs + " ms; it broke at " + broken.toEpochMilli());
    ClientReport seen = ClientReport.parse(output);
    assertEquals(lost, seen.failed(), output);
    System.out.println("  lost " + lost + " connections, " + seen.answered() + " went well");
  }

  private static void on(int server, String commands) {
    fixture.lab.must("s" + server, "sh", "-c", "set -e; " + commands);
  }

  private static String nginx(int server) {
    return "$(cat " + fixture.lab.directory().resolve("s" + server + "/nginx.pid") + ")";
  }

  @Test
  void shouldFindAProgramThatWasEnded() {
    List<String> refused = List.of("refused");
    fault("program ended", 1, HTTP, Map.of("tcp", refused, "http", refused, "dsr", refused),
        () -> on(1, "kill " + nginx(1)),
        () -> new LabServers(fixture.lab).startNginx("s1"));
  }

  /** Its kernel goes on accepting connections. */
  @Test
  void shouldFindAProgramThatHangsByItsAnswersOnly() {
    fault("program hangs", 1, HTTP, Map.of("http", List.of("timed-out")),
        () -> on(1, "kill -STOP " + nginx(1)),
        () -> on(1, "kill -CONT " + nginx(1)));
  }

  @Test
  void shouldFindAClosedPort() {
    String file = fixture.lab.directory().resolve("s2/nginx.conf").toString();
    fault("port closed", 2, HTTP, Map.of("http", List.of("refused")),
        () -> on(2, "sed -i '/listen 0.0.0.0:81 /d' " + file + "; kill -HUP " + nginx(2)),
        () -> {
          on(2, "kill " + nginx(2)); // one process without a master closes ports, but opens none
          new LabServers(fixture.lab).startNginx("s2");
        });
  }

  /** What no probe of the server's own address can find. */
  @Test
  void shouldFindAMissingVirtualAddress() {
    fault("virtual address missing", 1, DSR, Map.of("dsr", List.of("dsr-vip-missing")),
        () -> on(1, "ip addr del " + Lab.VIP4 + "/32 dev lo; ip addr del " + Lab.VIP6 + "/128 dev lo"),
        () -> on(1, "ip addr add " + Lab.VIP4 + "/32 dev lo; ip addr add " + Lab.VIP6 + "/128 dev lo nodad"));
  }

  @Test
  void shouldFindACutNetwork() {
    List<String> sockets = List.of("timed-out", "unreachable");
    List<String> frames = List.of("timed-out", "no-neighbor");
    fault("network cut", 2, PING, Map.of("tcp", sockets, "http", sockets, "dsr", frames, "ping", frames),
        () -> fixture.lab.cutOff("s2"),
        () -> fixture.lab.must("sw", "ip", "link", "set", "s2", "up"));
  }
}
