package io.lb4j.dsr;

import static io.lb4j.dsr.SavedStates.PERSISTENCE;
import static io.lb4j.dsr.SavedStates.SECOND_NS;
import static io.lb4j.dsr.SavedStates.dns;
import static io.lb4j.dsr.SavedStates.lan;
import static io.lb4j.dsr.SavedStates.other;
import static io.lb4j.dsr.SavedStates.restore;
import static io.lb4j.dsr.SavedStates.save;
import static io.lb4j.dsr.SavedStates.synOf;
import static io.lb4j.dsr.SavedStates.web;
import static org.assertj.core.api.Assertions.assertThat;

import io.lb4j.flow.TakeOver;
import io.lb4j.frame.Verdict;
import io.lb4j.persistence.PersistenceScope;
import io.lb4j.persistence.SourceIpPersistence;
import io.lb4j.schedule.Schedulers;
import io.lb4j.service.VirtualService;
import io.lb4j.service.VirtualServiceBuilder;
import io.lb4j.state.ClientEntry;
import io.lb4j.state.ClientFilter;
import io.lb4j.state.RestoreReport;
import io.lb4j.wire.TcpHeader;
import java.time.Duration;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeMap;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Clients of persistence that move from one balancer to another. */
@Tag("memory")
class SavedClientsTest {
  @ParameterizedTest
  @CsvSource({"SERVICE,false", "SERVICE,true", "PORT,false", "GROUP,true", "VIP,false"})
  void shouldSendEveryClientToTheSameServer(PersistenceScope scope, boolean v6) {
    SourceIpPersistence settings = PERSISTENCE.scope(scope);
    try (Lan first = lan(v6, web(v6).group("shop").persistence(settings), dns(v6));
        Lan second = other(v6, web -> web.group("shop").persistence(settings))) {
      Map<Integer, String> servers = new TreeMap<>();
      SplittableRandom random = new SplittableRandom(3);
      for (int client = 1; client <= 900; client++) {
        first.balancer.service("web").realServer("s" + (1 + random.nextInt(3))).weight(random.nextInt(2));
        String server = first.process(synOf(first, client, 80)) == Verdict.FORWARD ? first.lastServer() : "none";
        servers.put(client, server.replaceAll("[a-z]", ""));
        first.balancer.endAllFlows();
      }
      RestoreReport report = restore(second, save(first));
      servers.values().removeIf(String::isEmpty);
      assertThat(report.clients()).isEqualTo(Map.of(TakeOver.TAKEN_OVER, (long) servers.size()));
      assertThat(servers).hasSizeGreaterThan(500);
      servers.forEach(
          (client, server) -> {
            assertThat(second.serverOf(synOf(second, client, 80))).as("client %s", client).isEqualTo("other" + server);
            second.balancer.endAllFlows();
          });
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void shouldForgetAClientWhenItsTimeWouldHaveBeenOver(boolean v6) {
    try (Lan first = lan(v6, web(v6).persistence(PERSISTENCE), dns(v6));
        Lan second = other(v6, web -> web.persistence(PERSISTENCE))) {
      first.serverOf(first.frame(1).tcp(4000, 80, TcpHeader.SYN).numbers(1, 0));
      first.nowNs += 100 * SECOND_NS;
      first.balancer.endAllFlows();
      restore(second, save(first));
      assertThat(second.balancer.clients("web", ClientFilter.all(), 10))
          .extracting(ClientEntry::remaining)
          .containsExactly(Duration.ofSeconds(200));
      second.nowNs += 200 * SECOND_NS - 1;
      assertThat(second.balancer.clients("web", ClientFilter.all(), 10)).hasSize(1);
      second.nowNs++;
      assertThat(second.balancer.clients("web", ClientFilter.all(), 10)).isEmpty();
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void shouldBelieveWhoeverSawAClientLast(boolean v6) {
    try (Lan first = lan(v6, web(v6).persistence(PERSISTENCE), dns(v6));
        Lan second = other(v6, web -> web.persistence(PERSISTENCE))) {
      assertThat(second.serverOf(second.frame(2).tcp(4000, 80, TcpHeader.SYN))).isEqualTo("other3");
      second.nowNs += 60 * SECOND_NS;
      assertThat(second.serverOf(second.frame(1).tcp(4000, 80, TcpHeader.SYN))).isEqualTo("other2");
      assertThat(first.serverOf(first.frame(1).tcp(4000, 80, TcpHeader.SYN))).isEqualTo("s1");
      first.nowNs += 30 * SECOND_NS;
      assertThat(first.serverOf(first.frame(2).tcp(4000, 80, TcpHeader.SYN))).isEqualTo("s2");
      first.balancer.endAllFlows();
      assertThat(restore(second, save(first)).clients())
          .isEqualTo(Map.of(TakeOver.TAKEN_OVER, 1L, TakeOver.ALREADY_THERE, 1L));
      assertThat(second.serverOf(second.frame(1).tcp(4001, 80, TcpHeader.SYN))).as("seen here later").isEqualTo("other2");
      assertThat(second.serverOf(second.frame(2).tcp(4001, 80, TcpHeader.SYN))).as("seen there").isEqualTo("other2");
      assertThat(second.balancer.clients("web", ClientFilter.all().server("other3"), 10)).isEmpty();
    }
  }

  /** Two services that each had their own clients share them on the other instance: the later choice counts. */
  @ParameterizedTest
  @EnumSource(names = {"GROUP", "VIP"})
  void shouldTakeClientsOverIntoAnotherScope(PersistenceScope scope) {
    VirtualServiceBuilder tls =
        Lan.withServers(
                VirtualService.tcp("192.0.2.100", 443).named("tls").forwarding(DirectServerReturn.create()), false, 3)
            .scheduler(Schedulers.roundRobin())
            .group("shop");
    try (Lan first = lan(false, web(false).persistence(PERSISTENCE), tls.persistence(PERSISTENCE));
        Lan second =
            lan(
                false,
                web(false).group("shop").persistence(PERSISTENCE.scope(scope)),
                tls.persistence(PERSISTENCE.scope(scope)))) {
      assertThat(first.serverOf(first.frame(1).tcp(4000, 80, TcpHeader.SYN))).isEqualTo("s1");
      first.nowNs += SECOND_NS;
      first.serverOf(first.frame(2).tcp(4000, 443, TcpHeader.SYN));
      assertThat(first.serverOf(first.frame(1).tcp(4000, 443, TcpHeader.SYN))).isEqualTo("s2");
      first.balancer.endAllFlows();
      restore(second, save(first));
      assertThat(second.serverOf(second.frame(1).tcp(4001, 80, TcpHeader.SYN))).isEqualTo("s2");
      assertThat(second.serverOf(second.frame(1).tcp(4001, 443, TcpHeader.SYN))).isEqualTo("s2");
    }
  }
}
