package io.lb4j.control;

import static org.assertj.core.api.Assertions.assertThat;

import io.lb4j.event.Event;
import io.lb4j.health.HealthReport;
import io.lb4j.health.HealthReport.Source;
import io.lb4j.monitor.Watermark;
import io.lb4j.service.Activity;
import io.lb4j.service.ForwardingMethod;
import io.lb4j.service.Health;
import io.lb4j.service.VirtualService;
import io.lb4j.service.VirtualServiceBuilder;
import java.time.Duration;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ServerStatesTest {
  private static final ForwardingMethod METHOD = () -> "test";

  private final ServerStates states = new ServerStates();
  private VirtualService web = service(10).build();

  private static VirtualServiceBuilder service(int servers) {
    VirtualServiceBuilder web =
        VirtualService.tcp("192.0.2.200", 80).named("web").forwarding(METHOD).watermark(new Watermark(0.5, 0.7));
    IntStream.rangeClosed(1, servers).forEach(n -> web.realServer("s" + n, "192.0.2." + n));
    return web;
  }

  private boolean says(Source source, int server, Health health, String reason) {
    return states.report(web, new HealthReport("web", "192.0.2." + server, source, health, reason, "in words"));
  }

  private void down(int... servers) {
    for (int server : servers) {
      says(Source.MONITORS, server, Health.DOWN, "timed-out");
    }
  }

  private void up(int... servers) {
    for (int server : servers) {
      says(Source.MONITORS, server, Health.UP, "answered");
    }
  }

  private List<Integer> unused() {
    return IntStream.rangeClosed(1, 10)
        .filter(n -> !states.used("web", "192.0.2." + n).health().serves())
        .boxed()
        .toList();
  }

  private List<String> events() {
    return states.takeEvents().stream().map(Event::text).toList();
  }

  @ParameterizedTest
  @CsvSource({
    "UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN",
    "UNKNOWN, UP,      UNKNOWN, UP",
    "UP,      UNKNOWN, UNKNOWN, UP",
    "UP,      UP,      UNKNOWN, UP",
    "DOWN,    UP,      UNKNOWN, DOWN",
    "UP,      DOWN,    UNKNOWN, DOWN",
    "UP,      UP,      DOWN,    DOWN",
    "UNKNOWN, UNKNOWN, DOWN,    DOWN",
  })
  void shouldBeDownWhenOneSourceSaysSo(Health host, Health monitors, Health observation, Health all) {
    says(Source.HOST, 1, host, "reported");
    says(Source.MONITORS, 1, monitors, "answered");
    says(Source.OBSERVATION, 1, observation, "no-handshakes");
    assertThat(states.used("web", "192.0.2.1").health()).isEqualTo(all);
  }

  @Test
  void shouldTellEachChangeOnce() {
    assertThat(says(Source.MONITORS, 1, Health.UP, "answered")).as("it was in use before").isFalse();
    assertThat(says(Source.MONITORS, 1, Health.UP, "answered")).isFalse();
    assertThat(says(Source.MONITORS, 1, Health.DOWN, "refused")).isTrue();
    assertThat(says(Source.HOST, 1, Health.DOWN, "maintenance")).isFalse();
    assertThat(says(Source.MONITORS, 1, Health.UP, "answered")).as("the host says down still").isFalse();
    assertThat(says(Source.HOST, 1, Health.UNKNOWN, "finished")).isTrue();
    assertThat(says(Source.OBSERVATION, 1, Health.DOWN, "no-handshakes")).isTrue();
    assertThat(says(Source.OBSERVATION, 1, Health.UNKNOWN, "tried-again")).isTrue();
    assertThat(events())
        .containsExactly(
            "server web/s1 is up: answered",
            "server web/s1 is down: refused, in words",
            "server web/s1 is up: finished",
            "server web/s1 is down: no-handshakes, in words",
            "server web/s1 is up: tried-again");
    assertThat(events()).isEmpty();
  }

  @Test
  void shouldKeepServersInUseBelowTheLowMarkUntilTheHighMark() {
    up(IntStream.rangeClosed(1, 10).toArray());
    events();
    down(1, 2, 3, 4, 5);
    assertThat(unused()).containsExactly(1, 2, 3, 4, 5);
    assertThat(events()).hasSize(5);
    down(6, 7, 8, 9, 10);
    assertThat(unused()).as("all are said to be down, half stay in use").containsExactly(1, 2, 3, 4, 5);
    assertThat(events()).containsExactly("service web: 6 of 10 servers are down, the others are kept in use");
    assertThat(states.used("web", "192.0.2.6").health()).isEqualTo(Health.UP);
    assertThat(states.used("web", "192.0.2.6").reason()).isEqualTo("held");
    assertThat(states.used("web", "192.0.2.6").detail()).isEqualTo("timed-out, in words");

    up(1, 2, 3, 4, 5);
    assertThat(unused()).as("recovery is never held").isEmpty();
    assertThat(events()).as("half is not yet the high mark").hasSize(5).noneMatch(text -> text.contains("of 10"));
    up(6);
    assertThat(events()).as("it never went down").isEmpty();
    assertThat(states.used("web", "192.0.2.6").reason()).isEqualTo("answered");
    up(7);
    assertThat(unused()).as("what was held is applied").containsExactly(8, 9, 10);
    assertThat(events())
        .containsExactly(
            "service web: 3 of 10 servers are down, servers are taken out again",
            "server web/s8 is down: timed-out, in words",
            "server web/s9 is down: timed-out, in words",
            "server web/s10 is down: timed-out, in words");
  }

  @Test
  void shouldDropWhatWasHeldWhenTheServersComeBack() {
    up(IntStream.rangeClosed(1, 10).toArray());
    down(1, 2, 3, 4, 5, 6, 7);
    events();
    up(6, 7, 1, 2);
    assertThat(unused()).containsExactly(3, 4, 5);
    assertThat(events())
        .containsExactly(
            "server web/s1 is up: answered",
            "service web: 3 of 10 servers are down, servers are taken out again",
            "server web/s2 is up: answered");
  }

  @Test
  void shouldTakeOutTheLastServerWithoutAWatermark() {
    web = service(10).watermark(Watermark.NONE).build();
    down(IntStream.rangeClosed(1, 10).toArray());
    assertThat(unused()).hasSize(10);
    assertThat(events()).hasSize(10);
  }

  @Test
  void shouldHoldReportsOfTheHostAndOfObservationAsWell() {
    down(1, 2, 3, 4, 5);
    says(Source.HOST, 6, Health.DOWN, "reported");
    says(Source.OBSERVATION, 7, Health.DOWN, "no-handshakes");
    assertThat(unused()).containsExactly(1, 2, 3, 4, 5);
  }

  @Test
  void shouldCountOnlyServersThatMayTakeNewFlows() {
    VirtualServiceBuilder builder = service(4);
    IntStream.rangeClosed(5, 10)
        .forEach(n -> builder.realServer("s" + n, "192.0.2." + n, s -> s.activity(Activity.DRAIN)));
    web = builder.build();
    down(5, 6, 7, 8, 9, 10, 1, 2);
    assertThat(unused()).as("two of four are enough").containsExactly(1, 2, 5, 6, 7, 8, 9, 10);
    down(3);
    assertThat(unused()).doesNotContain(3);
    up(5);
    down(5);
    assertThat(unused()).as("a draining server is no capacity to be guarded").contains(5);
  }

  @Test
  void shouldCountStandbyServersSoThatTheirTurnComes() {
    web =
        service(1)
            .realServer("s2", "192.0.2.2", s -> s.activity(Activity.STANDBY))
            .build();
    down(1);
    assertThat(unused()).containsExactly(1);
    down(2);
    assertThat(unused()).as("the last one is kept").containsExactly(1);
  }

  @Test
  void shouldSettleAnewWhenDeclarationsChange() {
    down(1, 2, 3, 4, 5, 6);
    events();
    web = service(10).watermark(Watermark.NONE).build();
    states.settle(List.of(web));
    assertThat(unused()).containsExactly(1, 2, 3, 4, 5, 6);
    assertThat(events())
        .containsExactly(
            "service web: 6 of 10 servers are down, servers are taken out again",
            "server web/s6 is down: timed-out, in words");
    states.settle(List.of(web));
    assertThat(events()).isEmpty();
  }

  @Test
  void shouldKeepHealthOverAChangeAndForgetServersThatGo() {
    down(1, 2);
    web = service(10).watermark(Watermark.NONE).realServer("s11", "192.0.2.11").build().withServer("s2", null);
    states.retain(List.of(web));
    states.settle(List.of(web));
    assertThat(unused()).containsExactly(1);
    states.retain(List.of());
    assertThat(unused()).isEmpty();
  }

  @Test
  void shouldTellHowMuchOfItsShareAServerGets() {
    VirtualService slow = service(1).slowStart(Duration.ofSeconds(10)).build();
    assertThat(states.share(slow, "192.0.2.1", 0)).as("nobody has made a snapshot").isZero();
    states.of("web", "192.0.2.1").takesNewFlows(true, -1_000_000_000L);
    assertThat(states.share(slow, "192.0.2.1", 4_000_000_000L)).isEqualTo(0.5);
    assertThat(states.share(slow, "192.0.2.1", 40_000_000_000L)).isEqualTo(1);
    assertThat(states.share(slow, "192.0.2.1", -2_000_000_000L)).isZero();
    assertThat(states.share(service(1).build(), "192.0.2.1", 0)).as("without slow start").isEqualTo(1);
    states.of("web", "192.0.2.1").settle();
    assertThat(states.share(slow, "192.0.2.1", 4_000_000_000L)).isEqualTo(1);
    states.of("web", "192.0.2.1").takesNewFlows(false, 5_000_000_000L);
    assertThat(states.share(slow, "192.0.2.1", 6_000_000_000L)).isZero();
    states.of("web", "192.0.2.1").takesNewFlows(true, 6_000_000_000L);
    web = slow.toBuilder().watermark(Watermark.NONE).build();
    says(Source.HOST, 1, Health.DOWN, "reported");
    assertThat(states.share(web, "192.0.2.1", 8_000_000_000L)).as("used because all are down").isZero();
  }
}
