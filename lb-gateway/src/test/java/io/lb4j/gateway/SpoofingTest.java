package io.lb4j.gateway;

import static org.assertj.core.api.Assertions.assertThat;

import io.lb4j.frame.Verdict;
import io.lb4j.testkit.FrameBuilder;
import io.lb4j.wire.TcpHeader;

/** Forged source addresses enter no session, live or new (RFC 3704, section 2.2; RFC 1812, section 5.3.8). */
class SpoofingTest {
  private static Network withService(boolean v6, boolean tcp) {
    return Network.options(v6).nat(b -> b).service(tcp ? Network.web(v6, 1) : Network.dns(v6, 1)).open();
  }

  private static FrameBuilder request(FrameBuilder frame, boolean tcp, int port) {
    return Network.transport(frame, tcp, port, tcp ? 80 : 53, TcpHeader.SYN);
  }

  @EveryTransport
  void shouldNotLetAnOutsiderSpeakAsTheInsideHostOfALiveSession(boolean v6, boolean tcp) {
    try (Network net = Network.nat(v6)) {
      net.open(tcp, 1, 6001, net.peer(1), 80);
      FrameBuilder forged = net.to(net.peer(1), net.inside(1));
      net.fromOutside(Network.transport(forged, tcp, 6001, 80, TcpHeader.SYN))
          .droppedSilently(Verdict.SOURCE_SPOOFED);
      assertThat(net.open(tcp, 1, 6001, net.peer(1), 80).from()).isEqualTo(net.external(1) + " 6001");
    }
  }

  @EveryTransport
  void shouldNotLetAnOutsiderSpeakAsTheInsideHostOfARoutedSession(boolean v6, boolean tcp) {
    try (Network net = Network.options(v6).outbound(b -> b.route(Network.prefix(v6))).open()) {
      net.open(tcp, 1, 6001, net.peer(1), 80);
      FrameBuilder forged = net.to(net.peer(1), net.inside(1));
      net.fromOutside(Network.transport(forged, tcp, 6001, 80, TcpHeader.SYN))
          .droppedSilently(Verdict.SOURCE_SPOOFED);
    }
  }

  @EveryTransport
  void shouldNotLetAnOutsiderSpeakAsTheServerOfALiveSession(boolean v6, boolean tcp) {
    try (Network net = withService(v6, tcp)) {
      net.fromOutside(request(net.to(net.vip(), net.peer(1)), tcp, 3000)).forwarded();
      int serverPort = tcp ? 8080 : 5353;
      int flags = TcpHeader.SYN | TcpHeader.ACK;
      FrameBuilder forged = net.to(net.peer(1), net.inside(1));
      net.fromOutside(Network.transport(forged, tcp, serverPort, 3000, flags))
          .droppedSilently(Verdict.SOURCE_SPOOFED);
      FrameBuilder reply = Network.transport(net.from(1, net.peer(1)), tcp, serverPort, 3000, flags);
      assertThat(net.fromInside(reply).forwarded().to()).isEqualTo(net.peer(1) + " 3000");
    }
  }

  /** An inside client's request goes out translated and comes in again: only that one has the external source. */
  @EveryTransport
  void shouldNotLetAnOutsiderSpeakAsTheHairpinnedClientOfALiveSession(boolean v6, boolean tcp) {
    try (Network net = withService(v6, tcp)) {
      Packet there = net.fromInside(request(net.from(3, net.vip()), tcp, 6003)).forwarded();
      assertThat(there.source()).isEqualTo(net.external(1));
      net.fromOutside(request(net.to(net.vip(), net.external(1)), tcp, there.sourcePort()))
          .droppedSilently(Verdict.SOURCE_SPOOFED);
    }
  }

  @EveryTransport
  void shouldNotLetAnOutsiderOpenASessionFromAnExternalAddress(boolean v6, boolean tcp) {
    try (Network net = withService(v6, tcp)) {
      net.fromOutside(request(net.to(net.vip(), net.external(1)), tcp, 7777))
          .droppedSilently(Verdict.SOURCE_SPOOFED);
      assertThat(net.path.sessions()).isZero();
    }
  }
}
