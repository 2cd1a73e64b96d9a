package io.lb4j.dsr;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

import io.lb4j.frame.FrameMarks;
import io.lb4j.frame.Verdict;
import io.lb4j.schedule.Schedulers;
import io.lb4j.service.VirtualService;
import io.lb4j.testkit.FrameBuilder;
import io.lb4j.wire.Ipv4Header;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class FragmentTest {
  private static final int DATAGRAM_FRAGMENTS = 5;

  private static Lan dns(boolean v6) {
    VirtualService dns =
        Lan.withServers(
                Lan.dns(v6).scheduler(Schedulers.roundRobin()),
                v6,
                3)
            .build();
    return new Lan(v6, b -> b.service(dns));
  }

  private static FrameBuilder fragment(Lan lan, int id, int index) {
    boolean more = index < DATAGRAM_FRAGMENTS - 1;
    int offset = index == 0 ? 0 : 8 + 64 * index;
    return lan.frame(1).udp(4000 + id, 53).payload(new byte[64]).fragment(id, offset, more);
  }

  @ParameterizedTest
  @CsvSource({"false,1", "true,1", "false,2", "true,2", "false,3", "true,3"})
  void shouldSendAllFragmentsOfADatagramToOneServerInWhateverOrderTheyCome(boolean v6, long seed) {
    try (Lan lan = dns(v6)) {
      List<int[]> shuffled = new ArrayList<>();
      for (int id = 1; id <= 40; id++) {
        for (int index = 0; index < DATAGRAM_FRAGMENTS; index++) {
          shuffled.add(new int[] {id, index});
        }
      }
      Collections.shuffle(shuffled, new Random(seed));
      List<List<String>> destinations = new ArrayList<>();
      for (int id = 0; id <= 40; id++) {
        destinations.add(new ArrayList<>());
      }
      for (int[] one : shuffled) {
        ByteBuf frame = fragment(lan, one[0], one[1]).build();
        int before = lan.sent.size();
        Verdict verdict = lan.process(frame, FrameMarks.NONE, one[0]);
        assertThat(verdict).isIn(Verdict.FORWARD, Verdict.HOLD);
        if (verdict == Verdict.FORWARD) {
          destinations.get(one[0]).add(ByteBufUtil.hexDump(frame, 0, 6));
        }
        lan.sent.subList(before, lan.sent.size()).forEach(s -> destinations.get(one[0]).add(s.substring(0, 12)));
      }
      for (int id = 1; id <= 40; id++) {
        assertThat(destinations.get(id)).hasSize(DATAGRAM_FRAGMENTS);
        assertThat(destinations.get(id).stream().distinct()).hasSize(1);
      }
      assertThat(destinations.subList(1, 41).stream().flatMap(List::stream).distinct()).hasSize(3);
      assertThat(lan.path.held()).isZero();
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void shouldReleaseHeldFragmentsInOrderWithNothingButTheMacAddressesChanged(boolean v6) {
    try (Lan lan = dns(v6)) {
      List<String> before = new ArrayList<>();
      for (int index = DATAGRAM_FRAGMENTS - 1; index > 0; index--) {
        ByteBuf frame = fragment(lan, 1, index).build();
        before.add(ByteBufUtil.hexDump(frame).substring(24));
        assertThat(lan.process(frame, FrameMarks.NONE, index)).isEqualTo(Verdict.HOLD);
      }
      assertThat(lan.path.held()).isEqualTo(4);
      assertThat(lan.process(fragment(lan, 1, 0))).isEqualTo(Verdict.FORWARD);
      assertThat(lan.sent.stream().map(sent -> sent.substring(24))).isEqualTo(before);
      assertThat(lan.sent).allMatch(sent -> sent.startsWith((Lan.mac(1) + Lan.LB_MAC).replace(":", "")));
      assertThat(lan.ended).containsExactly("4 FORWARD", "3 FORWARD", "2 FORWARD", "1 FORWARD");
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void shouldHoldAFragmentNoLongerThanTwoSecondsAndAQuarter(boolean v6) {
    try (Lan lan = dns(v6)) {
      assertThat(lan.process(fragment(lan, 1, 1))).isEqualTo(Verdict.HOLD);
      lan.after(1_999);
      assertThat(lan.ended).isEmpty();
      lan.after(251);
      assertThat(lan.ended).containsExactly("0 FRAGMENT_NO_FIRST");
      assertThat(lan.path.held()).isZero();
      assertThat(lan.balancer.statistics().count(Verdict.FRAGMENT_NO_FIRST)).isEqualTo(1);
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void shouldHoldABoundedNumberUnderAFloodAndServeWholePacketsMeanwhile(boolean v6) {
    try (Lan lan = dns(v6)) {
      int most = 0;
      for (int n = 0; n < 100_000; n++) {
        int offset = 72 + 8 * (n >> 16);
        FrameBuilder flood = lan.frame(2).udp(1, 53).payload(new byte[64]).fragment(n & 0xFFFF, offset, true);
        Verdict verdict = lan.process(flood);
        if (verdict != Verdict.HOLD && verdict != Verdict.FRAGMENT_NO_ROOM) {
          fail("fragment " + n + ": " + verdict);
        }
        most = Math.max(most, lan.path.held());
      }
      assertThat(most).isBetween(1, 512);
      assertThat(lan.process(lan.frame(1).udp(4000, 53))).isEqualTo(Verdict.FORWARD);
      lan.after(2_300);
      assertThat(lan.path.held()).isZero();
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void shouldRefuseAFirstFragmentThatCutsTheTransportHeader(boolean v6) {
    try (Lan lan = dns(v6)) {
      FrameBuilder tiny = lan.frame(1).tcp(4000, 80, 2).fragment(1, 0, false);
      ByteBuf frame = tiny.build();
      int network = 14;
      if (v6) {
        frame.setShort(network + 4, 8 + 8).setShort(network + 42, 1);
      } else {
        frame.setShort(network + 2, 20 + 8).setShort(network + 6, 0x2000);
        Ipv4Header.updateChecksum(frame, network);
      }
      assertThat(lan.process(frame, FrameMarks.NONE, 0)).isEqualTo(Verdict.FRAGMENT_TINY);
    }
  }

  @Test
  void shouldTreatAnAtomicIpv6FragmentAsAWholePacket() {
    try (Lan lan = dns(true)) {
      FrameBuilder atomic = lan.frame(1).udp(4000, 53).payload(new byte[5]).fragment(9, 0, false);
      assertThat(lan.serverOf(atomic)).isEqualTo("s1");
      assertThat(lan.serverOf(lan.frame(1).udp(4000, 53))).as("the same flow").isEqualTo("s1");
      assertThat(lan.path.held()).isZero();
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void shouldRefuseWithTheFirstFragmentAllThatWaitAndFollow(boolean v6) {
    try (Lan lan = dns(v6)) {
      assertThat(lan.process(fragment(lan, 1, 1).build(), FrameMarks.NONE, 77)).isEqualTo(Verdict.HOLD);
      FrameBuilder first = lan.frame(1).udp(4000, 54).payload(new byte[64]).fragment(1, 0, true);
      assertThat(lan.process(first)).isEqualTo(Verdict.NO_SERVICE);
      assertThat(lan.ended).containsExactly("77 FRAGMENT_REFUSED");
      assertThat(lan.process(fragment(lan, 1, 2))).isEqualTo(Verdict.FRAGMENT_REFUSED);
      assertThat(lan.sent).isEmpty();
    }
  }
}
