package io.lb4j.gateway;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

import io.lb4j.frame.FrameMarks;
import io.lb4j.frame.Verdict;
import io.lb4j.testkit.FrameBuilder;
import io.lb4j.wire.Ipv4Header;
import io.lb4j.wire.TcpHeader;
import io.netty.buffer.ByteBuf;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/** Fragments in both directions (RFC 4787, REQ-14; RFC 6146, section 3.4; RFC 7857, section 10). */
class FragmentTest {
  private static final int[][] ORDERS = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
  private static final int SIZE = 1000;
  private static final byte[] DATA = Frames.bytes(2400, 1);

  private static FrameBuilder fromInside(Network net, boolean tcp, int host) {
    return Network.transport(net.from(host, net.peer(1)), tcp, 5000, 80, TcpHeader.ACK).numbers(1001, 5001);
  }

  private static FrameBuilder fromOutside(Network net, boolean tcp, int port) {
    return Network.transport(net.to(net.external(1), net.peer(1)), tcp, 80, port, TcpHeader.ACK).numbers(5001, 1001);
  }

  private static int begin(Network net, boolean tcp, int host) {
    return tcp
        ? net.connect(host, 5000, net.peer(1), 80)
        : net.udpOut(host, 5000, net.peer(1), 80).sourcePort();
  }

  /** Sends fragments in some order, and answers what came out of them. */
  private static Packet send(Network net, int link, List<ByteBuf> fragments, int[] order) {
    List<Packet> sent = new ArrayList<>();
    for (int index : order) {
      Network.Result result = net.process(link, fragments.get(index).copy());
      assertThat(result.verdict()).isIn(Verdict.FORWARD, Verdict.HOLD);
      sent.addAll(result.sent());
    }
    assertThat(sent).hasSize(order.length);
    assertThat(net.path.held()).isZero();
    return Frames.reassemble(sent);
  }

  @Requirement("N15")
  @EveryTransport
  void shouldTranslateFragmentsFromInsideInAnyOrder(boolean v6, boolean tcp) {
    for (int[] order : ORDERS) {
      try (Network net = Network.nat(v6)) {
        begin(net, tcp, 2);
        int port = begin(net, tcp, 1);
        ByteBuf whole = fromInside(net, tcp, 1).payload(DATA).build();
        Packet out = send(net, Network.INSIDE, Frames.fragments(whole, 7, SIZE), order);
        assertThat(out.from()).isEqualTo(net.external(1) + " " + port);
        assertThat(out.to()).isEqualTo(net.peer(1) + " 80");
        assertThat(out.payload()).isEqualTo(DATA);
        assertThat(out.timeToLive()).isEqualTo(63);
      }
    }
  }

  @Requirement("N15")
  @EveryTransport
  void shouldTranslateFragmentsFromOutsideInAnyOrder(boolean v6, boolean tcp) {
    for (int[] order : ORDERS) {
      try (Network net = Network.nat(v6)) {
        begin(net, tcp, 2);
        int port = begin(net, tcp, 1);
        ByteBuf whole = fromOutside(net, tcp, port).payload(DATA).build();
        Packet in = send(net, Network.OUTSIDE, Frames.fragments(whole, 7, SIZE), order);
        assertThat(in.from()).isEqualTo(net.peer(1) + " 80");
        assertThat(in.to()).isEqualTo(net.inside(1) + " 5000");
        assertThat(in.payload()).isEqualTo(DATA);
      }
    }
  }

