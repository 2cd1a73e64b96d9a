package io.lb4j.gateway;

import static org.assertj.core.api.Assertions.assertThat;

import io.lb4j.frame.Verdict;
import io.lb4j.service.EchoPolicy;
import io.lb4j.service.ForwardingMethod;
import io.lb4j.testkit.FrameBuilder;
import io.lb4j.wire.TcpHeader;

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
}
