package io.lb4j.gateway;

import static org.assertj.core.api.Assertions.assertThat;

import io.lb4j.frame.Verdict;
import io.lb4j.testkit.FrameBuilder;
import io.lb4j.wire.TcpHeader;
import io.netty.buffer.ByteBuf;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/** Servers that have the virtual address themselves and whose gateway we are: their answers are routed through us. */
class DirectReplyTest {
  private static final int FLAGS = TcpHeader.SYN | TcpHeader.ACK;

  private static Network.Options options(boolean v6, boolean tcp) {
    return Network.options(v6)
        .outbound(b -> b.route(Network.prefix(v6)))
        .service(DirectRouting.service(v6, tcp, new DirectRouting()));
  }

  private static Packet request(Network net, boolean tcp) {
    FrameBuilder frame = net.to(net.vip(), net.peer(1));
    return net.fromOutside(Network.transport(frame, tcp, 3000, 80, TcpHeader.SYN)).forwarded();
  }

  private static FrameBuilder reply(Network net, boolean tcp, int clientPort) {
    FrameBuilder frame = FrameBuilder.from(net.vip(), net.peer(1)).macs(Network.INSIDE_MAC, Network.mac(1));
    return Network.transport(frame, tcp, 80, clientPort, FLAGS);
  }

  private static void assertRouted(Network net, Packet packet) {
    assertThat(packet.link).isEqualTo(Network.OUTSIDE);
    assertThat(packet.sourceMac()).isEqualTo(Network.OUTSIDE_MAC);
    assertThat(packet.destinationMac()).isEqualTo(Network.ROUTER_MAC);
    assertThat(packet.source()).isEqualTo(net.vip());
    assertThat(packet.destination()).isEqualTo(net.peer(1));
    assertThat(packet.timeToLive()).isEqualTo(63);
  }

  @EveryTransport
  void shouldRouteTheAnswerWithOneHopLess(boolean v6, boolean tcp) {
    byte[] data = Frames.bytes(77, 3);
    try (Network net = options(v6, tcp).open()) {
      assertThat(request(net, tcp).timeToLive()).as("bridged, not routed").isEqualTo(64);
      Packet out = net.fromInside(reply(net, tcp, 3000).timeToLive(64).payload(data)).forwarded();
      assertRouted(net, out);
      assertThat(out.from()).isEqualTo(net.vip() + " 80");
      assertThat(out.to()).isEqualTo(net.peer(1) + " 3000");
      assertThat(out.payload()).isEqualTo(data);
    }
  }

  @EveryTransport
  void shouldRouteTheFragmentsOfAnAnswerInAnyOrder(boolean v6, boolean tcp) {
    byte[] data = Frames.bytes(700, 3);
    for (int order = 0; order < 3; order++) {
      try (Network net = options(v6, tcp).open()) {
        request(net, tcp);
        List<ByteBuf> fragments =
            new ArrayList<>(Frames.fragments(reply(net, tcp, 3000).payload(data).build(), 77, 256));
        Collections.rotate(fragments, order);
        int before = net.sent.size();
        fragments.forEach(fragment -> net.process(Network.INSIDE, fragment));
        List<Packet> sent = net.sent.subList(before, net.sent.size());
        assertThat(sent).hasSameSizeAs(fragments).allSatisfy(packet -> assertRouted(net, packet));
        Packet whole = Frames.reassemble(sent);
        assertThat(whole.from()).isEqualTo(net.vip() + " 80");
        assertThat(whole.to()).isEqualTo(net.peer(1) + " 3000");
        assertThat(whole.payload()).isEqualTo(data);
        assertThat(net.afterSeconds(5)).isEmpty();
      }
    }
  }

  @Requirement("N39")
  @EveryTransport
  void shouldTellTheServerWhatItCannotSend(boolean v6, boolean tcp) {
    try (Network net = options(v6, tcp).mtu(1400, 1500).open()) {
      request(net, tcp);
      Packet dead = net.fromInside(reply(net, tcp, 3000).timeToLive(1)).error(Verdict.TIME_EXCEEDED);
      Packet big = net.fromInside(reply(net, tcp, 3000).payload(new byte[1400])).error(Verdict.PACKET_TOO_BIG);
      assertThat(big.icmpWord()).isEqualTo(1400);
      for (Packet error : List.of(dead, big)) {
        assertThat(error.link).isEqualTo(Network.INSIDE);
        assertThat(error.destinationMac()).isEqualTo(Network.mac(1));
        assertThat(error.destination()).isEqualTo(net.vip());
        assertThat(error.quote().from()).isEqualTo(net.vip() + " 80");
      }
    }
  }

  @EveryTransport
  void shouldRouteNothingFromTheVirtualAddressThatAnswersNobody(boolean v6, boolean tcp) {
    try (Network net = options(v6, tcp).open()) {
      net.fromInside(reply(net, tcp, 3000)).droppedSilently(Verdict.SOURCE_SPOOFED);
      request(net, tcp);
      net.fromInside(reply(net, tcp, 3001)).droppedSilently(Verdict.SOURCE_SPOOFED);
      FrameBuilder fromOutside = Network.transport(net.to(net.peer(1), net.vip()), tcp, 80, 3000, FLAGS);
      net.fromOutside(fromOutside).droppedSilently(Verdict.SOURCE_SPOOFED);
      net.fromInside(reply(net, tcp, 3000)).forwarded();
    }
  }

  /** A server could not answer an address that only we know; what it answers goes to the client past us. */
  @EveryTransport
  void shouldBringAnInsideClientToADirectServerUntranslated(boolean v6, boolean tcp) {
    try (Network net =
        Network.options(v6)
            .nat(b -> b)
            .service(DirectRouting.service(v6, tcp, new DirectRouting()))
            .open()) {
      FrameBuilder frame = Network.transport(net.from(3, net.vip()), tcp, 3000, 80, TcpHeader.SYN);
      Packet there = net.fromInside(frame).forwarded();
      assertThat(there.from()).isEqualTo(net.inside(3) + " 3000");
      assertThat(there.to()).isEqualTo(net.vip() + " 80");
      assertThat(there.destinationMac()).isEqualTo(Network.mac(1));
    }
  }
}
