package io.lb4j.gateway;

import static org.assertj.core.api.Assertions.assertThat;

import io.lb4j.frame.Verdict;
import io.lb4j.persistence.SourceIpPersistence;
import io.lb4j.schedule.Schedulers;
import io.lb4j.service.Activity;
import io.lb4j.service.ConnectionLimit;
import io.lb4j.service.DrainBehavior;
import io.lb4j.service.Health;
import io.lb4j.service.LostFlows;
import io.lb4j.service.Overflow;
import io.lb4j.service.VirtualServiceBuilder;
import io.lb4j.service.WhenAllDown;
import io.lb4j.testkit.DocumentedTables;
import io.lb4j.wire.TcpHeader;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** The rows of {@code docs/operations.md} for services whose addresses are translated. */
class OperationsTest {
  private static final DocumentedTables PAGE = DocumentedTables.of(Path.of("../docs/operations.md"));
  private static final SourceIpPersistence PERSISTENCE = SourceIpPersistence.timeout(Duration.ofSeconds(300));

  private static Stream<Arguments> rows(String heading) {
    return PAGE.table(heading).stream()
        .flatMap(row -> Stream.of(false, true).map(v6 -> Arguments.of(v6, row)));
  }

  private static <E extends Enum<E>> E value(Class<E> type, String word) {
    return Enum.valueOf(type, word.toUpperCase(Locale.ROOT).replace('-', '_'));
  }

  private static Network.Result tcp(Network net, int client, int port, int flags, int sequence) {
    return net.fromOutside(
        net.to(net.vip(), net.peer(client)).tcp(port, 80, flags).numbers(sequence, flags == TcpHeader.SYN ? 0 : 7001));
  }

  private static Network.Result datagram(Network net, int client, int port) {
    return net.fromOutside(net.to(net.vip(), net.peer(client)).udp(port, 53).payload((byte) 1));
  }

  /** A connection that both ends have opened; answers the number of its server. */
  private static int connect(Network net, int client, int port) {
    String destination = tcp(net, client, port, TcpHeader.SYN, 1).forwarded().destination();
    int server = destination.equals(net.inside(1)) ? 1 : destination.equals(net.inside(2)) ? 2 : 3;
    int flags = TcpHeader.SYN | TcpHeader.ACK;
    net.fromInside(net.from(server, net.peer(client)).tcp(8080, port, flags).numbers(7000, 2)).forwarded();
    tcp(net, client, port, TcpHeader.ACK, 2).forwarded();
    return server;
  }

  private static void close(Network net, int client, int port, int server) {
    int flags = TcpHeader.FIN | TcpHeader.ACK;
    tcp(net, client, port, flags, 2).forwarded();
    net.fromInside(net.from(server, net.peer(client)).tcp(8080, port, flags).numbers(7001, 3)).forwarded();
    tcp(net, client, port, TcpHeader.ACK, 3);
  }

  private static String outcome(Network net, Network.Result result) {
    if (result.verdict() == Verdict.FORWARD) {
      return result.forwarded().destination().equals(net.inside(1)) ? "this server" : "another";
    }
    return result.verdict() == Verdict.ANSWER ? "told" : result.verdict() == Verdict.SERVER_GONE ? "dropped" : "?";
  }

  static Stream<Arguments> activities() {
    return rows("Activity and health");
  }

