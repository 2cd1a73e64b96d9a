package io.lb4j.gateway;

import static org.assertj.core.api.Assertions.assertThat;

import io.lb4j.core.ServerControl;
import io.lb4j.schedule.Schedulers;
import io.lb4j.wire.TcpHeader;
import java.time.Duration;
import java.util.Arrays;
import java.util.Comparator;
import java.util.PriorityQueue;
import org.assertj.core.data.Percentage;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** New flows go by the time that servers take to answer clients' SYNs. */
@Tag("memory")
class FastestTest {
  private static final long MILLI = 1_000_000;
  private static final long BETWEEN_FLOWS_NS = 4 * MILLI;

  private record Answer(long dueNs, int server, int port) {}

  private final PriorityQueue<Answer> answers = new PriorityQueue<>(Comparator.comparingLong(Answer::dueNs));
  private long[] delayNs;
  private int nextPort = 1024;

  private Network open(boolean v6, int servers) {
    delayNs = new long[servers + 1];
    Arrays.fill(delayNs, MILLI);
    return Network.options(v6)
        .sessions(1 << 15)
        .service(Network.web(v6, servers).scheduler(Schedulers.fastestResponse()))
        .open();
  }

  /** Flows over a time, each answered by its server after that one's delay; answers how many each server had. */
  private int[] flows(Network net, double seconds) {
    int[] flows = new int[delayNs.length];
    for (long end = net.nowNs + (long) (seconds * 1e9); net.nowNs < end; net.nowNs += BETWEEN_FLOWS_NS) {
      answer(net);
      net.balancer.tickControl(net.nowNs);
      net.path.tick(net.nowNs, (link, frame, marks) -> frame.release());
      int port = nextPort++;
      Packet syn = net.fromOutside(net.to(net.vip(), net.peer(1)).tcp(port, 80, TcpHeader.SYN).numbers(1, 0)).forwarded();
      for (int server = 1; server < flows.length; server++) {
        if (syn.destination().equals(net.inside(server))) {
          flows[server]++;
          answers.add(new Answer(net.nowNs + delayNs[server], server, port));
        }
      }
    }
    return flows;
  }

  private void answer(Network net) {
    long now = net.nowNs;
    while (!answers.isEmpty() && answers.peek().dueNs <= now) {
      Answer next = answers.remove();
      net.nowNs = next.dueNs;
      net.fromInside(net.from(next.server, net.peer(1)).tcp(8080, next.port, TcpHeader.SYN | TcpHeader.ACK).numbers(9, 2))
          .forwarded();
      net.fromOutside(net.to(net.vip(), net.peer(1)).tcp(next.port, 80, TcpHeader.ACK).numbers(2, 10)).forwarded();
    }
    net.nowNs = now;
  }

  private static double share(int[] flows, int server) {
    return (double) flows[server] / Arrays.stream(flows).sum();
  }

  @ParameterizedTest
  @CsvSource({"false, 2", "true, 2", "false, 5", "true, 5"})
  void shouldMoveFlowsOffAServerThatGetsTenTimesSlowerAndBackWhenItRecovers(boolean v6, int servers) {
    try (Network net = open(v6, servers)) {
      flows(net, 3);
      assertThat(share(flows(net, 1), servers)).as("all alike").isBetween(0.9 / servers, 1.1 / servers);
      delayNs[servers] = 10 * MILLI;
      flows(net, 5);
      assertThat(share(flows(net, 2), servers)).as("after 5 s").isPositive().isLessThan(0.03);
      delayNs[servers] = MILLI;
      flows(net, 10);
      assertThat(share(flows(net, 2), servers)).as("recovered").isBetween(0.85 / servers, 1.15 / servers);
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void shouldTellTheTimesItGoesBy(boolean v6) {
    try (Network net = open(v6, 2)) {
      ServerControl slow = net.balancer.service("web").realServer("s2");
      assertThat(slow.responseTime()).isEmpty();
      delayNs[2] = 3 * MILLI;
      flows(net, 3);
      assertThat(slow.responseTime().orElseThrow().toNanos()).isCloseTo(3 * MILLI, Percentage.withPercentage(1));
      slow.responded(Duration.ofSeconds(1));
      assertThat(slow.responseTime().orElseThrow().toNanos())
          .as("a probe says less than the handshakes with clients")
          .isCloseTo(3 * MILLI, Percentage.withPercentage(1));
    }
  }

  /** A server in slow start that answers at once still has its part only. */
  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void shouldRampUpAServerWhoseTimeIsNotKnown(boolean v6) {
    delayNs = new long[4];
    Arrays.fill(delayNs, MILLI);
    Network.Options options =
        Network.options(v6)
            .sessions(1 << 15)
            .service(
                Network.web(v6, 2).scheduler(Schedulers.fastestResponse()).slowStart(Duration.ofSeconds(4)));
    try (Network net = options.open()) {
      flows(net, 2);
      net.balancer.replaceService(
          net.balancer.services().get(0).toBuilder()
              .realServer("s3", net.inside(3), s -> s.port(8080))
              .build());
      long began = net.nowNs;
      int all = 0;
      int own = 0;
      for (int i = 0; i < 40; i++) {
        int[] flows = flows(net, 0.1);
        all += Arrays.stream(flows).sum();
        own += flows[3];
        assertThat((double) own).isLessThanOrEqualTo(all / 3.0 * (net.nowNs - began) / 4e9 + 1);
      }
      assertThat((double) own).isGreaterThan(all / 3.0 / 2 * 0.8);
      assertThat(share(flows(net, 2), 3)).isBetween(0.3, 0.37);
    }
  }
}
