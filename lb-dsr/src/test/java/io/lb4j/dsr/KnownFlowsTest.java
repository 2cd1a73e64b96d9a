package io.lb4j.dsr;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.lb4j.address.IpAddress;
import io.lb4j.address.IpPrefix;
import io.lb4j.counters.ServerCounts;
import io.lb4j.flow.FlowRecord.Kind;
import io.lb4j.flow.FlowState;
import io.lb4j.frame.Verdict;
import io.lb4j.persistence.PersistenceScope;
import io.lb4j.persistence.SourceIpPersistence;
import io.lb4j.schedule.Schedulers;
import io.lb4j.service.VirtualService;
import io.lb4j.service.VirtualServiceBuilder;
import io.lb4j.settings.ConfigurationError;
import io.lb4j.settings.ConfigurationException;
import io.lb4j.state.ClientEntry;
import io.lb4j.state.ClientFilter;
import io.lb4j.state.FlowEntry;
import io.lb4j.state.FlowFilter;
import io.lb4j.state.FlowPage;
import io.lb4j.testkit.FrameBuilder;
import io.lb4j.wire.TcpHeader;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Flows and clients, listed, ended and forgotten. */
@Tag("memory")
class KnownFlowsTest {
  /** A web service of both kinds of flows, and DNS beside it; six flows of three clients. */
  private static Lan lan(boolean v6) {
    return lan(v6, service -> service);
  }

  private static Lan lan(boolean v6, UnaryOperator<VirtualServiceBuilder> web) {
    VirtualServiceBuilder dns =
        Lan.dns(v6).scheduler(Schedulers.roundRobin());
    Lan lan =
        new Lan(
            v6,
            b ->
                b.service(web.apply(Lan.withServers(Lan.tcp(v6).scheduler(Schedulers.roundRobin()), v6, 3)))
                    .service(Lan.withServers(dns, v6, 2)));
    lan.serverOf(lan.frame(1).tcp(4000, 80, TcpHeader.SYN).numbers(1, 0)); // s1
    lan.serverOf(lan.frame(2).tcp(4000, 80, TcpHeader.SYN).numbers(1, 0)); // s2
    lan.serverOf(lan.frame(2).tcp(4000, 80, TcpHeader.ACK).numbers(2, 9));
    lan.nowNs += 10_000_000_000L;
    lan.serverOf(lan.frame(3).tcp(4000, 80, TcpHeader.SYN).numbers(1, 0)); // s3
    lan.serverOf(lan.frame(3).tcp(4000, 80, TcpHeader.ACK).numbers(2, 9));
    lan.serverOf(lan.frame(3).tcp(4000, 80, TcpHeader.FIN | TcpHeader.ACK).numbers(2, 9));
    lan.serverOf(lan.frame(1).udp(4000, 53)); // s1
    lan.serverOf(lan.frame(1).udp(4001, 53)); // s2
    lan.serverOf(lan.frame(1).udp(4001, 53));
    lan.serverOf(lan.frame(3).udp(4000, 53)); // s1
    return lan;
  }

  private static List<FlowEntry> all(Lan lan, FlowFilter filter) {
    FlowPage page = lan.balancer.flows(filter, 0, 1_000);
    assertThat(page.isLast()).isTrue();
    return page.flows();
  }

  private static IpPrefix host(String address) {
    return IpPrefix.host(IpAddress.of(address));
  }