  @ParameterizedTest(name = "IPv6 {0}: {1}")
  @MethodSource("activities")
  void shouldTreatSessionsByActivityAndHealth(boolean v6, Map<String, String> row) {
    VirtualServiceBuilder web = Network.web(v6, 2).scheduler(Schedulers.roundRobin()).persistence(PERSISTENCE);
    VirtualServiceBuilder dns = Network.dns(v6, 2).scheduler(Schedulers.roundRobin());
    try (Network net = Network.options(v6).hosts(2).service(web).service(dns).open()) {
      assertThat(connect(net, 1, 4000)).isEqualTo(1);
      datagram(net, 1, 4000);
      assertThat(outcome(net, datagram(net, 1, 4000))).isEqualTo("this server");
      become(net, "web", row);
      become(net, "dns", row);

      assertThat(outcome(net, tcp(net, 1, 4000, TcpHeader.ACK, 2))).as("connection").isEqualTo(row.get("connection"));
      assertThat(outcome(net, datagram(net, 1, 4000))).as("UDP flow").isEqualTo(row.get("UDP flow"));
      assertThat(outcome(net, tcp(net, 1, 4001, TcpHeader.SYN, 1))).isEqualTo(row.get("known client"));
      Set<String> newFlows = new TreeSet<>();
      for (int client = 10; client < 14; client++) {
        newFlows.add(outcome(net, tcp(net, client, 4000, TcpHeader.SYN, 1)));
      }
      assertThat(newFlows.contains("this server") ? "this server" : "another").isEqualTo(row.get("new flow"));
      assertThat(newFlows).isSubsetOf("this server", "another");
    }
  }

  private static void become(Network net, String service, Map<String, String> row) {
    Activity activity = value(Activity.class, row.get("activity"));
    net.balancer.replaceService(
        net.balancer.service(service).declaration().withServer("s1", server -> server.withActivity(activity)));
    net.balancer.service(service).realServer("s2").report(Health.UP);
    Health health = value(Health.class, row.get("health"));
    if (health != Health.UNKNOWN) {
      net.balancer.service(service).realServer("s1").report(health);
    }
  }

  static Stream<Arguments> tiers() {
    return rows("Standby servers, and when all are down");
  }

  @ParameterizedTest(name = "IPv6 {0}: {1}")
  @MethodSource("tiers")
  void shouldSendNewSessionsToTheFirstTierThatServes(boolean v6, Map<String, String> row) {
    VirtualServiceBuilder web =
        Network.web(v6, 0)
            .whenAllDown(value(WhenAllDown.class, row.get("when-all-down")))
            .realServer("a", Network.inside(v6, 1))
            .realServer("b", Network.inside(v6, 2), s -> s.activity(Activity.STANDBY))
            .realServer("c", Network.inside(v6, 3), s -> s.activity(Activity.STANDBY).tier(2));
    try (Network net = Network.options(v6).hosts(3).service(web).open()) {
      for (String server : List.of("a", "b", "c")) {
        net.balancer.service("web").realServer(server).report(value(Health.class, row.get(server)));
      }
      Network.Result result = tcp(net, 1, 4000, TcpHeader.SYN, 1);
      String went =
          result.verdict() == Verdict.NO_SERVER
              ? "nobody"
              : net.path.serverName(net.path.last().binding()).orElseThrow().replace("web/", "");
      assertThat(went).isEqualTo(row.get("new flows"));
    }
  }

  static Stream<Arguments> drains() {
    return Arrays.stream(DrainBehavior.values())
        .flatMap(behavior -> Stream.of(false, true).map(v6 -> Arguments.of(v6, behavior)));
  }

  @ParameterizedTest(name = "IPv6 {0}: {1}")
  @MethodSource("drains")
  void shouldTellEachStoryOfADrain(boolean v6, DrainBehavior behavior) {
    String column = behavior.name().toLowerCase(Locale.ROOT).replace('_', '-');
    VirtualServiceBuilder web =
        Network.web(v6, 2).scheduler(Schedulers.roundRobin()).drain(behavior).persistence(PERSISTENCE);
    try (Network net = Network.options(v6).hosts(2).sessions(64).service(web).open()) {
      long second = 0;
      int port = 4000;
      for (Map<String, String> row : PAGE.table("Draining a server")) {
        for (long at = Long.parseLong(row.get("at").replace(" s", "")); second < at; second++) {
          net.nowNs += 1_000_000_000L;
          net.path.tick(net.nowNs, (link, frame, marks) -> frame.release());
        }
        if (row.get("who").equals("s1 drains")) {
          net.balancer.service("web").realServer("s1").drain();
        } else {
          int client = row.get("who").startsWith("A") ? 1 : 3;
          int server = connect(net, client, port);
          close(net, client, port++, server);
          assertThat("s" + server).as("%s", row).isEqualTo(row.get(column));
        }
      }
    }
  }

