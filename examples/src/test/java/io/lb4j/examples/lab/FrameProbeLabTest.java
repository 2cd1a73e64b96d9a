package io.lb4j.examples.lab;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Probes that are frames, answered by real kernels: each way in which a server of Direct Server Return fails. */
@Tag("root")
@Timeout(90)
final class FrameProbeLabTest {
  private static final int WEB = 80;
  private static final int UDP = LabServers.UDP_PORT;
  private static final int CLOSED = 4_444;
  private static final int WELL = 1;
  private static final int WITHOUT_VIP = 2;
  private static final int ROUTER = 3;
  private static final int REDIRECTING = 4;
  private static final int CUT_OFF = 5;

  private static LabFixture fixture;

  /** What a probe found, in the order of reason, microseconds and words. */
  private record Found(String reason, long elapsedUs, String words) {
    static Found of(String line) {
      String[] fields = line.split(" ", 4);
      return new Found(fields[1], Long.parseLong(fields[2]), fields[3]);
    }
  }

  @BeforeAll
  static void up() {
    fixture = LabFixture.up(5, "nginx");
    for (int server : new int[] {WITHOUT_VIP, ROUTER, REDIRECTING}) {
      on(server, "ip addr del " + Lab.VIP4 + "/32 dev lo; ip addr del " + Lab.VIP6 + "/128 dev lo");
    }
    for (int server : new int[] {ROUTER, REDIRECTING}) {
      on(server, "echo 1 > /proc/sys/net/ipv4/ip_forward; echo 1 > /proc/sys/net/ipv6/conf/all/forwarding");
    }
    on(REDIRECTING, "for d in all eth0; do echo 1 > /proc/sys/net/ipv4/conf/$d/send_redirects; done");
    fixture.lab.cutOff("s" + CUT_OFF);
  }

  @AfterAll
  static void down() {
    if (fixture != null) {
      fixture.close();
    }
  }

  private static void on(int server, String commands) {
    fixture.lab.must("s" + server, "sh", "-c", "set -e; " + commands);
  }

  private static List<String> pings(int server) {
    return List.of("ping," + Lab.server4(server), "ping," + Lab.server6(server));
  }

  private static List<String> direct(String protocol, int port, int server) {
    return List.of(
        protocol + "," + Lab.VIP4 + "," + port + "," + Lab.server4(server),
        protocol + "," + Lab.VIP6 + "," + port + "," + Lab.server6(server));
  }

  /** Asks everything at once; the counters' laws hold, and no probe was taken for a client's frame. */
  @SafeVarargs
  @SuppressWarnings("varargs") // only read
  private static Map<String, Found> probe(List<String>... probes) {
    List<String> all = Stream.of(probes).flatMap(List::stream).toList();
    String io = fixture.lab.io().toString();
    String[] arguments = Stream.concat(Stream.of(io), all.stream()).toArray(String[]::new);
    String output = fixture.lab.java("lb", LabProber.class, arguments).output();
    assertTrue(output.contains("eth0: io " + io + ": "), output);
    assertTrue(output.contains("law true forwarded 0 "), output);
    Map<String, Found> found = new LinkedHashMap<>();
    for (String probe : all) {
      output.lines().filter(line -> line.startsWith(probe + " ")).forEach(line -> found.put(probe, Found.of(line)));
    }
    assertEquals(all.size(), found.size(), output);
    return found;
  }

  private static void assertAll(Map<String, Found> found, List<String> probes, String reason, String... words) {
    for (String probe : probes) {
      Found one = found.get(probe);
      assertEquals(reason, one.reason(), () -> probe + ": " + one);
      List<String> missing = new ArrayList<>(List.of(words));
      missing.removeIf(one.words()::contains);
      assertEquals(List.of(), missing, () -> probe + ": " + one);
    }
  }

  @Test
  void shouldHearFromAServerThatIsWellAndFromItsClosedPorts() {
    List<String> open = Stream.of(pings(WELL), direct("tcp", WEB, WELL), direct("udp", UDP, WELL))
        .flatMap(List::stream).toList();
    List<String> closed = Stream.of(direct("tcp", CLOSED, WELL), direct("udp", CLOSED, WELL))
        .flatMap(List::stream).toList();
    Map<String, Found> found = probe(open, closed);
    assertAll(found, open, "ANSWERED");
    assertAll(found, closed, "REFUSED", "port " + CLOSED);
    open.forEach(probe -> {
      long elapsedUs = found.get(probe).elapsedUs();
      assertTrue(elapsedUs > 0 && elapsedUs < 1_000_000, probe + ": " + elapsedUs + " us");
    });
  }

  /** The kernel beside the balancer knows nobody who has the virtual address: the reset was the probe's own. */
  @Test
  void shouldLeaveNoConnectionBehind() {
    List<String> probes = direct("tcp", WEB, WELL);
    assertAll(probe(probes), probes, "ANSWERED");
    String sockets = fixture.lab.must("s" + WELL, "sh", "-c", "cat /proc/net/tcp /proc/net/tcp6");
    assertTrue(sockets.contains("00000000:0050"), sockets);
    assertFalse(sockets.contains("050200C0:"), sockets); // 192.0.2.5 in memory order, in whatever state
    assertFalse(sockets.contains("B80D01200000050000000000050000"), sockets); // the beginning of 2001:db8:5::5
  }

  @Test
  void shouldMissTheVirtualAddressOfAServerThatIsThere() {
    List<String> direct = Stream.of(direct("tcp", WEB, WITHOUT_VIP), direct("udp", UDP, WITHOUT_VIP))
        .flatMap(List::stream).toList();
    Map<String, Found> found = probe(pings(WITHOUT_VIP), direct);
    assertAll(found, pings(WITHOUT_VIP), "ANSWERED");
    assertAll(found, direct, "DSR_VIP_MISSING", "answers for itself but not as", "ip addr add");
  }

  /** The balancer answers for the virtual address: what the server does not keep comes back, and is no client's. */
  @Test
  void shouldMissTheVirtualAddressOfAServerThatForwards() {
    List<String> direct = Stream.of(
            direct("tcp", WEB, ROUTER), direct("udp", UDP, ROUTER),
            direct("tcp", WEB, REDIRECTING), direct("udp", UDP, REDIRECTING))
        .flatMap(List::stream).toList();
    assertAll(probe(direct), direct, "DSR_VIP_MISSING", "on instead of keeping them", "ip addr add");
  }

  @Test
  void shouldSayThatNobodyHasTheServersAddress() {
    Map<String, Found> found = probe(pings(CUT_OFF), direct("tcp", WEB, CUT_OFF), direct("udp", UDP, CUT_OFF));
    assertAll(found, List.copyOf(found.keySet()), "NO_NEIGHBOR", "does not answer");
  }

  @Test
  void shouldPingAcrossARouterAndBelieveItsErrors() {
    fixture.lab.must("rt", "ip", "route", "add", "prohibit", "203.0.113.0/24");
    fixture.lab.must("rt", "ip", "-6", "route", "add", "prohibit", "2001:db8:f::/64");
    List<String> far = List.of("ping," + Lab.CLIENTS4.get(0), "ping," + Lab.CLIENTS6.get(0));
    List<String> nowhere = List.of("ping," + Lab.OUTSIDE4, "ping," + Lab.OUTSIDE6);
    Map<String, Found> found = probe(far, nowhere);
    assertAll(found, far, "ANSWERED");
    assertAll(found, nowhere, "UNREACHABLE", "administratively prohibited, says ");
  }
}
