package io.lb4j.dsr;

import static org.assertj.core.api.Assertions.assertThat;

import io.lb4j.flow.FlowTimeouts;
import io.lb4j.frame.Verdict;
import io.lb4j.schedule.Schedulers;
import io.lb4j.testkit.FrameBuilder;
import io.lb4j.wire.TcpHeader;
import java.util.Arrays;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Source ports that are used again (CT7): what reports about other balancers tell of lost SYNs, and of servers that
 * never drain, replayed. A SYN that begins a new connection goes on as that very packet.
 */
class PortReuseTest {
  private static final int SYN = TcpHeader.SYN;
  private static final int ACK = TcpHeader.ACK;

  private enum Before {
    AFTER_FIN,
    AFTER_RESET,
    LONG_SILENT,
    SERVER_REMOVED,
    SERVER_OFFLINE,
    SERVER_DRAINING,
    SERVER_WITHOUT_WEIGHT
  }

  private static Lan lan(boolean v6) {
    return new Lan(v6, b -> b.service(Lan.withServers(Lan.tcp(v6).scheduler(Schedulers.roundRobin()), v6, 2)));
  }

  private static FrameBuilder segment(Lan lan, int client, int port, int flags, int sequence) {
    return lan.frame(client).tcp(port, 80, flags).numbers(sequence, flags == SYN ? 0 : 9);
  }

  static Stream<Arguments> reuses() {
    return Stream.of(false, true).flatMap(v6 -> Arrays.stream(Before.values()).map(before -> Arguments.of(v6, before)));
  }

  @ParameterizedTest(name = "IPv6 {0}: {1}")
  @MethodSource("reuses")
  void shouldScheduleTheSynItself(boolean v6, Before before) {
    try (Lan lan = lan(v6)) {
      assertThat(lan.serverOf(segment(lan, 1, 4000, SYN, 1))).isEqualTo("s1");
      lan.serverOf(segment(lan, 1, 4000, ACK, 2));
      var s1 = lan.balancer.service("web").realServer("s1");
      switch (before) {
        case AFTER_FIN -> lan.serverOf(segment(lan, 1, 4000, TcpHeader.FIN | ACK, 2));
        case AFTER_RESET -> lan.serverOf(segment(lan, 1, 4000, TcpHeader.RST, 2));
        case LONG_SILENT -> lan.nowNs += FlowTimeouts.ONE_DIRECTION.fin().plusSeconds(1).toNanos();
        case SERVER_REMOVED -> s1.remove();
        case SERVER_OFFLINE -> s1.offline();
        case SERVER_DRAINING -> s1.drain();
        default -> s1.weight(0);
      }
      assertThat(lan.serverOf(segment(lan, 1, 4000, SYN, 50_000))).isEqualTo("s2");
      assertThat(lan.serverOf(segment(lan, 1, 4000, ACK, 50_001))).isEqualTo("s2");
      assertThat(lan.balancer.statistics().flowTable().size()).isEqualTo(1);
    }
  }

  /** The server answers it, and a client that has lost its connection resets that (RFC 5961, section 4). */
  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void shouldLeaveAConnectionThatMayBeAliveWhereItIs(boolean v6) {
    try (Lan lan = lan(v6)) {
      assertThat(lan.serverOf(segment(lan, 1, 4000, SYN, 1))).isEqualTo("s1");
      lan.serverOf(segment(lan, 1, 4000, ACK, 2));
      for (int n = 0; n < 5; n++) {
        assertThat(lan.serverOf(segment(lan, 1, 4000, SYN, 50_000 + n))).isEqualTo("s1");
      }
      assertThat(lan.serverOf(segment(lan, 1, 4000, ACK, 2))).isEqualTo("s1");
    }
  }

  /** Neither where the flow is, nor which reset counts: that stays the one at the connection's own number. */
  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void shouldLetAForgedSynChooseNoNumberForAReset(boolean v6) {
    try (Lan lan = lan(v6)) {
      lan.serverOf(segment(lan, 1, 4000, SYN, 1));
      lan.serverOf(segment(lan, 1, 4000, ACK, 2));
      for (int flags : new int[] {SYN, SYN | ACK}) {
        lan.serverOf(segment(lan, 1, 4000, flags, 50_000));
        lan.serverOf(segment(lan, 1, 4000, TcpHeader.RST, 50_001));
        assertThat(lan.stats("s1").counts().active()).isEqualTo(1);
      }
      assertThat(lan.serverOf(segment(lan, 1, 4000, SYN, 70_000))).isEqualTo("s1");
      assertThat(lan.serverOf(segment(lan, 1, 4000, ACK, 2))).isEqualTo("s1");
      lan.serverOf(segment(lan, 1, 4000, TcpHeader.RST, 2));
      assertThat(lan.stats("s1").counts().active()).as("the client's own reset").isZero();
    }
  }

