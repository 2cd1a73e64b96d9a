package io.lb4j.dsr;

import static org.assertj.core.api.Assertions.assertThat;

import io.lb4j.frame.Verdict;
import io.lb4j.schedule.Scheduler;
import io.lb4j.schedule.Schedulers;
import io.lb4j.service.VirtualServiceBuilder;
import io.lb4j.testkit.FrameBuilder;
import io.lb4j.wire.TcpHeader;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Whom the flows go to that a full server does not take. */
class FullServerTest {
  private static final int FIRST_PORT = 2000;

  static Stream<Arguments> disciplines() {
    return Schedulers.names().stream().flatMap(name -> Stream.of(Arguments.of(name, false), Arguments.of(name, true)));
  }

  private static VirtualServiceBuilder web(boolean v6, String discipline) {
    Scheduler scheduler = Schedulers.named(discipline).orElseThrow();
    return Lan.tcp(v6).scheduler(scheduler);
  }

  private static Lan open(boolean v6, VirtualServiceBuilder service) {
    return new Lan(
        v6,
        b -> {
          for (int n = 4; n <= 9; n++) {
            b.neighbor(Lan.server(v6, n), Lan.mac(n));
          }
          return b.service(service).flowTable(1 << 12);
        });
  }

  private static FrameBuilder syn(Lan lan, int port) {
    return lan.frame(1 + port % 250).tcp(port, 80, TcpHeader.SYN);
  }

  private static int[] flows(Lan lan, int servers, int count) {
    int[] flows = new int[servers + 1];
    for (int port = FIRST_PORT; port < FIRST_PORT + count; port++) {
      flows[Integer.parseInt(lan.serverOf(syn(lan, port)).substring(1))]++;
    }
    return flows;
  }

  @ParameterizedTest(name = "{0}, IPv6 {1}")
  @MethodSource("disciplines")
  void shouldSpreadTheFlowsOfAFullServerOverAllOthers(String discipline, boolean v6) {
    VirtualServiceBuilder service = web(v6, discipline).realServer("s1", Lan.server(v6, 1), s -> s.maxConnections(6));
    for (int n = 2; n <= 5; n++) {
      service.realServer("s" + n, Lan.server(v6, n));
    }
    try (Lan lan = open(v6, service)) {
      int[] flows = flows(lan, 5, 806);
      assertThat(flows[1]).isEqualTo(6);
      for (int n = 2; n <= 5; n++) {
        assertThat(flows[n]).as("server %d of %s", n, Arrays.toString(flows)).isBetween(150, 250);
      }
    }
  }

  /** A heavy server comes up again and again, however often the discipline is asked. */
  @ParameterizedTest(name = "{0}, IPv6 {1}")
  @MethodSource("disciplines")
  void shouldSpreadTheFlowsOfAFullServerThatWeighsMuch(String discipline, boolean v6) {
    VirtualServiceBuilder service =
        web(v6, discipline).realServer("s1", Lan.server(v6, 1), s -> s.weight(1000).maxConnections(1));
    for (int n = 2; n <= 5; n++) {
      service.realServer("s" + n, Lan.server(v6, n));
    }
    try (Lan lan = open(v6, service)) {
      int[] flows = flows(lan, 5, 401);
      assertThat(flows[1]).isEqualTo(1);
      for (int n = 2; n <= 5; n++) {
        assertThat(flows[n]).as("server %d of %s", n, Arrays.toString(flows)).isBetween(75, 125);
      }
    }
  }

  @ParameterizedTest(name = "{0}, IPv6 {1}")
  @MethodSource("disciplines")
  void shouldFindTheLastPlace(String discipline, boolean v6) {
    VirtualServiceBuilder service = web(v6, discipline);
    for (int n = 1; n <= 9; n++) {
      service.realServer("s" + n, Lan.server(v6, n), s -> s.maxConnections(2));
    }
    try (Lan lan = open(v6, service)) {
      int[] flows = flows(lan, 9, 18);
      for (int n = 1; n <= 9; n++) {
        assertThat(flows[n]).isEqualTo(2);
      }
      assertThat(lan.process(syn(lan, 4000))).isEqualTo(Verdict.CONNECTION_LIMIT);
      lan.process(lan.frame(1 + FIRST_PORT % 250).tcp(FIRST_PORT, 80, TcpHeader.FIN | TcpHeader.ACK).numbers(2, 1));
      assertThat(lan.process(syn(lan, 4000))).isEqualTo(Verdict.FORWARD);
      assertThat(lan.process(syn(lan, 4001))).isEqualTo(Verdict.CONNECTION_LIMIT);
    }
  }

  /** Full servers, with the fewest flows of all, do not hide the least loaded of the others. */
  @ParameterizedTest
  @ValueSource(strings = {"lc", "wlc", "sed", "nq"})
  void shouldPickTheLeastLoadedServerThatIsNotFull(String discipline) {
    VirtualServiceBuilder service = web(false, discipline);
    for (int n = 1; n <= 9; n++) {
      int most = n <= 7 ? 1 : 1000;
      service.realServer("s" + n, Lan.server(false, n), s -> s.maxConnections(most));
    }
    try (Lan lan = open(false, service)) {
      List<Integer> ofTheLast = new ArrayList<>();
      for (int port = FIRST_PORT; port < FIRST_PORT + 207; port++) {
        if (lan.serverOf(syn(lan, port)).equals("s9")) {
          ofTheLast.add(port);
        }
      }
      assertThat(ofTheLast).hasSize(100);
      for (int port : ofTheLast.subList(0, 40)) {
        lan.process(lan.frame(1 + port % 250).tcp(port, 80, TcpHeader.FIN | TcpHeader.ACK).numbers(2, 1));
      }
      for (int port = 4000; port < 4040; port++) {
        assertThat(lan.serverOf(syn(lan, port))).isEqualTo("s9");
      }
    }
  }

  /** The second choice is the server that would be first if the full one were not there. */
  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void shouldGiveTheFlowsOfAFullServerToTheirSecondChoice(boolean v6) {
    VirtualServiceBuilder limited = web(v6, "hrw").realServer("s1", Lan.server(v6, 1), s -> s.maxConnections(1));
    VirtualServiceBuilder without = web(v6, "hrw");
    for (int n = 2; n <= 6; n++) {
      limited.realServer("s" + n, Lan.server(v6, n));
      without.realServer("s" + n, Lan.server(v6, n));
    }
    try (Lan full = open(v6, limited);
        Lan others = open(v6, without)) {
      List<Integer> ports = new ArrayList<>();
      for (int port = FIRST_PORT; port < FIRST_PORT + 600; port++) {
        String server = full.serverOf(syn(full, port));
        String second = others.serverOf(syn(others, port));
        if (server.equals("s1")) {
          ports.add(port);
        } else {
          assertThat(server).isEqualTo(second);
        }
      }
      assertThat(ports).hasSize(1);
    }
  }
}
