package io.lb4j.gateway;

import static org.assertj.core.api.Assertions.assertThat;

import io.lb4j.flow.FlowTableOverflow;
import io.lb4j.frame.Verdict;
import io.lb4j.service.VirtualService;
import io.lb4j.service.VirtualServiceBuilder;
import io.lb4j.wire.TcpHeader;

/** A mapping lives as long as sessions use it, and no session goes on without its mapping. */
class MappingLifeTest {
  private static final int TRIALS = 30;

  private static Network.Result datagram(Network net, int host, int port, String to, int toPort) {
    return net.fromInside(net.from(host, to).udp(port, toPort).payload((byte) 1));
  }

  // ---- what gives way when the table is full -------------------------------------------------------------------

  /** Whoever makes room for a session from outside must not take the mapping that lets it in. */
  @BothFamilies
  void shouldNotForwardToAMappingThatGaveWayForThatVeryPacket(boolean v6) {
    for (int trial = 0; trial < TRIALS; trial++) {
      MappingBook book = new MappingBook();
      int port = 6001 + trial;
      try (Network net =
          Network.options(v6)
              .sessions(64)
              .nat(b -> b.filtering(Filtering.ENDPOINT_INDEPENDENT).listener(book))
              .open()) {
        net.udpOut(1, port, net.peer(1), 80);
        for (int host = 2; host <= 16; host++) {
          datagram(net, host, 7000 + host, net.peer(1), 80);
        }
        for (int knock = 0; knock < 60; knock++) {
          Verdict verdict = net.udpIn(net.peer(2 + knock), 1000 + knock, port).verdict();
          boolean mapped = book.hasUdp(net.external(1) + " " + port);
          assertThat(mapped || verdict != Verdict.FORWARD).as("trial %s, knock %s", trial, knock).isTrue();
        }
      }
    }
  }

  @Requirement("N44")
  @BothFamilies
  void shouldForwardNothingFromAMappingThatGaveWayForThatVeryPacket(boolean v6) {
    for (int trial = 0; trial < TRIALS; trial++) {
      MappingBook book = new MappingBook();
      try (Network net =
          Network.options(v6)
              .with(b -> b.flowTable(64, FlowTableOverflow.EVICT_OLDEST))
              .nat(b -> b.listener(book))
              .open()) {
        for (int n = 0; n < 600; n++) {
          net.nowNs += 150_000_000L;
          int host = 1 + n / 2 % 40;
          Network.Result result = datagram(net, host, 6001 + trial * 50 + n / 2 % 7, net.peer(1 + n / 2 % 200), 80);
          for (Packet packet : result.sent()) {
            boolean mapped = packet.protocol != Packet.UDP || book.hasUdp(packet.from());
            assertThat(mapped).as("trial %s, packet %s", trial, n).isTrue();
          }
        }
      }
    }
  }

  // ---- sessions without translation ----------------------------------------------------------------------------

  @Requirement("N3")
  @BothFamilies
  void shouldKeepAMappingWhoseHostAlsoSpeaksFromThatPortWithoutTranslation(boolean v6) {
    MappingBook book = new MappingBook();
    try (Network net = Network.nat(v6, b -> b.listener(book))) {
      datagram(net, 1, 123, net.inside(2), 123).forwarded();
      int external = net.udpOut(1, 123, net.peer(1), 123).sourcePort();
      for (int n = 0; n < 4; n++) {
        net.afterSeconds(100);
        assertThat(net.udpOut(1, 123, net.peer(1), 123).sourcePort()).isEqualTo(external);
      }
      assertThat(book.events).hasSize(1);
      assertThat(net.udpOut(3, 123, net.peer(2), 123).sourcePort()).isNotEqualTo(external);
      assertThat(net.udpIn(net.peer(1), 999, external).forwarded().destination()).isEqualTo(net.inside(1));
    }
  }

  @BothFamilies
  void shouldEndAMappingWhoseHostAlsoSpokeFromThatPortWithoutTranslation(boolean v6) {
    MappingBook book = new MappingBook();
    try (Network net = Network.nat(v6, b -> b.listener(book))) {
      net.udpOut(1, 123, net.peer(1), 123);
      datagram(net, 1, 123, net.inside(2), 123).forwarded();
      net.afterSeconds(700);
      assertThat(book.live).isEmpty();
      assertThat(net.path.sessions()).isZero();
    }
  }

