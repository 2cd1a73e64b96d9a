package io.lb4j.dsr;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.lb4j.core.ServerControl;
import io.lb4j.frame.Verdict;
import io.lb4j.persistence.SourceIpPersistence;
import io.lb4j.schedule.Schedulers;
import io.lb4j.service.Health;
import io.lb4j.service.VirtualService;
import io.lb4j.service.VirtualServiceBuilder;
import io.lb4j.settings.ConfigurationError;
import io.lb4j.settings.ConfigurationException;
import io.lb4j.wire.TcpHeader;
import java.time.Duration;
import java.util.List;
import java.util.Random;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What others' reports tell of clients that stay with servers which are gone (CT8, PE5), and weights (SC14). */
@Tag("one-jdk")
class ChangeTest {
  private static final int CHANGES = Integer.getInteger("lb4j.changes", 5_000);

  /** A syslog sender never stops, so no time-out ever ends its flow: it is moved at once, and no datagram is lost. */
  @ParameterizedTest
  @CsvSource({"false,remove", "true,remove", "false,offline", "true,offline", "false,down", "true,down"})
  void shouldMoveAUdpClientThatNeverStopsSending(boolean v6, String how) {
    VirtualServiceBuilder syslog =
        VirtualService.udp(Lan.vip(v6), 514)
            .named("web")
            .forwarding(DirectServerReturn.create())
            .scheduler(Schedulers.roundRobin());
    try (Lan lan = new Lan(v6, b -> b.service(Lan.withServers(syslog, v6, 3)))) {
      for (int n = 0; n < 1_000; n++) {
        if (n == 500) {
          lose(lan, how);
        }
        for (int client = 1; client <= 9; client++) {
          String server = lan.serverOf(lan.frame(client).udp(5000, 514));
          if (n >= 500) {
            assertThat(server).isIn("s2", "s3");
          } else {
            assertThat(server).isEqualTo("s" + (1 + (client - 1) % 3));
          }
        }
        lan.after(1);
      }
      assertThat(lan.balancer.statistics().count(Verdict.FORWARD)).as("none is lost").isEqualTo(9_000);
      assertThat(lan.balancer.statistics().flowTable().size()).isEqualTo(9);
    }
  }

  private static void lose(Lan lan, String how) {
    var s1 = lan.balancer.service("web").realServer("s1");
    switch (how) {
      case "remove" -> s1.remove();
      case "offline" -> s1.offline();
      default -> s1.report(Health.DOWN);
    }
  }

  /** Persistence of half an hour, and a server that goes: no client waits for it, with any connection. */
  @ParameterizedTest
  @CsvSource({"false,remove", "true,remove", "false,offline", "true,offline", "false,down", "true,down"})
  void shouldSendNoPersistentClientToAServerThatIsGone(boolean v6, String how) {
    VirtualServiceBuilder web =
        Lan.tcp(v6)
            .scheduler(Schedulers.roundRobin())
            .persistence(SourceIpPersistence.timeout(Duration.ofMinutes(30)));
    try (Lan lan = new Lan(v6, b -> b.service(Lan.withServers(web, v6, 2)))) {
      for (int client = 1; client <= 20; client++) {
        lan.serverOf(lan.frame(client).tcp(4000, 80, TcpHeader.SYN));
      }
      lose(lan, how);
      for (int port = 4001; port < 4010; port++) {
        for (int client = 1; client <= 20; client++) {
          assertThat(lan.serverOf(lan.frame(client).tcp(port, 80, TcpHeader.SYN))).isEqualTo("s2");
        }
      }
      if (how.equals("down")) {
        lan.balancer.service("web").realServer("s1").report(Health.UP);
        String server = lan.serverOf(lan.frame(1).tcp(5000, 80, TcpHeader.SYN));
        assertThat(server).as("the entry was replaced").isEqualTo("s2");
      }
    }
  }

  /** A host that watches servers itself keeps its handle, and hears what is the matter, with a remedy. */
  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void shouldNameTheServerThatIsGone(boolean v6) {
    try (Lan lan = new Lan(v6, b -> b.service(Lan.withServers(Lan.tcp(v6), v6, 2)))) {
      ServerControl s2 = lan.balancer.service("web").realServer("s2");
      assertThat(s2.health()).isEqualTo(Health.UNKNOWN);
      lan.balancer.service("web").removeRealServer("s2");
      List<ThrowingCallable> calls =
          List.of(
              s2::online,
              s2::drain,
              s2::offline,
              s2::standby,
              s2::remove,
              () -> s2.weight(2),
              () -> s2.report(Health.UP),
              s2::health,
              () -> s2.responded(Duration.ofMillis(1)),
              s2::responseTime,
              () -> lan.balancer.service("web").realServer("s2"));
      for (ThrowingCallable call : calls) {
        assertThatExceptionOfType(ConfigurationException.class)
            .isThrownBy(call)
            .withMessageContaining("s2")
            .satisfies(e -> assertThat(e.error()).isEqualTo(ConfigurationError.UNKNOWN_NAME));
      }
    }
  }

  /** Weights change, also to 0, while connections go on. With {@code -Dlb4j.changes=100000} the whole row. */
  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void shouldMoveNoConnectionByWeights(boolean v6) {
    int connections = 100;
    VirtualServiceBuilder web = Lan.tcp(v6).scheduler(Schedulers.weightedRoundRobin());
    try (Lan lan = new Lan(v6, b -> b.service(Lan.withServers(web, v6, 3)))) {
      String[] server = new String[connections];
      for (int n = 0; n < connections; n++) {
        server[n] = lan.serverOf(lan.frame(1).tcp(4000 + n, 80, TcpHeader.SYN).numbers(1, 0));
      }
      Random random = new Random(14);
      for (int change = 0; change < CHANGES; change++) {
        lan.balancer.service("web").realServer("s" + (1 + random.nextInt(3))).weight(random.nextInt(5));
        int n = change % connections;
        assertThat(lan.serverOf(lan.frame(1).tcp(4000 + n, 80, TcpHeader.ACK).numbers(2, 9))).isEqualTo(server[n]);
        if (n == 0) {
          lan.after(10);
        }
      }
    }
  }
}
