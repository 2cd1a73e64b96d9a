package io.lb4j.gateway;

import static org.assertj.core.api.Assertions.assertThat;

import io.lb4j.frame.Verdict;
import io.lb4j.testkit.FrameBuilder;
import io.lb4j.wire.TcpHeader;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Addresses, ports and messages that mean nothing beyond a link, or nothing at all (RFC 1812, section 5.3.7). */
class MartianTest {
  @ParameterizedTest
  @CsvSource({
    "false,0.0.0.0", "false,0.0.0.9", "false,127.0.0.1", "false,127.255.255.255", "false,169.254.0.9", "true,::",
    "true,::1", "true,fe80::9"
  })
  void shouldNotRouteToAnAddressThatNoHostHas(boolean v6, String martian) {
    try (Network net = Network.nat(v6)) {
      for (int n = 0; n < 3; n++) {
        net.fromInside(Frames.echo(net.from(1, martian), v6, 0)).droppedSilently(Verdict.NOT_ROUTED);
        for (boolean tcp : new boolean[] {false, true}) {
          FrameBuilder frame = Network.transport(net.from(1, martian), tcp, 5, 6, TcpHeader.SYN);
          net.fromInside(frame).droppedSilently(Verdict.NOT_ROUTED);
        }
      }
      assertThat(net.path.sessions()).isZero();
    }
  }

  private static Network.Result quoting(Network net, FrameBuilder quoted) {
    byte[] quote = Packet.of(quoted.build()).packet();
    FrameBuilder frame = net.to(net.external(1), net.peer(9));
    return net.fromOutside(Frames.error(frame, net.v6 ? 1 : 3, net.v6 ? 4 : 3, 0, quote));
  }

  private static String unspecified(boolean v6) {
    return v6 ? "::" : "0.0.0.0";
  }

  /** Mappings and filters are kept beside sessions, as tuples with holes that no packet has: a quote may. */
  @Requirement("N29")
  @EveryTransport
  void shouldDropAnErrorThatQuotesATupleWithHoles(boolean v6, boolean tcp) {
    try (Network net = Network.nat(v6)) {
      net.open(tcp, 1, 6001, net.peer(1), 80);
      for (String to : new String[] {unspecified(v6), net.peer(1)}) {
        FrameBuilder quoted = FrameBuilder.from(net.external(1), to).payload(new byte[8]);
        quoting(net, Network.transport(quoted, tcp, 6001, 0, TcpHeader.SYN)).droppedSilently(Verdict.ICMP_NO_FLOW);
      }
      FrameBuilder inbound = FrameBuilder.from(net.external(1), net.inside(1)).payload(new byte[8]);
      quoting(net, Network.transport(inbound, tcp, 0, 6001, TcpHeader.SYN)).droppedSilently(Verdict.ICMP_NO_FLOW);
      assertThat(net.open(tcp, 1, 6001, net.peer(1), 80).sourcePort()).isEqualTo(6001);
    }
  }

  @Requirement("N31")
  @BothFamilies
  void shouldDropAnErrorThatQuotesAQueryToNobody(boolean v6) {
    MappingBook book = new MappingBook();
    try (Network net = Network.nat(v6, b -> b.listener(book))) {
      for (int n = 0; n < 3; n++) {
        net.fromInside(Frames.echo(net.from(1, net.peer(1)), v6, 0)).forwarded();
        net.nowNs += 70_000_000_000L; // the query's time is over, but nobody has swept
        FrameBuilder quoted = FrameBuilder.from(net.external(1), unspecified(v6));
        quoting(net, Frames.echo(quoted, v6, 0)).droppedSilently(Verdict.ICMP_NO_FLOW);
      }
      net.afterSeconds(1000);
      assertThat(book.live).isEmpty();
      assertThat(net.path.sessions()).isZero();
    }
  }

  /** A redirect is for hosts of one link (RFC 792; RFC 4861, section 8). */
  @BothFamilies
  void shouldNotRouteARedirect(boolean v6) {
    try (Network net =
        Network.options(v6)
            .outbound(b -> b.route(Network.prefix(v6)).filtering(Filtering.ENDPOINT_INDEPENDENT))
            .open()) {
      FrameBuilder redirect = net.to(net.inside(1), net.peer(1));
      net.fromOutside(redirect.icmp(v6 ? 137 : 5, 1, new byte[36])).droppedSilently();
    }
  }

  /** Nobody is told of an error, nor of a fragment of one (RFC 1122, section 3.2.2). */
  @BothFamilies
  void shouldNotAnswerAFragmentOfAnErrorWhoseTimeToLiveRanOut(boolean v6) {
    try (Network net = Network.options(v6).outbound(b -> b.route(Network.prefix(v6))).open()) {
      FrameBuilder error = net.from(1, net.peer(1)).timeToLive(1).icmp(v6 ? 1 : 3, 1, new byte[44]);
      net.fromInside(error.fragment(5, 0, true)).droppedSilently();
    }
  }

  @Test
  void shouldNotSendAnErrorAboutALaterFragmentOfAnError() {
    try (Network net = Network.options(false).outbound(b -> b.route(Network.prefix(false))).open()) {
      FrameBuilder error = net.from(1, net.peer(1)).timeToLive(1).icmp(3, 1, new byte[44]);
      assertThat(net.fromInside(error.fragment(5, 48, false)).sent()).isEmpty();
      assertThat(net.afterSeconds(5)).isEmpty();
    }
  }
}
