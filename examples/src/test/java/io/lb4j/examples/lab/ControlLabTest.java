package io.lb4j.examples.lab;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.lb4j.examples.config.Configuration;
import io.lb4j.examples.config.ConfigurationFileException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What an operator does to a running balancer while clients are busy. Needs root. */
@Tag("root")
@Timeout(300)
final class ControlLabTest {
  private static final int PORT = 80;
  private static final int CONNECTIONS = 32; // for each family
  private static final int REQUESTS = 15;
  private static final int CHANGES = 200;
  private static final int CHANGES_PER_BROKEN_FILE = 10;
  private static final long SPREAD_MS = Long.getLong("lb4j.lab.seconds", 20) * 1000;
  private static final long DRAINING_MS = 500;
  private static final Duration PATIENCE = Duration.ofSeconds(40);

  private final ChangingServices services = new ChangingServices("web", PORT, 4);
  private LabFixture fixture;
  private int made;
  private int removals;
  private long beginNs;

  /** A file that is refused: a line of it, what stands there instead, and the code. */
  private record Broken(String line, String instead, String code) {
    int number(String text) {
      return 1 + (int) text.substring(0, text.indexOf(line)).chars().filter(c -> c == '\n').count();
    }

    String in(String text) {
      int begin = text.indexOf(line);
      return text.substring(0, begin) + instead + text.substring(begin + line.length());
    }
  }

  @BeforeEach
  void up() {
    LabFixture.assumeNotIgnored("HUP");
    fixture = LabFixture.up(4, "nginx");
  }

  @AfterEach
  void down() {
    if (fixture != null) {
      fixture.close();
    }
  }

  @Test
  void shouldBreakNothingOver200Changes() throws Exception {
    fixture.balance(new BalancerConfiguration().service("web", "tcp", PORT, "rr", "", 1, 1, 1, 1), PORT);
    byFile();
    LabProcess busy4 = busy(Lab.VIP4);
    LabProcess busy6 = busy(Lab.VIP6);
    beginNs = System.nanoTime();
    while (made < CHANGES) {
      change();
      if (made % CHANGES_PER_BROKEN_FILE == 0) {
        refuseBrokenFile(made / CHANGES_PER_BROKEN_FILE);
      }
    }
    long tookMs = (System.nanoTime() - beginNs) / 1_000_000;
    assertTrue(removals >= 3, () -> "removed " + removals + " times");
    assertOnlyRemovedServersBroke(busy4);
    assertOnlyRemovedServersBroke(busy6);
    System.out.println(made + " changes in " + tookMs + " ms, " + removals + " removals");
    Map<String, Object> statistics = fixture.balancer.statistics();
    assertEquals(true, statistics.get("law"), statistics::toString);
    assertEquals(0, statistics.get("refused"), statistics::toString);
  }

  private LabProcess busy(String vip) {
    LabProcess busy = fixture.lab.spawnJava("cl", vip.contains(":") ? "busy6" : "busy4", BusyClient.class, vip,
        Integer.toString(PORT), String.join(",", LabFixture.sources(vip)), Integer.toString(CONNECTIONS),
        Integer.toString(REQUESTS));
    assertTrue(busy.awaitOutput("busy", PATIENCE), busy::output);
    return busy;
  }

  /** All that broke went to the server that was removed, and something did, or nothing would be proved. */
  private static void assertOnlyRemovedServersBroke(LabProcess busy) {
    busy.endInput();
    assertTrue(busy.awaitEnd(PATIENCE), busy::output);
    ClientReport seen = ClientReport.parse(busy.output());
    System.out.println(seen.answered() + " connections (" + seen.shares() + "), broken " + seen.broken());
    assertEquals(Set.of("s1", "s2", "s3", "s4"), seen.servers().keySet(), busy::output);
    assertEquals(Set.of(ChangingServices.GUEST), seen.broken().keySet(), busy::output);
    assertEquals(seen.failed(), seen.broken().get(ChangingServices.GUEST), busy::output);
    assertEquals(0, seen.strangers(), seen::toString);
  }

