package io.lb4j.gateway;

import static org.assertj.core.api.Assertions.assertThat;

import io.lb4j.frame.Verdict;
import io.lb4j.testkit.FrameBuilder;
import io.lb4j.wire.TcpHeader;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Who may use a mapping, and who may cross at all (RFC 4787, section 5; RFC 3704). */
class FilteringTest {
  static Stream<Arguments> matrix() {
    List<Arguments> rows = new ArrayList<>();
    for (boolean v6 : new boolean[] {false, true}) {
      for (boolean tcp : new boolean[] {false, true}) {
        for (Filtering filtering : Filtering.values()) {
          rows.add(Arguments.of(v6, tcp, filtering));
        }
      }
    }
    return rows.stream();
  }

  private static void assertAdmitted(Network net, boolean tcp, Network.Result result, boolean admitted) {
    if (admitted) {
      assertThat(result.forwarded().to()).isEqualTo(net.inside(1) + " 5000");
    } else if (tcp) {
      assertThat(result.verdict()).as("an unsolicited SYN waits").isEqualTo(Verdict.HOLD);
      assertThat(result.sent()).isEmpty();
    } else {
      result.droppedSilently(Verdict.FILTERED);
    }
  }

  @Requirement("N8")
  @ParameterizedTest
  @MethodSource("matrix")
  void shouldAdmitWhomTheFilterAdmits(boolean v6, boolean tcp, Filtering filtering) {
    try (Network net = Network.nat(v6, b -> b.filtering(filtering))) {
      int port = net.open(tcp, 1, 5000, net.peer(1), 80).sourcePort();
      assertAdmitted(net, tcp, net.knock(tcp, net.peer(1), 80, port), true);
      boolean otherPort = filtering != Filtering.ADDRESS_AND_PORT_DEPENDENT;
      assertAdmitted(net, tcp, net.knock(tcp, net.peer(1), 81, port), otherPort);
      boolean otherAddress = filtering == Filtering.ENDPOINT_INDEPENDENT;
      assertAdmitted(net, tcp, net.knock(tcp, net.peer(2), 80, port), otherAddress);

      net.open(tcp, 1, 5000, net.peer(3), 90);
      assertAdmitted(net, tcp, net.knock(tcp, net.peer(3), 90, port), true);
      assertAdmitted(net, tcp, net.knock(tcp, net.peer(3), 91, port), otherPort);
    }
  }

  @Requirement("N8")
  @Test
  void shouldFilterByAddressUnlessToldOtherwise() {
    assertThat(Outbound.builder().build().filtering()).isEqualTo(Filtering.ADDRESS_DEPENDENT);
  }

  @ParameterizedTest
  @MethodSource("matrix")
  void shouldAdmitNobodyWithoutAMapping(boolean v6, boolean tcp, Filtering filtering) {
    try (Network net = Network.nat(v6, b -> b.filtering(filtering))) {
      net.open(tcp, 1, 5000, net.peer(1), 80);
      FrameBuilder stray = net.to(net.external(1), net.peer(1));
      net.fromOutside(Network.transport(stray, tcp, 80, 5001, TcpHeader.ACK)).droppedSilently();
      FrameBuilder otherProtocol = net.to(net.external(1), net.peer(1));
      net.fromOutside(Network.transport(otherProtocol, !tcp, 80, 5000, TcpHeader.ACK)).droppedSilently();
      assertThat(net.path.sessions()).isEqualTo(1);
    }
  }

  @EveryTransport
  void shouldNotLetAStrangersSegmentOpenASession(boolean v6, boolean tcp) {
    try (Network net = Network.nat(v6)) {
      net.open(tcp, 1, 5000, net.peer(1), 80);
      for (int flags : new int[] {TcpHeader.ACK, TcpHeader.SYN | TcpHeader.ACK, TcpHeader.RST, TcpHeader.ACK | 1}) {
        FrameBuilder frame = Network.transport(net.to(net.external(1), net.peer(2)), tcp, 80, 5000, flags);
        net.fromOutside(frame).droppedSilently();
      }
      assertThat(net.path.sessions()).isEqualTo(1);
    }
  }

  // ---- no open router ------------------------------------------------------------------------------------------

