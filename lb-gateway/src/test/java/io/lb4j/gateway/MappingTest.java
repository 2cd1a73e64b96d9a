package io.lb4j.gateway;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.lb4j.address.IpAddress;
import io.lb4j.flow.FlowTimeouts;
import io.lb4j.frame.Verdict;
import io.lb4j.settings.ConfigurationError;
import io.lb4j.settings.ConfigurationException;
import io.lb4j.testkit.FrameBuilder;
import io.lb4j.wire.TcpHeader;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Which external address and port an inside host gets (RFC 4787, section 4; RFC 5382, section 4.1; RFC 7857). */
class MappingTest {
  private static final long SECOND_NS = 1_000_000_000L;

  private static Network twoAddresses(boolean v6, UnaryOperator<Outbound.Builder> settings) {
    return Network.options(v6)
        .outbound(
            b -> settings.apply(b.nat(Network.prefix(v6), Network.external(v6, 1), Network.external(v6, 2))))
        .open();
  }

  /** Two ports of an odd and two of an even number on each external address. */
  private static Network fourPorts(boolean v6, int addresses, UnaryOperator<Outbound.Builder> settings) {
    String[] pool = new String[addresses];
    for (int n = 0; n < addresses; n++) {
      pool[n] = Network.external(v6, n + 1);
    }
    return Network.options(v6)
        .outbound(b -> settings.apply(b.natPorts(Network.prefix(v6), 40_000, 40_003, pool)))
        .open();
  }

  @Requirement("N1")
  @Requirement("N16")
  @EveryTransport
  void shouldMapAnInsideEndpointToOneExternalEndpointForAllPeers(boolean v6, boolean tcp) {
    try (Network net = Network.nat(v6)) {
      Set<String> seen = new HashSet<>();
      for (int peer = 1; peer <= 3; peer++) {
        seen.add(net.open(tcp, 1, 5000, net.peer(peer), 80).from());
        seen.add(net.open(tcp, 1, 5000, net.peer(peer), 81).from());
      }
      assertThat(seen).containsExactly(net.external(1) + " 5000");
      assertThat(net.open(tcp, 1, 5001, net.peer(1), 80).sourcePort()).isNotEqualTo(5000);
    }
  }

  @EveryTransport
  void shouldTranslateBothDirectionsAndNothingElse(boolean v6, boolean tcp) {
    try (Network net = Network.nat(v6)) {
      byte[] data = Frames.bytes(101, 1);
      Packet out =
          net.fromInside(
                  Network.transport(net.from(1, net.peer(1)), tcp, 5000, 80, TcpHeader.SYN)
                      .numbers(0x8081FFFE, 0)
                      .payload(data))
              .forwarded();
      assertThat(out.link).isEqualTo(Network.OUTSIDE);
      assertThat(out.destinationMac()).isEqualTo(Network.ROUTER_MAC);
      assertThat(out.sourceMac()).isEqualTo(Network.OUTSIDE_MAC);
      assertThat(out.from()).isEqualTo(net.external(1) + " 5000");
      assertThat(out.to()).isEqualTo(net.peer(1) + " 80");
      assertThat(out.payload()).isEqualTo(data);
      assertThat(out.timeToLive()).isEqualTo(63);

      Packet back =
          net.fromOutside(
                  Network.transport(net.to(net.external(1), net.peer(1)), tcp, 80, 5000, TcpHeader.SYN | TcpHeader.ACK)
                      .numbers(0xFFFF0000, 0x8081FFFF)
                      .payload(data))
              .forwarded();
      assertThat(back.link).isEqualTo(Network.INSIDE);
      assertThat(back.destinationMac()).isEqualTo(Network.mac(1));
      assertThat(back.sourceMac()).isEqualTo(Network.INSIDE_MAC);
      assertThat(back.from()).isEqualTo(net.peer(1) + " 80");
      assertThat(back.to()).isEqualTo(net.inside(1) + " 5000");
      assertThat(back.payload()).isEqualTo(data);
      assertThat(back.timeToLive()).isEqualTo(63);
      if (tcp) {
        assertThat(out.sequence()).isEqualTo(0x8081FFFE);
        assertThat(back.sequence()).isEqualTo(0xFFFF0000);
        assertThat(back.acknowledgment()).isEqualTo(0x8081FFFF);
      }
    }
  }