  @Requirement("N15")
  @Requirement("N26")
  @BothFamilies
  void shouldTranslateFragmentedQueriesAndTheirRepliesInAnyOrder(boolean v6) {
    byte[] query = new byte[2404];
    System.arraycopy(Frames.query(77), 0, query, 0, 8);
    for (int[] order : ORDERS) {
      try (Network net = Network.nat(v6)) {
        net.fromInside(Frames.echo(net.from(2, net.peer(1)), v6, 77)).forwarded();
        ByteBuf request = net.from(1, net.peer(1)).icmp(v6 ? 128 : 8, 0, query).build();
        Packet out = send(net, Network.INSIDE, Frames.fragments(request, 7, SIZE), order);
        assertThat(out.source()).isEqualTo(net.external(1));
        byte[] answer = query.clone();
        answer[0] = (byte) (out.icmpIdentifier() >> 8);
        answer[1] = (byte) out.icmpIdentifier();
        ByteBuf reply = net.to(net.external(1), net.peer(1)).icmp(v6 ? 129 : 0, 0, answer).build();
        Packet back = send(net, Network.OUTSIDE, Frames.fragments(reply, 8, SIZE), order);
        assertThat(back.destination()).isEqualTo(net.inside(1));
        assertThat(back.icmpIdentifier()).isEqualTo(77);
      }
    }
  }

  @Requirement("N15")
  @BothFamilies
  void shouldTranslateFragmentsOfAServiceInAnyOrder(boolean v6) {
    for (int[] order : ORDERS) {
      try (Network net = Network.options(v6).service(Network.dns(v6, 2)).open()) {
        ByteBuf request = net.to(net.vip(), net.peer(1)).udp(3000, 53).payload(DATA).build();
        Packet in = send(net, Network.OUTSIDE, Frames.fragments(request, 7, SIZE), order);
        int server = in.destination().equals(net.inside(1)) ? 1 : 2;
        assertThat(in.to()).isEqualTo(net.inside(server) + " 5353");
        assertThat(in.from()).isEqualTo(net.peer(1) + " 3000");
        assertThat(in.payload()).isEqualTo(DATA);
        ByteBuf reply = net.from(server, net.peer(1)).udp(5353, 3000).payload(DATA).build();
        Packet out = send(net, Network.INSIDE, Frames.fragments(reply, 9, SIZE), order);
        assertThat(out.from()).isEqualTo(net.vip() + " 53");
        assertThat(out.to()).isEqualTo(net.peer(1) + " 3000");
        assertThat(out.payload()).isEqualTo(DATA);
      }
    }
  }

  @Requirement("N15")
  @Requirement("N9")
  @BothFamilies
  void shouldHairpinFragmentsInAnyOrder(boolean v6) {
    for (int[] order : ORDERS) {
      try (Network net = Network.nat(v6, b -> b.filtering(Filtering.ENDPOINT_INDEPENDENT))) {
        int port = begin(net, false, 2);
        ByteBuf whole = net.from(1, net.external(1)).udp(5000, port).payload(DATA).build();
        Packet in = send(net, Network.INSIDE, Frames.fragments(whole, 7, SIZE), order);
        assertThat(in.source()).isEqualTo(net.external(1));
        assertThat(in.to()).isEqualTo(net.inside(2) + " 5000");
        assertThat(in.payload()).isEqualTo(DATA);
      }
    }
  }

  @Requirement("N15")
  @BothFamilies
  void shouldTranslateManyShuffledDatagrams(boolean v6) {
    try (Network net = Network.nat(v6)) {
      List<ByteBuf> all = new ArrayList<>();
      for (int host = 1; host <= 40; host++) {
        ByteBuf whole = fromInside(net, false, host).payload(Frames.bytes(2400, host)).build();
        all.addAll(Frames.fragments(whole, 7, SIZE));
      }
      Collections.shuffle(all, new Random(5));
      all.forEach(fragment -> net.process(Network.INSIDE, fragment));
      Map<Integer, List<Packet>> byIdentification = new TreeMap<>();
      for (Packet packet : net.sent) {
        byIdentification.computeIfAbsent(packet.identification(), key -> new ArrayList<>()).add(packet);
      }
      Set<String> seen = new HashSet<>();
      byIdentification.values().forEach(fragments -> seen.add(Frames.reassemble(fragments).from()));
      assertThat(seen).as("40 datagrams of 40 endpoints").hasSize(40);
    }
  }

