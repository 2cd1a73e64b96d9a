package io.lb4j.gateway;

import static org.assertj.core.api.Assertions.assertThat;

import io.lb4j.frame.Verdict;
import io.lb4j.testkit.FrameBuilder;
import io.lb4j.wire.TcpHeader;

/** Inside hosts that meet by their external addresses (RFC 4787, REQ-9; RFC 5382, REQ-8; RFC 5508, REQ-7). */
class HairpinTest {
  private static final int A = 1;
  private static final int B = 2;

  private static Network open(boolean v6) {
    return Network.nat(v6, b -> b.filtering(Filtering.ENDPOINT_INDEPENDENT));
  }

  private static Network.Result send(Network net, boolean tcp, int host, int port, int externalPort, int flags) {
    FrameBuilder frame = Network.transport(net.from(host, net.external(1)), tcp, port, externalPort, flags);
    return net.fromInside(frame.payload((byte) 1, (byte) 0x80, (byte) 0xFF));
  }

  @Requirement("N9")
  @Requirement("N24")
  @EveryTransport
  void shouldCarryBothDirectionsWithExternalSources(boolean v6, boolean tcp) {
    try (Network net = open(v6)) {
      int a = net.open(tcp, A, 6001, net.peer(1), 80).sourcePort();
      int b = net.open(tcp, B, 6002, net.peer(1), 80).sourcePort();

      Packet there = send(net, tcp, A, 6001, b, TcpHeader.SYN).forwarded();
      assertThat(there.link).isEqualTo(Network.INSIDE);
      assertThat(there.destinationMac()).isEqualTo(Network.mac(B));
      assertThat(there.sourceMac()).isEqualTo(Network.INSIDE_MAC);
      assertThat(there.from()).isEqualTo(net.external(1) + " " + a);
      assertThat(there.to()).isEqualTo(net.inside(B) + " 6002");
      assertThat(there.timeToLive()).isEqualTo(63);
      assertThat(there.payload()).containsExactly(1, 0x80, 0xFF);

      Packet back = send(net, tcp, B, 6002, a, TcpHeader.SYN | TcpHeader.ACK).forwarded();
      assertThat(back.destinationMac()).isEqualTo(Network.mac(A));
      assertThat(back.from()).isEqualTo(net.external(1) + " " + b);
      assertThat(back.to()).isEqualTo(net.inside(A) + " 6001");
      assertThat(send(net, tcp, A, 6001, b, TcpHeader.ACK).forwarded().to()).isEqualTo(net.inside(B) + " 6002");
    }
  }

  @Requirement("N9")
  @Requirement("N24")
  @EveryTransport
  void shouldMapTheSenderWhenItHasNoMappingYet(boolean v6, boolean tcp) {
    try (Network net = open(v6)) {
      int b = net.open(tcp, B, 6002, net.peer(1), 80).sourcePort();
      Packet there = send(net, tcp, A, 6002, b, TcpHeader.SYN).forwarded();
      assertThat(there.source()).isEqualTo(net.external(1));
      assertThat(there.sourcePort()).isNotEqualTo(b);
      assertThat(net.open(tcp, A, 6002, net.peer(5), 80).sourcePort()).as("one mapping").isEqualTo(there.sourcePort());
    }
  }

  @Requirement("N9")
  @BothFamilies
  void shouldFilterInsideHostsAsOutsideOnes(boolean v6) {
    try (Network net = Network.nat(v6)) {
      int a = net.open(false, A, 6001, net.peer(1), 80).sourcePort();
      int b = net.open(false, B, 6002, net.peer(1), 80).sourcePort();
      send(net, false, A, 6001, b, 0).droppedSilently(Verdict.FILTERED);
      assertThat(send(net, false, B, 6002, a, 0).forwarded().to()).isEqualTo(net.inside(A) + " 6001");
      assertThat(send(net, false, A, 6001, b, 0).forwarded().to()).isEqualTo(net.inside(B) + " 6002");
    }
  }

  @BothFamilies
  void shouldRefuseTheWayToAnUnusedExternalPort(boolean v6) {
    try (Network net = open(v6)) {
      send(net, false, A, 6001, 7777, 0).droppedSilently(Verdict.NO_MAPPING);
    }
  }

