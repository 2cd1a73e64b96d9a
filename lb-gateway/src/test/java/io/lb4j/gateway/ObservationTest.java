package io.lb4j.gateway;

import static org.assertj.core.api.Assertions.assertThat;

import io.lb4j.core.ServerControl;
import io.lb4j.monitor.Observation;
import io.lb4j.schedule.Schedulers;
import io.lb4j.service.Health;
import io.lb4j.wire.TcpHeader;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Servers are taken out by what clients' connections show, where both halves pass. */
class ObservationTest {
  private static final long SECOND_NS = 1_000_000_000L;

  private int nextPort = 1024;
  private String dead = "";
  private boolean refuses;

  private static Network open(boolean v6) {
    return Network.options(v6)
        .sessions(1 << 15)
        .service(Network.web(v6, 3).scheduler(Schedulers.roundRobin()).observation(Observation.defaults()))
        .open();
  }

  /** Connections over a second, answered by servers that are well; answers which servers had one. */
  private Set<String> second(Network net, int connections, boolean forged) {
    Set<String> used = new TreeSet<>();
    for (int n = 0; n < connections; n++) {
      int port = nextPort++;
      int client = forged ? 1 + n % 200 : 1;
      Packet syn =
          net.fromOutside(net.to(net.vip(), net.peer(client)).tcp(port, 80, TcpHeader.SYN).numbers(1, 0)).forwarded();
      for (int server = 1; server <= 3; server++) {
        if (syn.destination().equals(net.inside(server))) {
          used.add("s" + server);
          answer(net, server, client, port);
        }
      }
    }
    net.nowNs += SECOND_NS;
    net.path.tick(net.nowNs, (link, frame, marks) -> frame.release());
    net.balancer.tickControl(net.nowNs);
    return used;
  }

  private void answer(Network net, int server, int client, int port) {
    int flags = TcpHeader.SYN | TcpHeader.ACK;
    if (dead.equals("s" + server)) {
      flags = refuses ? TcpHeader.RST | TcpHeader.ACK : 0;
    }
    if (flags != 0) {
      net.fromInside(net.from(server, net.peer(client)).tcp(8080, port, flags).numbers(9, 2)).forwarded();
    } else {
      net.fromOutside(net.to(net.vip(), net.peer(client)).tcp(port, 80, TcpHeader.SYN).numbers(1, 0)).forwarded();
    }
  }

  @ParameterizedTest
  @CsvSource({"false, false", "false, true", "true, false", "true, true"})
  void shouldTakeOutWhoAnswersNobodyAndTryItAgain(boolean v6, boolean refusing) {
    try (Network net = open(v6)) {
      for (int n = 0; n < 20; n++) {
        assertThat(second(net, 6, false)).containsExactly("s1", "s2", "s3");
      }
      dead = "s2";
      refuses = refusing;
      int seconds = 0;
      while (net.balancer.service("web").realServer("s2").health() != Health.DOWN && seconds < 60) {
        second(net, 6, false);
        seconds++;
      }
      assertThat(seconds).as("a window").isLessThanOrEqualTo(12);
      assertThat(net.balancer.statistics().services().get(0).servers().get(1).health().reason())
          .isEqualTo("no-handshakes");
      assertThat(second(net, 6, false)).containsExactly("s1", "s3");
      dead = "";
      for (int n = 0; n < 6; n++) {
        second(net, 6, false);
      }
      assertThat(second(net, 6, false)).containsExactly("s1", "s2", "s3");
    }
  }

  /** What was tried while it took new flows says nothing when its fellows have all of them again. */
  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void shouldNotTakeOutAStandbyServerWhenTheOthersAreBack(boolean v6) {
    try (Network net = open(v6)) {
      net.balancer.service("web").realServer("s2").standby();
      net.balancer.service("web").removeRealServer("s3");
      ServerControl first = net.balancer.service("web").realServer("s1");
      first.report(Health.DOWN);
      assertThat(second(net, 6, false)).containsExactly("s2");
      dead = "s2"; // nobody forges its answers
      for (int n = 0; n < 4; n++) {
        assertThat(second(net, 6, true)).containsExactly("s2");
      }
      first.report(Health.UP);
      for (int n = 0; n < 20; n++) {
        assertThat(second(net, 6, false)).containsExactly("s1");
        assertThat(net.balancer.service("web").realServer("s2").health()).isNotEqualTo(Health.DOWN);
      }
    }
  }

  /** Servers that are well answer forged SYNs too, which proves them well. */
  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void shouldNotBeDeceivedByAFlood(boolean v6) {
    try (Network net = open(v6)) {
      for (int n = 0; n < 30; n++) {
        assertThat(second(net, 300, true)).containsExactly("s1", "s2", "s3");
      }
    }
  }
}
