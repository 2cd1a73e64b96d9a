package io.lb4j.examples.lab;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** How the balancer takes its addresses on a real link. Needs root. */
@Tag("root")
@Timeout(60)
final class AddressLabTest {
  private static final int PORT = 80;
  private static final String OWN_MAC = "02:00:00:00:01:05";
  private static final String DEVICE_MAC = LabNetwork.mac(5);
  private static final String STALE_MAC = "02:00:00:00:00:99";

  private LabFixture fixture;

  @BeforeEach
  void up() {
    fixture = LabFixture.up(1, "nginx");
  }

  @AfterEach
  void down() {
    if (fixture != null) {
      fixture.close();
    }
  }

  private static BalancerConfiguration configuration() {
    return new BalancerConfiguration().service("web", "tcp", PORT, "rr", "", 1);
  }

  /** The router knows somebody else under the virtual addresses, asks nobody, and learns better unasked. */
  @Test
  void shouldAnnounceItsAddressesToTheRouter() {
    fixture.lab.must("rt", "ip", "neigh", "replace", Lab.VIP4, "lladdr", STALE_MAC, "nud", "stale", "dev", "eth0");
    fixture.lab.must("rt", "ip", "neigh", "replace", Lab.VIP6, "lladdr", STALE_MAC, "nud", "stale", "dev", "eth0");
    fixture.balancer = Balancer.start(fixture.lab, configuration());
    for (String vip : new String[] {Lab.VIP4, Lab.VIP6}) {
      await(() -> neighbor(vip).contains(DEVICE_MAC), () -> neighbor(vip));
    }
  }

  private String neighbor(String vip) {
    return fixture.lab.must("rt", "ip", "neigh", "show", vip);
  }

  @Test
  void shouldJoinTheGroupOfItsVirtualAddress() {
    fixture.balance(configuration(), PORT);
    String groups = fixture.lab.must("lb", "ip", "maddr", "show", "dev", "eth0");
    assertTrue(groups.contains("33:33:ff:00:01:00"), groups);
  }

  @Test
  void shouldReceiveForItsOwnMacAddress() {
    fixture.balance(configuration().mac(OWN_MAC), PORT);
    String table = fixture.lab.must("lb", "bridge", "fdb", "show", "dev", "eth0");
    assertTrue(table.contains(OWN_MAC), table);
    assertTrue(neighbor(Lab.VIP4).contains(OWN_MAC), neighbor(Lab.VIP4));
    assertTrue(neighbor(Lab.VIP6).contains(OWN_MAC), neighbor(Lab.VIP6));
  }

  private void await(BooleanSupplier condition, Supplier<String> state) {
    long deadlineNs = System.nanoTime() + 15_000_000_000L;
    while (!condition.getAsBoolean() && System.nanoTime() - deadlineNs < 0) {
      Lab.pause(100);
    }
    assertTrue(condition.getAsBoolean(), () -> state.get() + "\n" + fixture.balancer.output());
  }
}
