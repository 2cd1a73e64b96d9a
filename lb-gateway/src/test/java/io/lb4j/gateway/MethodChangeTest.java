package io.lb4j.gateway;

import static org.assertj.core.api.Assertions.assertThat;

import io.lb4j.address.IpPrefix;
import io.lb4j.frame.Verdict;
import io.lb4j.service.AccessList;
import io.lb4j.service.ConnectionLimit;
import io.lb4j.service.EchoPolicy;
import io.lb4j.service.ForwardingMethod;
import io.lb4j.service.Overflow;
import io.lb4j.service.VirtualServiceBuilder;
import io.lb4j.testkit.FrameBuilder;
import io.lb4j.wire.TcpHeader;
import java.util.List;
import java.util.function.UnaryOperator;

/** Flows and sessions of a service that changes its method, or whose server goes, while they live. */
class MethodChangeTest {
  private static Network open(boolean v6, boolean tcp, ForwardingMethod method) {
    return Network.options(v6).nat(b -> b).service(DirectRouting.service(v6, tcp, method)).open();
  }

  private static Packet request(Network net, boolean tcp, int port) {
    FrameBuilder frame = net.to(net.vip(), net.peer(1));
    return net.fromOutside(Network.transport(frame, tcp, port, 80, TcpHeader.SYN)).forwarded();
  }

  private static void change(Network net, boolean tcp, ForwardingMethod method) {
    net.balancer.replaceService(DirectRouting.service(net.v6, tcp, method).build());
  }

  private static Packet reply(Network net, boolean tcp, int port) {
    FrameBuilder frame = net.from(1, net.peer(1));
    return net.fromInside(Network.transport(frame, tcp, 80, port, TcpHeader.SYN | TcpHeader.ACK)).forwarded();
  }

  @EveryTransport
  void shouldKeepForwardingAFlowDirectlyThatBeganSo(boolean v6, boolean tcp) {
    try (Network net = open(v6, tcp, new DirectRouting())) {
      assertThat(request(net, tcp, 3000).destination()).isEqualTo(net.vip());
      change(net, tcp, Gateway.create());
      assertThat(request(net, tcp, 3000).destination()).isEqualTo(net.vip());
      assertThat(request(net, tcp, 3001).destination()).as("of a new flow").isEqualTo(net.inside(1));
      assertThat(reply(net, tcp, 3001).from()).isEqualTo(net.vip() + " 80");
    }
  }

  @EveryTransport
  void shouldKeepTranslatingASessionThatBeganSo(boolean v6, boolean tcp) {
    try (Network net = open(v6, tcp, Gateway.create())) {
      assertThat(request(net, tcp, 3000).destination()).isEqualTo(net.inside(1));
      change(net, tcp, new DirectRouting());
      assertThat(request(net, tcp, 3000).destination()).isEqualTo(net.inside(1));
      assertThat(reply(net, tcp, 3000).from()).isEqualTo(net.vip() + " 80");
      Packet direct = request(net, tcp, 3001);
      assertThat(direct.destination()).as("of a new flow").isEqualTo(net.vip());
      assertThat(direct.destinationMac()).isEqualTo(Network.mac(1));
    }
  }

  @EveryTransport
  void shouldKeepAFlowOverSeveralChangesOfMethod(boolean v6, boolean tcp) {
    try (Network net = open(v6, tcp, Gateway.create())) {
      assertThat(request(net, tcp, 3000).destination()).isEqualTo(net.inside(1));
      change(net, tcp, new DirectRouting());
      change(net, tcp, Gateway.create());
      assertThat(request(net, tcp, 3000).destination()).isEqualTo(net.inside(1));
      change(net, tcp, new DirectRouting());
      assertThat(request(net, tcp, 3000).destination()).isEqualTo(net.inside(1));
    }
  }

  @EveryTransport
  void shouldEndAFlowOfTheFormerMethodWithItsServer(boolean v6, boolean tcp) {
    try (Network net = open(v6, tcp, Gateway.create())) {
      request(net, tcp, 3000);
      change(net, tcp, new DirectRouting());
      net.balancer.service("web").removeRealServer("s1");
      FrameBuilder late = net.from(1, net.peer(1));
      int flags = TcpHeader.SYN | TcpHeader.ACK;
      net.fromInside(Network.transport(late, tcp, 80, 3000, flags)).droppedSilently(Verdict.SERVER_GONE);
      assertThat(more(net, tcp, 3000)).isEqualTo(tcp ? Verdict.SERVER_GONE : Verdict.NO_SERVER);
      net.afterSeconds(400);
      assertThat(net.path.sessions()).isZero();
    }
  }

  /** The quote is of a flow that was forwarded directly: its server's side is the virtual address. */
  @EveryTransport
  void shouldSendAnErrorAboutAFlowOfTheFormerMethodToItsServer(boolean v6, boolean tcp) {
    try (Network net = open(v6, tcp, new DirectRouting())) {
      request(net, tcp, 3000);
      change(net, tcp, Gateway.create());
      FrameBuilder quoted = FrameBuilder.from(net.vip(), net.peer(1)).payload(new byte[8]);
      byte[] quote = Packet.of(Network.transport(quoted, tcp, 80, 3000, TcpHeader.ACK).build()).packet();
      FrameBuilder error = net.to(net.vip(), net.peer(9));
      Packet sent = net.fromOutside(Frames.error(error, v6 ? 2 : 3, v6 ? 0 : 4, 1400, quote)).forwarded();
      assertThat(sent.destination()).isEqualTo(net.vip());
      assertThat(sent.destinationMac()).isEqualTo(Network.mac(1));
    }
  }