  /** One change in both services, by a file or by a command; then what runs is what is wanted. */
  private void change() throws IOException, ConfigurationFileException {
    boolean bySignal = made % 2 == 0;
    if (made % 20 == 18 && services.hasGuest()) {
      removeGuest();
    } else {
      ChangingServices.Change change = services.next(bySignal || made % 4 == 1);
      if (bySignal) {
        byFile();
      } else {
        byCommand(change);
      }
    }
    made++;
    assertEquals(Configuration.parse("wanted", services.text()).text(), running());
    long dueNs = beginNs + made * SPREAD_MS * 1_000_000 / CHANGES;
    Lab.pause(Math.max(0, (dueNs - System.nanoTime()) / 1_000_000));
  }

  /** Drained first, so that every connection of it has had an answer and is known by its server's name. */
  private void removeGuest() {
    if (services.guestIsOpen()) {
      byCommand(services.drainGuest());
      made++;
      Lab.pause(DRAINING_MS);
    }
    services.removeGuest();
    removals++;
    if (removals % 2 == 0) {
      byFile();
    } else {
      byCommand(ChangingServices.Change.APPLY);
    }
  }

  /** Rewrites the file, and waits until it was read. */
  private void byFile() {
    String said = reload(services.text(), fixture.balancer.file() + ": ");
    assertFalse(said.contains("is refused"), said);
  }

  /** What the balancer said of a file, once it has said all. */
  private String reload(String text, String awaited) {
    int before = fixture.balancer.output().length();
    fixture.balancer.reload(text);
    long deadlineNs = System.nanoTime() + PATIENCE.toNanos();
    String said = "";
    while (!said.contains(awaited) || !said.endsWith("\n")) {
      assertTrue(System.nanoTime() - deadlineNs < 0, fixture.balancer::output);
      Lab.pause(5);
      said = fixture.balancer.output().substring(before);
    }
    return said;
  }

  private void byCommand(ChangingServices.Change change) {
    if (change.equals(ChangingServices.Change.APPLY)) {
      succeed("apply", file(services.text()).toString());
      return;
    }
    for (String service : List.of("web4", "web6")) {
      String server = service + "/" + change.server();
      if (change.command().equals("weight")) {
        succeed("weight", server, Integer.toString(change.weight()));
      } else {
        succeed(change.command(), server);
      }
    }
  }

  private void succeed(String... command) {
    Outcome outcome = fixture.balancer.ctl(command);
    assertTrue(outcome.ok(), () -> String.join(" ", command) + ": " + outcome.output());
  }

  private Path file(String text) {
    try {
      return Files.writeString(fixture.lab.directory().resolve("next.yaml"), text);
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  private String running() {
    Outcome outcome = fixture.balancer.ctl("config");
    assertTrue(outcome.ok(), outcome::output);
    return outcome.output();
  }

  /** Refused by both ways with its line and code, and what ran before runs on. */
  private void refuseBrokenFile(int number) {
    List<Broken> all = List.of(
        new Broken("    port: 80", "    port: 70000", "out-of-range"),
        new Broken("    scheduler: ", "    schedular: ", "unknown-key"),
        new Broken("{name: s2, address: \"192.0.2.12\"", "{name: s2, address: \"192.0.2.11\"", "duplicate-name"),
        new Broken("address: \"192.0.2.13\"", "address: \"203.0.113.13\"", "server-not-on-link"));
    Broken broken = all.get(number % all.size());
    String good = services.text();
    int line = broken.number(good);
    String bad = broken.in(good);
    String before = running();
    String said = reload(bad, "[" + broken.code() + "]");
    assertTrue(said.contains("is refused"), said);
    assertFinding(fixture.balancer.file() + ":", line, broken, said);
    Outcome outcome = fixture.balancer.ctl("apply", file(bad).toString());
    assertEquals(2, outcome.status(), outcome::output);
    assertFinding("next.yaml:", line, broken, outcome.output());
    assertEquals(before, running());
  }

  private static void assertFinding(String file, int line, Broken broken, String said) {
    String place = file + line + ":";
    String code = "[" + broken.code() + "]";
    assertTrue(said.lines().anyMatch(each -> each.contains(place) && each.endsWith(code)), () -> place + code + said);
  }
}
