package io.lb4j.health;

import static org.assertj.core.api.Assertions.assertThat;

import io.lb4j.counters.HandshakeCounts;
import io.lb4j.monitor.Observation;
import io.lb4j.service.Activity;
import io.lb4j.service.ForwardingMethod;
import io.lb4j.service.Health;
import io.lb4j.service.VirtualService;
import io.lb4j.service.VirtualServiceBuilder;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ServiceObservationTest {
  private static final ForwardingMethod METHOD = () -> "test";
  private static final String S1 = "192.0.2.21";
  private static final String S2 = "192.0.2.22";
  private static final String S3 = "192.0.2.23";

  private final ProbeThreads threads = ProbeThreads.pool(1);
  private final Ward ward = new Ward(threads, 7);
  private final Map<String, Traffic> traffic = new HashMap<>();
  private final Random random = new Random(11);

  /** What clients get from a server, a second. */
  private static final class Traffic {
    private double answered;
    private double silent;
    private double refused;
  }

  @AfterEach
  void end() {
    ward.engine.end();
  }

  private static VirtualServiceBuilder web() {
    return VirtualService.tcp("192.0.2.10", 80)
        .named("web")
        .forwarding(METHOD)
        .observation(Observation.defaults())
        .realServer("s1", S1)
        .realServer("s2", S2)
        .realServer("s3", S3);
  }

  private Traffic of(String server) {
    return traffic.computeIfAbsent(server, any -> new Traffic());
  }

  private void answered(double s1, double s2, double s3) {
    of(S1).answered = s1;
    of(S2).answered = s2;
    of(S3).answered = s3;
  }

  private void silent(double s1, double s2, double s3) {
    of(S1).silent = s1;
    of(S2).silent = s2;
    of(S3).silent = s3;
  }

  /** Lets seconds pass. A server that is not used gets no new clients, and no new forged SYNs either. */
  private void seconds(int count) {
    for (int n = 0; n < count * 10; n++) {
      traffic.forEach(
          (server, each) -> {
            boolean used = ward.health.getOrDefault(server, Health.UNKNOWN).serves();
            HandshakeCounts before = ward.handshakes.getOrDefault(server, HandshakeCounts.ZERO);
            if (used) {
              ward.handshakes.put(
                  server,
                  before.plus(
                      new HandshakeCounts(
                          tenth(each.answered), tenth(each.silent), tenth(each.refused), 0, 0)));
            }
          });
      ward.pass(100);
    }
  }

  /** A tenth of a second's worth by chance, as Poisson has it. */
  private long tenth(double aSecond) {
    if (aSecond > 100) {
      return Math.round(aSecond / 10);
    }
    long count = 0;
    for (double rest = aSecond / 10 + Math.log(1 - random.nextDouble()); rest > 0;
        rest += Math.log(1 - random.nextDouble())) {
      count++;
    }
    return count;
  }

  private List<String> told(String reason) {
    return ward.told.stream().filter(text -> text.contains(reason)).toList();
  }

  @ParameterizedTest
  @CsvSource({"true", "false"})
  void shouldTakeOutAServerThatAnswersNobodyWithinTheWindow(boolean refuses) {
    ward.declare(web().build());
    answered(5, 5, 5);
    silent(0.1, 0.1, 0.1);
    seconds(60);
    assertThat(ward.told).isEmpty();
    of(S1).answered = 0;
    of(S1).silent = refuses ? 0 : 3;
    of(S1).refused = refuses ? 5 : 0;
    int seconds = 0;
    while (ward.told.isEmpty() && seconds < 100) {
      seconds(1);
      seconds++;
    }
    assertThat(seconds).isBetween(9, 12);
    assertThat(ward.told).hasSize(1);
    assertThat(ward.told.get(0)).startsWith("web 192.0.2.21 DOWN no-handshakes, ").contains("0 of about ");
  }

  @Test
  void shouldTryAgainAndStayOutTwiceAsLongEachTime() {
    VirtualService observed =
        web().observation(Observation.defaults().inhibit(Duration.ofSeconds(5), Duration.ofSeconds(60))).build();
    ward.declare(observed);
    answered(0, 5, 5);
    silent(3, 0, 0);
    List<Integer> lengths = new ArrayList<>();
    for (int round = 0; round < 6; round++) {
      while (ward.health.get(S1) != Health.DOWN) {
        seconds(1);
      }
      int length = 0;
      while (ward.health.get(S1) == Health.DOWN) {
        seconds(1);
        length++;
      }
      lengths.add(length);
    }
    assertThat(lengths).containsExactly(5, 10, 20, 40, 60, 60);
    assertThat(told("tried-again")).hasSize(6);
  }

  @Test
  void shouldForgiveAServerThatHasAnsweredForAsLongAsItWasOut() {
    ward.declare(web().build());
    answered(0, 5, 5);
    silent(3, 0, 0);
    for (int round = 0; round < 3; round++) { // 5, 10 and 20 s
      while (ward.health.get(S1) != Health.DOWN) {
        seconds(1);
      }
      while (ward.health.get(S1) == Health.DOWN) {
        seconds(1);
      }
    }
    answered(5, 5, 5);
    seconds(15);
    answered(0, 5, 5);
    assertThat(secondsOut()).as("15 s in use are not 20").isEqualTo(40);
    answered(5, 5, 5);
    seconds(45);
    answered(0, 5, 5);
    assertThat(secondsOut()).as("begins anew").isEqualTo(5);
  }

  private int secondsOut() {
    while (ward.health.get(S1) != Health.DOWN) {
      seconds(1);
    }
    int length = 0;
    while (ward.health.get(S1) == Health.DOWN) {
      seconds(1);
      length++;
    }
    return length;
  }

  /** Forged SYNs: to one server or to all, with real clients or without. Nobody is taken out in an hour. */
  @ParameterizedTest
  @CsvSource({
    "real clients of all servers,                     2, 2,  2,  100000, 100000, 100000",
    "real clients and all the flood at one server,    2, 2,  2,  100000, 0,      0",
    "a real client now and then,                      0.1, 0.1, 0.1, 100000, 0,  0",
    "no client at all,                                0, 0,  0,  100000, 100000, 100000",
    "no client at all and all the flood at one,       0, 0,  0,  100000, 0,      0",
  })
  void shouldNotBeDeceivedByAFlood(
      String what, double a1, double a2, double a3, double f1, double f2, double f3) {
    ward.declare(web().build());
    answered(a1, a2, a3);
    silent(f1, f2, f3);
    seconds(3600);
    assertThat(ward.told).as(what).isEmpty();
  }

  @Test
  void shouldConcludeNothingWhenNobodyAnswers() {
    ward.declare(web().build());
    answered(5, 5, 5);
    seconds(20);
    answered(0, 0, 0);
    silent(3, 3, 3);
    seconds(60);
    assertThat(ward.told.stream().filter(text -> text.contains("DOWN")).count())
        .as("whose last answers fade from the window first may go; the last one never does")
        .isLessThan(3);
    ward.told.clear();
    seconds(600);
    assertThat(told("DOWN")).isEmpty();
  }

  @Test
  void shouldExpectByWeight() {
    ward.declare(
        web()
            .build()
            .withServer("s2", server -> server.withWeight(100))
            .withServer("s3", server -> server.withWeight(100)));
    answered(0, 50, 50);
    silent(3, 0, 0);
    seconds(60);
    assertThat(told("DOWN")).as("5 of 1000 answers would be its share").isEmpty();
    answered(0, 200, 200);
    seconds(60);
    assertThat(told("DOWN")).isNotEmpty();
  }

  @Test
  void shouldConcludeNothingAboutTheOnlyServer() {
    VirtualService alone =
        VirtualService.tcp("2001:db8::10", 80)
            .named("web")
            .forwarding(METHOD)
            .observation(Observation.defaults())
            .realServer("s1", "2001:db8::21")
            .build();
    ward.declare(alone);
    of("2001:db8::21").silent = 10;
    seconds(120);
    assertThat(ward.told).isEmpty();
  }

  /** Attempts that were made while it took new flows may fail long after: fellows have had all new ones since then. */
  @Test
  void shouldNotJudgeAServerThatNewFlowsDoNotGoTo() {
    ward.shares.put(S1, 0.0);
    ward.declare(web().build().withServer("s1", server -> server.withActivity(Activity.STANDBY)));
    answered(0, 5, 5);
    silent(3, 0, 0);
    seconds(60);
    assertThat(ward.told).isEmpty();
    ward.shares.remove(S1);
    seconds(15);
    assertThat(told("no-handshakes")).as("when it ought to answer").isNotEmpty();
  }

  /** It has a few new flows only, and failures of those from before. */
  @Test
  void shouldNotExpectAWholeShareOfAServerInSlowStart() {
    ward.declare(web().build());
    answered(0, 20, 20);
    silent(5, 0, 0);
    for (int second = 0; second < 12; second++) {
      ward.shares.put(S1, second / 1000.0);
      seconds(1);
      assertThat(ward.told).as("after %d s", second).isEmpty();
    }
    for (int second = 0; second < 60; second++) {
      ward.shares.put(S1, Math.min(1, second / 60.0));
      seconds(1);
    }
    assertThat(told("no-handshakes")).as("but of one that is dead").isNotEmpty();
  }

  /** It could not answer for a weight that it did not have yet. */
  @Test
  void shouldGoByTheWeightThatAServerHadAtTheTime() {
    VirtualService equal = web().observation(Observation.defaults().evidence(10, 0.5)).build();
    ward.declare(equal);
    answered(5, 5, 5);
    silent(2, 2, 2);
    seconds(30);
    ward.declare(equal.withServer("s1", server -> server.withWeight(6)));
    answered(30, 5, 5);
    seconds(30);
    ward.declare(equal);
    answered(5, 5, 5);
    seconds(30);
    assertThat(ward.told).isEmpty();
  }

  @Test
  void shouldTakeItsWordBackWhenItIsSwitchedOffOrTheServerDrained() {
    ward.declare(web().build());
    answered(0, 5, 5);
    silent(3, 0, 0);
    seconds(15);
    assertThat(ward.health.get(S1)).isEqualTo(Health.DOWN);
    ward.declare(web().build().withServer("s1", server -> server.withActivity(Activity.DRAIN)));
    seconds(2);
    assertThat(ward.health.get(S1)).isEqualTo(Health.UNKNOWN);
    ward.declare(web().build());
    seconds(15);
    assertThat(ward.health.get(S1)).isEqualTo(Health.DOWN);
    ward.told.clear();
    ward.declare(web().observation(null).build());
    assertThat(ward.told).containsExactly("web 192.0.2.21 UNKNOWN unobserved");
  }

  @Test
  void shouldKeepWhatItKnowsOverAChangeOfTheService() {
    ward.declare(web().build());
    answered(0, 5, 5);
    silent(3, 0, 0);
    seconds(15);
    ward.declare(web().realServer("s4", "192.0.2.24").build());
    assertThat(ward.health.get(S1)).isEqualTo(Health.DOWN);
    ward.told.clear();
    seconds(6);
    assertThat(told("tried-again")).hasSize(1);
    seconds(15);
    assertThat(told("no-handshakes")).as("and longer the second time").hasSize(1);
    assertThat(secondsOut()).isGreaterThan(5);
  }

  @Test
  void shouldBeginAnewWithAnotherServerUnderTheSameAddress() {
    ward.declare(web().build());
    answered(5, 5, 5);
    seconds(30);
    ward.handshakes.put(S1, new HandshakeCounts(0, 50, 0, 0, 0));
    of(S1).answered = 5;
    seconds(60);
    assertThat(ward.told).isEmpty();
  }
}
