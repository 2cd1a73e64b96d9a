package io.lb4j.dsr;

import static org.assertj.core.api.Assertions.assertThat;

import io.lb4j.schedule.Schedulers;
import io.lb4j.wire.TcpHeader;
import java.time.Duration;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Where the servers' half does not pass, new flows go by the times that are reported, as monitors do. */
@Tag("memory")
class FastestTest {
  private final Duration[] probes = {Duration.ofMillis(2), Duration.ofMillis(2), Duration.ofMillis(2)};
  private int nextPort = 1024;

  private static Lan open(boolean v6, int servers) {
    return new Lan(
        v6,
        b ->
            b.service(Lan.withServers(Lan.tcp(v6).scheduler(Schedulers.fastestResponse()), v6, servers))
                .flowTable(1 << 14));
  }

  /** A flow each 10 ms, a probe of each server each second; the part of the flows that a server got. */
  private double share(Lan lan, int servers, String whose, int seconds) {
    int own = 0;
    for (int i = 0; i < seconds * 100; i++) {
      if (i % 100 == 0) {
        for (int n = 1; n <= servers; n++) {
          lan.balancer.service("web").realServer("s" + n).responded(probes[n - 1]);
        }
      }
      lan.after(10);
      own += lan.serverOf(lan.frame(1).tcp(nextPort++, 80, TcpHeader.SYN)).equals(whose) ? 1 : 0;
    }
    return own / (seconds * 100.0);
  }

  @ParameterizedTest
  @CsvSource({"false, 2", "true, 2", "false, 3", "true, 3"})
  void shouldMoveFlowsOffAServerThatGetsTenTimesSlowerAndBackWhenItRecovers(boolean v6, int servers) {
    try (Lan lan = open(v6, servers)) {
      assertThat(share(lan, servers, "s1", 3)).isBetween(0.95 / servers, 1.05 / servers);
      probes[0] = Duration.ofMillis(20);
      share(lan, servers, "s1", 5);
      assertThat(share(lan, servers, "s1", 3)).as("after 5 s").isPositive().isLessThan(0.03);
      probes[0] = Duration.ofMillis(2);
      share(lan, servers, "s1", 10);
      assertThat(share(lan, servers, "s1", 3)).as("recovered").isBetween(0.85 / servers, 1.05 / servers);
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void shouldKeepWhatItKnowsOverChanges(boolean v6) {
    try (Lan lan = open(v6, 2)) {
      probes[0] = Duration.ofMillis(20);
      share(lan, 2, "s1", 3);
      for (int weight = 1; weight < 5; weight++) {
        lan.balancer.service("web").realServer("s2").weight(weight);
        assertThat(share(lan, 2, "s1", 1)).isLessThan(0.04);
      }
      assertThat(lan.balancer.service("web").realServer("s1").responseTime()).contains(Duration.ofMillis(20));
    }
  }
}