  @Requirement("N3")
  @Requirement("N23")
  @EveryTransport
  void shouldNeverGiveOneExternalEndpointToTwoInsideEndpoints(boolean v6, boolean tcp) {
    try (Network net = Network.options(v6).nat(b -> b).sessions(4096).open()) {
      Set<Integer> ports = new HashSet<>();
      for (int host = 1; host <= 50; host++) {
        for (int port = 5000; port < 5004; port++) {
          int external = net.open(tcp, host, port, net.peer(1), 80).sourcePort();
          assertThat(ports.add(external)).as("port %s is new", external).isTrue();
        }
      }
    }
  }

  @Requirement("N3")
  @Requirement("N23")
  @EveryTransport
  void shouldKeepTenThousandMappingsOfOneAddressApartAndTranslateThemBack(boolean v6, boolean tcp) {
    try (Network net = Network.options(v6).nat(b -> b).sessions(65_536).open()) {
      int[] external = new int[10_000];
      Set<Integer> ports = new HashSet<>();
      for (int n = 0; n < external.length; n++) {
        external[n] = net.open(tcp, 1 + n % 50, 2000 + n / 50 * 7, net.peer(1), 80).sourcePort();
        ports.add(external[n]);
        net.sent.clear();
      }
      assertThat(ports).hasSize(external.length);
      for (int n = 0; n < external.length; n++) {
        Packet back =
            net.fromOutside(
                    Network.transport(
                            net.to(net.external(1), net.peer(1)), tcp, 80, external[n], TcpHeader.SYN | TcpHeader.ACK)
                        .numbers(5000, 1001))
                .forwarded();
        assertThat(back.to()).isEqualTo(net.inside(1 + n % 50) + " " + (2000 + n / 50 * 7));
        net.sent.clear();
      }
    }
  }

  @Requirement("N4")
  @ParameterizedTest
  @CsvSource({
    "false,false,500", "false,true,1023", "false,false,1024", "false,true,40000", "true,false,500", "true,true,1023",
    "true,false,1024", "true,true,40000"
  })
  void shouldKeepTheRangeOfThePort(boolean v6, boolean tcp, int port) {
    try (Network net = Network.nat(v6)) {
      assertThat(net.open(tcp, 1, port, net.peer(1), 80).sourcePort()).as("preserved").isEqualTo(port);
      for (int host = 2; host <= 60; host++) {
        int external = net.open(tcp, host, port, net.peer(1), 80).sourcePort();
        assertThat(external <= 1023).as("port %s for %s", external, port).isEqualTo(port <= 1023);
      }
    }
  }

  /** The range is RECOMMENDED, a mapping is the purpose: 1,200 that want a port below 1024 get one, if a high one. */
  @Requirement("N4")
  @EveryTransport
  void shouldLeaveTheRangeOfThePortRatherThanRefuse(boolean v6, boolean tcp) {
    try (Network net = Network.options(v6).nat(b -> b).sessions(8192).open()) {
      Set<Integer> ports = new HashSet<>();
      for (int n = 0; n < 1200; n++) {
        ports.add(net.open(tcp, 1 + n % 100, 1 + n / 100, net.peer(1), 80).sourcePort());
      }
      assertThat(ports).hasSize(1200);
      assertThat(ports.stream().filter(port -> port < 1024)).hasSize(1023);
    }
  }

  @Requirement("N5")
  @ParameterizedTest
  @CsvSource({"false,500", "false,501", "false,5000", "false,65535", "true,500", "true,501", "true,5000", "true,65535"})
  void shouldKeepTheParityOfThePort(boolean v6, int port) {
    try (Network net = Network.nat(v6)) {
      for (int host = 1; host <= 60; host++) {
        int external = net.open(false, host, port, net.peer(1), 80).sourcePort();
        assertThat(external % 2).as("port %s for %s", external, port).isEqualTo(port % 2);
      }
    }
  }

