package io.lb4j.dsr;

import static org.assertj.core.api.Assertions.assertThat;

import io.lb4j.flow.FlowTableOverflow;
import io.lb4j.frame.Verdict;
import io.lb4j.service.Activity;
import io.lb4j.service.ConnectionLimit;
import io.lb4j.service.Overflow;
import io.lb4j.service.VirtualService;
import io.lb4j.service.VirtualServiceBuilder;
import io.lb4j.testkit.FrameBuilder;
import io.lb4j.wire.TcpHeader;
import java.util.function.UnaryOperator;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Limits of services and servers: what counts, what a refused client hears, when a limit opens again (VS5, SC16). */
class LimitTest {
  private static Lan lan(boolean v6, int servers, UnaryOperator<VirtualServiceBuilder> settings) {
    return new Lan(v6, b -> b.service(settings.apply(Lan.withServers(Lan.tcp(v6), v6, servers))));
  }

  private static FrameBuilder syn(Lan lan, int port) {
    return lan.frame(1).tcp(port, 80, TcpHeader.SYN).numbers(1, 0);
  }

  private static void established(Lan lan, int port) {
    assertThat(lan.process(syn(lan, port))).isEqualTo(Verdict.FORWARD);
    assertThat(lan.process(lan.frame(1).tcp(port, 80, TcpHeader.ACK).numbers(2, 9))).isEqualTo(Verdict.FORWARD);
  }

  private static Verdict fin(Lan lan, int port) {
    return lan.process(lan.frame(1).tcp(port, 80, TcpHeader.FIN | TcpHeader.ACK).numbers(2, 9));
  }