  @Requirement("N32")
  @EveryTransport
  void shouldTranslateAnErrorAboutAHairpinnedPacket(boolean v6, boolean tcp) {
    try (Network net = open(v6)) {
      int a = net.open(tcp, A, 6001, net.peer(1), 80).sourcePort();
      int b = net.open(tcp, B, 6002, net.peer(1), 80).sourcePort();
      Packet there = send(net, tcp, A, 6001, b, TcpHeader.SYN).forwarded();

      FrameBuilder frame = net.from(B, net.external(1));
      Packet error =
          net.fromInside(Frames.error(frame, v6 ? 1 : 3, v6 ? 4 : 3, 0, Frames.quoteOf(there))).forwarded();
      assertThat(error.link).isEqualTo(Network.INSIDE);
      assertThat(error.destinationMac()).isEqualTo(Network.mac(A));
      assertThat(error.source()).isEqualTo(net.external(1));
      assertThat(error.destination()).isEqualTo(net.inside(A));
      assertThat(error.icmpType()).isEqualTo(v6 ? 1 : 3);
      assertThat(error.quote().from()).isEqualTo(net.inside(A) + " 6001");
      assertThat(error.quote().to()).isEqualTo(net.external(1) + " " + b);
      assertThat(error.quote().ipChecksumIsRight()).isTrue();
      assertThat(send(net, tcp, A, 6001, b, TcpHeader.SYN).forwarded().sourcePort()).isEqualTo(a);
    }
  }

  @Requirement("N9")
  @Requirement("N24")
  @EveryTransport
  void shouldCarryBetweenTwoExternalAddresses(boolean v6, boolean tcp) {
    String one = v6 ? "2001:db8:5::1001/128" : "192.0.2.11/32";
    try (Network net =
        Network.options(v6)
            .outbound(
                b ->
                    b.filtering(Filtering.ENDPOINT_INDEPENDENT)
                        .nat(one, Network.external(v6, 2))
                        .nat(Network.prefix(v6), Network.external(v6, 1)))
            .open()) {
      net.open(tcp, A, 6001, net.peer(1), 80);
      int b = net.open(tcp, B, 6002, net.peer(1), 80).sourcePort();
      Packet there = send(net, tcp, A, 6001, b, TcpHeader.SYN).forwarded();
      assertThat(there.from()).isEqualTo(net.external(2) + " 6001");
      assertThat(there.to()).isEqualTo(net.inside(B) + " 6002");
    }
  }

  private static void assertToldWithTheOriginal(Network net, FrameBuilder frame, Verdict reason) {
    byte[] original = Packet.of(frame.build()).packet();
    Packet error = net.fromInside(frame).error(reason);
    assertThat(error.link).isEqualTo(Network.INSIDE);
    assertThat(error.destinationMac()).isEqualTo(Network.mac(A));
    assertThat(error.destination()).isEqualTo(net.inside(A));
    byte[] quote = error.quote().bytes;
    assertThat(error.quote().source()).isEqualTo(net.inside(A));
    assertThat(error.quote().sourcePort()).isEqualTo(6001);
    assertThat(quote[quote.length - 1]).isEqualTo(original[quote.length - 1]);
  }

  @Requirement("N39")
  @EveryTransport
  void shouldTellAnInsideSenderWhoseHairpinnedPacketRanOutOfTime(boolean v6, boolean tcp) {
    try (Network net =
        Network.options(v6)
            .nat(b -> b.filtering(Filtering.ENDPOINT_INDEPENDENT))
            .service(tcp ? Network.web(v6, 1) : Network.dns(v6, 1))
            .open()) {
      int b = net.open(tcp, B, 6002, net.peer(1), 80).sourcePort();
      FrameBuilder toHost = Network.transport(net.from(A, net.external(1)), tcp, 6001, b, TcpHeader.SYN);
      assertToldWithTheOriginal(net, toHost.timeToLive(1), Verdict.TIME_EXCEEDED);
      FrameBuilder toService = Network.transport(net.from(A, net.vip()), tcp, 6001, tcp ? 80 : 53, TcpHeader.SYN);
      assertToldWithTheOriginal(net, toService.timeToLive(1), Verdict.TIME_EXCEEDED);
    }
  }