  private static List<Integer> crowd(boolean v6, boolean tcp, long seed) {
    try (Network net = Network.options(v6).nat(b -> b).with(b -> b.seed(seed)).open()) {
      List<Integer> ports = new ArrayList<>();
      net.open(tcp, 1, 5000, net.peer(1), 80);
      for (int host = 2; host <= 200; host++) {
        ports.add(net.open(tcp, host, 5000, net.peer(1), 80).sourcePort());
      }
      return ports;
    }
  }

  @Requirement("N37")
  @EveryTransport
  void shouldChooseAtRandomWhenThePortIsTaken(boolean v6, boolean tcp) {
    List<Integer> ports = crowd(v6, tcp, 7);
    for (int quarter = 0; quarter < 4; quarter++) {
      int from = 1024 + quarter * 16_128;
      assertThat(ports.stream().filter(port -> port >= from && port < from + 16_128).count())
          .as("ports from %s", from)
          .isBetween(25L, 80L);
    }
    long steps = 0;
    for (int i = 1; i < ports.size(); i++) {
      steps += Math.abs(ports.get(i) - ports.get(i - 1)) <= 4 ? 1 : 0;
    }
    assertThat(steps).as("ports that are near the one before").isLessThan(10);
    assertThat(crowd(v6, tcp, 7)).as("the same seed").isEqualTo(ports);
    assertThat(crowd(v6, tcp, 8)).as("another seed").isNotEqualTo(ports);
  }

  @Requirement("N2")
  @EveryTransport
  void shouldGiveAHostOneExternalAddressForAllItsTraffic(boolean v6, boolean tcp) {
    try (Network net = twoAddresses(v6, b -> b)) {
      Set<String> all = new HashSet<>();
      for (int host = 1; host <= 50; host++) {
        Set<String> own = new HashSet<>();
        for (int n = 0; n < 10; n++) {
          own.add(net.open(tcp, host, 5000 + n, net.peer(1 + n), 80).source());
        }
        own.add(net.open(!tcp, host, 6000, net.peer(1), 80).source());
        own.add(net.fromInside(Frames.echo(net.from(host, net.peer(2)), v6, 77)).forwarded().source());
        assertThat(own).hasSize(1);
        all.addAll(own);
      }
      assertThat(all).containsExactlyInAnyOrder(net.external(1), net.external(2));
    }
  }

  @Requirement("N33")
  @EveryTransport
  void shouldRefuseTheFifthFlowOfFourPortsAndTellItsSender(boolean v6, boolean tcp) {
    try (Network net = fourPorts(v6, 1, b -> b)) {
      List<Integer> ports = new ArrayList<>();
      for (int n = 0; n < 4; n++) {
        ports.add(net.open(tcp, 1 + n, 5000 + n, net.peer(1), 80).sourcePort());
      }
      assertThat(ports).containsExactlyInAnyOrder(40_000, 40_001, 40_002, 40_003);
      int sessions = net.path.sessions();

      for (int again = 0; again < 3; again++) {
        FrameBuilder fifth =
            Network.transport(net.from(5, net.peer(1)), tcp, 5004, 80, TcpHeader.SYN).payload((byte) 3);
        byte[] packet = Packet.of(fifth.build()).packet();
        Packet error = net.fromInside(fifth).error(Verdict.NAT_PORTS_EXHAUSTED);
        assertThat(error.link).isEqualTo(Network.INSIDE);
        assertThat(error.destinationMac()).isEqualTo(Network.mac(5));
        assertThat(error.source()).isEqualTo(net.own(Network.INSIDE));
        assertThat(error.destination()).isEqualTo(net.inside(5));
        assertThat(error.icmpType()).isEqualTo(v6 ? 1 : 3);
        assertThat(error.icmpCode()).isEqualTo(v6 ? 1 : 13);
        assertThat(error.quote().packet()).isEqualTo(packet);
      }

      assertThat(net.path.sessions()).isEqualTo(sessions);
      assertThat(net.balancer.statistics().count(Verdict.NAT_PORTS_EXHAUSTED)).isEqualTo(3);
      for (int n = 0; n < 4; n++) {
        assertThat(net.open(tcp, 1 + n, 5000 + n, net.peer(1), 80).sourcePort()).isEqualTo(ports.get(n));
        assertThat(net.knock(tcp, net.peer(1), 80, ports.get(n)).forwarded().to())
            .isEqualTo(net.inside(1 + n) + " " + (5000 + n));
      }
      if (!tcp) {
        net.udpIn(net.peer(2), 80, ports.get(0)).droppedSilently(Verdict.FILTERED);
      }
    }
  }

