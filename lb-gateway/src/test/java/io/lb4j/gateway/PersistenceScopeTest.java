package io.lb4j.gateway;

import static org.assertj.core.api.Assertions.assertThat;

import io.lb4j.frame.Verdict;
import io.lb4j.persistence.PersistenceScope;
import io.lb4j.persistence.SourceIpPersistence;
import io.lb4j.schedule.Schedulers;
import io.lb4j.service.EchoPolicy;
import io.lb4j.service.PortRange;
import io.lb4j.service.Protocol;
import io.lb4j.service.VirtualService;
import io.lb4j.service.VirtualServiceBuilder;
import io.lb4j.testkit.FrameBuilder;
import io.lb4j.wire.TcpHeader;
import java.time.Duration;

/** Scopes of persistence where addresses and ports are translated. */
class PersistenceScopeTest {
  private static final SourceIpPersistence SETTINGS = SourceIpPersistence.timeout(Duration.ofSeconds(20));

  private static Packet tcp(Network net, int peer, int from, int to) {
    return net.fromOutside(net.to(net.vip(), net.peer(peer)).tcp(from, to, TcpHeader.SYN)).forwarded();
  }

  private static Packet udp(Network net, int peer, int from, int to) {
    return net.fromOutside(net.to(net.vip(), net.peer(peer)).udp(from, to)).forwarded();
  }

  @BothFamilies
  void shouldKnowAServerByItsAddressWhateverTheProtocolAndPort(boolean v6) {
    SourceIpPersistence group = SETTINGS.scope(PersistenceScope.GROUP);
    VirtualServiceBuilder web = Network.web(v6, 3).group("all").persistence(group).scheduler(Schedulers.roundRobin());
    VirtualServiceBuilder dns = Network.dns(v6, 3).group("all").persistence(group).scheduler(Schedulers.roundRobin());
    try (Network net = Network.options(v6).service(web).service(dns).open()) {
      udp(net, 9, 4000, 53);
      Packet first = tcp(net, 1, 4000, 80);
      assertThat(first.to()).isEqualTo(net.inside(1) + " 8080");
      assertThat(udp(net, 1, 4001, 53).to()).isEqualTo(net.inside(1) + " 5353");
    }
  }

  @BothFamilies
  void shouldShareClientsWithAServiceOfAnotherMethod(boolean v6) {
    SourceIpPersistence vip = SETTINGS.scope(PersistenceScope.VIP);
    VirtualServiceBuilder web = Network.web(v6, 3).persistence(vip).scheduler(Schedulers.roundRobin());
    VirtualServiceBuilder direct =
        VirtualService.udp(Network.vip(v6), 53)
            .named("direct")
            .forwarding(new DirectRouting())
            .scheduler(Schedulers.roundRobin())
            .persistence(vip);
    for (int n = 1; n <= 3; n++) {
      direct.realServer("d" + n, Network.inside(v6, n));
    }
    try (Network net = Network.options(v6).service(web).service(direct).open()) {
      assertThat(tcp(net, 1, 4000, 80).destination()).isEqualTo(net.inside(1));
      assertThat(tcp(net, 2, 4000, 80).destination()).isEqualTo(net.inside(2));
      assertThat(udp(net, 2, 4001, 53).destinationMac()).isEqualTo(Network.mac(2));
      assertThat(udp(net, 1, 4001, 53).destinationMac()).isEqualTo(Network.mac(1));
    }
  }

  /** The session's own port is what keeps the entry of that port alive. */
  @BothFamilies
  void shouldRememberAClientOfAPortWhileASessionOnItLives(boolean v6) {
    VirtualServiceBuilder range =
        VirtualService.of(Protocol.UDP, PortRange.of("9000-9009"))
            .vip(Network.vip(v6))
            .named("range")
            .forwarding(Gateway.create())
            .scheduler(Schedulers.roundRobin())
            .persistence(SETTINGS.scope(PersistenceScope.PORT));
    for (int n = 1; n <= 3; n++) {
      range.realServer("s" + n, Network.inside(v6, n));
    }
    try (Network net = Network.options(v6).service(range).open()) {
      assertThat(udp(net, 1, 4000, 9000).destination()).isEqualTo(net.inside(1));
      assertThat(udp(net, 1, 4000, 9001).destination()).isEqualTo(net.inside(2));
      for (int second = 0; second < 60; second++) {
        net.after(Duration.ofSeconds(1));
        udp(net, 1, 4000, 9000);
      }
      assertThat(udp(net, 1, 4001, 9000).destination()).isEqualTo(net.inside(1));
    }
  }

  /** Which server answers an echo request says nothing of where its sender is served. */
  @BothFamilies
  void shouldNotMoveAClientBecauseItSendsAnEchoRequest(boolean v6) {
    VirtualServiceBuilder web = Network.web(v6, 3).persistence(SETTINGS).scheduler(Schedulers.roundRobin());
    try (Network net = Network.options(v6).service(web).with(b -> b.echo(EchoPolicy.FORWARD)).open()) {
      for (int peer = 1; peer <= 9; peer++) {
        String server = tcp(net, peer, 4000, 80).destination();
        FrameBuilder echo = net.to(net.vip(), net.peer(peer)).icmp(v6 ? 128 : 8, 0, new byte[] {0, 7, 0, 1});
        assertThat(net.fromOutside(echo).verdict()).isEqualTo(Verdict.FORWARD);
        assertThat(tcp(net, peer, 4001, 80).destination()).isEqualTo(server);
      }
    }
  }
}