  @EveryTransport
  void shouldNotRouteFromOutsideToAnInsideAddress(boolean v6, boolean tcp) {
    try (Network net = Network.nat(v6)) {
      net.open(tcp, 1, 5000, net.peer(1), 80);
      FrameBuilder straight = Network.transport(net.to(net.inside(1), net.peer(1)), tcp, 80, 5000, TcpHeader.SYN);
      net.fromOutside(straight).droppedSilently(Verdict.NOT_ROUTED);
    }
  }

  @EveryTransport
  void shouldNotRouteBetweenOutsideHosts(boolean v6, boolean tcp) {
    try (Network net = Network.nat(v6)) {
      FrameBuilder across = Network.transport(net.to(net.peer(2), net.peer(1)), tcp, 80, 5000, TcpHeader.SYN);
      net.fromOutside(across).droppedSilently(Verdict.NOT_ROUTED);
      FrameBuilder near = Network.transport(net.to(Network.near(v6, 1), net.peer(1)), tcp, 80, 5000, TcpHeader.SYN);
      net.fromOutside(near).droppedSilently(Verdict.NOT_ROUTED);
    }
  }

  @EveryTransport
  void shouldNotRouteForInsideHostsWithoutARule(boolean v6, boolean tcp) {
    String one = v6 ? "2001:db8:5::1001/128" : "192.0.2.11/32";
    try (Network net = Network.options(v6).outbound(b -> b.nat(one, Network.external(v6, 1))).open()) {
      net.open(tcp, 1, 5000, net.peer(1), 80);
      net.fromInside(Network.transport(net.from(2, net.peer(1)), tcp, 5000, 80, TcpHeader.SYN))
          .droppedSilently(Verdict.NOT_ROUTED);
      net.fromInside(Frames.echo(net.from(2, net.peer(1)), v6, 7)).droppedSilently(Verdict.NOT_ROUTED);
    }
  }

  @EveryTransport
  void shouldNotRouteForAnybodyWithoutRules(boolean v6, boolean tcp) {
    try (Network net = Network.options(v6).service(Network.web(v6, 1)).open()) {
      net.fromInside(Network.transport(net.from(1, net.peer(1)), tcp, 5000, 80, TcpHeader.SYN))
          .droppedSilently(Verdict.NOT_ROUTED);
    }
  }

  @EveryTransport
  void shouldRefuseAnInsideSourceThatComesFromOutside(boolean v6, boolean tcp) {
    try (Network net = Network.nat(v6)) {
      FrameBuilder spoofed =
          Network.transport(net.to(net.peer(1), net.inside(1)), tcp, 5000, 80, TcpHeader.SYN);
      net.fromOutside(spoofed).droppedSilently(Verdict.SOURCE_SPOOFED);
      FrameBuilder toExternal =
          Network.transport(net.to(net.external(1), net.inside(1)), tcp, 5000, 80, TcpHeader.SYN);
      net.fromOutside(toExternal).droppedSilently(Verdict.SOURCE_SPOOFED);
      assertThat(net.path.sessions()).isZero();
    }
  }

  /** Nobody outside has our own addresses (RFC 1812, section 5.3.8; RFC 3704). */
  @ParameterizedTest
  @CsvSource({
    "false,vip", "true,vip", "false,outside", "true,outside", "false,inside", "true,inside", "false,external",
    "true,external"
  })
  void shouldRefuseOurOwnAddressesAsSourceFromOutside(boolean v6, String which) {
    try (Network net =
        Network.options(v6)
            .nat(b -> b.filtering(Filtering.ENDPOINT_INDEPENDENT))
            .service(Network.dns(v6, 1))
            .open()) {
      net.open(false, 1, 5000, net.peer(1), 80);
      String own =
          switch (which) {
            case "vip" -> net.vip();
            case "outside" -> net.own(Network.OUTSIDE);
            case "inside" -> net.own(Network.INSIDE);
            default -> net.external(1);
          };
      if (!which.equals("external")) {
        net.fromOutside(net.to(net.external(1), own).udp(80, 5000)).droppedSilently();
      }
      if (!which.equals("vip")) {
        net.fromOutside(net.to(net.vip(), own).udp(3000, 53)).droppedSilently();
      }
      assertThat(net.path.sessions()).isEqualTo(1);
    }
  }

