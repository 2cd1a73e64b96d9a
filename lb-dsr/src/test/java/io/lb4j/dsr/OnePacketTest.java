package io.lb4j.dsr;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lb4j.frame.Verdict;
import io.lb4j.schedule.Scheduler;
import io.lb4j.schedule.Schedulers;
import io.lb4j.service.ConnectionLimit;
import io.lb4j.service.VirtualServiceBuilder;
import io.lb4j.settings.ConfigurationException;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** UDP without flows (CT10): each datagram is scheduled by itself. */
class OnePacketTest {
  private static final int DATAGRAMS = 3_000;

  private static VirtualServiceBuilder dns(boolean v6, Scheduler scheduler) {
    return Lan.dns(v6).scheduler(scheduler)
        .onePacket(true);
  }

  private static Map<String, Integer> shares(Lan lan, int clients) {
    Map<String, Integer> shares = new HashMap<>();
    for (int n = 0; n < DATAGRAMS; n++) {
      shares.merge(lan.serverOf(lan.frame(1 + n % clients).udp(4000 + n / clients, 53)), 1, Integer::sum);
    }
    return shares;
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void shouldSpreadOneClientsDatagramsEvenlyAndKeepNothing(boolean v6) {
    try (Lan lan = new Lan(v6, b -> b.service(Lan.withServers(dns(v6, Schedulers.roundRobin()), v6, 3)))) {
      for (int n = 0; n < DATAGRAMS; n++) {
        assertThat(lan.serverOf(lan.frame(1).udp(4000, 53))).isEqualTo("s" + (1 + n % 3));
      }
      assertThat(lan.balancer.statistics().flowTable().size()).isZero();
      assertThat(lan.stats("s1").counts().frames()).isEqualTo(DATAGRAMS / 3);
      assertThat(lan.stats("s1").counts().newFlows()).isZero();
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void shouldSpreadManyClientsEvenlyWhereTheSchedulerHashes(boolean v6) {
    try (Lan lan = new Lan(v6, b -> b.service(Lan.withServers(dns(v6, Schedulers.maglev()), v6, 3)))) {
      Map<String, Integer> shares = shares(lan, 200);
      assertThat(shares).hasSize(3);
      assertThat(shares.values()).allSatisfy(share -> assertThat(share).isBetween(900, 1_100));
      assertThat(shares(lan, 200)).as("the same datagrams again").isEqualTo(shares);
      assertThat(lan.balancer.statistics().flowTable().size()).isZero();
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void shouldLeaveARemovedServerWithTheNextDatagram(boolean v6) {
    try (Lan lan = new Lan(v6, b -> b.service(Lan.withServers(dns(v6, Schedulers.roundRobin()), v6, 2)))) {
      lan.serverOf(lan.frame(1).udp(4000, 53));
      lan.balancer.service("dns").removeRealServer("s1");
      for (int n = 0; n < 10; n++) {
        assertThat(lan.serverOf(lan.frame(1).udp(4000, 53))).isEqualTo("s2");
      }
      lan.balancer.service("dns").removeRealServer("s2");
      assertThat(lan.process(lan.frame(1).udp(4000, 53))).isEqualTo(Verdict.NO_SERVER);
    }
  }

  @Test
  void shouldRefuseWhatNeedsFlows() {
    assertThatThrownBy(() -> Lan.tcp(false).onePacket(true).build()).isInstanceOf(ConfigurationException.class);
    VirtualServiceBuilder limited =
        dns(false, Schedulers.roundRobin())
            .realServer("s1", Lan.server(false, 1), s -> s.limit(ConnectionLimit.of(1)));
    assertThatThrownBy(() -> new Lan(false, b -> b.service(limited)))
        .isInstanceOf(ConfigurationException.class)
        .hasMessageContaining("one-packet");
  }
}
