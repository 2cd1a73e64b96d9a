package io.lb4j.dsr;

import static org.assertj.core.api.Assertions.assertThat;

import io.lb4j.frame.Verdict;
import io.lb4j.schedule.Scheduler;
import io.lb4j.schedule.Schedulers;
import io.lb4j.service.VirtualServiceBuilder;
import io.lb4j.state.RestoreReport;
import io.lb4j.testkit.FrameBuilder;
import io.lb4j.wire.TcpHeader;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What becomes of connections and UDP flows when the balancer starts anew: the table in docs/state.md. */
class RestartTest {
  private static final int CLIENTS = 200;

  private static List<Object[]> schedulers() {
    List<Scheduler> all =
        List.of(
            Schedulers.roundRobin(),
            Schedulers.weightedRoundRobin(),
            Schedulers.leastConnections(),
            Schedulers.weightedLeastConnections(),
            Schedulers.shortestExpectedDelay(),
            Schedulers.neverQueue(),
            Schedulers.powerOfTwoChoices(),
            Schedulers.sourceHash(),
            Schedulers.maglev(),
            Schedulers.rendezvous());
    List<Object[]> rows = new ArrayList<>();
    for (Scheduler scheduler : all) {
      rows.add(new Object[] {scheduler, false});
      rows.add(new Object[] {scheduler, true});
    }
    return rows;
  }

  private static Lan lan(boolean v6, Scheduler scheduler, @Nullable Boolean adopts) {
    VirtualServiceBuilder web = Lan.withServers(Lan.tcp(v6).scheduler(scheduler), v6, 3);
    VirtualServiceBuilder dns =
        Lan.withServers(
            Lan.dns(v6).scheduler(scheduler),
            v6,
            3);
    if (adopts != null) {
      web.adoptsConnections(adopts);
    }
    return new Lan(v6, b -> b.service(web).service(dns));
  }

  private static FrameBuilder segment(Lan lan, int client, int flags) {
    return lan.frame(client).tcp(4000, 80, flags).numbers(flags == TcpHeader.SYN ? 1 : 2, 9);
  }

  /** Establishes connections; answers their servers. */
  private static List<String> connect(Lan lan) {
    List<String> servers = new ArrayList<>();
    for (int client = 1; client <= CLIENTS; client++) {
      lan.serverOf(segment(lan, client, TcpHeader.SYN));
      servers.add(lan.serverOf(segment(lan, client, TcpHeader.ACK)));
    }
    return servers;
  }

  private static List<String> goOn(Lan lan) {
    List<String> servers = new ArrayList<>();
    for (int client = 1; client <= CLIENTS; client++) {
      Verdict verdict = lan.process(segment(lan, client, TcpHeader.ACK));
      servers.add(verdict == Verdict.FORWARD ? lan.lastServer() : verdict.toString());
    }
    return servers;
  }

  @ParameterizedTest
  @MethodSource("schedulers")
  void shouldFindTheServersAgainWithoutStateWhereTheSchedulerHashes(Scheduler scheduler, boolean v6) {
    try (Lan before = lan(v6, scheduler, null);
        Lan after = lan(v6, scheduler, null)) {
      List<String> servers = connect(before);
      assertThat(servers.stream().distinct()).hasSizeGreaterThan(1);
      if (scheduler.hashInputs().isEmpty()) {
        assertThat(goOn(after)).containsOnly(Verdict.TCP_NOT_SYN.toString());
      } else {
        assertThat(goOn(after)).isEqualTo(servers);
      }
    }
  }

  @ParameterizedTest
  @MethodSource("schedulers")
  void shouldFindTheServersAgainWithSavedStateWhateverTheScheduler(Scheduler scheduler, boolean v6)
      throws IOException {
    try (Lan before = lan(v6, scheduler, false);
        Lan after = lan(v6, scheduler, false)) {
      List<String> servers = connect(before);
      ByteArrayOutputStream saved = new ByteArrayOutputStream();
      before.balancer.saveState(saved);
      RestoreReport report = after.balancer.restoreState(new ByteArrayInputStream(saved.toByteArray()));
      assertThat(report.flowsRestored()).isEqualTo(CLIENTS);
      assertThat(goOn(after)).isEqualTo(servers);
    }
  }

  @ParameterizedTest
  @MethodSource("schedulers")
  void shouldFindTheServersOfDatagramsAgainWhereTheSchedulerHashes(Scheduler scheduler, boolean v6) {
    try (Lan before = lan(v6, scheduler, null);
        Lan after = lan(v6, scheduler, null)) {
      before.serverOf(before.frame(250).udp(4000, 53)); // so that a turn is not the same by chance
      for (int client = 1; client <= CLIENTS; client++) {
        String server = before.serverOf(before.frame(client).udp(4000, 53));
        String again = after.serverOf(after.frame(client).udp(4000, 53));
        if (!scheduler.hashInputs().isEmpty()) {
          assertThat(again).isEqualTo(server);
        }
      }
    }
  }

  @ParameterizedTest
  @MethodSource("schedulers")
  void shouldGiveAdoptedConnectionsAndDatagramsToSomeServer(Scheduler scheduler, boolean v6) {
    try (Lan after = lan(v6, scheduler, true)) {
      assertThat(goOn(after)).isSubsetOf("s1", "s2", "s3");
      assertThat(after.serverOf(after.frame(1).udp(4000, 53))).startsWith("s");
    }
  }
}
