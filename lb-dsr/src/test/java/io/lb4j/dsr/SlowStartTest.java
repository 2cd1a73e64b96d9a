package io.lb4j.dsr;

import static org.assertj.core.api.Assertions.assertThat;

import io.lb4j.core.ServerControl;
import io.lb4j.schedule.Schedulers;
import io.lb4j.service.Activity;
import io.lb4j.service.Health;
import io.lb4j.service.RealServer;
import io.lb4j.service.VirtualServiceBuilder;
import io.lb4j.service.WhenAllDown;
import io.lb4j.settings.ConfigurationError;
import io.lb4j.settings.ConfigurationException;
import io.lb4j.wire.TcpHeader;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.assertj.core.api.Assertions;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * A server that comes to others begins with few flows: never more than its fair share times the time that has passed.
 */
@Tag("one-jdk")
class SlowStartTest {
  private static final int PERIOD_MILLIS = 5_000;
  private static final List<String> DISCIPLINES = List.of("rr", "wrr", "lc", "wlc", "sed", "nq", "p2c", "fastest");
  private static final int[] WEIGHTS = {3, 1, 2, 4};
  private static final Map<String, Consumer<ServerControl>> ARRIVALS =
      Map.of(
          "recovers", server -> server.report(Health.UP),
          "ends its drain", ServerControl::online,
          "comes back from offline", ServerControl::online,
          "comes off standby", ServerControl::online,
          "gets a weight", server -> server.weight(WEIGHTS[3]));

  private final Random random = new Random(5);
  private final List<Integer> open = new ArrayList<>();
  private Lan lan;
  private int nextPort = 1024;

  @AfterEach
  void close() {
    lan.close();
  }

  /** Four servers of which the last is not there yet. */
  private void open(boolean v6, String discipline, Consumer<VirtualServiceBuilder> options) {
    VirtualServiceBuilder web = Lan.tcp(v6).scheduler(Schedulers.named(discipline).orElseThrow());
    for (int n = 1; n <= 3; n++) {
      int weight = WEIGHTS[n - 1];
      web.realServer("s" + n, address(v6, n), s -> s.weight(weight));
    }
    options.accept(web.slowStart(Duration.ofMillis(PERIOD_MILLIS)));
    lan = new Lan(v6, b -> b.service(web).flowTable(1 << 15).neighbor(address(v6, 4), Lan.mac(4)));
  }

  private static String address(boolean v6, int n) {
    return Lan.server(v6, n);
  }

  private static double fairShare(String discipline) {
    int weights = Arrays.stream(WEIGHTS).sum();
    return Schedulers.named(discipline).orElseThrow().usesWeights() ? WEIGHTS[3] / (double) weights : 0.25;
  }

  /** A new flow every few milliseconds; most end after a while. */
  private String flow() {
    lan.nowNs += 1 + random.nextInt(6_000_000);
    int port = nextPort++;
    String server = lan.serverOf(lan.frame(1).tcp(port, 80, TcpHeader.SYN).numbers(1, 0));
    open.add(port);
    if (open.size() > 200) {
      int ends = open.remove(random.nextInt(open.size()));
      lan.process(lan.frame(1).tcp(ends, 80, TcpHeader.FIN | TcpHeader.ACK).numbers(2, 1));
    }
    return server;
  }

  private void settle() {
    for (int i = 0; i < 300; i++) {
      assertThat(flow()).isNotEqualTo("s4");
    }
  }

  /**
   * Sends flows until the period is over. At each of them the server has had no more than its fair share of all so far
   * times the part of the period that has passed; not even its fair share of each, times the part at that time.
   */
  private void ramp(String discipline, long beganNs) {
    double share = fairShare(discipline);
    int flows = 0;
    int own = 0;
    double earned = 0;
    while (lan.nowNs - beganNs < PERIOD_MILLIS * 1_000_000L) {
      flows++;
      own += flow().equals("s4") ? 1 : 0;
      double passed = (lan.nowNs - beganNs) / (PERIOD_MILLIS * 1e6);
      earned += share * Math.min(1, passed);
      assertThat((double) own).as("of %d flows", flows).isLessThanOrEqualTo(share * flows * Math.min(1, passed) + 1);
      assertThat((double) own).as("of %f that were earned", earned).isLessThanOrEqualTo(earned + 1);
    }
    assertThat(flows).isGreaterThan(1_200);
    assertThat((double) own).as("of %f that were earned", earned).isGreaterThan(0.85 * earned - 2);
  }