  @BothFamilies
  void shouldEndAnEchosSessionWhenItsServerGoesOffline(boolean v6) {
    try (Network net =
        Network.options(v6).with(b -> b.echo(EchoPolicy.FORWARD)).service(Network.web(v6, 1)).open()) {
      net.fromOutside(Frames.echo(net.to(net.vip(), net.peer(1)), v6, 5)).forwarded();
      net.balancer.service("web").realServer("s1").offline();
      net.fromOutside(Frames.echo(net.to(net.vip(), net.peer(1)), v6, 5)).droppedSilently(Verdict.SERVER_GONE);
      net.fromInside(Frames.echoReply(net.from(1, net.peer(1)), v6, 5)).droppedSilently();
      assertThat(net.path.sessions()).isZero();
    }
  }

  private static void change(Network net, UnaryOperator<VirtualServiceBuilder> settings) {
    net.balancer.replaceService(settings.apply(net.balancer.service("web").declaration().toBuilder()).build());
  }

  private static Verdict more(Network net, boolean tcp, int port) {
    FrameBuilder frame = net.to(net.vip(), net.peer(1));
    return net.fromOutside(Network.transport(frame, tcp, port, 80, TcpHeader.ACK)).verdict();
  }

  /** Only the method stays as it was; everything else is as declared now. */
  @EveryTransport
  void shouldLetWhatIsDeclaredNowBiteForFlowsOfTheFormerMethod(boolean v6, boolean tcp) {
    for (boolean fromDirect : new boolean[] {true, false}) {
      ForwardingMethod first = fromDirect ? new DirectRouting() : Gateway.create();
      ForwardingMethod second = fromDirect ? Gateway.create() : new DirectRouting();
      try (Network net = open(v6, tcp, first)) {
        request(net, tcp, 3000);
        change(net, tcp, second);
        assertThat(more(net, tcp, 3000)).isEqualTo(Verdict.FORWARD);
        change(net, web -> web.enabled(false));
        assertThat(more(net, tcp, 3000)).isEqualTo(Verdict.SERVICE_DISABLED);
        change(net, web -> web.enabled(true).access(AccessList.of(List.of(), List.of(IpPrefix.of(net.peer(1))))));
        assertThat(more(net, tcp, 3000)).isEqualTo(Verdict.CLIENT_DENIED);
      }
    }
  }

  @EveryTransport
  void shouldCountFlowsOfTheFormerMethodUnderTheLimitsDeclaredNow(boolean v6, boolean tcp) {
    for (boolean fromDirect : new boolean[] {true, false}) {
      ForwardingMethod first = fromDirect ? new DirectRouting() : Gateway.create();
      ForwardingMethod second = fromDirect ? Gateway.create() : new DirectRouting();
      try (Network net = open(v6, tcp, first)) {
        change(net, web -> web.maxConnections(ConnectionLimit.of(9), Overflow.DROP));
        request(net, tcp, 3000);
        change(net, web -> web.forwarding(second).maxConnections(ConnectionLimit.of(2), Overflow.DROP));
        request(net, tcp, 3001);
        FrameBuilder third = net.to(net.vip(), net.peer(1));
        net.fromOutside(Network.transport(third, tcp, 3002, 80, TcpHeader.SYN))
            .droppedSilently(Verdict.CONNECTION_LIMIT);
      }
    }
  }

  /** An echo's session has a place like any other, and gives back no other's. */
  @BothFamilies
  void shouldBoundEchoesLikeOtherSessions(boolean v6) {
    VirtualServiceBuilder web = Network.web(v6, 1).maxConnections(ConnectionLimit.of(2), Overflow.DROP);
    try (Network net = Network.options(v6).with(b -> b.echo(EchoPolicy.FORWARD)).service(web).open()) {
      request(net, true, 3000);
      net.fromOutside(Frames.echo(net.to(net.vip(), net.peer(1)), v6, 5)).forwarded();
      net.fromOutside(Frames.echo(net.to(net.vip(), net.peer(1)), v6, 6)).droppedSilently(Verdict.CONNECTION_LIMIT);
      for (int second = 0; second < 70; second++) {
        net.afterSeconds(1);
      }
      assertThat(net.path.sessions()).as("the echo's is over").isEqualTo(1);
      request(net, true, 3001);
      net.fromOutside(net.to(net.vip(), net.peer(1)).tcp(3002, 80, TcpHeader.SYN))
          .droppedSilently(Verdict.CONNECTION_LIMIT);
    }
  }

  @BothFamilies
  void shouldNotLetASessionLiveAgainWithoutAPlace(boolean v6) {
    VirtualServiceBuilder web = Network.web(v6, 1).maxConnections(ConnectionLimit.of(1), Overflow.DROP);
    try (Network net = Network.options(v6).service(web).open()) {
      request(net, true, 3000);
      int reset = TcpHeader.RST;
      net.fromOutside(net.to(net.vip(), net.peer(1)).tcp(3000, 80, reset).numbers(1, 0)).forwarded();
      request(net, true, 3001);
      net.fromOutside(net.to(net.vip(), net.peer(1)).tcp(3000, 80, TcpHeader.ACK).numbers(1, 1));
      assertThat(net.balancer.statistics().services().get(0).servers().get(0).counts().active()).isEqualTo(1);
    }
  }
}