  /** Client, port and server of each flow, as text. */
  private static List<String> names(Lan lan, FlowFilter filter) {
    return all(lan, filter).stream()
        .map(
            flow ->
                flow.source().toString().replaceAll(".*[.:]", "")
                    + ":"
                    + flow.sourcePort()
                    + " "
                    + flow.service()
                    + "/"
                    + flow.server())
        .toList();
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void shouldListAFlowWithAllThatIsKnownOfIt(boolean v6) {
    try (Lan lan = lan(v6)) {
      FlowEntry flow = all(lan, FlowFilter.all().client(host(lan.client(2)))).get(0);
      assertThat(flow)
          .isEqualTo(
              new FlowEntry(
                  Kind.DIRECT,
                  6,
                  IpAddress.of(lan.client(2)),
                  4000,
                  IpAddress.of(lan.vip()),
                  80,
                  null,
                  0,
                  "web",
                  "s2",
                  FlowState.ESTABLISHED,
                  flow.idle(),
                  0));
      assertThat(flow.idle()).isBetween(Duration.ofMillis(9_700), Duration.ofMillis(10_300));
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void shouldListWhatAFilterMeans(boolean v6) {
    try (Lan lan = lan(v6)) {
      FlowFilter all = FlowFilter.all();
      IpPrefix vip = host(lan.vip());
      assertThat(names(lan, all)).hasSize(6);
      assertThat(names(lan, all.service("web")))
          .containsExactlyInAnyOrder("1:4000 web/s1", "2:4000 web/s2", "3:4000 web/s3");
      assertThat(names(lan, all.server("s1")))
          .containsExactlyInAnyOrder("1:4000 web/s1", "1:4000 dns/s1", "3:4000 dns/s1");
      assertThat(names(lan, all.service("dns").server("s2"))).containsExactly("1:4001 dns/s2");
      assertThat(names(lan, all.service("dns").server("s3"))).isEmpty();
      assertThat(names(lan, all.protocol(17))).hasSize(3);
      assertThat(names(lan, all.protocol(6).client(host(lan.client(1))))).containsExactly("1:4000 web/s1");
      assertThat(names(lan, all.state(FlowState.FIN, FlowState.UDP)))
          .containsExactlyInAnyOrder("3:4000 web/s3", "1:4001 dns/s2");
      assertThat(names(lan, all.client(IpPrefix.of(v6 ? "2001:db8:c::/126" : "198.51.100.0/30")))).hasSize(6);
      assertThat(names(lan, all.client(IpPrefix.of(v6 ? "2001:db8:c::2/127" : "198.51.100.2/31"))))
          .containsExactlyInAnyOrder("2:4000 web/s2", "3:4000 web/s3", "3:4000 dns/s1");
      assertThat(names(lan, all.destination(vip).destinationPort(53))).hasSize(3);
      assertThat(names(lan, all.destination(host(lan.client(1))))).isEmpty();
      assertThat(names(lan, all.idleAtMost(Duration.ofSeconds(1)))).as("changed since then").hasSize(4);
      assertThat(names(lan, all.idleAtLeast(Duration.ofSeconds(9))))
          .containsExactlyInAnyOrder("1:4000 web/s1", "2:4000 web/s2");
      assertThat(names(lan, all.kind(Kind.DIRECT))).hasSize(6);
      assertThat(names(lan, all.kind(Kind.TRANSLATED, Kind.OUTBOUND))).isEmpty();
    }
  }

  @ParameterizedTest
  @CsvSource({"false,1", "true,1", "false,2", "true,4", "false,6", "true,7"})
  void shouldListAPageAtATime(boolean v6, int limit) {
    try (Lan lan = lan(v6)) {
      List<FlowEntry> listed = new ArrayList<>();
      FlowPage page = lan.balancer.flows(FlowFilter.all(), 0, limit);
      listed.addAll(page.flows());
      while (!page.isLast()) {
        assertThat(page.flows()).hasSize(limit);
        page = lan.balancer.flows(FlowFilter.all(), page.next(), limit);
        listed.addAll(page.flows());
      }
      assertThat(listed).hasSize(6).doesNotHaveDuplicates();
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void shouldNotListFlowsWhoseServerWasRemoved(boolean v6) {
    try (Lan lan = lan(v6)) {
      lan.balancer.service("web").removeRealServer("s2");
      assertThat(names(lan, FlowFilter.all().client(host(lan.client(2))))).isEmpty();
      lan.balancer.removeService("dns");
      assertThat(names(lan, FlowFilter.all())).containsExactlyInAnyOrder("1:4000 web/s1", "3:4000 web/s3");
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void shouldEndTheFlowsThatAFilterMeansAndNoOther(boolean v6) {
    try (Lan lan = lan(v6)) {
      assertThat(lan.balancer.endFlows(FlowFilter.all().service("web").client(host(lan.client(2))))).isEqualTo(1);
      assertThat(counts(lan, "s2")).isEqualTo("flows 0, active 0");
      assertThat(lan.process(lan.frame(2).tcp(4000, 80, TcpHeader.ACK).numbers(2, 9))).isEqualTo(Verdict.TCP_NOT_SYN);
      assertThat(lan.serverOf(lan.frame(1).tcp(4000, 80, TcpHeader.ACK).numbers(2, 9))).isEqualTo("s1");
      assertThat(lan.balancer.endFlows(FlowFilter.all().state(FlowState.FIN))).isEqualTo(1);
      assertThat(counts(lan, "s3")).isEqualTo("flows 0, active 0");
      assertThat(counts(lan, "s1")).isEqualTo("flows 1, active 1");
      assertThat(lan.balancer.endAllFlows()).isEqualTo(4);
      assertThat(lan.balancer.statistics().flowTable().size()).isZero();
      assertThat(lan.balancer.statistics().flowTable().embryonic()).isZero();
    }
  }

  private static String counts(Lan lan, String server) {
    ServerCounts counts = lan.stats(server).counts();
    return "flows " + counts.flows() + ", active " + counts.active();
  }

  @Test
  void shouldEndEverythingOnlyWhenAskedForIt() {
    try (Lan lan = lan(false, web -> web.persistence(SourceIpPersistence.create()))) {
      assertThatExceptionOfType(IllegalArgumentException.class)
          .isThrownBy(() -> lan.balancer.endFlows(FlowFilter.all()))
          .withMessageContaining("endAllFlows");
      assertThatExceptionOfType(IllegalArgumentException.class)
          .isThrownBy(() -> lan.balancer.forgetClients("web", ClientFilter.all()))
          .withMessageContaining("forgetAllClients");
      assertThat(names(lan, FlowFilter.all())).hasSize(6);
      assertThat(lan.balancer.clients("web", ClientFilter.all(), 10)).hasSize(3);
    }
  }

  /** A position travels by way of the host, and may come back as anything. */
  @ParameterizedTest
  @ValueSource(longs = {-1, 1L << 31, (1L << 32) - 1, 3L << 31, 1L << 33, (1L << 48) - 1, 1L << 48, Long.MAX_VALUE})
  void shouldRefuseAPositionThatIsNone(long position) {
    try (Lan lan = lan(false)) {
      assertThatExceptionOfType(IllegalArgumentException.class)
          .isThrownBy(() -> lan.balancer.flows(FlowFilter.all(), position, 10))
          .withMessageContaining("position " + position);
    }
  }

  @ParameterizedTest
  @ValueSource(longs = {Integer.MAX_VALUE, 1L << 32, 1L << 32 | Integer.MAX_VALUE})
  void shouldBeThroughBehindTheLastPlace(long position) {
    try (Lan lan = lan(false)) {
      assertThat(lan.balancer.flows(FlowFilter.all(), position, 10).flows()).isEmpty();
    }
  }

  @Test
  void shouldRefuseTheNameOfAServiceThatThereIsNot() {
    try (Lan lan = lan(false)) {
      assertThatExceptionOfType(ConfigurationException.class)
          .isThrownBy(() -> lan.balancer.endFlows(FlowFilter.all().service("wbe")))
          .satisfies(e -> assertThat(e.error()).isEqualTo(ConfigurationError.UNKNOWN_NAME));
      assertThatExceptionOfType(ConfigurationException.class)
          .isThrownBy(() -> lan.balancer.clients("dns", ClientFilter.all(), 10))
          .satisfies(e -> assertThat(e.error()).isEqualTo(ConfigurationError.MISSING));
    }
  }

  // ---- clients -----------------------------------------------------------------------------------------------------

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void shouldListClientsWithTheTimeThatIsLeft(boolean v6) {
    SourceIpPersistence settings = SourceIpPersistence.timeout(Duration.ofMinutes(1));
    try (Lan lan = lan(v6, web -> web.persistence(settings))) {
      List<ClientEntry> second = lan.balancer.clients("web", ClientFilter.all().server("s2"), 10);
      assertThat(second)
          .containsExactly(
              new ClientEntry(
                  host(lan.client(2)), 0, "s2", IpAddress.of(lan.server(2)), Duration.ofSeconds(50)));
      assertThat(lan.balancer.clients("web", ClientFilter.all().client(host(lan.client(3))), 10))
          .extracting(ClientEntry::server)
          .containsExactly("s3");
      assertThat(lan.balancer.clients("web", ClientFilter.all(), 2)).hasSize(2);
      lan.nowNs += 50_000_000_000L;
      assertThat(lan.balancer.clients("web", ClientFilter.all(), 10))
          .as("looking has extended nothing")
          .extracting(ClientEntry::server)
          .containsExactly("s3");
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void shouldForgetTheClientsThatAFilterMeans(boolean v6) {
    try (Lan lan = lan(v6, web -> web.persistence(SourceIpPersistence.create()))) {
      assertThat(lan.balancer.forgetClients("web", ClientFilter.all().server("s1"))).isEqualTo(1);
      assertThat(lan.balancer.forgetClients("web", ClientFilter.all().client(host(lan.client(3))))).isEqualTo(1);
      assertThat(lan.balancer.clients("web", ClientFilter.all(), 10))
          .extracting(ClientEntry::client)
          .containsExactly(host(lan.client(2)));
      assertThat(lan.balancer.forgetAllClients("web")).isEqualTo(1);
      assertThat(lan.balancer.clients("web", ClientFilter.all(), 10)).isEmpty();
      assertThat(lan.serverOf(lan.frame(2).tcp(4000, 80, TcpHeader.ACK).numbers(2, 9))).as("flows go on").isEqualTo("s2");
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void shouldFindANetworkOfClientsByOneOfThem(boolean v6) {
    SourceIpPersistence settings = SourceIpPersistence.create().prefixLengths(24, 64);
    try (Lan lan = lan(v6, web -> web.persistence(settings))) {
      ClientEntry entry = lan.balancer.clients("web", ClientFilter.all().client(host(lan.client(200))), 10).get(0);
      assertThat(entry.client()).hasToString(v6 ? "2001:db8:c::/64" : "198.51.100.0/24");
    }
  }

  @Test
  void shouldListThePortWherePortsCount() {
    SourceIpPersistence settings = SourceIpPersistence.create().scope(PersistenceScope.PORT);
    try (Lan lan = lan(false, web -> web.persistence(settings))) {
      assertThat(lan.balancer.clients("web", ClientFilter.all(), 10))
          .extracting(ClientEntry::port)
          .containsExactly(80, 80, 80);
    }
  }

  /** The clients of a removed server do not wait for their time-out in the table. */
  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void shouldShowClientsOfAnotherServicesServerByItsAddressAndForgetThemWithTheLastOne(boolean v6) {
    SourceIpPersistence settings = SourceIpPersistence.create().scope(PersistenceScope.VIP);
    try (Lan lan = lan(v6, web -> web.persistence(settings))) {
      VirtualService tls =
          Lan.withServers(
                  VirtualService.tcp(lan.vip(), 443)
                      .named("tls")
                      .forwarding(DirectServerReturn.create())
                      .persistence(settings),
                  v6,
                  1)
              .build();
      lan.balancer.addService(tls);
      ClientFilter second = ClientFilter.all().client(host(lan.client(2)));
      ClientEntry entry = lan.balancer.clients("tls", second, 10).get(0);
      assertThat(entry.server()).isNull();
      assertThat(entry.address()).hasToString(lan.server(2));
      lan.balancer.service("web").removeRealServer("s2");
      assertThat(lan.balancer.clients("tls", second, 10)).isEmpty();
      lan.balancer.service("web").removeRealServer("s1");
      assertThat(lan.balancer.clients("tls", ClientFilter.all().server("s1"), 10)).as("tls has it still").hasSize(1);
      assertThat(lan.balancer.forgetAllClients("tls")).as("that of s2 is not there any more").isEqualTo(2);
    }
  }

  @Test
  void shouldCountOnlyClientsThatWereThere() {
    try (Lan lan = lan(false, web -> web.persistence(SourceIpPersistence.create()))) {
      FrameBuilder syn = lan.frame(1).tcp(4001, 80, TcpHeader.SYN);
      assertThat(lan.balancer.forgetAllClients("web")).isEqualTo(3);
      assertThat(lan.balancer.forgetAllClients("web")).isZero();
      lan.serverOf(syn);
      lan.nowNs += 301_000_000_000L;
      assertThat(lan.balancer.forgetAllClients("web")).as("its time is over").isZero();
    }
  }
}
