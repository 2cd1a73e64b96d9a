package io.lb4j.dsr;

import static org.assertj.core.api.Assertions.assertThat;

import io.lb4j.core.LoadBalancerBuilder;
import io.lb4j.frame.Verdict;
import io.lb4j.persistence.SourceIpPersistence;
import io.lb4j.schedule.Schedulers;
import io.lb4j.service.Activity;
import io.lb4j.service.ConnectionLimit;
import io.lb4j.service.DrainBehavior;
import io.lb4j.service.FlowEffect;
import io.lb4j.service.Health;
import io.lb4j.service.LostFlows;
import io.lb4j.service.Overflow;
import io.lb4j.service.VirtualService;
import io.lb4j.service.VirtualServiceBuilder;
import io.lb4j.service.WhenAllDown;
import io.lb4j.testkit.DocumentedTables;
import io.lb4j.testkit.FrameBuilder;
import io.lb4j.wire.TcpHeader;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Each row of the tables in {@code docs/operations.md}, done with frames (HC1, HC9, VS8, VS9, PE4). */
class OperationsTest {
  private static final DocumentedTables PAGE = DocumentedTables.of(Path.of("../docs/operations.md"));
  private static final Duration PERSISTENCE = Duration.ofSeconds(300);

  private static Stream<Arguments> rows(String heading) {
    return PAGE.table(heading).stream()
        .flatMap(row -> Stream.of(false, true).map(v6 -> Arguments.of(v6, row)));
  }

  private static <E extends Enum<E>> E value(Class<E> type, String word) {
    return Enum.valueOf(type, word.toUpperCase(Locale.ROOT).replace('-', '_'));
  }

  private static Set<String> words(Enum<?>[] values) {
    Set<String> words = new TreeSet<>();
    Arrays.stream(values).forEach(value -> words.add(value.name().toLowerCase(Locale.ROOT).replace('_', '-')));
    return words;
  }

  private static VirtualServiceBuilder udp(boolean v6) {
    return Lan.dns(v6).scheduler(Schedulers.roundRobin());
  }

  private static Verdict tcp(Lan lan, int client, int port, int flags) {
    return lan.process(lan.frame(client).tcp(port, 80, flags).numbers(flags == TcpHeader.SYN ? 1 : 2, 9));
  }

  private static Verdict datagram(Lan lan, int client, int port) {
    return lan.process(lan.frame(client).udp(port, 53));
  }

  // ---- activity and health -------------------------------------------------------------------------------------

  static Stream<Arguments> activities() {
    return rows("Activity and health");
  }

  @Test
  void shouldNameEachActivityWithEachHealth() {
    List<String> named = new ArrayList<>();
    PAGE.table("Activity and health")
        .forEach(row -> named.add(row.get("activity") + " " + row.get("health")));
    List<String> all = new ArrayList<>();
    for (Activity activity : Activity.values()) {
      for (Health health : Health.values()) {
        all.add((activity + " " + health).toLowerCase(Locale.ROOT));
      }
    }
    assertThat(named).containsExactlyInAnyOrderElementsOf(all);
  }

  @ParameterizedTest(name = "IPv6 {0}: {1}")
  @MethodSource("activities")
  void shouldTreatFlowsByActivityAndHealth(boolean v6, Map<String, String> row) {
    VirtualServiceBuilder web =
        Lan.tcp(v6).scheduler(Schedulers.roundRobin()).persistence(SourceIpPersistence.timeout(PERSISTENCE));
    try (Lan lan =
        new Lan(v6, b -> b.service(Lan.withServers(web, v6, 2)).service(Lan.withServers(udp(v6), v6, 2)))) {
      tcp(lan, 1, 4000, TcpHeader.SYN);
      assertThat(lan.lastServer()).isEqualTo("s1");
      tcp(lan, 1, 4000, TcpHeader.ACK);
      datagram(lan, 1, 4000);
      datagram(lan, 1, 4000);
      assertThat(lan.lastServer()).isEqualTo("s1");
      become(lan, "web", row);
      become(lan, "dns", row);

      assertThat(outcome(lan, tcp(lan, 1, 4000, TcpHeader.ACK))).as("connection").isEqualTo(row.get("connection"));
      assertThat(outcome(lan, datagram(lan, 1, 4000))).as("UDP flow").isEqualTo(row.get("UDP flow"));
      assertThat(outcome(lan, tcp(lan, 1, 4001, TcpHeader.SYN))).as("known client").isEqualTo(row.get("known client"));
      Set<String> newFlows = new TreeSet<>();
      for (int client = 10; client < 14; client++) {
        newFlows.add(outcome(lan, tcp(lan, client, 4000, TcpHeader.SYN)));
      }
      assertThat(newFlows.contains("this server") ? "this server" : "another").isEqualTo(row.get("new flow"));
      assertThat(newFlows).isSubsetOf("this server", "another");
    }
  }

