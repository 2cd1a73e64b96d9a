package io.lb4j.gateway;

import static org.assertj.core.api.Assertions.assertThat;

import io.lb4j.counters.HandshakeCounts;
import io.lb4j.flow.FlowRecord;
import io.lb4j.service.VirtualService;
import io.lb4j.service.VirtualServiceBuilder;
import io.lb4j.testkit.FrameBuilder;
import io.lb4j.wire.TcpHeader;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** What sessions tell of their servers' health: answers and their time, silence, refusals. */
class HandshakeTest {
  private static final int SYN = TcpHeader.SYN;
  private static final int ACK = TcpHeader.ACK;
  private static final int RST = TcpHeader.RST;
  private static final int CLIENT_PORT = 3000;

  private static final List<String> CONVERSATIONS =
      List.of(
          // what happens one millisecond after the other       answered silent refused timed milliseconds
          "syn                                                 | 0 0 0 0 0",
          "syn syn-ack                                         | 1 0 0 1 1",
          "syn syn-ack ack data                                | 1 0 0 1 1",
          "syn syn-ack syn-ack ack syn-ack                     | 1 0 0 1 1",
          "syn syn                                             | 0 1 0 0 0",
          "syn syn syn syn-ack ack                             | 1 2 0 1 3",
          "syn syn-ack syn                                     | 1 0 0 1 1",
          "syn syn-ack ack syn                                 | 1 0 0 1 1",
          "syn rst                                             | 0 0 1 0 0",
          "syn rst rst                                         | 0 0 1 0 0",
          "syn rst syn rst                                     | 0 0 2 0 0",
          "syn wrong-rst                                       | 0 0 0 0 0",
          "syn bare-rst                                        | 0 0 0 0 0",
          "syn client-rst                                      | 0 0 0 0 0",
          "syn syn-ack rst                                     | 1 0 0 1 1",
          "syn syn-ack ack rst                                 | 1 0 0 1 1",
          "syn wrong-syn-ack                                   | 0 0 0 0 0",
          "syn wrong-syn-ack syn-ack                           | 1 0 0 1 2",
          "syn server-syn server-ack                           | 1 0 0 1 2",
          "syn server-ack server-syn                           | 1 0 0 1 2",
          "syn expiry                                          | 0 1 0 0 0",
          "syn syn expiry                                      | 0 2 0 0 0",
          "syn syn-ack expiry                                  | 1 0 0 1 1",
          "syn rst expiry                                      | 0 0 1 0 0",
          "syn client-rst expiry                               | 0 0 0 0 0",
          "syn late-packet                                     | 0 1 0 0 0",
          "syn syn-ack ack expiry                              | 1 0 0 1 1");

  static Stream<Arguments> conversations() {
    return CONVERSATIONS.stream()
        .map(row -> row.split("\\|"))
        .flatMap(
            row ->
                Stream.of(false, true)
                    .flatMap(v6 -> Stream.of("nat", "full-nat").map(method -> Arguments.of(v6, method, row[0].strip(), row[1].strip()))));
  }

  private static VirtualServiceBuilder service(boolean v6, String method) {
    return VirtualService.tcp(Network.vip(v6), 80)
        .named("web")
        .forwarding(method.equals("nat") ? Gateway.create() : Gateway.fullNat(Conversations.fullNat(v6)))
        .realServer("s1", Network.inside(v6, 1), s -> s.port(8080));
  }

  private static HandshakeCounts counts(Network net, int binding) {
    return net.path.counters().handshakes(binding);
  }

  private static Network.Result client(Network net, int flags, int sequence, int acknowledgment) {
    FrameBuilder frame = net.to(net.vip(), net.peer(1)).tcp(CLIENT_PORT, 80, flags);
    return net.fromOutside(frame.numbers(sequence, acknowledgment));
  }

  private static void server(Network net, Packet syn, int flags, int sequence, int acknowledgment) {
    FrameBuilder frame = net.from(1, syn.source()).tcp(8080, syn.sourcePort(), flags);
    net.fromInside(frame.numbers(sequence, acknowledgment));
  }

