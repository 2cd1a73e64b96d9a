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

  @EveryTransport
  void shouldTranslateAFlowWhoseServiceNoLongerForwardsDirectly(boolean v6, boolean tcp) {
    try (Network net = open(v6, tcp, new DirectRouting())) {
      assertThat(request(net, tcp, 3000).destination()).isEqualTo(net.vip());
      change(net, tcp, Gateway.create());
      assertThat(request(net, tcp, 3000).destination()).isEqualTo(net.inside(1));
      FrameBuilder reply = net.from(1, net.peer(1));
      int flags = TcpHeader.SYN | TcpHeader.ACK;
      Packet back = net.fromInside(Network.transport(reply, tcp, 80, 3000, flags)).forwarded();
      assertThat(back.from()).isEqualTo(net.vip() + " 80");
    }
  }

  @EveryTransport
  void shouldForwardAFlowDirectlyWhoseServiceNoLongerTranslates(boolean v6, boolean tcp) {
    try (Network net = open(v6, tcp, Gateway.create())) {
      assertThat(request(net, tcp, 3000).destination()).isEqualTo(net.inside(1));
      change(net, tcp, new DirectRouting());
      Packet direct = request(net, tcp, 3000);
      assertThat(direct.destination()).isEqualTo(net.vip());
      assertThat(direct.destinationMac()).isEqualTo(Network.mac(1));
      assertThat(net.path.sessions()).as("of the translator").isZero();
    }
  }

  @EveryTransport
  void shouldEndTheReplyOfASessionWhoseServiceNoLongerTranslates(boolean v6, boolean tcp) {
    try (Network net = open(v6, tcp, Gateway.create())) {
      request(net, tcp, 3000);
      change(net, tcp, new DirectRouting());
      FrameBuilder reply = net.from(1, net.peer(1));
      int flags = TcpHeader.SYN | TcpHeader.ACK;
      net.fromInside(Network.transport(reply, tcp, 80, 3000, flags)).droppedSilently(Verdict.SERVER_GONE);
      assertThat(net.path.sessions()).isZero();
    }
  }

  /** The quote is of a flow that was forwarded directly: its server's side is the virtual address. */
  @EveryTransport
  void shouldDropAnErrorAboutAFlowOfTheFormerMethod(boolean v6, boolean tcp) {
    try (Network net = open(v6, tcp, new DirectRouting())) {
      request(net, tcp, 3000);
      change(net, tcp, Gateway.create());
      FrameBuilder quoted = FrameBuilder.from(net.vip(), net.peer(1)).payload(new byte[8]);
      byte[] quote = Packet.of(Network.transport(quoted, tcp, 80, 3000, TcpHeader.ACK).build()).packet();
      FrameBuilder error = net.to(net.vip(), net.peer(9));
      net.fromOutside(Frames.error(error, v6 ? 2 : 3, v6 ? 0 : 4, 1400, quote)).droppedSilently(Verdict.ICMP_NO_FLOW);
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