  @Requirement("N36")
  @BothFamilies
  void shouldGiveTheFragmentsOfTwoHostsDifferentIdentifications(boolean v6) {
    try (Network net = Network.nat(v6)) {
      Set<Integer> identifications = new HashSet<>();
      for (int round = 0; round < 20; round++) {
        for (int host = 1; host <= 50; host++) {
          ByteBuf whole = fromInside(net, false, host).payload(DATA).build();
          int before = net.sent.size();
          Frames.fragments(whole, 100 + round, SIZE).forEach(one -> net.process(Network.INSIDE, one));
          Packet out = net.sent.get(before);
          Frames.reassemble(net.sent.subList(before, net.sent.size()));
          assertThat(identifications.add(out.identification())).isTrue();
          net.sent.clear();
        }
      }
    }
  }

  /** Whoever may be fragmented on the way needs an identification of its own: only DF makes it meaningless. */
  @Requirement("N36")
  @Test
  void shouldGiveWholePacketsThatMayBeFragmentedDifferentIdentifications() {
    try (Network net = Network.nat(false)) {
      Set<Integer> identifications = new HashSet<>();
      for (int round = 0; round < 20; round++) {
        for (int host = 1; host <= 50; host++) {
          Packet out = net.fromInside(fromInside(net, false, host).mayFragment(100 + round)).forwarded();
          assertThat(identifications.add(out.identification())).isTrue();
        }
      }
    }
  }

  @Requirement("N15")
  @Test
  void shouldTranslateAnAtomicFragmentAsAWholePacket() {
    try (Network net = Network.nat(true)) {
      FrameBuilder frame = fromInside(net, false, 1).payload((byte) 1).fragment(9, 0, false);
      Packet out = net.fromInside(frame).forwarded();
      assertThat(out.from()).isEqualTo(net.external(1) + " 5000");
      FrameBuilder back = fromOutside(net, false, 5000).payload((byte) 1).fragment(9, 0, false);
      assertThat(net.fromOutside(back).forwarded().to()).isEqualTo(net.inside(1) + " 5000");
      assertThat(net.path.sessions()).isEqualTo(1);
    }
  }

  @Requirement("N15")
  @BothFamilies
  void shouldForgetFragmentsWithoutAFirstOneAfterTwoSeconds(boolean v6) {
    try (Network net = Network.nat(v6)) {
      begin(net, false, 1);
      List<ByteBuf> fragments = Frames.fragments(fromOutside(net, false, 5000).payload(DATA).build(), 7, SIZE);
      assertThat(net.process(Network.OUTSIDE, fragments.get(1), FrameMarks.NONE, 5).verdict()).isEqualTo(Verdict.HOLD);
      net.afterSeconds(1.99);
      assertThat(net.ended).isEmpty();
      net.afterSeconds(0.51);
      assertThat(net.ended).containsExactly("5 FRAGMENT_NO_FIRST");
    }
  }

  @Requirement("N15")
  @BothFamilies
  void shouldHoldABoundedNumberUnderAFloodAndServeWholePacketsMeanwhile(boolean v6) {
    try (Network net = Network.nat(v6)) {
      int port = net.connect(1, 5000, net.peer(1), 80);
      int most = 0;
      for (int n = 0; n < 100_000; n++) {
        boolean inside = n % 2 == 0;
        FrameBuilder flood = inside ? net.from(3, net.peer(2)) : net.to(net.external(1), net.peer(2));
        flood.udp(1, 53).payload(new byte[64]).fragment(n & 0xFFFF, 72 + 8 * (n >> 16), true);
        Verdict verdict = inside ? net.fromInside(flood).verdict() : net.fromOutside(flood).verdict();
        if (verdict != Verdict.HOLD && verdict != Verdict.FRAGMENT_NO_ROOM) {
          fail("fragment " + n + ": " + verdict);
        }
        most = Math.max(most, net.path.held());
        if (n % 1000 == 0) {
          net.tcpIn(net.peer(1), 80, port, TcpHeader.ACK, 5001, 1001).forwarded();
          net.sent.clear();
        }
      }
      assertThat(most).isBetween(1, 512);
      net.afterSeconds(2.5);
      assertThat(net.path.held()).isZero();
      ByteBuf whole = fromInside(net, false, 1).payload(DATA).build();
      send(net, Network.INSIDE, Frames.fragments(whole, 7, SIZE), ORDERS[5]);
    }
  }

