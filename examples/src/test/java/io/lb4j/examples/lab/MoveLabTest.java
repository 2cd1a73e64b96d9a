package io.lb4j.examples.lab;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Clients that keep to one port, moved to another server with their next packet. Needs root. */
@Tag("root")
@Timeout(120)
final class MoveLabTest {
  private static final int WEB = 80;
  private static final int UDP = LabServers.UDP_PORT;
  private static final int OWN_PORT = 40_000;
  private static final int ROUNDS = 6;
  /** A client that gets no answer to its SYN repeats it after a second. */
  private static final int BEFORE_SECOND_SYN_MS = 900;
  private static final int IN_FLIGHT_MS = 100;
  private static final Duration PATIENCE = Duration.ofSeconds(30);

  private static LabFixture fixture;

  @BeforeAll
  static void up() {
    fixture = LabFixture.up(3, "nginx");
    fixture.balance(all(), WEB);
  }

  @AfterAll
  static void down() {
    if (fixture != null) {
      fixture.close();
    }
  }

  private static BalancerConfiguration all() {
    return new BalancerConfiguration()
        .service("web", "tcp", WEB, "rr", "", 1, 1, 1)
        .service("udp", "udp", UDP, "rr", "", 1, 1, 1);
  }

  /** The configuration without one of the servers. */
  private static String without(String server) {
    return all().text().lines()
        .filter(line -> !line.contains("{name: " + server + ","))
        .reduce("", (text, line) -> text + line + "\n");
  }

  /** Applies a file in the one way or the other, and waits until it is done. */
  private static void apply(boolean bySignal, String text) {
    if (!bySignal) {
      Outcome outcome = fixture.balancer.ctl("apply", file(text));
      assertTrue(outcome.ok(), outcome::output);
      return;
    }
    LabFixture.assumeNotIgnored("HUP");
    int before = fixture.balancer.output().length();
    fixture.balancer.reload(text);
    String done = "lb run: " + fixture.balancer.file() + ": ";
    long deadlineNs = System.nanoTime() + PATIENCE.toNanos();
    while (!fixture.balancer.output().substring(before).contains(done)) {
      assertTrue(System.nanoTime() - deadlineNs < 0, fixture.balancer::output);
      Lab.pause(2);
    }
  }

  private static String file(String text) {
    try {
      return Files.writeString(fixture.lab.directory().resolve("next.yaml"), text).toString();
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  /** Who answered, and when the first datagram that it answered was sent. */
  private record Answers(String server, long sinceMs) {
    static List<Answers> of(String output) {
      return output.lines().filter(line -> line.startsWith("answers ")).map(line -> line.split(" "))
          .map(words -> new Answers(words[1], Long.parseLong(words[2]))).toList();
    }
  }

  @ParameterizedTest
  @CsvSource({Lab.VIP4 + ",true", Lab.VIP4 + ",false", Lab.VIP6 + ",true", Lab.VIP6 + ",false"})
  void shouldMoveAClientThatNeverStopsOffARemovedServer(String vip, boolean bySignal) {
    apply(bySignal, all().text());
    LabProcess stream = fixture.lab.spawnJava("cl", "stream", DatagramStream.class, vip, Integer.toString(UDP),
        LabFixture.sources(vip).get(0));
    assertTrue(stream.awaitOutput("answers ", PATIENCE), stream::output);
    Lab.pause(500);
    List<Answers> first = Answers.of(stream.output());
    assertEquals(1, first.size(), stream::output);
    apply(bySignal, without(first.get(0).server()));
    long appliedMs = System.currentTimeMillis();
    Lab.pause(1_000);
    stream.endInput();
    assertTrue(stream.awaitEnd(PATIENCE), stream::output);
    List<Answers> seen = Answers.of(stream.output());
    assertEquals(2, seen.size(), stream::output);
    long lateMs = seen.get(1).sinceMs() - appliedMs;
    System.out.println(vip + ": moved " + lateMs + " ms after the change was reported; "
        + stream.output().lines().reduce("", (before, line) -> line));
    assertTrue(lateMs < IN_FLIGHT_MS, stream::output);
    assertTrue(stream.output().endsWith("lost 0\n"), // the old server answers what it still got
        () -> stream.output() + fixture.balancer.ctl("status").output());
  }

  /** Connects again and again from one port; fails when a client had to repeat a SYN. */
  private static List<String> connect(String vip) {
    String output = fixture.lab.java("cl", ReusedPort.class, vip, Integer.toString(WEB), LabFixture.sources(vip).get(0),
        Integer.toString(OWN_PORT), Integer.toString(ROUNDS)).output();
    List<String> servers = new ArrayList<>();
    for (String line : output.lines().filter(each -> each.startsWith("connected ")).toList()) {
      String[] words = line.split(" ");
      servers.add(words[1]);
      assertTrue(Integer.parseInt(words[2]) < BEFORE_SECOND_SYN_MS, output);
    }
    System.out.println(vip + ": " + output.replace("connected ", "").replace('\n', ','));
    assertEquals(ROUNDS, servers.size(), output);
    return servers;
  }

  @ParameterizedTest
  @ValueSource(strings = {Lab.VIP4, Lab.VIP6})
  void shouldScheduleAReusedPortWithItsFirstPacket(String vip) {
    apply(false, all().text());
    List<String> seen = connect(vip);
    assertEquals(3, seen.stream().distinct().count(), seen::toString);
    String drained = seen.get(ROUNDS - 1);
    Outcome outcome = fixture.balancer.ctl("drain", (vip.equals(Lab.VIP4) ? "web4/" : "web6/") + drained);
    assertTrue(outcome.ok(), outcome::output);
    seen = connect(vip);
    assertFalse(seen.contains(drained), seen::toString);
    String removed = seen.get(ROUNDS - 1);
    apply(true, without(removed));
    seen = connect(vip);
    assertFalse(seen.contains(removed), seen::toString);
    assertEquals(true, fixture.balancer.statistics().get("law"));
  }
}