  private static Verdict dataBeyondFin(Lan lan, int port) {
    return lan.process(lan.frame(1).tcp(port, 80, TcpHeader.ACK).numbers(3, 9).payload(new byte[10]));
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void shouldTakeNewConnectionsOnceFewEnoughAreLeft(boolean v6) {
    ConnectionLimit limit = new ConnectionLimit(4, 2);
    try (Lan lan = lan(v6, 2, s -> s.maxConnections(limit, Overflow.DROP))) {
      for (int port = 4000; port < 4004; port++) {
        established(lan, port);
      }
      assertThat(lan.process(syn(lan, 4004))).isEqualTo(Verdict.CONNECTION_LIMIT);
      assertThat(fin(lan, 4000)).isEqualTo(Verdict.FORWARD);
      assertThat(lan.process(syn(lan, 4004))).as("above the lower bound").isEqualTo(Verdict.CONNECTION_LIMIT);
      assertThat(fin(lan, 4001)).isEqualTo(Verdict.FORWARD);
      established(lan, 4004);
      established(lan, 4005);
      assertThat(lan.process(syn(lan, 4006))).isEqualTo(Verdict.CONNECTION_LIMIT);
      assertThat(lan.balancer.statistics().flowTable().size()).as("a refused flow makes no entry").isEqualTo(6);
    }
  }

  /** The service's place was free, the server's was not: nothing began, so nothing was reached. */
  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void shouldNotShutAServiceForAFlowThatItsServersRefuse(boolean v6) {
    ConnectionLimit limit = new ConnectionLimit(4, 1);
    try (Lan lan =
        new Lan(
            v6,
            b ->
                b.service(
                    Lan.tcp(v6)
                        .maxConnections(limit, Overflow.DROP)
                        .realServer("s1", Lan.server(v6, 1), s -> s.maxConnections(3))))) {
      for (int port = 4000; port < 4003; port++) {
        established(lan, port);
      }
      assertThat(lan.process(syn(lan, 4003))).isEqualTo(Verdict.CONNECTION_LIMIT);
      fin(lan, 4000);
      established(lan, 4004);
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void shouldNotShutAServiceForAFlowThatFindsNoRoom(boolean v6) {
    ConnectionLimit limit = new ConnectionLimit(4, 1);
    try (Lan lan =
        new Lan(
            v6,
            b ->
                b.flowTable(16, FlowTableOverflow.REJECT)
                    .service(Lan.withServers(Lan.tcp(v6).maxConnections(limit, Overflow.DROP), v6, 1))
                    .service(
                        Lan.withServers(
                            VirtualService.tcp(Lan.vip(v6), 81)
                                .named("other")
                                .forwarding(DirectServerReturn.create()),
                            v6,
                            1)))) {
      for (int port = 5000; port < 5013; port++) {
        lan.process(lan.frame(1).tcp(port, 81, TcpHeader.SYN).numbers(1, 0));
        lan.process(lan.frame(1).tcp(port, 81, TcpHeader.ACK).numbers(2, 9));
      }
      for (int port = 4000; port < 4003; port++) {
        established(lan, port);
      }
      assertThat(lan.process(syn(lan, 4003))).isEqualTo(Verdict.FLOW_TABLE_FULL);
      fin(lan, 4000);
      lan.after(60_000);
      established(lan, 4004);
    }
  }

  /** A client that ends a connection, so that another takes the place, and then goes on with it is one too many. */
  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void shouldDropAConnectionThatGoesOnAfterItsEndWhenThereIsNoPlace(boolean v6) {
    try (Lan lan = lan(v6, 1, s -> s.maxConnections(ConnectionLimit.of(1), Overflow.DROP))) {
      established(lan, 4000);
      fin(lan, 4000);
      established(lan, 4001);
      assertThat(dataBeyondFin(lan, 4000)).isEqualTo(Verdict.CONNECTION_LIMIT);
      assertThat(lan.stats("s1").counts().active()).isEqualTo(1);
      fin(lan, 4001);
      assertThat(dataBeyondFin(lan, 4000)).as("there is a place").isEqualTo(Verdict.FORWARD);
      assertThat(lan.stats("s1").counts().active()).isEqualTo(1);
      assertThat(lan.process(syn(lan, 4002))).isEqualTo(Verdict.CONNECTION_LIMIT);
    }
  }

  @ParameterizedTest
  @CsvSource({"false,4,2", "true,4,2", "false,2,4", "true,2,4"})
  void shouldGoOnCountingWhenALimitChanges(boolean v6, int first, int second) {
    try (Lan lan = lan(v6, 2, s -> s.maxConnections(ConnectionLimit.of(first), Overflow.DROP))) {
      int port = 4000;
      for (; port < 4000 + first; port++) {
        established(lan, port);
      }
      lan.balancer.replaceService(
          lan.balancer.service("web").declaration().toBuilder()
              .maxConnections(ConnectionLimit.of(second), Overflow.DROP)
              .build());
      for (int more = first; more < second; more++) {
        established(lan, port++);
      }
      assertThat(lan.process(syn(lan, port))).isEqualTo(Verdict.CONNECTION_LIMIT);
      for (int end = 4000; end < 4000 + first - second + 1; end++) {
        fin(lan, end);
      }
      assertThat(lan.process(syn(lan, port)))
          .isEqualTo(first > second ? Verdict.FORWARD : Verdict.CONNECTION_LIMIT);
    }
  }

  @ParameterizedTest
  @EnumSource(Overflow.class)
  void shouldTellARefusedClientWhatIsDeclared(Overflow overflow) {
    for (boolean v6 : new boolean[] {false, true}) {
      try (Lan lan =
          lan(
              v6,
              1,
              s ->
                  s.maxConnections(ConnectionLimit.of(1), overflow)
                      .realServer(
                          "spare",
                          Lan.server(v6, 2),
                          o -> o.activity(Activity.STANDBY)))) {
        established(lan, 4000);
        Verdict second = lan.process(syn(lan, 4001));
        switch (overflow) {
          case DROP -> assertThat(second).isEqualTo(Verdict.CONNECTION_LIMIT);
          case RESET, UNREACHABLE -> {
            assertThat(second).isEqualTo(Verdict.ANSWER);
            assertThat(lan.sent).hasSize(1);
          }
          case STANDBY -> {
            assertThat(second).isEqualTo(Verdict.FORWARD);
            assertThat(lan.lastServer()).isEqualTo("spare");
          }
        }
        assertThat(lan.stats("s1").counts().active()).isEqualTo(1);
      }
    }
  }
}
