package io.lb4j.dsr;

import static org.assertj.core.api.Assertions.assertThat;

import io.lb4j.frame.Verdict;
import io.lb4j.schedule.Scheduler;
import io.lb4j.schedule.Schedulers;
import io.lb4j.service.VirtualServiceBuilder;
import io.lb4j.testkit.FrameBuilder;
import io.lb4j.wire.TcpHeader;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Connections from before a restart (CT9): a balancer that knows nothing of them sees them in the middle. */
class AdoptionTest {
  private static final int CONNECTIONS = 500;

  private static Lan lan(boolean v6, VirtualServiceBuilder service) {
    return new Lan(v6, b -> b.flowTable(4096).service(Lan.withServers(service, v6, 3)));
  }

  private static FrameBuilder segment(Lan lan, int n, int flags, int sequence) {
    int acknowledgment = flags == TcpHeader.SYN ? 0 : 9;
    FrameBuilder frame = lan.frame(1 + n % 50).tcp(4000 + n, 80, flags).numbers(sequence, acknowledgment);
    return (flags & TcpHeader.SYN) == 0 ? frame.payload(new byte[100]) : frame;
  }

  static Stream<Arguments> hashing() {
    return Stream.of(false, true)
        .flatMap(
            v6 ->
                Stream.of(Schedulers.maglev(), Schedulers.sourceHash(), Schedulers.rendezvous())
                    .map(scheduler -> Arguments.of(v6, scheduler.name(), scheduler)));
  }

  @ParameterizedTest(name = "IPv6 {0}: {1}")
  @MethodSource("hashing")
  void shouldGoOnWithEachConnectionsServerInMidTransfer(boolean v6, String name, Scheduler scheduler) {
    List<String> before = new ArrayList<>();
    try (Lan lan = lan(v6, Lan.tcp(v6).scheduler(scheduler))) {
      for (int n = 0; n < CONNECTIONS; n++) {
        before.add(lan.serverOf(segment(lan, n, TcpHeader.SYN, 1)));
        lan.serverOf(segment(lan, n, TcpHeader.ACK, 2));
      }
    }
    assertThat(before.stream().distinct()).hasSize(3);
    try (Lan restarted = lan(v6, Lan.tcp(v6).scheduler(scheduler))) {
      for (int sequence = 102; sequence < 402; sequence += 100) {
        for (int n = 0; n < CONNECTIONS; n++) {
          String server = restarted.serverOf(segment(restarted, n, TcpHeader.ACK, sequence));
          assertThat(server).as("connection %d", n).isEqualTo(before.get(n));
        }
      }
      assertThat(restarted.balancer.statistics().flowTable().size()).isEqualTo(CONNECTIONS);
      assertThat(restarted.balancer.statistics().flowTable().embryonic()).isZero();
    }
  }

  /** Nobody but a scheduler that hashes can know where the connection was; a setting says so or denies it. */
  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void shouldAdoptOrNotAsDeclared(boolean v6) {
    try (Lan lan = lan(v6, Lan.tcp(v6).scheduler(Schedulers.roundRobin()))) {
      assertThat(lan.process(segment(lan, 1, TcpHeader.ACK, 2))).isEqualTo(Verdict.TCP_NOT_SYN);
    }
    try (Lan lan = lan(v6, Lan.tcp(v6).scheduler(Schedulers.roundRobin()).adoptsConnections(true))) {
      assertThat(lan.process(segment(lan, 1, TcpHeader.ACK, 2))).isEqualTo(Verdict.FORWARD);
    }
    try (Lan lan = lan(v6, Lan.tcp(v6).scheduler(Schedulers.maglev()).adoptsConnections(false))) {
      assertThat(lan.process(segment(lan, 1, TcpHeader.ACK, 2))).isEqualTo(Verdict.TCP_NOT_SYN);
    }
  }

  /** Only what the middle of a connection can look like. */
  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void shouldNotAdoptResetsAndAnswersToSyns(boolean v6) {
    try (Lan lan = lan(v6, Lan.tcp(v6).scheduler(Schedulers.maglev()))) {
      for (int flags : new int[] {TcpHeader.RST, TcpHeader.RST | TcpHeader.ACK, TcpHeader.SYN | TcpHeader.ACK}) {
        assertThat(lan.process(lan.frame(1).tcp(4000, 80, flags).numbers(2, 9))).isEqualTo(Verdict.TCP_NOT_SYN);
      }
      assertThat(lan.balancer.statistics().flowTable().size()).isZero();
      assertThat(lan.process(lan.frame(1).tcp(4000, 80, TcpHeader.FIN | TcpHeader.ACK).numbers(2, 9)))
          .isEqualTo(Verdict.FORWARD);
    }
  }

  /** Forged segments of no connection cost what forged SYNs cost: a quarter of the table. */
  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void shouldBoundWhatForgedSegmentsCost(boolean v6) {
    VirtualServiceBuilder web = Lan.tcp(v6).scheduler(Schedulers.maglev());
    try (Lan lan = new Lan(v6, b -> b.flowTable(1024).service(Lan.withServers(web, v6, 3)))) {
      for (int port = 1; port < 500; port++) {
        lan.process(lan.frame(9).tcp(port, 80, TcpHeader.SYN).numbers(1, 0));
        lan.process(lan.frame(9).tcp(port, 80, TcpHeader.ACK).numbers(2, 9));
      }
      long established = lan.balancer.statistics().flowTable().size();
      for (int port = 1; port < 20_000; port++) {
        lan.process(lan.frame(1).tcp(port, 80, TcpHeader.ACK).numbers(77, 9));
      }
      long size = lan.balancer.statistics().flowTable().size();
      long embryonic = lan.balancer.statistics().flowTable().embryonic();
      assertThat(size - established).isEqualTo(embryonic).isLessThanOrEqualTo(256);
      for (int port = 1; port < 500; port++) {
        assertThat(lan.process(lan.frame(9).tcp(port, 80, TcpHeader.ACK).numbers(2, 9))).isEqualTo(Verdict.FORWARD);
      }
    }
  }
}