  @Requirement("N14")
  @EveryTransport
  void shouldTellAnInsideSenderWhoseHairpinnedPacketIsTooBig(boolean v6, boolean tcp) {
    try (Network net =
        Network.options(v6).mtu(1500, 1400).nat(b -> b.filtering(Filtering.ENDPOINT_INDEPENDENT)).open()) {
      int b = net.open(tcp, B, 6002, net.peer(1), 80).sourcePort();
      FrameBuilder frame = Network.transport(net.from(A, net.external(1)), tcp, 6001, b, TcpHeader.SYN);
      assertToldWithTheOriginal(net, frame.payload(Frames.bytes(1400, 1)), Verdict.PACKET_TOO_BIG);
    }
  }

  @Requirement("N24")
  @BothFamilies
  void shouldCarryAnInsideClientToAServiceAndBack(boolean v6) {
    try (Network net = Network.options(v6).nat(b -> b).service(Network.web(v6, 1)).open()) {
      FrameBuilder request = net.from(3, net.vip()).tcp(6003, 80, TcpHeader.SYN).numbers(1000, 0);
      Packet there = net.fromInside(request).forwarded();
      assertThat(there.link).isEqualTo(Network.INSIDE);
      assertThat(there.destinationMac()).isEqualTo(Network.mac(1));
      assertThat(there.source()).as("else the server answers its neighbour directly").isEqualTo(net.external(1));
      assertThat(there.to()).isEqualTo(net.inside(1) + " 8080");
      assertThat(there.timeToLive()).isEqualTo(63);

      FrameBuilder reply =
          net.from(1, net.external(1)).tcp(8080, there.sourcePort(), TcpHeader.SYN | TcpHeader.ACK).numbers(5000, 1001);
      Packet back = net.fromInside(reply).forwarded();
      assertThat(back.destinationMac()).isEqualTo(Network.mac(3));
      assertThat(back.from()).isEqualTo(net.vip() + " 80");
      assertThat(back.to()).isEqualTo(net.inside(3) + " 6003");
      assertThat(back.timeToLive()).isEqualTo(63);
      FrameBuilder acknowledgment = net.from(3, net.vip()).tcp(6003, 80, TcpHeader.ACK).numbers(1001, 5001);
      assertThat(net.fromInside(acknowledgment).forwarded().from()).isEqualTo(there.from());
    }
  }

  @Requirement("N9")
  @BothFamilies
  void shouldCarryAServerToItsOwnService(boolean v6) {
    try (Network net = Network.options(v6).nat(b -> b).service(Network.dns(v6, 1)).open()) {
      Packet there = net.fromInside(net.from(1, net.vip()).udp(6001, 53)).forwarded();
      assertThat(there.from()).isEqualTo(net.external(1) + " 6001");
      assertThat(there.to()).isEqualTo(net.inside(1) + " 5353");
      Packet back = net.fromInside(net.from(1, net.external(1)).udp(5353, 6001)).forwarded();
      assertThat(back.from()).isEqualTo(net.vip() + " 53");
      assertThat(back.to()).isEqualTo(net.inside(1) + " 6001");
    }
  }

  @Requirement("N32")
  @BothFamilies
  void shouldTranslateAnErrorAboutAnInsideClientsRequest(boolean v6) {
    try (Network net = Network.options(v6).nat(b -> b).service(Network.dns(v6, 1)).open()) {
      Packet there = net.fromInside(net.from(3, net.vip()).udp(6003, 53).payload((byte) 1)).forwarded();
      FrameBuilder frame = net.from(1, net.external(1));
      Packet error =
          net.fromInside(Frames.error(frame, v6 ? 1 : 3, v6 ? 4 : 3, 0, Frames.quoteOf(there))).forwarded();
      assertThat(error.source()).isEqualTo(net.vip());
      assertThat(error.destination()).isEqualTo(net.inside(3));
      assertThat(error.quote().from()).isEqualTo(net.inside(3) + " 6003");
      assertThat(error.quote().to()).isEqualTo(net.vip() + " 53");
    }
  }
}