  @Requirement("N33")
  @BothFamilies
  void shouldTellABoundedNumberOfRefusedSenders(boolean v6) {
    try (Network net = fourPorts(v6, 1, b -> b)) {
      for (int n = 0; n < 1_000; n++) {
        net.fromInside(net.from(1 + n % 50, net.peer(1)).udp(5000 + n, 80));
      }
      assertThat(net.balancer.statistics().count(Verdict.NAT_PORTS_EXHAUSTED)).isEqualTo(996);
      assertThat(net.sent.size()).isBetween(4 + 1, 4 + 100);
    }
  }

  @Requirement("N33")
  @BothFamilies
  void shouldGiveAPortThatWasFreedToTheNextHost(boolean v6) {
    try (Network net = fourPorts(v6, 1, b -> b)) {
      for (int n = 0; n < 4; n++) {
        net.open(false, 1, 5000 + n, net.peer(1), 80);
      }
      assertThat(net.fromInside(net.from(2, net.peer(1)).udp(5000, 80)).verdict())
          .isEqualTo(Verdict.NAT_PORTS_EXHAUSTED);
      net.afterSeconds(302);
      assertThat(net.open(false, 2, 5000, net.peer(1), 80).sourcePort()).isBetween(40_000, 40_003);
    }
  }

  @Requirement("N38")
  @EveryTransport
  void shouldRefuseAHostWhosePairedAddressHasNoFreePort(boolean v6, boolean tcp) {
    try (Network net = fourPorts(v6, 2, b -> b)) {
      Set<String> addresses = new HashSet<>();
      for (int n = 0; n < 4; n++) {
        addresses.add(net.open(tcp, 1, 5000 + n, net.peer(1), 80).source());
      }
      assertThat(addresses).hasSize(1);
      assertThat(net.fromInside(Network.transport(net.from(1, net.peer(1)), tcp, 5004, 80, TcpHeader.SYN)).verdict())
          .isEqualTo(Verdict.NAT_PORTS_EXHAUSTED);
    }
  }

  @Requirement("N38")
  @EveryTransport
  void shouldMoveAHostToAnotherAddressOnlyWhenToldTo(boolean v6, boolean tcp) {
    try (Network net = fourPorts(v6, 2, b -> b.pooling(Pooling.ARBITRARY))) {
      Set<String> endpoints = new HashSet<>();
      for (int n = 0; n < 8; n++) {
        endpoints.add(net.open(tcp, 1, 5000 + n, net.peer(1), 80).from());
      }
      assertThat(endpoints).hasSize(8);
      assertThat(net.fromInside(Network.transport(net.from(1, net.peer(1)), tcp, 5008, 80, TcpHeader.SYN)).verdict())
          .isEqualTo(Verdict.NAT_PORTS_EXHAUSTED);
    }
  }

  /** A few thousand packets of all kinds in both directions, and what was sent. */
  private static List<String> trace(boolean v6) {
    try (Network net = Network.options(v6).nat(b -> b).service(Network.web(v6, 3)).open()) {
      Random random = new Random(42);
      for (int n = 0; n < 5_000; n++) {
        boolean tcp = random.nextBoolean();
        int host = 1 + random.nextInt(20);
        String peer = net.peer(1 + random.nextInt(5));
        switch (random.nextInt(5)) {
          case 0, 1 ->
              net.fromInside(
                  Network.transport(net.from(host, peer), tcp, 5000 + random.nextInt(4), 80, TcpHeader.SYN));
          case 2 -> net.fromInside(Frames.echo(net.from(host, peer), v6, 7));
          case 3 ->
              net.fromOutside(
                  Network.transport(
                      net.to(net.external(1), peer), tcp, 80, 1024 + random.nextInt(8000), TcpHeader.SYN));
          default -> net.fromOutside(net.to(net.vip(), peer).tcp(2000 + random.nextInt(500), 80, TcpHeader.SYN));
        }
        net.after(Duration.ofMillis(random.nextInt(100)));
      }
      return net.sent.stream().map(Packet::toString).toList();
    }
  }

