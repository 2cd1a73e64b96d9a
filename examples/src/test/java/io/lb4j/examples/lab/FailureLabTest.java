package io.lb4j.examples.lab;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.lb4j.pcap.live.LiveIo;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What goes wrong under a running balancer, over each way of exchanging frames. Needs root. */
@Tag("root")
@Timeout(120)
final class FailureLabTest {
  private static final int PORT = 80;
  private static final int REQUESTS = 40;
  private static final int FLOOD = 20_000;
  /** Frames in the meantime that are the host's alone. */
  private static final int OTHERS = 20;
  private static final String CURL = "curl -sf -m 10";
  private static final Duration PATIENCE = Duration.ofSeconds(40);

  private LabFixture fixture;

  @AfterEach
  void down() {
    if (fixture != null) {
      fixture.close();
    }
  }

  private void up(LiveIo io) {
    fixture = LabFixture.up(new LabIo(io), LabTopology.DIRECT, 1, "nginx", "ping", "curl");
  }

  private void start(LiveIo io, String... options) {
    List<String> all = new ArrayList<>(List.of("--interval", "200ms"));
    all.addAll(List.of(options));
    BalancerConfiguration configuration =
        new BalancerConfiguration().io(new LabIo(io)).service("web", "tcp", PORT, "rr", "", 1);
    fixture.balancer = Balancer.start(fixture.lab, "lb", configuration, List.of(), all);
    said("balancing");
  }

  private void said(String text) {
    assertTrue(fixture.balancer.process().awaitOutput(text, PATIENCE), fixture.balancer::output);
  }

  /** Many short connections of each family, by a client that starts in no time. */
  private void assertServes() {
    for (String vip : List.of(Lab.VIP4, "[" + Lab.VIP6 + "]")) {
      Outcome outcome = fixture.lab.exec("cl", "sh", "-c", "u=http://" + vip + ":" + PORT + "/; " + CURL
          + " --retry 60 --retry-delay 1 --retry-all-errors --connect-timeout 1 $u && for i in $(seq " + REQUESTS
          + "); do " + CURL + " $u || exit 1; done");
      long answers = outcome.output().lines().filter(line -> line.startsWith("s1 ")).count();
      assertEquals(1 + REQUESTS, answers, () -> outcome.output() + fixture.balancer.output());
    }
    Map<String, Object> statistics = fixture.balancer.statistics();
    assertEquals(true, statistics.get("law"), statistics::toString);
  }

  @SuppressWarnings("unchecked")
  private static Map<String, Object> port(Map<String, Object> statistics) {
    return ((List<Map<String, Object>>) statistics.get("ports")).get(0);
  }

  private Map<String, Object> awaitPort(String status) {
    return await(all -> status.equals(port(all).get("status")));
  }

  private Map<String, Object> await(Predicate<Map<String, Object>> wanted) {
    long deadlineNs = System.nanoTime() + PATIENCE.toNanos();
    Map<String, Object> last = fixture.balancer.statistics();
    while (!wanted.test(last) && System.nanoTime() - deadlineNs < 0) {
      last = fixture.balancer.statistics();
    }
    assertTrue(wanted.test(last), last + fixture.balancer.output());
    return last;
  }

  private static long number(Map<String, Object> tree, String key) {
    return ((Number) tree.get(key)).longValue();
  }