  @Requirement("N15")
  @BothFamilies
  void shouldRefuseWithTheFirstFragmentAllOthers(boolean v6) {
    try (Network net = Network.nat(v6)) {
      List<ByteBuf> fragments = Frames.fragments(fromOutside(net, false, 5000).payload(DATA).build(), 7, SIZE);
      assertThat(net.process(Network.OUTSIDE, fragments.get(2), FrameMarks.NONE, 5).verdict()).isEqualTo(Verdict.HOLD);
      net.process(Network.OUTSIDE, fragments.get(0)).droppedSilently(Verdict.NO_MAPPING);
      assertThat(net.ended).containsExactly("5 FRAGMENT_REFUSED");
      net.process(Network.OUTSIDE, fragments.get(1)).droppedSilently(Verdict.FRAGMENT_REFUSED);
    }
  }

  @Requirement("N15")
  @BothFamilies
  void shouldRefuseAFragmentThatCutsTheTransportHeader(boolean v6) {
    try (Network net = Network.nat(v6)) {
      ByteBuf whole = net.from(1, net.peer(1)).tcp(5000, 80, TcpHeader.SYN).payload(new byte[64]).build();
      net.process(Network.INSIDE, Frames.fragments(whole, 7, 8).get(0)).droppedSilently(Verdict.FRAGMENT_TINY);
      assertThat(net.path.sessions()).isZero();
    }
  }

  @Requirement("N39")
  @BothFamilies
  void shouldTellOfTheFirstFragmentAloneThatTheTimeToLiveRanOut(boolean v6) {
    try (Network net = Network.nat(v6)) {
      begin(net, false, 1);
      List<ByteBuf> fragments =
          Frames.fragments(fromInside(net, false, 1).payload(DATA).timeToLive(1).build(), 7, SIZE);
      assertThat(net.process(Network.INSIDE, fragments.get(0)).verdict()).isEqualTo(Verdict.TIME_EXCEEDED);
      assertThat(net.sent.get(net.sent.size() - 1).icmpType()).isEqualTo(v6 ? 3 : 11);
      net.process(Network.INSIDE, fragments.get(1)).droppedSilently();
    }
  }

  @Requirement("N41")
  @Test
  void shouldKeepOptionsAndPaddingOfFragments() {
    try (Network net = Network.nat(false)) {
      ByteBuf whole =
          net.from(1, net.peer(1))
              .ipOptions((byte) 0x94, (byte) 4, (byte) 0, (byte) 0)
              .udp(5000, 80)
              .payload(DATA)
              .build();
      List<ByteBuf> fragments = Frames.fragments(whole, 7, SIZE);
      List<Packet> sent = new ArrayList<>();
      for (ByteBuf fragment : fragments) {
        Ipv4Header.updateChecksum(fragment, 14);
        sent.add(net.process(Network.INSIDE, fragment.writeInt(-1)).forwarded());
      }
      assertThat(sent).allSatisfy(packet -> assertThat(packet.ipOptions()).containsExactly(0x94, 4, 0, 0));
      assertThat(sent).allSatisfy(packet -> assertThat(packet.trailer()).containsExactly(0xFF, 0xFF, 0xFF, 0xFF));
      assertThat(Frames.reassemble(sent).payload()).isEqualTo(DATA);
    }
  }
}
