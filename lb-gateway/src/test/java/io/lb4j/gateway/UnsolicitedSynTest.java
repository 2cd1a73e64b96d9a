package io.lb4j.gateway;

import static org.assertj.core.api.Assertions.assertThat;

import io.lb4j.frame.Verdict;
import io.lb4j.service.UnservedPolicy;
import io.lb4j.service.VirtualService;
import io.lb4j.testkit.FrameBuilder;
import io.lb4j.wire.TcpHeader;
import java.util.List;

/** Unsolicited SYNs that come by another way than from outside to a pool's address (RFC 5382, REQ-4). */
class UnsolicitedSynTest {
  private static final int SYN = TcpHeader.SYN;

  private static void assertRejected(Network net, List<Packet> sent, String sender) {
    assertThat(sent).hasSize(1);
    assertThat(sent.get(0).destination()).isEqualTo(sender);
    assertThat(sent.get(0).icmpType()).isEqualTo(net.v6 ? 1 : 3);
    assertThat(sent.get(0).icmpCode()).isEqualTo(net.v6 ? 4 : 3);
    assertThat(net.afterSeconds(10)).isEmpty();
  }

  @Requirement("N18")
  @BothFamilies
  void shouldDropASynToARoutedHostSilentlyWhenAnOutboundOneMeetsIt(boolean v6) {
    try (Network net = Network.options(v6).outbound(b -> b.route(Network.prefix(v6))).open()) {
      FrameBuilder inbound = net.to(net.inside(1), net.peer(1)).tcp(80, 5000, SYN).numbers(5000, 0);
      assertThat(net.fromOutside(inbound).verdict()).isEqualTo(Verdict.HOLD);
      net.afterSeconds(1);
      net.open(true, 1, 5000, net.peer(1), 80);
      assertThat(net.afterSeconds(7)).isEmpty();
      assertThat(net.balancer.statistics().count(Verdict.SYN_MET_OUTBOUND)).isEqualTo(1);
    }
  }

  /** It went round inside us and waits with the translated source: the sender is told, and of what it sent. */
  @Requirement("N18")
  @Requirement("N24")
  @BothFamilies
  void shouldTellTheInsideSenderOfAHairpinnedSyn(boolean v6) {
    try (Network net = Network.nat(v6)) {
      FrameBuilder syn = net.from(1, net.external(1)).tcp(6001, 7777, SYN).numbers(1, 0);
      Network.Result result = net.fromInside(syn);
      assertThat(result.verdict()).isEqualTo(Verdict.HOLD);
      assertThat(net.afterSeconds(5.9)).isEmpty();
      List<Packet> later = net.afterSeconds(1.1);
      assertRejected(net, later, net.inside(1));
      assertThat(later.get(0).quote().from()).isEqualTo(net.inside(1) + " 6001");
      assertThat(later.get(0).quote().to()).isEqualTo(net.external(1) + " 7777");
    }
  }

  /** An address that services share with a pool answers for both: six seconds' silence, whatever the services say. */
  @Requirement("N18")
  @BothFamilies
  void shouldWaitWithTheAnswerAlsoOnAVirtualAddress(boolean v6) {
    try (Network net =
        Network.options(v6)
            .with(b -> b.unserved(UnservedPolicy.REJECT))
            .nat(b -> b)
            .service(
                VirtualService.udp(Network.external(v6, 1), 53)
                    .named("dns")
                    .forwarding(Gateway.create())
                    .realServer("s1", Network.inside(v6, 9), s -> s.port(5353)))
            .open()) {
      net.open(true, 1, 5000, net.peer(2), 80);
      Network.Result result = net.knock(true, net.peer(1), 80, 5001);
      assertThat(result.verdict()).isEqualTo(Verdict.HOLD);
      assertThat(result.sent()).isEmpty();
      assertThat(net.afterSeconds(5.9)).isEmpty();
      assertRejected(net, net.afterSeconds(1.1), net.peer(1));
    }
  }
}