  @ParameterizedTest
  @EnumSource(value = LiveIo.class, mode = EnumSource.Mode.EXCLUDE, names = "AUTO")
  void shouldCountWhatTheKernelDropsAndGoOnWhenTheInterfaceIsUpAgain(LiveIo io) {
    up(io);
    start(io);
    assertServes();
    Map<String, Object> before = fixture.balancer.statistics();
    assertEquals("up", port(before).get("status"));
    assertEquals(0, number(port(before), "missed"));
    long cameBefore = came();
    fixture.balancer.process().signal("STOP");
    fixture.lab.exec("cl", "ping", "-q", "-n", "-l", "" + FLOOD, "-c", "" + FLOOD, "-w", "5", Lab.VIP4);
    long flood = came() - cameBefore;
    fixture.balancer.process().signal("CONT");
    Map<String, Object> after = await(all -> counted(all) - counted(before) >= flood - OTHERS);
    assertTrue(counted(after) <= came(), () -> came() + " frames came: " + after);
    said("frames were dropped by the kernel");
    assertServes();

    fixture.lab.must("lb", "ip", "link", "set", "eth0", "down");
    said("eth0 is down: nothing is received");
    awaitPort("down");
    fixture.lab.must("lb", "ip", "link", "set", "eth0", "up");
    said("eth0 is up again");
    fixture.lab.must("rt", "ip", "neigh", "flush", "all"); // what it asks may come by another way than packets do
    assertServes();
    end();
  }

  /** What the device has handed over; not all that was sent, where a busy machine loses frames on their way. */
  private long came() {
    return Long.parseLong(fixture.lab.must("lb", "cat", "/sys/class/net/eth0/statistics/rx_packets").strip());
  }

  private static long counted(Map<String, Object> statistics) {
    return number(statistics, "received") + number(port(statistics), "missed");
  }

  private void end() {
    fixture.balancer.process().signal("TERM");
    assertTrue(fixture.balancer.process().awaitEnd(PATIENCE), fixture.balancer::output);
    assertEquals(0, fixture.balancer.process().status(), fixture.balancer::output);
    assertFalse(fixture.balancer.output().contains("Exception"), fixture.balancer::output);
  }

  @ParameterizedTest
  @EnumSource(value = LiveIo.class, mode = EnumSource.Mode.EXCLUDE, names = "AUTO")
  void shouldLeaveNothingWhenKilledAndLiveOnWithoutItsInterface(LiveIo io) {
    up(io);
    start(io, "--shield");
    assertEquals(io == LiveIo.XDP, link().contains("xdp"), this::link);
    fixture.balancer.process().signal("KILL");
    assertTrue(fixture.balancer.process().awaitEnd(PATIENCE));
    start(io, "--shield");
    assertServes();
    String tables = fixture.lab.must("lb", "nft", "list", "tables");
    assertEquals(1, tables.lines().count(), tables);
    fixture.balancer.process().signal("KILL");
    assertTrue(fixture.balancer.process().awaitEnd(PATIENCE));
    assertFalse(link().contains("xdp"), this::link);

    start(io);
    fixture.lab.must("lb", "ip", "link", "del", "eth0");
    said("eth0 was removed");
    Map<String, Object> statistics = awaitPort("gone");
    assertEquals(true, statistics.get("law"), statistics::toString);
    assertTrue(fixture.balancer.ctl("status").ok());
    end();
  }

  /** Another device of its name, with another MAC address; the host's kernel would answer if the shield were not there. */
  @ParameterizedTest
  @EnumSource(value = LiveIo.class, mode = EnumSource.Mode.EXCLUDE, names = "AUTO")
  void shouldGoOnWhenItsInterfaceIsThereAgain(LiveIo io) {
    up(io);
    DirectNetwork network = new DirectNetwork(fixture.lab);
    network.addresses("lb", "lo", Lab.VIP4 + "/32", Lab.VIP6 + "/128");
    start(io, "--shield");
    assertServes();
    long received = number(fixture.balancer.statistics(), "received");
    fixture.lab.must("lb", "ip", "link", "del", "eth0");
    said("eth0 was removed");
    awaitPort("gone");
    network.plug("lb", "eth0", "br0", 7);
    network.addresses("lb", "eth0", "192.0.2.5/24", "2001:db8:5::5/64");
    said("eth0 was removed and is there again: it was opened anew");
    awaitPort("up");
    assertServes();
    assertTrue(number(fixture.balancer.statistics(), "received") > received + REQUESTS, "counts go on");
    assertEquals(io == LiveIo.XDP, link().contains("xdp"), this::link);
    end();
  }

  private String link() {
    return fixture.lab.must("lb", "ip", "link", "show", "eth0");
  }
}
