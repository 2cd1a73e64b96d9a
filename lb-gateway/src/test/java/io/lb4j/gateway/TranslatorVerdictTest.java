package io.lb4j.gateway;

import static org.assertj.core.api.Assertions.assertThat;

import io.lb4j.frame.Verdict;
import io.lb4j.service.VirtualService;
import io.lb4j.service.VirtualServiceBuilder;
import io.lb4j.testkit.FrameBuilder;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Every verdict of traffic that crosses the balancer, reached by a frame; lb-dsr's tests reach the others. */
class TranslatorVerdictTest {
  private static final EnumSet<Verdict> TRANSLATORS = EnumSet.range(Verdict.NO_ROUTE, Verdict.NAT_PROTOCOL);
  private static final int PORT = 5000;

  private static final Map<Verdict, Function<Network, Verdict>> SCENARIOS = scenarios();

  private static Map<Verdict, Function<Network, Verdict>> scenarios() {
    Map<Verdict, Function<Network, Verdict>> all = new EnumMap<>(Verdict.class);
    routing(all);
    inbound(all);
    resources(all);
    return all;
  }

  private static void routing(Map<Verdict, Function<Network, Verdict>> all) {
    all.put(Verdict.NO_ROUTE, net -> out(net, 1).verdict());
    all.put(Verdict.NOT_ROUTED, net -> net.fromOutside(datagram(net.to(net.inside(1), net.peer(1)))).verdict());
    all.put(Verdict.SOURCE_SPOOFED, net -> net.fromOutside(datagram(net.to(net.peer(1), net.inside(1)))).verdict());
    all.put(
        Verdict.TIME_EXCEEDED,
        net -> net.fromInside(datagram(net.from(1, net.peer(1))).timeToLive(1)).verdict());
    all.put(
        Verdict.PACKET_TOO_BIG,
        net -> net.fromInside(datagram(net.from(1, net.peer(1))).payload(new byte[1500])).verdict());
    all.put(
        Verdict.CLIENT_IS_NEIGHBOR,
        net -> net.fromInside(net.from(2, net.vip()).udp(PORT, 53)).verdict());
    all.put(
        Verdict.NAT_PROTOCOL,
        net -> net.fromInside(net.from(1, net.peer(1)).protocol(47).payload(new byte[8])).verdict());
  }

  private static void inbound(Map<Verdict, Function<Network, Verdict>> all) {
    all.put(Verdict.NO_MAPPING, net -> net.udpIn(net.peer(1), 80, PORT).verdict());
    all.put(
        Verdict.FILTERED,
        net -> {
          net.udpOut(1, PORT, net.peer(1), 80);
          return net.udpIn(net.peer(2), 80, PORT).verdict();
        });
    all.put(
        Verdict.UNSOLICITED_SYN,
        net -> {
          assertThat(net.knock(true, net.peer(1), 80, PORT).verdict()).isEqualTo(Verdict.HOLD);
          net.afterSeconds(7);
          return endOfHeld(net);
        });
    all.put(
        Verdict.SYN_MET_OUTBOUND,
        net -> {
          assertThat(net.knock(true, net.peer(1), 80, PORT).verdict()).isEqualTo(Verdict.HOLD);
          net.open(true, 1, PORT, net.peer(1), 80);
          return endOfHeld(net);
        });
  }

  private static void resources(Map<Verdict, Function<Network, Verdict>> all) {
    all.put(
        Verdict.NAT_PORTS_EXHAUSTED,
        net -> {
          out(net, 1).forwarded();
          return out(net, 2).verdict();
        });
    all.put(Verdict.NAT_TUPLE_IN_USE, TranslatorVerdictTest::mappingWhosePeerAService);
  }

  /** A service comes on an external port that is mapped, and serves the very peer whom the inside host then asks. */
  private static Verdict mappingWhosePeerAService(Network net) {
    assertThat(net.udpOut(1, 53, net.peer(1), 80).sourcePort()).isEqualTo(53);
    net.balancer.addService(
        VirtualService.udp(net.external(1), 53)
            .named("late")
            .forwarding(Gateway.create())
            .realServer("s1", net.inside(9))
            .build());
    net.udpIn(net.peer(2), 80, 53).forwarded();
    return net.fromInside(net.from(1, net.peer(2)).udp(53, 80)).verdict();
  }

  private static Network.Result out(Network net, int host) {
    return net.fromInside(datagram(net.from(host, net.peer(1))));
  }

  private static FrameBuilder datagram(FrameBuilder frame) {
    return frame.udp(PORT, 80);
  }

  private static Verdict endOfHeld(Network net) {
    assertThat(net.ended).hasSize(1);
    return Verdict.valueOf(net.ended.get(0).split(" ")[1]);
  }

  private static String insideVip(boolean v6) {
    return v6 ? "2001:db8:5::f0" : "192.0.2.230";
  }

  private static VirtualServiceBuilder insideService(boolean v6) {
    return VirtualService.udp(insideVip(v6), 53)
        .named("inside")
        .forwarding(Gateway.fullNat(v6 ? "2001:db8:5::e1" : "192.0.2.241"))
        .realServer("s1", Network.inside(v6, 1), s -> s.port(5353));
  }

  private static Network network(Verdict verdict, boolean v6) {
    Network.Options options = Network.options(v6);
    return switch (verdict) {
      case NO_ROUTE -> options.withoutDefaultRoute().nat(b -> b).open();
      case CLIENT_IS_NEIGHBOR -> options.service(Network.dns(v6, 1)).open();
      case NAT_PORTS_EXHAUSTED ->
          options.outbound(b -> b.natPorts(Network.prefix(v6), PORT, PORT, Network.external(v6, 1))).open();
      default -> options.nat(b -> b).open();
    };
  }

  static Stream<Arguments> verdictsOfBothFamilies() {
    return TRANSLATORS.stream()
        .flatMap(verdict -> Stream.of(false, true).map(v6 -> Arguments.of(verdict, v6)));
  }

  @ParameterizedTest
  @MethodSource("verdictsOfBothFamilies")
  void shouldEndInThisVerdictAndCountIt(Verdict verdict, boolean v6) {
    try (Network net = network(verdict, v6)) {
      assertThat(SCENARIOS).containsKey(verdict);
      assertThat(SCENARIOS.get(verdict).apply(net)).isEqualTo(verdict);
      assertThat(net.balancer.statistics().count(verdict)).isEqualTo(1);
    }
  }

  @Test
  void shouldKnowAScenarioForEveryVerdictOfTheTranslator() {
    assertThat(SCENARIOS.keySet()).containsExactlyInAnyOrderElementsOf(TRANSLATORS);
  }

  /**
   * A service inside an outbound prefix: the server's answers keep its side's session alive, but not the client's. An
   * answer that comes too late is not mapped as if the virtual address were an inside host's.
   */
  @BothFamilies
  void shouldNotMapAVirtualAddressWhoseHairpinHasEnded(boolean v6) {
    try (Network net = Network.options(v6).nat(b -> b).service(insideService(v6)).open()) {
      Packet asked = net.fromInside(net.from(3, insideVip(v6)).udp(6003, 53)).forwarded();
      FrameBuilder answer = net.from(1, asked.source()).udp(5353, asked.sourcePort());
      Verdict verdict = Verdict.FORWARD;
      for (int n = 0; n < 5 && verdict == Verdict.FORWARD; n++) {
        net.afterSeconds(100);
        verdict = net.fromInside(answer).verdict();
      }
      assertThat(verdict).isEqualTo(Verdict.NO_MAPPING);
    }
  }
}