  private static void become(Lan lan, String service, Map<String, String> row) {
    VirtualService declared = lan.balancer.service(service).declaration();
    Activity activity = value(Activity.class, row.get("activity"));
    lan.balancer.replaceService(declared.withServer("s1", server -> server.withActivity(activity)));
    lan.balancer.service(service).realServer("s2").report(Health.UP);
    Health health = value(Health.class, row.get("health"));
    if (health != Health.UNKNOWN) {
      lan.balancer.service(service).realServer("s1").report(health);
    }
  }

  private static String outcome(Lan lan, Verdict verdict) {
    if (verdict == Verdict.FORWARD) {
      return lan.lastServer().equals("s1") ? "this server" : "another";
    }
    return verdict == Verdict.ANSWER ? "told" : verdict == Verdict.SERVER_GONE ? "dropped" : verdict.name();
  }

  /** "Weight 0 is the same as drain" (SC15). */
  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void shouldTakeWeight0ForADrain(boolean v6) {
    List<String> seen = new ArrayList<>();
    for (boolean byWeight : new boolean[] {false, true}) {
      VirtualServiceBuilder web =
          Lan.tcp(v6).scheduler(Schedulers.roundRobin()).persistence(SourceIpPersistence.timeout(PERSISTENCE));
      try (Lan lan = new Lan(v6, b -> b.service(Lan.withServers(web, v6, 2)))) {
        StringBuilder outcomes = new StringBuilder();
        tcp(lan, 1, 4000, TcpHeader.SYN);
        tcp(lan, 1, 4000, TcpHeader.ACK);
        if (byWeight) {
          lan.balancer.service("web").realServer("s1").weight(0);
        } else {
          lan.balancer.service("web").realServer("s1").drain();
        }
        outcomes.append(outcome(lan, tcp(lan, 1, 4000, TcpHeader.ACK)));
        outcomes.append(outcome(lan, tcp(lan, 1, 4001, TcpHeader.SYN)));
        for (int client = 10; client < 20; client++) {
          outcomes.append(outcome(lan, tcp(lan, client, 4000, TcpHeader.SYN)));
        }
        seen.add(outcomes.toString());
      }
    }
    assertThat(seen.get(0)).isEqualTo(seen.get(1)).startsWith("this serverthis serveranother").endsWith("another");
  }

  // ---- standby servers -----------------------------------------------------------------------------------------

  static Stream<Arguments> tiers() {
    return rows("Standby servers, and when all are down");
  }

  @ParameterizedTest(name = "IPv6 {0}: {1}")
  @MethodSource("tiers")
  void shouldSendNewFlowsToTheFirstTierThatServes(boolean v6, Map<String, String> row) {
    VirtualServiceBuilder web =
        Lan.tcp(v6)
            .scheduler(Schedulers.roundRobin())
            .whenAllDown(value(WhenAllDown.class, row.get("when-all-down")))
            .realServer("a", Lan.server(v6, 1))
            .realServer("b", Lan.server(v6, 2), s -> s.activity(Activity.STANDBY))
            .realServer("c", Lan.server(v6, 3), s -> s.activity(Activity.STANDBY).tier(2));
    try (Lan lan = new Lan(v6, b -> b.service(web))) {
      for (String server : List.of("a", "b", "c")) {
        lan.balancer.service("web").realServer(server).report(value(Health.class, row.get(server)));
      }
      for (int port = 4000; port < 4003; port++) {
        Verdict verdict = tcp(lan, 1, port, TcpHeader.SYN);
        String went = verdict == Verdict.NO_SERVER ? "nobody" : lan.lastServer();
        assertThat(went).isEqualTo(row.get("new flows"));
      }
    }
  }