  /** Sessions without translation began before the mapping and end while it lives. */
  @BothFamilies
  void shouldReportOneMappingWhileSessionsWithoutTranslationComeAndGo(boolean v6) {
    MappingBook book = new MappingBook();
    try (Network net = Network.nat(v6, b -> b.listener(book))) {
      datagram(net, 1, 123, net.inside(2), 123).forwarded();
      net.afterSeconds(100);
      datagram(net, 1, 123, net.inside(3), 123).forwarded();
      net.afterSeconds(100);
      net.udpOut(1, 123, net.peer(1), 123);
      net.afterSeconds(110);
      net.udpOut(1, 123, net.peer(1), 123);
      net.udpOut(1, 123, net.peer(2), 123);
      net.afterSeconds(100);
      net.udpOut(1, 123, net.peer(1), 123);
      net.udpOut(1, 123, net.peer(2), 123);
      net.afterSeconds(1000);
      String external = "UDP " + net.external(1) + " 123";
      assertThat(book.events).containsExactly("+" + external, "-" + external);
    }
  }

  // ---- time ----------------------------------------------------------------------------------------------------

  /** A mapping that admits everybody is not kept by those whom it admits (RFC 4787, REQ-6). */
  @Requirement("N7")
  @BothFamilies
  void shouldNotLiveOnThroughEverNewStrangers(boolean v6) {
    MappingBook book = new MappingBook();
    try (Network net =
        Network.nat(v6, b -> b.filtering(Filtering.ENDPOINT_INDEPENDENT).listener(book))) {
      net.udpOut(1, 6001, net.peer(1), 80);
      net.afterSeconds(200);
      net.udpIn(net.peer(9), 1000, 6001).forwarded();
      net.afterSeconds(99);
      net.udpIn(net.peer(9), 1001, 6001).forwarded();
      net.afterSeconds(3); // a round of the sweep included
      net.udpIn(net.peer(9), 1002, 6001).droppedSilently(Verdict.NO_MAPPING);
      assertThat(book.live).isEmpty();
    }
  }

  @Requirement("N19")
  @BothFamilies
  void shouldKeepAConnectionThroughAPauseOfTenMinutes(boolean v6) {
    try (Network net = Network.nat(v6)) {
      net.afterSeconds(10);
      net.connect(1, 5000, net.peer(1), 80);
      net.nowNs += 900_000_000L;
      net.tcpOut(1, 5000, net.peer(1), 80, TcpHeader.ACK, 1001, 5001).forwarded();
      net.tcpIn(net.peer(1), 80, 5000, TcpHeader.ACK, 5001, 1001).forwarded();
      net.nowNs += 600_000_000_000L; // and nobody calls meanwhile
      net.tcpIn(net.peer(1), 80, 5000, TcpHeader.ACK, 5001, 1001).forwarded();
    }
  }

  // ---- services that come and go -------------------------------------------------------------------------------

  private static VirtualServiceBuilder dnsOnExternal(boolean v6) {
    return VirtualService.udp(Network.external(v6, 1), 53)
        .named("dns")
        .forwarding(Gateway.create())
        .realServer("s1", Network.inside(v6, 9), s -> s.port(5353));
  }

  @BothFamilies
  void shouldNotGiveAwayThePortOfAServiceThatCameWhileItWasMapped(boolean v6) {
    try (Network net = Network.nat(v6)) {
      assertThat(net.udpOut(1, 53, net.peer(1), 99).sourcePort()).isEqualTo(53);
      net.balancer.addService(dnsOnExternal(v6).build());
      net.afterSeconds(400);
      assertThat(net.udpOut(2, 53, net.peer(1), 99).sourcePort()).isNotEqualTo(53);
    }
  }

  @BothFamilies
  void shouldGiveAwayThePortOfAServiceThatWent(boolean v6) {
    try (Network net = Network.options(v6).nat(b -> b).service(dnsOnExternal(v6)).open()) {
      assertThat(net.udpOut(2, 53, net.peer(1), 99).sourcePort()).isNotEqualTo(53);
      net.balancer.removeService("dns");
      net.afterSeconds(400);
      assertThat(net.udpOut(2, 53, net.peer(1), 99).sourcePort()).isEqualTo(53);
    }
  }
}