  /** After that it has its share; where active flows decide more than that, until it has as many as others. */
  private void wholeShare(String discipline) {
    int own = 0;
    for (int i = 0; i < 800; i++) {
      own += flow().equals("s4") ? 1 : 0;
    }
    assertThat((double) own).isBetween(0.9 * 800 * fairShare(discipline), 1.6 * 800 * fairShare(discipline));
  }

  static Stream<Arguments> disciplinesAndArrivals() {
    return DISCIPLINES.stream()
        .flatMap(discipline -> ARRIVALS.keySet().stream().sorted().map(how -> Arguments.of(discipline, how)));
  }

  @ParameterizedTest(name = "{0}: {1}")
  @MethodSource("disciplinesAndArrivals")
  void shouldRampUpAServerThatComesBack(String discipline, String how) {
    boolean v6 = how.length() % 2 == 0;
    open(v6, discipline, web -> web.realServer("s4", address(v6, 4), s -> as(how, s.weight(WEIGHTS[3]))));
    ServerControl server = lan.balancer.service("web").realServer("s4");
    if (how.equals("recovers")) {
      server.report(Health.DOWN);
    }
    settle();
    ARRIVALS.get(how).accept(server);
    ramp(discipline, lan.nowNs);
    wholeShare(discipline);
  }

  private static RealServer.Options as(String how, RealServer.Options options) {
    return switch (how) {
      case "ends its drain" -> options.activity(Activity.DRAIN);
      case "comes back from offline" -> options.activity(Activity.OFFLINE);
      case "comes off standby" -> options.activity(Activity.STANDBY);
      case "gets a weight" -> options.weight(0);
      default -> options;
    };
  }

  static Stream<Arguments> disciplinesAndFamilies() {
    return DISCIPLINES.stream().flatMap(name -> Stream.of(Arguments.of(name, false), Arguments.of(name, true)));
  }

  @ParameterizedTest(name = "{0}, IPv6 {1}")
  @MethodSource("disciplinesAndFamilies")
  void shouldRampUpAServerThatIsAdded(String discipline, boolean v6) {
    open(v6, discipline, web -> {});
    settle();
    add();
    ramp(discipline, lan.nowNs);
    wholeShare(discipline);
  }

  private void add() {
    lan.balancer.replaceService(
        lan.balancer.services().get(0).toBuilder()
            .realServer("s4", address(lan.v6, 4), s -> s.weight(WEIGHTS[3]))
            .build());
  }

  /** Another server's weight, drain and limit, and a setting of the service. */
  @ParameterizedTest
  @ValueSource(strings = {"rr", "wrr", "lc", "wlc", "sed", "nq", "p2c", "fastest"})
  void shouldKeepARampGoingOverChangesThatDoNotConcernTheServer(String discipline) {
    open(false, discipline, web -> {});
    settle();
    add();
    long began = lan.nowNs;
    int flows = 0;
    int own = 0;
    while (lan.nowNs - began < PERIOD_MILLIS * 1_000_000L) {
      if (++flows % 10 == 0) {
        change(flows / 10);
      }
      own += flow().equals("s4") ? 1 : 0;
      double passed = (lan.nowNs - began) / (PERIOD_MILLIS * 1e6);
      double most = 0.6; // of the flows: with s1 at weight 1, or draining, more is fair than without
      assertThat((double) own).isLessThanOrEqualTo(most * flows * Math.min(1, passed) + 1);
    }
    assertThat((double) own).isGreaterThan(0.35 * fairShare(discipline) * flows);
    assertThat(own).isLessThan(flows * 3 / 10);
  }

  private void change(int number) {
    ServerControl other = lan.balancer.service("web").realServer("s1");
    switch (number % 4) {
      case 0 -> other.weight(1);
      case 1 -> other.weight(WEIGHTS[0]);
      case 2 -> other.drain();
      default -> other.online();
    }
  }