  /** VS8: all online servers fail, and recover. */
  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void shouldReturnNewFlowsAndLeaveOldOnesWhenAnOnlineServerServesAgain(boolean v6) {
    VirtualServiceBuilder web =
        Lan.tcp(v6)
            .persistence(SourceIpPersistence.timeout(PERSISTENCE))
            .realServer("a", Lan.server(v6, 1))
            .realServer("b", Lan.server(v6, 2), s -> s.activity(Activity.STANDBY));
    try (Lan lan = new Lan(v6, b -> b.service(web))) {
      assertThat(lan.serverOf(lan.frame(1).tcp(4000, 80, TcpHeader.SYN))).isEqualTo("a");
      lan.balancer.service("web").realServer("a").report(Health.DOWN);
      assertThat(lan.serverOf(lan.frame(2).tcp(4000, 80, TcpHeader.SYN))).isEqualTo("b");
      tcp(lan, 2, 4000, TcpHeader.ACK);
      assertThat(lan.serverOf(lan.frame(1).tcp(4001, 80, TcpHeader.SYN))).as("a known client").isEqualTo("b");
      lan.balancer.service("web").realServer("a").report(Health.UP);
      assertThat(lan.serverOf(lan.frame(3).tcp(4000, 80, TcpHeader.SYN))).isEqualTo("a");
      assertThat(lan.serverOf(lan.frame(2).tcp(4000, 80, TcpHeader.ACK).numbers(2, 9))).isEqualTo("b");
      assertThat(lan.serverOf(lan.frame(2).tcp(4001, 80, TcpHeader.SYN))).as("a known client").isEqualTo("a");
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void shouldLeaveDrainingServersAloneWhenAllAreDown(boolean v6) {
    VirtualServiceBuilder web =
        Lan.tcp(v6)
            .whenAllDown(WhenAllDown.OPEN)
            .realServer("a", Lan.server(v6, 1), s -> s.activity(Activity.DRAIN))
            .realServer("b", Lan.server(v6, 2), s -> s.weight(0));
    try (Lan lan = new Lan(v6, b -> b.service(web))) {
      assertThat(tcp(lan, 1, 4000, TcpHeader.SYN)).isEqualTo(Verdict.NO_SERVER);
    }
  }

  // ---- drain ---------------------------------------------------------------------------------------------------

  static Stream<Arguments> drains() {
    return Arrays.stream(DrainBehavior.values())
        .flatMap(behavior -> Stream.of(false, true).map(v6 -> Arguments.of(v6, behavior)));
  }

  @ParameterizedTest(name = "IPv6 {0}: {1}")
  @MethodSource("drains")
  void shouldTellEachStoryOfADrain(boolean v6, DrainBehavior behavior) {
    String column = behavior.name().toLowerCase(Locale.ROOT).replace('_', '-');
    VirtualServiceBuilder web =
        Lan.tcp(v6)
            .scheduler(Schedulers.roundRobin())
            .drain(behavior)
            .persistence(SourceIpPersistence.timeout(PERSISTENCE));
    try (Lan lan = new Lan(v6, b -> b.service(Lan.withServers(web, v6, 2)))) {
      long second = 0;
      int port = 4000;
      for (Map<String, String> row : PAGE.table("Draining a server")) {
        for (long at = Long.parseLong(row.get("at").replace(" s", "")); second < at; second++) {
          lan.after(1_000);
        }
        switch (row.get("who")) {
          case "A visits" -> assertThat(visit(lan, 1, port++)).as("%s", row).isEqualTo(row.get(column));
          case "C visits" -> assertThat(visit(lan, 3, port++)).as("%s", row).isEqualTo(row.get(column));
          case "s1 drains" -> lan.balancer.service("web").realServer("s1").drain();
          default -> throw new AssertionError(row);
        }
      }
    }
  }

  /** A connection that is closed at once; answers its server. */
  private static String visit(Lan lan, int client, int port) {
    String server = lan.serverOf(lan.frame(client).tcp(port, 80, TcpHeader.SYN).numbers(1, 0));
    tcp(lan, client, port, TcpHeader.ACK);
    tcp(lan, client, port, TcpHeader.FIN | TcpHeader.ACK);
    return server;
  }

  /** "A connection that is open when the drain begins goes on in all three." */
  @ParameterizedTest(name = "IPv6 {0}: {1}")
  @MethodSource("drains")
  void shouldLetOpenConnectionsGoOnWhileTheirServerDrains(boolean v6, DrainBehavior behavior) {
    VirtualServiceBuilder web =
        Lan.tcp(v6).scheduler(Schedulers.roundRobin()).drain(behavior).persistence(SourceIpPersistence.create());
    try (Lan lan = new Lan(v6, b -> b.service(Lan.withServers(web, v6, 2)))) {
      tcp(lan, 1, 4000, TcpHeader.SYN);
      lan.balancer.service("web").realServer("s1").drain();
      for (int minute = 0; minute < 60; minute++) {
        assertThat(outcome(lan, tcp(lan, 1, 4000, TcpHeader.ACK))).isEqualTo("this server");
        lan.after(60_000);
      }
    }
  }

  @Test
  void shouldKnowTheDrainBehaviorsOfThePage() {
    Set<String> columns = new TreeSet<>(PAGE.table("Draining a server").get(0).keySet());
    columns.removeAll(Set.of("at", "who"));
    assertThat(columns).isEqualTo(words(DrainBehavior.values()));
  }

  // ---- lost flows ----------------------------------------------------------------------------------------------

  static Stream<Arguments> fates() {
    return rows("Flows that lose their server");
  }

  @ParameterizedTest(name = "IPv6 {0}: {1}")
  @MethodSource("fates")
  void shouldMeetTheDeclaredFate(boolean v6, Map<String, String> row) {
    LostFlows.Fate fate = value(LostFlows.Fate.class, row.get("fate"));
    LostFlows fates = new LostFlows(fate, fate);
    VirtualServiceBuilder web = Lan.tcp(v6).scheduler(Schedulers.roundRobin()).whenServerDown(fates);
    VirtualServiceBuilder dns = udp(v6).whenServerDown(fates);
    try (Lan lan =
        new Lan(v6, b -> b.service(Lan.withServers(web, v6, 2)).service(Lan.withServers(dns, v6, 2)))) {
      tcp(lan, 1, 4000, TcpHeader.SYN);
      tcp(lan, 1, 4000, TcpHeader.ACK);
      datagram(lan, 1, 4000);
      lan.balancer.service("web").realServer("s1").report(Health.DOWN);
      lan.balancer.service("dns").realServer("s1").report(Health.DOWN);
      assertThat(outcome(lan, tcp(lan, 1, 4000, TcpHeader.ACK))).isEqualTo(row.get("TCP segment"));
      assertThat(outcome(lan, datagram(lan, 1, 4000))).isEqualTo(row.get("datagram"));
    }
  }

  // ---- limits --------------------------------------------------------------------------------------------------

  static Stream<Arguments> overflows() {
    return rows("Limits");
  }

  @ParameterizedTest(name = "IPv6 {0}: {1}")
  @MethodSource("overflows")
  void shouldTellARefusedClientWhatIsDeclared(boolean v6, Map<String, String> row) {
    Overflow overflow = value(Overflow.class, row.get("overflow"));
    try (Lan lan = new Lan(v6, b -> limited(limited(b, Lan.tcp(v6), v6, overflow), udp(v6), v6, overflow))) {
      tcp(lan, 1, 4000, TcpHeader.SYN);
      datagram(lan, 1, 4000);
      assertThat(heard(lan, tcp(lan, 1, 4001, TcpHeader.SYN))).isEqualTo(row.get("TCP client"));
      assertThat(heard(lan, datagram(lan, 1, 4001))).isEqualTo(row.get("UDP client"));
    }
  }

  private static LoadBalancerBuilder limited(
      LoadBalancerBuilder builder, VirtualServiceBuilder service, boolean v6, Overflow overflow) {
    return builder.service(
        service
            .maxConnections(ConnectionLimit.of(1), overflow)
            .realServer("s1", Lan.server(v6, 1))
            .realServer("spare", Lan.server(v6, 2), s -> s.activity(Activity.STANDBY)));
  }

  private static String heard(Lan lan, Verdict verdict) {
    if (verdict == Verdict.FORWARD) {
      return lan.lastServer().equals("spare") ? "a standby server" : "taken";
    }
    if (verdict == Verdict.CONNECTION_LIMIT && lan.sent.isEmpty()) {
      return "nothing";
    }
    assertThat(verdict).isEqualTo(Verdict.ANSWER);
    assertThat(lan.sent).hasSize(1);
    String frame = lan.sent.remove(0);
    int network = 2 * 14;
    int protocol = network + (lan.v6 ? 12 : 18);
    boolean tcp = frame.startsWith("06", protocol);
    int transport = network + 2 * (lan.v6 ? 40 : 20);
    if (tcp) {
      int flags = Integer.parseInt(frame.substring(transport + 26, transport + 28), 16);
      return (flags & TcpHeader.RST) != 0 ? "reset" : "TCP " + flags;
    }
    return switch (frame.substring(transport, transport + 4)) {
      case "0303", "0104" -> "port unreachable";
      case "030d", "0101" -> "prohibited";
      default -> "ICMP " + frame.substring(transport, transport + 4);
    };
  }

  // ---- plans ---------------------------------------------------------------------------------------------------

  @Test
  void shouldNameEveryEffectOfAPlan() {
    Set<String> named = new TreeSet<>();
    PAGE.table("What a plan says").forEach(row -> named.add(row.get("effect")));
    assertThat(named).isEqualTo(words(FlowEffect.values()));
  }
}