  private static void happen(Network net, Packet syn, String event) {
    switch (event) {
      case "syn" -> client(net, SYN, 1000, 0);
      case "ack" -> client(net, ACK, 1001, 5001);
      case "data" -> server(net, syn, ACK, 5001, 1001);
      case "client-rst" -> client(net, RST, 1001, 0);
      case "syn-ack" -> server(net, syn, SYN | ACK, 5000, 1001);
      case "wrong-syn-ack" -> server(net, syn, SYN | ACK, 5000, 1002);
      case "server-syn" -> server(net, syn, SYN, 5000, 0);
      case "server-ack" -> server(net, syn, ACK, 5001, 1001);
      case "rst" -> server(net, syn, RST | ACK, 0, 1001);
      case "wrong-rst" -> server(net, syn, RST | ACK, 0, 1002);
      case "bare-rst" -> server(net, syn, RST, 0, 0);
      case "expiry" -> net.afterSeconds(7500);
      case "late-packet" -> {
        net.path.tick(net.nowNs, (link, frame, marks) -> true);
        net.nowNs += 241_000_000_000L;
        server(net, syn, ACK, 5001, 1001);
      }
      default -> throw new IllegalArgumentException(event);
    }
  }

  @ParameterizedTest(name = "IPv6 {0}, {1}: {2}")
  @MethodSource("conversations")
  void shouldTell(boolean v6, String method, String events, String expected) {
    try (Network net = Network.options(v6).service(service(v6, method)).open()) {
      List<String> all = Arrays.asList(events.split("\\s+"));
      Packet syn = client(net, SYN, 1000, 0).forwarded();
      FlowRecord record = SavedSessionsTest.list(net).get(0);
      for (String event : all.subList(1, all.size())) {
        net.nowNs += 1_000_000;
        happen(net, syn, event);
      }
      HandshakeCounts counts = counts(net, record.binding());
      String told =
          Stream.of(counts.answered(), counts.silent(), counts.refused(), counts.timed(), counts.timeNs() / 1_000_000)
              .map(String::valueOf)
              .collect(Collectors.joining(" "));
      assertThat(told).isEqualTo(expected);
    }
  }

  /** A SYN that others push out of the small table of times is answered without its time, never with another's. */
  @BothFamilies
  void shouldMeasureNothingWhereItHasForgottenTheSyn(boolean v6) {
    int sessions = 8000;
    try (Network net = Network.options(v6).sessions(65_536).service(service(v6, "nat")).open()) {
      int binding = 0;
      for (int n = 0; n < sessions; n++) {
        net.nowNs += 1000;
        FrameBuilder frame = net.to(net.vip(), net.peer(1 + n / 4000)).tcp(1024 + n % 4000, 80, SYN);
        net.fromOutside(frame.numbers(1000, 0)).forwarded();
        if (binding == 0) {
          binding = SavedSessionsTest.list(net).get(0).binding();
        }
      }
      long expectedNs = 0;
      for (int n = 0; n < sessions; n++) {
        net.nowNs += 1000;
        HandshakeCounts before = counts(net, binding);
        FrameBuilder frame = net.from(1, net.peer(1 + n / 4000)).tcp(8080, 1024 + n % 4000, SYN | ACK);
        net.fromInside(frame.numbers(5000, 1001)).forwarded();
        HandshakeCounts told = counts(net, binding).minus(before);
        assertThat(told.answered()).isEqualTo(1);
        assertThat(told.timeNs()).isEqualTo(told.timed() * 1000L * sessions);
        expectedNs += told.timeNs();
      }
      HandshakeCounts all = counts(net, binding);
      assertThat(all.answered()).isEqualTo(sessions);
      assertThat(all.timed()).isBetween(2000L, 4096L);
      assertThat(all.timeNs()).isEqualTo(expectedNs);
    }
  }

  /** Outbound connections tell nothing of any server. */
  @BothFamilies
  void shouldTellNothingOfConnectionsThatServersStart(boolean v6) {
    try (Network net = Network.options(v6).nat(b -> b).service(service(v6, "nat")).open()) {
      net.connect(1, 4000, net.peer(1), 80);
      net.open(true, 1, 4001, net.peer(1), 80);
      net.open(true, 1, 4001, net.peer(1), 80);
      net.afterSeconds(300);
      for (int binding = 0; binding < 3; binding++) {
        assertThat(counts(net, binding)).isEqualTo(HandshakeCounts.ZERO);
      }
    }
  }
}
