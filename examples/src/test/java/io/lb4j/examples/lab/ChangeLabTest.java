package io.lb4j.examples.lab;

import static io.lb4j.examples.lab.LabFixture.assertClean;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What happens to connections when servers come and go. Needs root. */
@Tag("root")
@Timeout(90)
final class ChangeLabTest {
  private static final int PORT = 80;
  private static final int HELD = 60;
  private static final Duration PATIENCE = Duration.ofSeconds(20);

  private LabFixture fixture;

  @BeforeEach
  void up() {
    fixture = LabFixture.up(3, "nginx");
  }

  @AfterEach
  void down() {
    if (fixture != null) {
      fixture.close();
    }
  }

  private LabProcess hold(String name, String vip) {
    LabProcess held = fixture.spawnClient(name, vip, PORT, LabFixture.sources(vip), HELD);
    assertTrue(held.awaitOutput("holding", PATIENCE), held::output);
    return held;
  }

  private static ClientReport release(LabProcess held) {
    held.endInput();
    assertTrue(held.awaitEnd(PATIENCE), held::output);
    return ClientReport.parse(held.output());
  }

  @Test
  void shouldLoseOnlyTheConnectionsOfADeadServer() {
    fixture.balance(new BalancerConfiguration().service("web", "tcp", PORT, "rr", "", 1, 1, 1), PORT);
    LabProcess held4 = hold("hold4", Lab.VIP4);
    LabProcess held6 = hold("hold6", Lab.VIP6);
    fixture.lab.cutOff("s2");
    Lab.pause(4_000);
    for (LabProcess held : new LabProcess[] {held4, held6}) {
      ClientReport seen = release(held);
      assertEquals(Set.of("s1", "s2", "s3"), seen.servers().keySet());
      assertEquals(Set.of("s2"), seen.broken().keySet(), seen::toString);
      assertEquals(seen.servers().get("s2"), seen.broken().get("s2"), seen::toString);
    }
  }

  @Test
  void shouldBreakNothingWhenAServerIsAdded() {
    LabFixture.assumeNotIgnored("HUP");
    fixture.balance(new BalancerConfiguration().service("web", "tcp", PORT, "rr", "", 1, 1, 1), PORT);
    LabProcess held4 = hold("hold4", Lab.VIP4);
    LabProcess held6 = hold("hold6", Lab.VIP6);
    fixture.lab.addServer(4);
    fixture.balancer.reload(new BalancerConfiguration().service("web", "tcp", PORT, "rr", "", 1, 1, 1, 1));
    Lab.pause(2_000);
    assertEquals(4, assertClean(fixture.client("connect", Lab.VIP4, PORT, Lab.CLIENTS4, 80), 80).servers().size());
    assertEquals(4, assertClean(fixture.client("connect", Lab.VIP6, PORT, Lab.CLIENTS6, 80), 80).servers().size());
    assertEquals("", release(held4).problem());
    assertEquals("", release(held6).problem());
  }
}