  /** Its server answers with the old number, which the client resets, and repeats its SYN (RFC 9293, section 3.5.1). */
  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void shouldScheduleTheNextSynOfAClientThatHasLostItsConnection(boolean v6) {
    try (Lan lan = lan(v6)) {
      lan.serverOf(segment(lan, 1, 4000, SYN, 1));
      lan.serverOf(segment(lan, 1, 4000, ACK, 2));
      assertThat(lan.serverOf(segment(lan, 1, 4000, SYN, 50_000))).isEqualTo("s1");
      assertThat(lan.serverOf(segment(lan, 1, 4000, TcpHeader.RST, 2))).isEqualTo("s1");
      assertThat(lan.stats("s1").counts().active()).isZero();
      assertThat(lan.serverOf(segment(lan, 1, 4000, SYN, 50_000))).isEqualTo("s2");
    }
  }

  /** While a connection opens no number is sure: the second of two SYNs may be the one that the server has. */
  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void shouldFollowTheClientThoughAnotherSynCameWhileItOpened(boolean v6) {
    try (Lan lan = lan(v6)) {
      lan.serverOf(segment(lan, 1, 4000, SYN, 1));
      lan.serverOf(segment(lan, 1, 4000, SYN, 500_000_000));
      lan.serverOf(segment(lan, 1, 4000, ACK, 500_000_001));
      assertThat(lan.balancer.statistics().flowTable().embryonic()).as("the second was the client's").isZero();
      lan.serverOf(segment(lan, 2, 4000, SYN, 1));
      lan.serverOf(segment(lan, 2, 4000, SYN, 500_000_000));
      lan.serverOf(segment(lan, 2, 4000, ACK, 2));
      lan.serverOf(segment(lan, 2, 4000, ACK, 2).payload(new byte[100]));
      assertThat(lan.balancer.statistics().flowTable().embryonic()).as("the first was").isZero();
      lan.serverOf(segment(lan, 2, 4000, TcpHeader.FIN | ACK, 102));
      assertThat(lan.stats("s2").counts().active()).isZero();
    }
  }

  /** What the server did not take from the SYN comes once more (RFC 7413, section 4.2.2). */
  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void shouldFollowASynWithDataThatItsServerHasNotTaken(boolean v6) {
    try (Lan lan = lan(v6)) {
      lan.serverOf(segment(lan, 1, 4000, SYN, 1).payload(new byte[100]));
      lan.serverOf(segment(lan, 1, 4000, ACK, 2));
      lan.serverOf(segment(lan, 1, 4000, ACK, 2).payload(new byte[100]));
      assertThat(lan.balancer.statistics().flowTable().embryonic()).isZero();
      lan.serverOf(segment(lan, 1, 4000, TcpHeader.RST, 102));
      assertThat(lan.stats("s1").counts().active()).isZero();
    }
  }

  /** A SYN that is only repeated stays with its server, though it takes no new flows by now. */
  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void shouldNotMoveASynThatIsSentAgain(boolean v6) {
    try (Lan lan = lan(v6)) {
      assertThat(lan.serverOf(segment(lan, 1, 4000, SYN, 1))).isEqualTo("s1");
      lan.balancer.service("web").realServer("s1").drain();
      assertThat(lan.serverOf(segment(lan, 1, 4000, SYN, 1))).isEqualTo("s1");
      assertThat(lan.serverOf(segment(lan, 1, 4000, SYN, 700))).as("another connection's").isEqualTo("s2");
    }
  }

  /**
   * Clients that use few ports again and again, faster than the table forgets: of 408 connections a second none waits
   * for a retransmission, and a server with weight 0 has none left after one round of the ports.
   */
  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void shouldLoseNoSynAndDrainAServerThoughPortsComeRoundQuickly(boolean v6) {
    int ports = 200;
    try (Lan lan = lan(v6)) {
      for (int n = 0; n < 408 * 10; n++) {
        if (n == 408 * 5) {
          lan.balancer.service("web").realServer("s1").weight(0);
        }
        int port = 4000 + n % ports;
        int sequence = n * 1_000;
        String server = lan.serverOf(segment(lan, 1, port, SYN, sequence));
        lan.serverOf(segment(lan, 1, port, ACK, sequence + 1));
        boolean closes = n % 3 > 0; // some connections are forgotten by their client
        if (closes) {
          lan.serverOf(segment(lan, 1, port, TcpHeader.FIN | ACK, sequence + 1));
        }
        if (n >= 408 * 5) {
          assertThat(server).isEqualTo("s2");
        }
        lan.nowNs += 1_000_000_000L / 408;
      }
      assertThat(lan.balancer.statistics().count(Verdict.FORWARD))
          .isEqualTo(lan.balancer.statistics().received());
      assertThat(lan.stats("s1").counts().active()).as("drained").isZero();
    }
  }
}
