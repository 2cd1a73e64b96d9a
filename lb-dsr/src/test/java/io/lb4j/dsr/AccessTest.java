package io.lb4j.dsr;

import static org.assertj.core.api.Assertions.assertThat;

import io.lb4j.address.IpPrefix;
import io.lb4j.frame.Verdict;
import io.lb4j.persistence.SourceIpPersistence;
import io.lb4j.schedule.Schedulers;
import io.lb4j.service.AccessList;
import io.lb4j.service.EchoPolicy;
import io.lb4j.service.VirtualService;
import io.lb4j.service.VirtualServiceBuilder;
import io.lb4j.state.ClientFilter;
import io.lb4j.wire.TcpHeader;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Allowed and denied clients (VS6), and services that are switched off (VS7). */
class AccessTest {
  private static IpPrefix host(boolean v6, int client) {
    return IpPrefix.of((v6 ? "2001:db8:c::" : "198.51.100.") + client);
  }

  private static IpPrefix everyClient(boolean v6) {
    return IpPrefix.of(v6 ? "2001:db8:c::/64" : "198.51.100.0/24");
  }

  private static VirtualServiceBuilder web(boolean v6, AccessList access) {
    return Lan.tcp(v6).scheduler(Schedulers.roundRobin()).persistence(SourceIpPersistence.create()).access(access);
  }

  private static Lan lan(boolean v6, AccessList access) {
    VirtualServiceBuilder dns =
        Lan.dns(v6).access(access);
    return new Lan(
        v6,
        b ->
            b.echo(EchoPolicy.FORWARD)
                .service(Lan.withServers(web(v6, access), v6, 2))
                .service(Lan.withServers(dns, v6, 2)));
  }

  private static long remembered(Lan lan) {
    return lan.balancer.clients("web", ClientFilter.all(), 100).size();
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void shouldMakeNoEntryForADeniedPacketAndCountIt(boolean v6) {
    try (Lan lan = lan(v6, AccessList.of(List.of(), List.of(host(v6, 1))))) {
      assertThat(lan.process(lan.frame(1).tcp(4000, 80, TcpHeader.SYN))).isEqualTo(Verdict.CLIENT_DENIED);
      assertThat(lan.process(lan.frame(1).udp(4000, 53))).isEqualTo(Verdict.CLIENT_DENIED);
      assertThat(lan.process(lan.frame(1).icmp(v6 ? 128 : 8, 0, new byte[] {0, 1, 0, 1})))
          .isEqualTo(Verdict.CLIENT_DENIED);
      assertThat(lan.process(lan.frame(1).udp(4000, 53).payload(new byte[32]).fragment(7, 0, true)))
          .isEqualTo(Verdict.CLIENT_DENIED);
      assertThat(lan.balancer.statistics().count(Verdict.CLIENT_DENIED)).isEqualTo(4);
      assertThat(lan.balancer.statistics().flowTable().size()).isZero();
      assertThat(remembered(lan)).isZero();
      assertThat(lan.stats("s1").counts().newFlows() + lan.stats("s2").counts().newFlows()).isZero();
      assertThat(lan.serverOf(lan.frame(2).tcp(4000, 80, TcpHeader.SYN))).as("nobody's turn was used").isEqualTo("s1");
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void shouldLetTheLongestPrefixDecide(boolean v6) {
    AccessList access = AccessList.of(List.of(host(v6, 2)), List.of(everyClient(v6)));
    try (Lan lan = lan(v6, access)) {
      assertThat(lan.process(lan.frame(1).tcp(4000, 80, TcpHeader.SYN))).isEqualTo(Verdict.CLIENT_DENIED);
      assertThat(lan.process(lan.frame(2).tcp(4000, 80, TcpHeader.SYN))).isEqualTo(Verdict.FORWARD);
    }
  }

  /** A change of the list bites with the next packet, and lets the flow go on when it is taken back. */
  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void shouldDenyPacketsOfKnownFlowsToo(boolean v6) {
    try (Lan lan = lan(v6, AccessList.EVERYBODY)) {
      lan.serverOf(lan.frame(1).tcp(4000, 80, TcpHeader.SYN).numbers(1, 0));
      lan.serverOf(lan.frame(1).tcp(4000, 80, TcpHeader.ACK).numbers(2, 9));
      VirtualService before = lan.balancer.service("web").declaration();
      AccessList denied = AccessList.of(List.of(), List.of(host(v6, 1)));
      lan.balancer.replaceService(before.toBuilder().access(denied).build());
      assertThat(lan.process(lan.frame(1).tcp(4000, 80, TcpHeader.ACK).numbers(2, 9)))
          .isEqualTo(Verdict.CLIENT_DENIED);
      lan.balancer.replaceService(before);
      assertThat(lan.serverOf(lan.frame(1).tcp(4000, 80, TcpHeader.ACK).numbers(2, 9))).isEqualTo("s1");
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void shouldDropEverythingOfAServiceThatIsSwitchedOffAndGoOnAfterwards(boolean v6) {
    try (Lan lan = lan(v6, AccessList.EVERYBODY)) {
      lan.serverOf(lan.frame(1).tcp(4000, 80, TcpHeader.SYN).numbers(1, 0));
      lan.serverOf(lan.frame(1).tcp(4000, 80, TcpHeader.ACK).numbers(2, 9));
      lan.balancer.service("web").disable();
      assertThat(lan.process(lan.frame(1).tcp(4000, 80, TcpHeader.ACK).numbers(2, 9)))
          .isEqualTo(Verdict.SERVICE_DISABLED);
      assertThat(lan.process(lan.frame(2).tcp(4000, 80, TcpHeader.SYN))).isEqualTo(Verdict.SERVICE_DISABLED);
      for (int second = 0; second < 100; second++) {
        lan.after(1_000);
      }
      lan.balancer.service("web").enable();
      assertThat(lan.serverOf(lan.frame(1).tcp(4000, 80, TcpHeader.ACK).numbers(2, 9))).isEqualTo("s1");
      lan.balancer.service("web").disable();
      for (int second = 0; second < 1_000; second++) {
        lan.after(1_000);
      }
      assertThat(lan.balancer.statistics().flowTable().size()).as("flows do not live for ever").isZero();
    }
  }
}