  @EveryTransport
  void shouldRouteWithoutTranslationWhereTheRuleSaysSo(boolean v6, boolean tcp) {
    try (Network net = Network.options(v6).outbound(b -> b.route(Network.prefix(v6))).open()) {
      Packet out = net.open(tcp, 1, 5000, net.peer(1), 80);
      assertThat(out.from()).isEqualTo(net.inside(1) + " 5000");
      assertThat(out.to()).isEqualTo(net.peer(1) + " 80");
      assertThat(out.timeToLive()).isEqualTo(63);
      assertThat(out.destinationMac()).isEqualTo(Network.ROUTER_MAC);
      FrameBuilder reply =
          Network.transport(net.to(net.inside(1), net.peer(1)), tcp, 80, 5000, TcpHeader.SYN | TcpHeader.ACK);
      Packet back = net.fromOutside(reply.numbers(5000, 1001)).forwarded();
      assertThat(back.from()).isEqualTo(net.peer(1) + " 80");
      assertThat(back.to()).isEqualTo(net.inside(1) + " 5000");
      assertThat(back.destinationMac()).isEqualTo(Network.mac(1));
    }
  }

  @ParameterizedTest
  @CsvSource({"false,47", "false,50", "true,47", "true,50", "false,132", "true,132"})
  void shouldRefuseProtocolsThatAddressesCannotBeTranslatedFor(boolean v6, int protocol) {
    try (Network net = Network.nat(v6)) {
      net.fromOutside(net.to(net.external(1), net.peer(1)).protocol(protocol).payload(new byte[20])).droppedSilently();
      Verdict verdict =
          net.fromInside(net.from(1, net.peer(1)).protocol(protocol).payload(new byte[20])).verdict();
      assertThat(verdict).isEqualTo(Verdict.NAT_PROTOCOL);
    }
  }

  /** Nothing is remembered of them, so nobody can tell an answer from a stranger's packet. */
  @ParameterizedTest(name = "IPv6 {0}, protocol {1}, {2}")
  @CsvSource({
    "false,47,ADDRESS_DEPENDENT", "true,50,ADDRESS_DEPENDENT", "false,132,ADDRESS_AND_PORT_DEPENDENT",
    "true,47,ADDRESS_AND_PORT_DEPENDENT", "false,50,ENDPOINT_INDEPENDENT", "true,132,ENDPOINT_INDEPENDENT"
  })
  void shouldLetAnswersOfOtherProtocolsInWhereEverybodyMayComeIn(boolean v6, int protocol, Filtering filtering) {
    try (Network net = Network.options(v6).outbound(b -> b.route(Network.prefix(v6)).filtering(filtering)).open()) {
      Packet out =
          net.fromInside(net.from(1, net.peer(1)).protocol(protocol).payload(new byte[20])).forwarded();
      assertThat(out.source()).isEqualTo(net.inside(1));
      FrameBuilder answer = net.to(net.inside(1), net.peer(1)).protocol(protocol).payload(new byte[20]);
      if (filtering == Filtering.ENDPOINT_INDEPENDENT) {
        assertThat(net.fromOutside(answer).forwarded().destination()).isEqualTo(net.inside(1));
      } else {
        net.fromOutside(answer).droppedSilently(Verdict.FILTERED);
      }
      assertThat(net.path.sessions()).isZero();
    }
  }

  @EveryTransport
  void shouldAlsoTranslateOnASingleInterface(boolean v6, boolean tcp) {
    try (Network net = Network.options(v6).singleArm().nat(b -> b).open()) {
      Packet out = net.open(tcp, 1, 5000, net.peer(1), 80);
      assertThat(out.from()).isEqualTo(net.external(1) + " 5000");
      assertThat(out.link).isEqualTo(Network.OUTSIDE);
      assertThat(out.destinationMac()).isEqualTo(Network.ROUTER_MAC);
      Packet back = net.knock(tcp, net.peer(1), 80, 5000).forwarded();
      assertThat(back.to()).isEqualTo(net.inside(1) + " 5000");
      assertThat(back.destinationMac()).isEqualTo(Network.mac(1));
    }
  }
}