  static Stream<Arguments> fates() {
    return rows("Flows that lose their server");
  }

  @ParameterizedTest(name = "IPv6 {0}: {1}")
  @MethodSource("fates")
  void shouldMeetTheDeclaredFate(boolean v6, Map<String, String> row) {
    LostFlows.Fate fate = value(LostFlows.Fate.class, row.get("fate"));
    LostFlows fates = new LostFlows(fate, fate);
    VirtualServiceBuilder web = Network.web(v6, 2).scheduler(Schedulers.roundRobin()).whenServerDown(fates);
    VirtualServiceBuilder dns = Network.dns(v6, 2).scheduler(Schedulers.roundRobin()).whenServerDown(fates);
    try (Network net = Network.options(v6).hosts(2).service(web).service(dns).open()) {
      connect(net, 1, 4000);
      datagram(net, 1, 4000);
      net.balancer.service("web").realServer("s1").report(Health.DOWN);
      net.balancer.service("dns").realServer("s1").report(Health.DOWN);
      assertThat(outcome(net, tcp(net, 1, 4000, TcpHeader.ACK, 2))).isEqualTo(row.get("TCP segment"));
      assertThat(outcome(net, datagram(net, 1, 4000))).isEqualTo(row.get("datagram"));
    }
  }

  static Stream<Arguments> overflows() {
    return rows("Limits");
  }

  @ParameterizedTest(name = "IPv6 {0}: {1}")
  @MethodSource("overflows")
  void shouldTellARefusedClientWhatIsDeclared(boolean v6, Map<String, String> row) {
    Overflow overflow = value(Overflow.class, row.get("overflow"));
    ConnectionLimit one = ConnectionLimit.of(1);
    String spare = Network.inside(v6, 2);
    VirtualServiceBuilder web = Network.web(v6, 1).maxConnections(one, overflow);
    VirtualServiceBuilder dns = Network.dns(v6, 1).maxConnections(one, overflow);
    web.realServer("spare", spare, s -> s.activity(Activity.STANDBY));
    dns.realServer("spare", spare, s -> s.activity(Activity.STANDBY));
    try (Network net = Network.options(v6).hosts(2).service(web).service(dns).open()) {
      tcp(net, 1, 4000, TcpHeader.SYN, 1).forwarded();
      datagram(net, 1, 4000).forwarded();
      assertThat(heard(net, tcp(net, 1, 4001, TcpHeader.SYN, 1))).isEqualTo(row.get("TCP client"));
      assertThat(heard(net, datagram(net, 1, 4001))).isEqualTo(row.get("UDP client"));
    }
  }

  private static String heard(Network net, Network.Result result) {
    if (result.verdict() == Verdict.FORWARD) {
      return result.forwarded().destination().equals(net.inside(2)) ? "a standby server" : "taken";
    }
    if (result.verdict() == Verdict.CONNECTION_LIMIT && result.sent().isEmpty()) {
      return "nothing";
    }
    Packet told = result.error(Verdict.ANSWER);
    assertThat(told.destination()).isEqualTo(net.peer(1));
    if (told.protocol == Packet.TCP) {
      return (told.flags() & TcpHeader.RST) != 0 ? "reset" : "TCP " + told.flags();
    }
    return switch (told.icmpType() + "/" + told.icmpCode()) {
      case "3/3", "1/4" -> "port unreachable";
      case "3/13", "1/1" -> "prohibited";
      default -> told.toString();
    };
  }
}
