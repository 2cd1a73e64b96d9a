package io.lb4j.health;

import static org.assertj.core.api.Assertions.assertThat;

import io.lb4j.monitor.Monitor;
import io.lb4j.monitor.Monitors;
import io.lb4j.monitor.ProbeReason;
import io.lb4j.monitor.ProbeResult;
import io.lb4j.service.Activity;
import io.lb4j.service.ForwardingMethod;
import io.lb4j.service.Health;
import io.lb4j.service.VirtualService;
import io.lb4j.service.VirtualServiceBuilder;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class HealthEngineTest {
  private static final ForwardingMethod METHOD = () -> "test";
  private static final String RS1 = "192.0.2.21";

  private final ProbeThreads threads = ProbeThreads.pool(2);
  private final Ward ward = new Ward(threads, 7);

  @AfterEach
  void end() {
    assertThat(ward.engine.end()).isTrue();
    assertThat(threads.hasEnded()).isTrue();
  }

  private static Monitor.Options ping() {
    return Monitor.ping().jitter(0);
  }

  private static VirtualServiceBuilder web(Monitors monitors) {
    return VirtualService.tcp("192.0.2.10", 80)
        .named("web")
        .forwarding(METHOD)
        .realServer("rs1", RS1)
        .monitors(monitors);
  }

  private static VirtualServiceBuilder web(Monitor monitor) {
    return web(Monitors.of(monitor));
  }

  @Test
  void shouldReportEachTransitionOnceWithItsReason() {
    ward.declare(web(ping().build()).build());
    ward.probe("+");
    assertThat(ward.takeTold()).containsExactly("web 192.0.2.21 UP answered");
    ward.probe("+--+--");
    assertThat(ward.takeTold()).as("never three failures in a row").isEmpty();
    ward.probe("-");
    assertThat(ward.takeTold()).containsExactly("web 192.0.2.21 DOWN timed-out, ping: nothing came");
    ward.probe("---+-+");
    assertThat(ward.takeTold()).isEmpty();
    ward.probe("+");
    assertThat(ward.takeTold()).containsExactly("web 192.0.2.21 UP answered");
  }

  @Test
  void shouldTakeDownAServerThatNeverAnswered() {
    ward.declare(web(ping().build()).build());
    ward.probe("--");
    assertThat(ward.takeTold()).isEmpty();
    ward.probe("-");
    assertThat(ward.takeTold()).containsExactly("web 192.0.2.21 DOWN timed-out, ping: nothing came");
  }

  @Test
  void shouldHearOfAResultAtOnceAndTellResponseTimes() {
    ward.declare(web(ping().build()).build());
    ward.await();
    int before = ward.wakes.get();
    ward.asks.get(0).done().accept(ProbeResult.answered(1234));
    assertThat(ward.wakes.get()).as("the loop is woken").isEqualTo(before + 1);
    ward.tick();
    assertThat(ward.takeTold()).containsExactly("web 192.0.2.21 UP answered");
    assertThat(ward.times).containsExactly("web 192.0.2.21 1234");
  }

  @Test
  void shouldStartFromIntervalToIntervalHoweverLongAnAnswerTakes() {
    ward.declare(web(ping().interval(Duration.ofSeconds(1)).build()).build());
    List<Long> starts = new ArrayList<>();
    for (int n = 0; n < 5; n++) {
      while (ward.asks.isEmpty()) {
        ward.pass(1);
      }
      starts.add(ward.asks.get(0).atNs());
      ward.pass(200L * n); // up to 800 ms until the answer
      ward.answer(Ward.ok());
    }
    for (int n = 1; n < starts.size(); n++) {
      assertThat(starts.get(n) - starts.get(n - 1)).isEqualTo(1_000_000_000L);
    }
  }

  @Test
  void shouldSpreadFirstProbesOverTheIntervalBySeed() {
    VirtualServiceBuilder web = web(ping().build());
    for (int n = 22; n < 122; n++) {
      web.realServer("rs" + n, "192.0.2." + n);
    }
    long begin = ward.nowNs;
    ward.declare(web.build());
    ward.pass(5000);
    assertThat(ward.asks).hasSize(101);
    List<Long> offsets = ward.asks.stream().map(ask -> ask.atNs() - begin).sorted().toList();
    for (int tenth = 0; tenth < 10; tenth++) {
      long from = tenth * 500_000_000L;
      assertThat(offsets).as("each tenth has some").anyMatch(at -> at >= from && at < from + 500_000_000L);
    }
    Ward again = new Ward(threads, 7);
    again.declare(web.build());
    again.pass(5000);
    assertThat(again.asks.stream().map(Ward.Ask::atNs)).isEqualTo(ward.asks.stream().map(Ward.Ask::atNs).toList());
  }

  @ParameterizedTest
  @ValueSource(doubles = {0, 0.1, 1})
  void shouldFindAFailureWithinTheTimeThatTheDocumentationNames(double jitter) {
    Monitor monitor =
        Monitor.ping().interval(Duration.ofMillis(1000)).timeout(Duration.ofMillis(900)).jitter(jitter).build();
    Random random = new Random(3);
    long worst = 0;
    for (int round = 0; round < 300; round++) {
      Ward one = new Ward(threads, round);
      one.declare(web(monitor).build());
      long deathNs = one.nowNs + 3_000_000_000L + random.nextLong(1_000_000_000L);
      worst = Math.max(worst, downNs(one, monitor, deathNs) - deathNs);
    }
    long bound = monitor.detection().toNanos();
    assertThat(worst).as("never later").isLessThanOrEqualTo(bound + Ward.MILLI_NS);
    assertThat(worst).as("and the bound is no more than needed").isGreaterThan(bound * 8 / 10);
  }

  /** When a server that dies is reported, by steps of a millisecond. */
  private static long downNs(Ward one, Monitor monitor, long deathNs) {
    while (one.health.get(RS1) != Health.DOWN) {
      one.pass(1);
      List<Ward.Ask> over =
          one.asks.stream()
              .filter(ask -> ask.atNs() < deathNs || one.nowNs - ask.atNs() >= monitor.timeout().toNanos())
              .toList();
      one.asks.removeAll(over);
      over.forEach(ask -> ask.done().accept(ask.atNs() < deathNs ? Ward.ok() : Ward.bad()));
      if (!over.isEmpty()) {
        one.tick();
      }
    }
    return one.nowNs;
  }

  @Test
  void shouldBeginANewGridAfterAStallInsteadOfHurryingAfter() {
    ward.declare(web(ping().interval(Duration.ofSeconds(1)).build()).build());
    ward.probe("+");
    ward.nowNs += 60_000_000_000L;
    ward.tick();
    assertThat(ward.asks).hasSize(1);
    ward.answer(Ward.ok());
    ward.pass(900);
    assertThat(ward.asks).as("59 probes were missed, none is made up for").isEmpty();
    ward.pass(100);
    assertThat(ward.asks).hasSize(1);
  }

  // ---- several monitors ----------------------------------------------------------------------------------------

  /** What two monitors say, and what becomes of a server that nobody has judged, is up, is down. */
  @ParameterizedTest
  @CsvSource({
    "ALL, ++, UP",
    "ALL, +-, DOWN",
    "ALL, -+, DOWN",
    "ALL, --, DOWN",
    "ALL, +., none",
    "ALL, -., DOWN",
    "ANY, ++, UP",
    "ANY, +-, UP",
    "ANY, -+, UP",
    "ANY, --, DOWN",
    "ANY, +., UP",
    "ANY, -., none",
  })
  void shouldCombineMonitors(Monitors.Require require, String says, String verdict) {
    Monitor first = ping().in(1).out(1).build();
    Monitor second = ping().in(1).out(1).timeout(Duration.ofSeconds(1)).build();
    ward.declare(web(new Monitors(require, List.of(first, second))).build());
    for (char result : says.toCharArray()) {
      if (result != '.') {
        ward.probe(result == '+' ? Ward.ok() : Ward.bad()); // each first probe comes before any second one
      }
    }
    String last = ward.told.isEmpty() ? "none" : ward.told.get(ward.told.size() - 1).split(" ")[2];
    assertThat(last).isEqualTo(verdict);
  }

  @Test
  void shouldAskEveryVirtualAddressAndNameTheOneThatIsMissing() {
    VirtualService v6 =
        VirtualService.tcp("2001:db8::10", 443)
            .vip("2001:db8:1::/64")
            .named("v6")
            .forwarding(METHOD)
            .realServer("rs1", "2001:db8::21")
            .monitor(Monitor.dsr().out(1).build())
            .build();
    ward.declare(v6);
    ward.await();
    assertThat(ward.asks.stream().map(ask -> ask.vip() + " " + ask.port() + " " + ask.tcp()))
        .containsExactly("2001:db8::10 443 true", "2001:db8:1::1 443 true");
    ward.asks.get(0).done().accept(Ward.ok());
    ward.tick();
    assertThat(ward.takeTold()).as("one address is not all").isEmpty();
    ward.asks.get(1).done().accept(ProbeResult.failed(ProbeReason.DSR_VIP_MISSING, "2001:db8:1::1"));
    ward.tick();
    assertThat(ward.takeTold()).containsExactly("v6 2001:db8::21 DOWN dsr-vip-missing, dsr port 443: 2001:db8:1::1");
  }

  // ---- changes -------------------------------------------------------------------------------------------------

  @Test
  void shouldStayDownOverAChangeUntilItHasRisen() {
    ward.declare(web(ping().build()).build());
    ward.probe("+---+");
    ward.takeTold();
    ward.declare(web(ping().build()).realServer("rs2", "192.0.2.22", s -> s.activity(Activity.OFFLINE)).build());
    assertThat(ward.takeTold()).as("said again, for it may have been forgotten").containsExactly(
        "web 192.0.2.21 DOWN timed-out, ping: nothing came");
    ward.probe("+");
    assertThat(ward.takeTold()).as("the success before the change counts").containsExactly(
        "web 192.0.2.21 UP answered");
  }

  @Test
  void shouldCountAnewButKeepTheHealthWhenAMonitorChanges() {
    ward.declare(web(ping().build()).build());
    ward.probe("+---+");
    ward.takeTold();
    ward.declare(web(ping().interval(Duration.ofSeconds(3)).build()).build());
    ward.asks.clear();
    ward.probe("+");
    assertThat(ward.takeTold()).noneMatch(text -> text.contains("UP"));
    ward.probe("+");
    assertThat(ward.takeTold()).containsExactly("web 192.0.2.21 UP answered");
    ward.probe("--");
    ward.declare(web(ping().interval(Duration.ofSeconds(4)).build()).build());
    ward.takeTold();
    ward.probe("--");
    assertThat(ward.takeTold()).as("two failures before and two after are not three").isEmpty();
    ward.probe("-");
    assertThat(ward.takeTold()).hasSize(1);
  }

  @Test
  void shouldKnowNothingOnceTheMonitorIsGone() {
    ward.declare(web(ping().build()).build());
    ward.probe("---");
    ward.takeTold();
    ward.declare(web(Monitors.NONE).build());
    assertThat(ward.takeTold()).containsExactly("web 192.0.2.21 UNKNOWN unmonitored");
    ward.pass(60_000);
    assertThat(ward.asks).isEmpty();
    ward.declare(web(Monitors.NONE).build());
    assertThat(ward.takeTold()).as("the host may have spoken since").isEmpty();
    ward.declare(web(ping().build()).build());
    ward.probe("+");
    assertThat(ward.takeTold()).as("nothing is remembered").containsExactly("web 192.0.2.21 UP answered");
  }

  @Test
  void shouldNotProbeAServerThatIsOffline() {
    ward.declare(web(ping().build()).build());
    ward.probe("+---");
    ward.takeTold();
    VirtualService online = web(ping().build()).build();
    ward.declare(online.withServer("rs1", server -> server.withActivity(Activity.OFFLINE)));
    ward.asks.clear();
    ward.pass(60_000);
    assertThat(ward.asks).isEmpty();
    ward.takeTold();
    ward.declare(online);
    assertThat(ward.takeTold()).as("it comes back as it went").containsExactly(
        "web 192.0.2.21 DOWN timed-out, ping: nothing came");
    ward.probe("+");
    assertThat(ward.takeTold()).isEmpty();
    ward.probe("+");
    assertThat(ward.takeTold()).containsExactly("web 192.0.2.21 UP answered");
  }

  @Test
  void shouldLetAServerHaveAMonitorOfItsOwn() {
    ward.declare(
        web(ping().build())
            .realServer("rs2", "192.0.2.22", s -> s.monitors(Monitors.NONE))
            .realServer("rs3", "192.0.2.23", s -> s.monitor(Monitor.dsr().port(8080).build()))
            .build());
    ward.pass(5000);
    assertThat(ward.asks.stream().map(ask -> ask.server() + " " + ask.vip() + " " + ask.port()))
        .containsExactlyInAnyOrder("192.0.2.21 192.0.2.21 0", "192.0.2.23 192.0.2.10 8080");
  }

  @Test
  void shouldIgnoreWhatIsAnsweredAfterAServerHasGone() {
    ward.declare(web(ping().build()).build());
    ward.pass(5000);
    ward.declare();
    ward.answer(Ward.ok());
    assertThat(ward.takeTold()).isEmpty();
    ward.declare(web(ping().build()).build());
    ward.probe("--");
    assertThat(ward.takeTold()).isEmpty();
    ward.probe("-");
    assertThat(ward.takeTold()).as("nothing is remembered of a server that was removed").hasSize(1);
  }

  // ---- in flight -----------------------------------------------------------------------------------------------

  @Test
  void shouldHaveOneProbeInFlightAndGiveUpOneThatNeverEnds() {
    ward.declare(web(ping().out(1).timeout(Duration.ofSeconds(2)).build()).build());
    ward.await();
    Ward.Ask lost = ward.asks.get(0);
    ward.pass(2998);
    assertThat(ward.takeTold()).as("the data path has a moment longer to say why").isEmpty();
    ward.pass(2);
    assertThat(ward.takeTold()).containsExactly("web 192.0.2.21 DOWN timed-out, ping: no answer within 2000 ms");
    assertThat(ward.asks).containsExactly(lost);
    lost.done().accept(Ward.ok());
    ward.tick();
    assertThat(ward.takeTold()).as("too late").isEmpty();
  }

  @Test
  void shouldGoOnAskingWhenTheProberFails() {
    ward.broken = true;
    ward.declare(web(ping().build()).build());
    ward.pass(16_000);
    assertThat(ward.takeTold())
        .containsExactly("web 192.0.2.21 DOWN failed, ping: java.lang.IllegalStateException: broken");
    ward.broken = false;
    ward.probe("++");
    assertThat(ward.takeTold()).containsExactly("web 192.0.2.21 UP answered");
  }

  @Test
  void shouldWaitWithFramesThatTheDataPathWouldRefuse() {
    VirtualServiceBuilder web = web(ping().out(1).interval(Duration.ofSeconds(1)).build());
    for (int n = 0; n < Prober.MOST_FRAMES + 100; n++) {
      web.realServer("s" + n, "198.18." + (n >> 8) + "." + (n & 0xFF));
    }
    ward.declare(web.build());
    ward.pass(1000);
    assertThat(ward.asks).hasSize(Prober.MOST_FRAMES);
    assertThat(ward.engine.postponed()).isPositive();
    assertThat(ward.takeTold()).as("that says nothing about a server").isEmpty();
    ward.answer(Ward.ok());
    ward.pass(20);
    assertThat(ward.asks.size()).as("they come as soon as there is room").isGreaterThanOrEqualTo(101);
  }
}