  @Test
  void shouldBeginAnewWhenTheServerFailsAgain() {
    open(false, "wlc", web -> {});
    settle();
    add();
    ServerControl server = lan.balancer.service("web").realServer("s4");
    ramp("wlc", lan.nowNs);
    server.report(Health.DOWN);
    settle();
    server.report(Health.UP);
    ramp("wlc", lan.nowNs);
  }

  @Test
  void shouldLetAllBeginAtOnceWhenNobodyIsSettled() {
    open(false, "rr", web -> web.realServer("s4", address(false, 4)));
    List<String> first = Stream.generate(this::flow).limit(4).toList();
    assertThat(first).containsExactlyInAnyOrder("s1", "s2", "s3", "s4");
    for (int n = 1; n <= 4; n++) {
      lan.balancer.service("web").realServer("s" + n).report(Health.DOWN);
    }
    lan.balancer.service("web").realServer("s2").report(Health.UP);
    assertThat(flow()).as("the first to recover is alone").isEqualTo("s2");
    assertThat(flow()).isEqualTo("s2");
  }

  @Test
  void shouldUseAllAtOnceWhenAllAreDownAndTheServiceIsOpen() {
    open(false, "rr", web -> web.whenAllDown(WhenAllDown.OPEN).realServer("s4", address(false, 4)));
    lan.balancer.service("web").realServer("s4").report(Health.DOWN);
    settle();
    for (int n = 1; n <= 3; n++) {
      lan.balancer.service("web").realServer("s" + n).report(Health.DOWN);
    }
    assertThat(Stream.generate(this::flow).limit(4)).containsExactlyInAnyOrder("s1", "s2", "s3", "s4");
  }

  /** It is far behind in active flows, and no longer held back for that. */
  @Test
  void shouldCountAsAnyOtherAfterItsPeriodThoughAnotherIsStarting() {
    open(false, "lc", web -> {});
    settle();
    add();
    lan.after(PERIOD_MILLIS - 100);
    lan.balancer.service("web").realServer("s1").report(Health.DOWN);
    lan.balancer.service("web").realServer("s1").report(Health.UP);
    lan.after(200);
    flow();
    for (int i = 0; i < 20; i++) {
      assertThat(flow()).isEqualTo("s4");
    }
  }

  @Test
  void shouldGiveUpARampWhenTheSettledServersGo() {
    open(false, "wrr", web -> {});
    settle();
    add();
    for (int n = 1; n <= 3; n++) {
      lan.balancer.service("web").realServer("s" + n).offline();
    }
    open.clear();
    for (int i = 0; i < 10; i++) {
      assertThat(flow()).isEqualTo("s4");
    }
  }

  @Test
  void shouldStartAtOnceWithoutThisSetting() {
    open(false, "rr", web -> web.slowStart(Duration.ZERO));
    settle();
    add();
    assertThat(Stream.generate(this::flow).limit(8).filter("s4"::equals).count()).isEqualTo(2);
  }

  @ParameterizedTest
  @ValueSource(strings = {"sh", "maglev", "hrw"})
  void shouldRefuseSlowStartWhereTheHashDecides(String discipline) {
    open(false, "rr", web -> {});
    VirtualServiceBuilder hashed =
        Lan.tcp(false).scheduler(Schedulers.named(discipline).orElseThrow()).slowStart(Duration.ofSeconds(1));
    Assertions.assertThatThrownBy(hashed::build)
        .isInstanceOfSatisfying(
            ConfigurationException.class,
            e -> {
              assertThat(e.error()).isEqualTo(ConfigurationError.CONTRADICTION);
              assertThat(e.setting()).isEqualTo("service web: slow-start");
            });
  }

  /** A full server's flows go to settled ones first, and to a starting one before a client is refused. */
  @Test
  void shouldUseAStartingServerBeforeItRefusesAClient() {
    open(false, "wlc", web -> {});
    settle();
    add();
    for (int n = 1; n <= 3; n++) {
      String name = "s" + n;
      lan.balancer.replaceService(
          lan.balancer.services().get(0).withServer(name, s -> limited(s, 1)));
    }
    assertThat(flow()).isEqualTo("s4");
    assertThat(flow()).isEqualTo("s4");
  }

  private static RealServer limited(RealServer server, int most) {
    return new RealServer.Options().weight(server.weight()).maxConnections(most).build(server.name(), server.address());
  }
}
