package io.lb4j.dsr;

import static org.assertj.core.api.Assertions.assertThat;

import io.lb4j.core.ServiceControl;
import io.lb4j.frame.Verdict;
import io.lb4j.schedule.HashInput;
import io.lb4j.schedule.HashInputs;
import io.lb4j.schedule.Scheduler;
import io.lb4j.schedule.Schedulers;
import io.lb4j.testkit.FrameBuilder;
import io.lb4j.wire.TcpHeader;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * A hundred thousand flows stay where they are over a thousand changes that are not about their servers (RC2 to RC4).
 */
class ManyChangesTest {
  private static final int CLIENTS = 100;
  private static final int PORTS = 1_000;
  private static final int CHANGES = 1_000;
  private static final int FIRST_PORT = 2_000;

  private static final List<Scheduler> SCHEDULERS =
      List.of(
          Schedulers.roundRobin(),
          Schedulers.weightedLeastConnections(),
          Schedulers.powerOfTwoChoices(),
          Schedulers.sourceHash(),
          Schedulers.maglev(),
          Schedulers.maglev(HashInputs.of(HashInput.SOURCE_ADDRESS)),
          Schedulers.sourceHash(HashInputs.of(HashInput.SOURCE_PORT, HashInput.DESTINATION_ADDRESS)));

  private static FrameBuilder segment(Lan lan, int flow, int flags) {
    int port = FIRST_PORT + flow / CLIENTS;
    return lan.frame(1 + flow % CLIENTS).tcp(port, 80, flags).numbers(flags == TcpHeader.SYN ? 1 : 2, 0);
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void shouldMoveNoFlow(boolean v6) {
    int flows = CLIENTS * PORTS;
    String[] servers = new String[flows];
    try (Lan lan =
        new Lan(
            v6,
            builder ->
                builder
                    .flowTable(1 << 18)
                    .neighbor(v6 ? "2001:db8:5::14" : "192.0.2.14", Lan.mac(4))
                    .service(Lan.withServers(Lan.tcp(v6).scheduler(Schedulers.maglev()), v6, 3)))) {
      for (int flow = 0; flow < flows; flow++) {
        servers[flow] = lan.serverOf(segment(lan, flow, TcpHeader.SYN));
        assertThat(lan.process(segment(lan, flow, TcpHeader.ACK))).isEqualTo(Verdict.FORWARD);
      }
      Random random = new Random(11);
      for (int change = 0; change < CHANGES; change++) {
        change(lan, random);
        int flow = random.nextInt(flows);
        assertThat(lan.serverOf(segment(lan, flow, TcpHeader.ACK))).as("change %d", change).isEqualTo(servers[flow]);
      }
      for (int flow = 0; flow < flows; flow++) {
        assertThat(lan.serverOf(segment(lan, flow, TcpHeader.ACK))).isEqualTo(servers[flow]);
      }
    }
  }

  /** Another server comes or goes, weights, draining, the scheduler and what it hashes. */
  private static void change(Lan lan, Random random) {
    ServiceControl web = lan.balancer.service("web");
    String one = "s" + (1 + random.nextInt(3));
    switch (random.nextInt(5)) {
      case 0 -> {
        if (web.declaration().server("s4").isPresent()) {
          web.removeRealServer("s4");
        } else {
          lan.balancer.replaceService(web.declaration().toBuilder().realServer("s4", lan.server(4)).build());
        }
      }
      case 1 -> web.realServer(one).weight(random.nextInt(5));
      case 2 -> web.realServer(one).drain();
      case 3 -> web.realServer(one).online();
      default -> {
        Scheduler scheduler = SCHEDULERS.get(random.nextInt(SCHEDULERS.size()));
        lan.balancer.replaceService(web.declaration().toBuilder().scheduler(scheduler).build());
      }
    }
  }
}