  @Requirement("N12")
  @BothFamilies
  void shouldSendTheSameBytesForTheSameTrace(boolean v6) {
    List<String> once = trace(v6);
    assertThat(once).hasSizeGreaterThan(2_000);
    assertThat(trace(v6)).isEqualTo(once);
  }

  @Requirement("N12")
  @BothFamilies
  void shouldMapAndFilterUnderLoadAsBefore(boolean v6) {
    try (Network net = Network.options(v6).nat(b -> b).sessions(65_536).open()) {
      int first = net.open(false, 1, 5000, net.peer(1), 80).sourcePort();
      for (int n = 0; n < 8_000; n++) {
        net.open(false, 2 + n % 80, 5000 + n / 80, net.peer(1 + n % 9), 80);
        net.sent.clear();
      }
      for (int peer = 1; peer < 9; peer++) {
        assertThat(net.open(false, 1, 5000, net.peer(peer), 80).sourcePort()).isEqualTo(first);
        net.udpIn(net.peer(peer), 81, first).forwarded();
      }
      net.udpIn(net.peer(99), 80, first).droppedSilently(Verdict.FILTERED);
    }
  }

  @Requirement("N10")
  @ParameterizedTest
  @CsvSource({
    "false,true,21", "false,false,5060", "false,false,69", "true,true,21", "true,false,5060", "true,false,69"
  })
  void shouldNotLookIntoApplications(boolean v6, boolean tcp, int port) {
    try (Network net = Network.nat(v6)) {
      String address = net.inside(1);
      String ftp = (v6 ? "EPRT |2|" + address + "|5001|" : "PORT " + address.replace('.', ',') + ",19,137") + "\r\n";
      String sip = "INVITE sip:a@example.com SIP/2.0\r\nContact: <sip:b@" + address + ":5001>\r\n\r\n";
      byte[] data = (port == 21 ? ftp : sip).getBytes(StandardCharsets.US_ASCII);
      if (tcp) {
        net.connect(1, 5000, net.peer(1), port);
        Packet out =
            net.fromInside(
                    net.from(1, net.peer(1))
                        .tcp(5000, port, TcpHeader.ACK | TcpHeader.PSH)
                        .numbers(1001, 5001)
                        .payload(data))
                .forwarded();
        assertThat(out.payload()).isEqualTo(data);
        assertThat(out.sequence()).isEqualTo(1001);
      } else {
        assertThat(net.fromInside(net.from(1, net.peer(1)).udp(5000, port).payload(data)).forwarded().payload())
            .isEqualTo(data);
      }
      assertThat(net.path.sessions()).isEqualTo(1);
    }
  }

  @Requirement("N11")
  @BothFamilies
  void shouldRefuseAnExternalAddressAmongTheInsideOnes(boolean v6) {
    Network.Options options =
        Network.options(v6).outbound(b -> b.nat(Network.prefix(v6), Network.inside(v6, 77)));
    assertThatExceptionOfType(ConfigurationException.class)
        .isThrownBy(options::open)
        .satisfies(e -> assertThat(e.error()).isEqualTo(ConfigurationError.NAT_OVERLAP));
  }

  @Requirement("N11")
  @BothFamilies
  void shouldLetTheLongestPrefixDecideWhenInsidePrefixesOverlap(boolean v6) {
    String few = v6 ? "2001:db8:5::1000/120" : "192.0.2.0/26";
    try (Network net =
        Network.options(v6)
            .outbound(
                b ->
                    b.nat(Network.prefix(v6), Network.external(v6, 1)).nat(few, Network.external(v6, 2)))
            .open()) {
      assertThat(net.open(false, 1, 5000, net.peer(1), 80).source()).isEqualTo(net.external(2));
      String other = v6 ? "2001:db8:5::2001" : "192.0.2.201";
      Packet out =
          net.fromInside(
                  FrameBuilder.from(other, net.peer(1))
                      .macs(Network.INSIDE_MAC, Network.mac(99))
                      .udp(5000, 80))
              .forwarded();
      assertThat(out.source()).isEqualTo(net.external(1));
    }
  }

