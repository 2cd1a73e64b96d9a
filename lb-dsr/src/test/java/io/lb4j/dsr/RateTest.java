package io.lb4j.dsr;

import static org.assertj.core.api.Assertions.assertThat;

import io.lb4j.address.IpAddress;
import io.lb4j.core.Rates;
import io.lb4j.schedule.Schedulers;
import io.lb4j.service.RealServer;
import io.lb4j.wire.TcpHeader;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class RateTest {
  private static void second(Lan lan) {
    lan.nowNs += 1_000_000_000L;
    lan.balancer.tickControl(lan.nowNs);
  }

  private static Lan open(boolean v6) {
    return new Lan(v6, b -> b.service(Lan.withServers(Lan.tcp(v6).scheduler(Schedulers.roundRobin()), v6, 2)));
  }

  private static Rates.ServiceRates web(Lan lan) {
    return lan.balancer.rates().byService().get(0);
  }

  @ParameterizedTest(name = "IPv6 {0}")
  @ValueSource(booleans = {false, true})
  void shouldTellNewFlowsAndFramesPerSecondAndTheMostActiveFlows(boolean v6) {
    try (Lan lan = open(v6)) {
      for (int second = 0; second < 20; second++) {
        for (int i = 0; i < 4; i++) {
          int port = 4000 + second * 10 + i;
          lan.serverOf(lan.frame(1).tcp(port, 80, TcpHeader.SYN).numbers(1, 0));
          lan.serverOf(lan.frame(1).tcp(port, 80, TcpHeader.ACK).numbers(2, 1));
          if (second >= 10) {
            lan.serverOf(lan.frame(1).tcp(port, 80, TcpHeader.FIN | TcpHeader.ACK).numbers(2, 1));
          }
        }
        second(lan);
      }
      Rates.ServiceRates web = web(lan);
      assertThat(web.rates().tenSeconds()).isEqualTo(new Rates.FlowRate(12, 12 * lan.path.last().length(), 4, 0, 0));
      assertThat(web.rates().minute().frames()).isEqualTo(10);
      assertThat(web.servers().get(0).rates().second().newFlows()).isEqualTo(2);
      assertThat(web.active()).isEqualTo(new Rates.Active(40, 40));
      assertThat(web.servers().get(1).active()).isEqualTo(new Rates.Active(20, 20));
      assertThat(lan.balancer.rates().services()).isEqualTo(web.rates());
    }
  }

  @ParameterizedTest(name = "IPv6 {0}")
  @ValueSource(booleans = {false, true})
  void shouldBeginAnewWithAServerThatWasRemovedAndAddedAgain(boolean v6) {
    try (Lan lan = open(v6)) {
      for (int i = 0; i < 10; i++) {
        lan.serverOf(lan.frame(1).tcp(4000 + i, 80, TcpHeader.SYN));
      }
      second(lan);
      assertThat(web(lan).servers().get(0).rates().peak().newFlows()).isEqualTo(5);
      lan.balancer.service("web").removeRealServer("s1");
      lan.balancer.service("web").addRealServer(
          new RealServer.Options().build("s1", IpAddress.of(lan.server(1))));
      second(lan);
      Rates.ServerRates anew = web(lan).servers().get(1);
      assertThat(anew.name()).isEqualTo("s1");
      assertThat(anew.rates().peak().newFlows()).isZero();
      assertThat(anew.active()).as("its flows are still there").isEqualTo(new Rates.Active(5, 5));
      assertThat(web(lan).rates().minute().newFlows()).as("the service remembers").isEqualTo(5);
    }
  }

  @ParameterizedTest(name = "IPv6 {0}")
  @ValueSource(booleans = {false, true})
  void shouldFollowServicesThatComeAndGo(boolean v6) {
    try (Lan lan = open(v6)) {
      lan.balancer.removeService("web");
      second(lan);
      assertThat(lan.balancer.rates().byService()).isEmpty();
      lan.balancer.addService(Lan.withServers(Lan.tcp(v6), v6, 2).build());
      lan.serverOf(lan.frame(1).tcp(4000, 80, TcpHeader.SYN));
      second(lan);
      assertThat(web(lan).rates().minute().newFlows()).isEqualTo(1);
      assertThat(lan.balancer.rates().services().minute().newFlows()).isEqualTo(0.5);
    }
  }
}
