package io.lb4j.examples.lab;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Two balancers on real links, of which one serves, and then the other. Needs root. */
@Tag("root")
@Timeout(300)
final class TakeoverLabTest {
  private static final int PORT = 80;
  private static final long PATIENCE_NS = 120_000_000_000L; // a busy machine starts two JVMs
  private static final String GATEWAY4 = "192.0.2.254";
  private static final String GATEWAY6 = "2001:db8:5::fe";

  private LabFixture fixture;
  private Balancer second;

  @AfterEach
  void down() {
    if (fixture != null) {
      fixture.close();
    }
  }

  private void up(LabTopology topology) {
    fixture = LabFixture.up(topology, 1, "nginx");
    fixture.lab.addBalancer();
  }

  private void start(BalancerConfiguration first, BalancerConfiguration other) {
    fixture.balancer = Balancer.start(fixture.lab, first);
    second = Balancer.start(fixture.lab, "lb2", other.second().setting("role: passive"));
    await(() -> claims(fixture.balancer, "claimed"), () -> "the first one does not begin");
    await(() -> claims(second, "passive"), () -> "the second one does not begin");
    fixture.awaitAnswers(PORT);
  }

  /** The old one first, as an operator would. */
  private void swap(Balancer from, Balancer to) {
    must(from.ctl("passive"));
    must(to.ctl("active"));
    await(() -> claims(to, "claimed"), () -> to.ctl("claims").output() + to.output());
    assertTrue(claims(from, "passive"), () -> from.ctl("claims").output());
  }

  private static void must(Outcome outcome) {
    assertTrue(outcome.ok(), outcome::output);
  }

  private static boolean claims(Balancer balancer, String state) {
    List<String> lines = balancer.ctl("claims").output().lines().skip(1).filter(line -> !line.isBlank()).toList();
    return !lines.isEmpty() && lines.stream().allMatch(line -> line.contains(state));
  }

  private void awaitNeighbor(String host, String address, String mac) {
    await(() -> neighbor(host, address).contains(mac), () -> host + ": " + neighbor(host, address));
  }

  private String neighbor(String host, String address) {
    return fixture.lab.must(host, "ip", "neigh", "show", address);
  }

  private void await(BooleanSupplier condition, Supplier<String> state) {
    long deadlineNs = System.nanoTime() + PATIENCE_NS;
    while (!condition.getAsBoolean() && System.nanoTime() - deadlineNs < 0) {
      Lab.pause(100);
    }
    assertTrue(condition.getAsBoolean(), () -> state.get() + "\n" + fixture.balancer.output() + "\n" + second.output());
  }

  private static BalancerConfiguration direct() {
    return new BalancerConfiguration().service("web", "tcp", PORT, "rr", "", 1);
  }

  /** The router asked for the address long ago, and learns of its new place unasked. */
  @Test
  void shouldMoveTheRoutersEntryToTheOneThatBecameActive() {
    up(LabTopology.DIRECT);
    start(direct(), direct());
    for (String vip : List.of(Lab.VIP4, Lab.VIP6)) {
      awaitNeighbor("rt", vip, LabNetwork.mac(5));
    }
    swap(fixture.balancer, second);
    for (String vip : List.of(Lab.VIP4, Lab.VIP6)) {
      awaitNeighbor("rt", vip, LabNetwork.mac(6));
    }
    fixture.awaitAnswers(PORT);
    swap(second, fixture.balancer);
    for (String vip : List.of(Lab.VIP4, Lab.VIP6)) {
      awaitNeighbor("rt", vip, LabNetwork.mac(5));
    }
    fixture.awaitAnswers(PORT);
  }

  private static BalancerConfiguration gateway() {
    return new BalancerConfiguration(LabTopology.GATEWAY_DUAL)
        .gatewayAddresses(GATEWAY4, GATEWAY6)
        .service("web", "tcp", PORT, "rr", "", 1);
  }

  @Test
  void shouldMoveTheServersGatewayAsWell() {
    up(LabTopology.GATEWAY_DUAL);
    fixture.lab.must("s1", "ip", "-4", "route", "replace", "default", "via", GATEWAY4);
    fixture.lab.must("s1", "ip", "-6", "route", "replace", "default", "via", GATEWAY6);
    start(gateway(), gateway());
    for (String address : List.of(GATEWAY4, GATEWAY6)) {
      awaitNeighbor("s1", address, LabNetwork.mac(5));
      assertEquals(0, fixture.lab.exec("s1", "ping", "-c1", "-W2", address).status());
    }
    swap(fixture.balancer, second);
    for (String address : List.of(GATEWAY4, GATEWAY6)) {
      awaitNeighbor("s1", address, LabNetwork.mac(7));
    }
    for (String vip : List.of(fixture.lab.topology().vip4(), fixture.lab.topology().vip6())) {
      awaitNeighbor("cl", vip, LabNetwork.mac(6));
    }
    fixture.awaitAnswers(PORT);
  }
}