  @Requirement("N43")
  @Test
  void shouldHaveTheTimersOfRfc6146() {
    FlowTimeouts timeouts = Outbound.builder().build().timeouts();
    assertThat(timeouts.udp()).isEqualTo(Duration.ofSeconds(300));
    assertThat(timeouts.established()).isEqualTo(Duration.ofSeconds(7440));
    assertThat(timeouts.syn()).isEqualTo(Duration.ofSeconds(240));
    assertThat(timeouts.fin()).isEqualTo(Duration.ofSeconds(240));
    assertThat(timeouts.reset()).isEqualTo(Duration.ofSeconds(240));
    assertThat(Outbound.builder().build().icmpTimeout()).isEqualTo(Duration.ofSeconds(60));
    FlowTimeouts shortest =
        new FlowTimeouts(
            Duration.ofSeconds(6),
            Duration.ofSeconds(7440),
            Duration.ofSeconds(240),
            Duration.ofSeconds(240),
            Duration.ofSeconds(120));
    assertThat(Outbound.builder().timeouts(shortest).build().timeouts()).isEqualTo(shortest);
  }

  /** What a listener heard, one line each. */
  private static final class Log implements MappingListener {
    final List<String> lines = new ArrayList<>();
    long lastNs;

    private void add(long nowNs, String line) {
      lastNs = nowNs;
      lines.add(line);
    }

    @Override
    public void onMapped(
        long nowNs, Kind kind, IpAddress inside, int insidePort, IpAddress outside, int outsidePort) {
      add(nowNs, "+ " + kind + " " + inside + " " + insidePort + " " + outside + " " + outsidePort);
    }

    @Override
    public void onUnmapped(
        long nowNs, Kind kind, IpAddress inside, int insidePort, IpAddress outside, int outsidePort) {
      add(nowNs, "- " + kind + " " + inside + " " + insidePort + " " + outside + " " + outsidePort);
    }

    @Override
    public void onExhausted(long nowNs, Kind kind, IpAddress inside, int insidePort, IpAddress outside) {
      add(nowNs, "! " + kind + " " + inside + " " + insidePort + " " + outside);
    }
  }

  @Requirement("N44")
  @EveryTransport
  void shouldReportWhenAMappingBeginsAndEnds(boolean v6, boolean tcp) {
    Log log = new Log();
    try (Network net = Network.nat(v6, b -> b.listener(log))) {
      long began = net.nowNs;
      net.open(tcp, 1, 5000, net.peer(1), 80);
      net.open(tcp, 1, 5000, net.peer(2), 80);
      String mapping = (tcp ? "TCP " : "UDP ") + net.inside(1) + " 5000 " + net.external(1) + " 5000";
      assertThat(log.lines).containsExactly("+ " + mapping);
      assertThat(log.lastNs).isEqualTo(began);
      int seconds = tcp ? 240 : 300;
      net.afterSeconds(seconds - 1);
      assertThat(log.lines).hasSize(1);
      net.afterSeconds(4);
      assertThat(log.lines).containsExactly("+ " + mapping, "- " + mapping);
      assertThat(log.lastNs - began).isBetween(seconds * SECOND_NS, (seconds + 3) * SECOND_NS);
    }
  }

  @Requirement("N44")
  @BothFamilies
  void shouldReportIcmpMappingsAndExhaustion(boolean v6) {
    Log log = new Log();
    try (Network net = fourPorts(v6, 1, b -> b.listener(log))) {
      int id = net.fromInside(Frames.echo(net.from(1, net.peer(1)), v6, 40_001)).forwarded().icmpIdentifier();
      assertThat(log.lines).containsExactly("+ ICMP " + net.inside(1) + " 40001 " + net.external(1) + " " + id);
      for (int n = 0; n < 5; n++) {
        net.fromInside(net.from(2, net.peer(1)).udp(5000 + n, 80));
      }
      assertThat(log.lines).hasSize(6);
      assertThat(log.lines.get(5)).isEqualTo("! UDP " + net.inside(2) + " 5004 " + net.external(1));
    }
  }
}
