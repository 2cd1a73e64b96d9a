package io.lb4j.dsr;

import static org.assertj.core.api.Assertions.assertThat;

import io.lb4j.core.Statistics;
import io.lb4j.event.Event;
import io.lb4j.event.EventListener;
import io.lb4j.flow.FlowTableOverflow;
import io.lb4j.frame.Verdict;
import io.lb4j.service.ConnectionLimit;
import io.lb4j.service.Overflow;
import io.lb4j.service.VirtualServiceBuilder;
import io.lb4j.wire.TcpHeader;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What a balancer tells of what happens in its data path. */
class EventTest {
  private static final int FIN = TcpHeader.FIN | TcpHeader.ACK;

  private final List<Event> heard = new ArrayList<>();
  private Lan lan;

  private void open(boolean v6, UnaryOperator<VirtualServiceBuilder> service) {
    lan =
        new Lan(
            v6,
            b ->
                b.flowTable(64, FlowTableOverflow.REJECT)
                    .listener(heard::add)
                    .service(service.apply(Lan.withServers(Lan.tcp(v6), v6, 2))));
    told();
  }

  @AfterEach
  void close() {
    lan.close();
  }

  private List<Event> told() {
    lan.balancer.tickControl(lan.nowNs);
    List<Event> taken = List.copyOf(heard);
    heard.clear();
    return taken;
  }

  private Verdict send(int client, int flags) {
    return lan.process(lan.frame(1).tcp(4000 + client, 80, flags));
  }

  private static Event limit(int most, boolean reached) {
    return new Event.ConnectionLimit("web", Optional.empty(), most, reached);
  }

  @ParameterizedTest(name = "IPv6 {0}")
  @ValueSource(booleans = {false, true})
  void shouldTellWhenALimitIsReachedAndOpensAgain(boolean v6) {
    open(v6, web -> web.maxConnections(ConnectionLimit.of(2), Overflow.DROP));
    send(1, TcpHeader.SYN);
    assertThat(told()).isEmpty();
    send(2, TcpHeader.SYN);
    assertThat(send(3, TcpHeader.SYN)).isEqualTo(Verdict.CONNECTION_LIMIT);
    assertThat(told()).containsExactly(limit(2, true));
    assertThat(told()).as("told once").isEmpty();
    send(1, TcpHeader.ACK);
    send(1, FIN);
    assertThat(told()).containsExactly(limit(2, false));
  }

  @ParameterizedTest(name = "IPv6 {0}")
  @ValueSource(booleans = {false, true})
  void shouldTellOfALimitThatWasReachedBetweenTwoLooks(boolean v6) {
    open(v6, web -> web.maxConnections(ConnectionLimit.of(1), Overflow.DROP));
    send(1, TcpHeader.SYN);
    send(1, TcpHeader.ACK);
    send(1, FIN);
    assertThat(told()).containsExactly(limit(1, true), limit(1, false));
    send(2, TcpHeader.SYN);
    assertThat(told()).containsExactly(limit(1, true));
    send(2, TcpHeader.ACK);
    send(2, FIN);
    send(3, TcpHeader.SYN);
    assertThat(told()).as("open and reached again").containsExactly(limit(1, false), limit(1, true));
  }

  @ParameterizedTest(name = "IPv6 {0}")
  @ValueSource(booleans = {false, true})
  void shouldNameTheServerWhoseLimitItIs(boolean v6) {
    open(v6, web -> web);
    lan.balancer.replaceService(
        Lan.tcp(v6).realServer("s1", lan.server(1), s -> s.maxConnections(1)).build());
    told();
    send(1, TcpHeader.SYN);
    assertThat(told()).containsExactly(new Event.ConnectionLimit("web", Optional.of("s1"), 1, true));
  }

  @ParameterizedTest(name = "IPv6 {0}")
  @ValueSource(booleans = {false, true})
  void shouldTellOnceASecondWhatAFullTableCosts(boolean v6) {
    open(v6, web -> web);
    for (int client = 0; client < 2000; client++) {
      send(client, TcpHeader.SYN);
      lan.process(lan.frame(1).tcp(4000 + client, 80, TcpHeader.ACK).numbers(2, 9)); // established, not half-open
    }
    Event.FlowTablePressure cost = cost();
    assertThat(cost.refused()).isPositive();
    assertThat(told()).containsExactly(cost);
    send(3000, TcpHeader.SYN);
    lan.nowNs += 999_000_000L;
    assertThat(told()).as("within the second").isEmpty();
    lan.nowNs += 1_000_000L;
    Event.FlowTablePressure since = cost();
    assertThat(told())
        .containsExactly(
            new Event.FlowTablePressure(since.evicted() - cost.evicted(), since.refused() - cost.refused()));
    lan.nowNs += 5_000_000_000L;
    assertThat(told()).isEmpty();
  }

  private Event.FlowTablePressure cost() {
    Statistics now = lan.balancer.statistics();
    long refused = now.count(Verdict.FLOW_TABLE_FULL) + now.count(Verdict.EMBRYONIC_LIMIT);
    return new Event.FlowTablePressure(now.flowTable().evictions(), refused);
  }

  @ParameterizedTest(name = "IPv6 {0}")
  @ValueSource(booleans = {false, true})
  void shouldTellOfChangesAndNeighborsToWhoListens(boolean v6) {
    open(v6, web -> web);
    List<Event> others = new ArrayList<>();
    EventListener other = others::add;
    lan.balancer.addListener(other);
    lan.balancer.service("web").realServer("s1").drain();
    assertThat(told()).containsExactly(new Event.ServicesChanged(2, 1)).isEqualTo(others);
    lan.balancer.removeListener(other);
    lan.balancer.removeService("web");
    assertThat(told()).containsExactly(new Event.ServicesChanged(3, 0));
    assertThat(others).hasSize(1);
    assertThat(lan.balancer.statistics().events().told()).isEqualTo(2);
  }
}
