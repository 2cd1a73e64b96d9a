package io.lb4j.gateway;

import static org.assertj.core.api.Assertions.assertThat;

import io.lb4j.event.Event;
import io.lb4j.testkit.FrameBuilder;
import io.lb4j.wire.TcpHeader;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What the data path tells of servers that are set up wrong, and that it tells nothing of others. */
final class ServerSetupFaultTest {
  private static final int SYN = TcpHeader.SYN;
  private static final int ACK = TcpHeader.ACK;
  private static final int RST = TcpHeader.RST;
  private static final int SERVER = 1;
  private static final int OTHER = 50;

  private final List<Event> events = new ArrayList<>();

  private Network open(boolean v6) {
    return Network.options(v6).service(Network.web(v6, 2)).with(b -> b.listener(events::add)).open();
  }

  private List<String> faults(Network net) {
    net.nowNs += 1_000_000_000L;
    net.balancer.tickControl(net.nowNs);
    List<String> faults =
        events.stream()
            .filter(Event.ServerSetupFault.class::isInstance)
            .map(event -> ((Event.ServerSetupFault) event).code() + " " + ((Event.ServerSetupFault) event).server())
            .toList();
    events.clear();
    return faults;
  }

  /** A client's SYN; answers which server got it. */
  private static int syn(Network net, int port) {
    Packet packet = net.fromOutside(net.to(net.vip(), net.peer(1)).tcp(port, 80, SYN).numbers(1000, 0)).forwarded();
    return packet.destination().equals(net.inside(1)) ? 1 : 2;
  }

  /** A SYN with ACK for the client from a host, with some host's MAC address. */
  private static FrameBuilder answer(Network net, int host, int machine, int port) {
    return FrameBuilder.from(net.inside(host), net.peer(1))
        .macs(Network.INSIDE_MAC, Network.mac(machine))
        .tcp(8080, port, SYN | ACK)
        .numbers(5000, 1001);
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void shouldTellThatAServersAnswersHaveAnotherSource(boolean v6) {
    try (Network net = open(v6)) {
      int server = syn(net, 3000);
      net.fromInside(answer(net, OTHER, server, 3000));
      assertThat(faults(net)).containsExactly("reply-wrong-source " + net.inside(server));
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void shouldTellNothingOfAnswersThatFitNoSession(boolean v6) {
    try (Network net = open(v6)) {
      int server = syn(net, 3000);
      net.fromInside(answer(net, OTHER, server, 3001));
      net.nowNs += 200_000_000L;
      net.fromInside(answer(net, OTHER, OTHER, 3000));
      net.nowNs += 200_000_000L;
      net.fromInside(answer(net, OTHER, 3 - server, 3000));
      assertThat(faults(net)).isEmpty();
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void shouldLookAtTenAnswersASecondAtMost(boolean v6) {
    try (Network net = open(v6)) {
      int server = syn(net, 3000);
      for (int i = 0; i < 100; i++) {
        net.fromInside(answer(net, OTHER, server, 3000));
      }
      net.balancer.tickControl(net.nowNs);
      assertThat(events).hasSize(1);
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void shouldTellThatAServerRefusesEveryConnectionUntilItTakesOne(boolean v6) {
    try (Network net = open(v6)) {
      net.balancer.tickControl(net.nowNs);
      for (int port = 3000; port < 3012; port++) {
        int server = syn(net, port);
        boolean takes = server == 2;
        FrameBuilder reply = net.from(server, net.peer(1)).tcp(8080, port, takes ? SYN | ACK : RST | ACK);
        net.fromInside(reply.numbers(takes ? 5000 : 0, 1001)).forwarded();
      }
      assertThat(faults(net)).containsExactly("port-closed " + net.inside(SERVER));
      assertThat(faults(net)).isEmpty();
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void shouldTellNothingOfServersThatTakeConnections(boolean v6) {
    try (Network net = open(v6)) {
      net.balancer.tickControl(net.nowNs);
      for (int port = 3000; port < 3300; port++) {
        int server = syn(net, port);
        net.fromInside(answer(net, server, server, port)).forwarded();
      }
      assertThat(faults(net)).isEmpty();
    }
  }
}
