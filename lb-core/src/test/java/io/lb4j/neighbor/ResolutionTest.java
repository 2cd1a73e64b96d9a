package io.lb4j.neighbor;

import static io.lb4j.neighbor.Lan.OTHER;
import static io.lb4j.neighbor.Lan.OWN;
import static io.lb4j.neighbor.Lan.PEER;
import static io.lb4j.neighbor.Lan.SECOND;
import static org.assertj.core.api.Assertions.assertThat;

import io.lb4j.address.IpAddress;
import io.lb4j.address.MacAddress;
import io.lb4j.frame.Verdict;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class ResolutionTest {
  private final Lan lan = Lan.quiet();

  @AfterEach
  void release() {
    lan.close();
  }

  private int wanted(Family family) {
    int id = lan.table.register(0, family.peerAddress());
    lan.layer.solicit(id);
    lan.tick();
    return id;
  }

  private int reachable(Family family) {
    int id = wanted(family);
    lan.receive(family.answer(PEER));
    lan.takeSent();
    lan.takeEvents();
    return id;
  }

  private void assertNeighbor(int id, NeighborState state, MacAddress mac) {
    assertThat(lan.table.state(id)).isEqualTo(state);
    assertThat(lan.table.mac(id)).isEqualTo(mac == null ? NeighborTable.UNRESOLVED : mac.value());
  }

  @ParameterizedTest
  @EnumSource
  void shouldAskOnceAndLearnTheAnswer(Family family) {
    int id = wanted(family);
    lan.layer.solicit(id);
    lan.tick();
    assertThat(lan.takeSent()).containsExactly(family.search());
    assertThat(lan.receive(family.answer(PEER))).isEqualTo(Verdict.PASS);
    assertNeighbor(id, NeighborState.REACHABLE, PEER);
    assertThat(lan.takeEvents()).containsExactly("found " + family.peer + " " + PEER);
  }

  @ParameterizedTest
  @EnumSource
  void shouldNotAskForWhatNobodyWants(Family family) {
    lan.table.register(0, family.peerAddress());
    lan.run(100);
    assertThat(lan.takeSent()).isEmpty();
    assertThat(lan.deadline - lan.now).isGreaterThan(1_000_000 * SECOND);
  }

  @ParameterizedTest
  @EnumSource
  void shouldAskThreeTimesOneSecondApartThenGiveUp(Family family) {
    int id = wanted(family);
    lan.run(2.999);
    assertThat(lan.sent).extracting(Lan.Sent::atNs).containsExactly(0L, SECOND, 2 * SECOND);
    assertThat(lan.sent).allMatch(frame -> frame.is(family.search()));
    assertNeighbor(id, NeighborState.INCOMPLETE, null);
    lan.run(0.001);
    assertNeighbor(id, NeighborState.FAILED, null);
    assertThat(lan.takeEvents()).containsExactly("lost " + family.peer + " null");
  }

  @ParameterizedTest
  @EnumSource
  void shouldTryAgainWithGrowingPausesWhileWanted(Family family) {
    int id = wanted(family);
    for (int i = 0; i < 300; i++) {
      lan.layer.solicit(id);
      lan.run(1);
    }
    // a round lasts 3 s; pauses of 5, 10, 20, 40, 60 and 60 s
    assertThat(lan.sent)
        .extracting(frame -> frame.atNs() / SECOND)
        .startsWith(0L, 1L, 2L, 8L, 9L, 10L, 21L, 22L, 23L, 44L, 45L, 46L, 87L, 88L, 89L, 150L, 151L, 152L, 213L);
    assertThat(lan.takeEvents()).containsExactly("lost " + family.peer + " null");
  }

  /** Who watches a server has to find out that it came back, however long its back-off has grown. */
  @ParameterizedTest
  @EnumSource
  void shouldNotWaitForTheEndOfABackOffWhenSomebodyInsists(Family family) {
    int id = wanted(family);
    lan.run(4);
    lan.layer.solicit(id);
    lan.layer.insist(id);
    lan.layer.insist(id);
    lan.run(1);
    assertThat(lan.sent).extracting(frame -> frame.atNs() / SECOND).containsExactly(0L, 1L, 2L, 4L, 5L);
    lan.layer.insist(id);
    lan.run(0.5);
    assertThat(lan.sent).as("under way").hasSize(5);
    lan.receive(family.answer(PEER));
    assertNeighbor(id, NeighborState.REACHABLE, PEER);
    lan.layer.insist(id);
    lan.run(1);
    assertThat(lan.sent).as("known").hasSize(5);
  }

  @ParameterizedTest
  @EnumSource
  void shouldStayFailedWithoutATimerWhenNobodyWantsItAnyMore(Family family) {
    int id = wanted(family);
    lan.run(1000);
    assertThat(lan.sent).hasSize(3);
    assertNeighbor(id, NeighborState.FAILED, null);
    lan.layer.solicit(id);
    lan.tick();
    assertThat(lan.sent).hasSize(4);
    assertNeighbor(id, NeighborState.INCOMPLETE, null);
  }

  @ParameterizedTest
  @EnumSource
  void shouldRecoverWhenAFailedNextHopAnnouncesItself(Family family) {
    int id = wanted(family);
    lan.run(10);
    lan.takeEvents();
    lan.receive(family.announcement(PEER, family.peer));
    assertNeighbor(id, NeighborState.STALE, PEER);
    assertThat(lan.takeEvents()).containsExactly("found " + family.peer + " " + PEER);
  }

  @ParameterizedTest
  @EnumSource
  void shouldBeginAnewAfterARecovery(Family family) {
    int id = wanted(family);
    while (lan.now < 60 * SECOND) { // 5, 10 and 20 s of back-off
      lan.layer.solicit(id);
      lan.run(1);
    }
    lan.receive(family.answer(PEER));
    lan.takeEvents();
    while (lan.table.state(id) != NeighborState.FAILED) {
      lan.run(0.5);
    }
    assertThat(lan.takeEvents()).containsExactly("lost " + family.peer + " " + PEER);
    lan.layer.solicit(id);
    lan.run(5);
    assertNeighbor(id, NeighborState.INCOMPLETE, null);
  }

  @ParameterizedTest
  @EnumSource
  void shouldConfirmByUnicastAfterTheReachableTime(Family family) {
    int id = reachable(family);
    lan.run(14.9);
    assertNeighbor(id, NeighborState.REACHABLE, PEER);
    assertThat(lan.sent).isEmpty();
    while (lan.sent.isEmpty()) {
      lan.run(0.5);
    }
    assertThat(lan.now).isBetween(15 * SECOND, 46 * SECOND);
    assertThat(lan.takeSent()).containsExactly(family.unicastSearch(PEER));
    assertNeighbor(id, NeighborState.PROBE, PEER);
    lan.receive(family.answer(PEER));
    assertNeighbor(id, NeighborState.REACHABLE, PEER);
    assertThat(lan.takeEvents()).isEmpty();
  }

  @ParameterizedTest
  @EnumSource
  void shouldAskTheGroupAgainWhenUnicastProbesFailAndThenGiveUp(Family family) {
    int id = reachable(family);
    lan.run(60);
    assertThat(lan.takeSent())
        .containsExactly(
            family.unicastSearch(PEER),
            family.unicastSearch(PEER),
            family.unicastSearch(PEER),
            family.search(),
            family.search(),
            family.search());
    assertNeighbor(id, NeighborState.FAILED, null);
    assertThat(lan.takeEvents()).containsExactly("lost " + family.peer + " " + PEER);
  }

  @ParameterizedTest
  @EnumSource
  void shouldFindANextHopThatCameBackWithAnotherMacAddressWithoutCallingItLost(Family family) {
    int id = reachable(family);
    while (lan.table.state(id) != NeighborState.INCOMPLETE) {
      lan.run(1);
    }
    assertThat(lan.table.mac(id)).isEqualTo(NeighborTable.UNRESOLVED);
    lan.receive(family.answer(OTHER));
    assertNeighbor(id, NeighborState.REACHABLE, OTHER);
    assertThat(lan.takeEvents()).containsExactly("moved " + family.peer + " " + PEER + " " + OTHER + " 1");
  }

  @Test
  void shouldNotTakeAReplyThatNobodyAskedForAsConfirmation() {
    int id = reachable(Family.V4);
    lan.receive(Family.V4.answer(OTHER));
    assertNeighbor(id, NeighborState.STALE, OTHER);
  }

  @Test
  void shouldGoOnProbingWhenAnAdvertisementMayNotReplaceWhatIsKnown() {
    int id = reachable(Family.V6);
    while (lan.table.state(id) != NeighborState.PROBE) {
      lan.run(0.5);
    }
    lan.receive(Wire.advertisement(OTHER, Family.V6.peer, Wire.mac(OWN), Family.V6.own, 0x40, Family.V6.peer));
    assertNeighbor(id, NeighborState.PROBE, PEER);
  }

  @ParameterizedTest
  @EnumSource
  void shouldSetOneTimerForEachNextHop(Family family) {
    reachable(family);
    lan.receive(family.announcement(OTHER, family.peer));
    assertThat(lan.layer.timersSet()).isEqualTo(1);
  }

  @Test
  void shouldNotTakeAGratuitousReplyForAnAnswer() {
    int id = wanted(Family.V4);
    lan.receive(Wire.arp(Wire.BROADCAST, PEER, 2, PEER, Family.V4.peer, Wire.BROADCAST, Family.V4.peer));
    assertNeighbor(id, NeighborState.STALE, PEER);
  }

  @ParameterizedTest
  @EnumSource
  void shouldProbeWhatItHeardOfAfterAShortDelay(Family family) {
    int id = lan.table.register(0, family.peerAddress());
    lan.receive(family.request(PEER, family.peer, family.own));
    assertNeighbor(id, NeighborState.STALE, PEER);
    lan.run(4.999);
    assertThat(lan.takeSent()).isEmpty();
    lan.run(0.001);
    assertThat(lan.takeSent()).containsExactly(family.unicastSearch(PEER));
  }

  @ParameterizedTest
  @EnumSource
  void shouldFollowANextHopToAnotherMacAddressAndSayHowOften(Family family) {
    int id = reachable(family);
    for (int i = 0; i < 10; i++) {
      lan.receive(family.announcement(i % 2 == 0 ? OTHER : PEER, family.peer));
    }
    lan.run(1);
    lan.receive(family.announcement(OTHER, family.peer));
    assertNeighbor(id, NeighborState.STALE, OTHER);
    String moved = "moved " + family.peer + " " + PEER + " " + OTHER;
    assertThat(lan.takeEvents()).containsExactly(moved + " 1", moved + " 10");
  }

  @ParameterizedTest
  @EnumSource
  void shouldProbeInTimeEvenIfTheMacAddressNeverRests(Family family) {
    reachable(family);
    for (int i = 0; i < 12; i++) {
      lan.receive(family.announcement(i % 2 == 0 ? OTHER : PEER, family.peer));
      lan.run(0.5);
    }
    assertThat(lan.takeSent()).isNotEmpty();
  }

  @ParameterizedTest
  @EnumSource
  void shouldIgnoreAnswersOfThoseItDoesNotKnow(Family family) {
    lan.receive(family.answer(PEER));
    assertThat(lan.table.size()).isZero();
    int id = lan.table.register(1, family.peerAddress());
    lan.receive(family.answer(PEER));
    assertNeighbor(id, NeighborState.INCOMPLETE, null);
  }

  @ParameterizedTest
  @CsvSource({"V4, 02:00:00:00:00:01", "V4, 02:00:00:00:00:02", "V4, 01:00:5e:00:00:01", "V4, ff:ff:ff:ff:ff:ff",
    "V4, 00:00:00:00:00:00", "V6, 02:00:00:00:00:01", "V6, 02:00:00:00:00:02", "V6, 33:33:00:00:00:01",
    "V6, ff:ff:ff:ff:ff:ff", "V6, 00:00:00:00:00:00"})
  void shouldNeverLearnItsOwnOrAGroupsOrNoMacAddress(Family family, String mac) {
    int id = wanted(family);
    Verdict verdict = lan.receive(family.answer(MacAddress.of(mac)));
    assertNeighbor(id, NeighborState.INCOMPLETE, null);
    assertThat(verdict).isIn(Verdict.PASS, Verdict.ARP_MALFORMED, Verdict.NEIGHBOR_MESSAGE_MALFORMED);
  }

  @ParameterizedTest
  @EnumSource
  void shouldLeaveStaticNextHopsAlone(Family family) {
    int id = lan.table.register(0, family.peerAddress());
    lan.table.setStatic(id, PEER);
    lan.layer.solicit(id);
    lan.receive(family.announcement(OTHER, family.peer));
    lan.run(100);
    assertNeighbor(id, NeighborState.STATIC, PEER);
    assertThat(lan.takeSent()).isEmpty();
    assertThat(lan.takeEvents()).isEmpty();
  }

  @ParameterizedTest
  @EnumSource
  void shouldStopAskingForWhatWasUnregistered(Family family) {
    int id = wanted(family);
    lan.table.unregister(id);
    lan.layer.solicit(id);
    lan.run(100);
    assertThat(lan.takeSent()).containsExactly(family.search());
    assertThat(lan.takeEvents()).isEmpty();
  }

  @ParameterizedTest
  @CsvSource({
    // state before, flags, other MAC named?, state after, MAC after
    "REACHABLE, 0x00, true,  STALE,     PEER", // another address without override: doubt, not belief
    "STALE,     0x00, true,  STALE,     PEER",
    "STALE,     0x40, true,  STALE,     PEER",
    "REACHABLE, 0x20, true,  STALE,     OTHER",
    "REACHABLE, 0x60, true,  REACHABLE, OTHER",
    "STALE,     0x60, false, REACHABLE, PEER",
    "STALE,     0x40, false, REACHABLE, PEER",
    "STALE,     0x20, false, STALE,     PEER",
    "REACHABLE, 0x00, false, REACHABLE, PEER",
    "REACHABLE, 0x20, false, REACHABLE, PEER"
  })
  void shouldFollowTheFlagsOfAnAdvertisement(
      NeighborState before, String flags, boolean other, NeighborState after, String macAfter) {
    int id = reachable(Family.V6);
    if (before == NeighborState.STALE) {
      lan.receive(Family.V6.announcement(OTHER, Family.V6.peer));
      lan.receive(Family.V6.announcement(PEER, Family.V6.peer));
    }
    assertNeighbor(id, before, PEER);
    MacAddress from = other ? OTHER : PEER;
    lan.receive(
        Wire.advertisement(
            from, Family.V6.peer, Wire.mac(OWN), Family.V6.own, Integer.decode(flags), Family.V6.peer));
    assertNeighbor(id, after, macAfter.equals("PEER") ? PEER : OTHER);
  }

  @Test
  void shouldTakeAnAdvertisementWithoutAddressAsConfirmationOnly() {
    String bare =
        Wire.icmp6(
            Wire.mac(OWN),
            Wire.mac(PEER),
            Family.V6.peer,
            Family.V6.own,
            255,
            "88000000" + "60000000" + Wire.ip(Family.V6.peer));
    int id = wanted(Family.V6);
    lan.receive(bare);
    assertNeighbor(id, NeighborState.INCOMPLETE, null);
    lan.receive(Family.V6.announcement(PEER, Family.V6.peer));
    lan.receive(bare);
    assertNeighbor(id, NeighborState.REACHABLE, PEER);
  }

  @Test
  void shouldAskALinkLocalRouterFromItsLinkLocalAddress() {
    int id = lan.table.register(0, IpAddress.of("fe80::1"));
    lan.layer.solicit(id);
    lan.tick();
    assertThat(lan.takeSent()).containsExactly(Wire.solicitation(OWN, "fe80::ff:fe00:1", "fe80::1"));
  }

  @Test
  void shouldSpreadManyWishesOverTicks() {
    for (int i = 0; i < 1000; i++) {
      lan.layer.solicit(lan.table.register(0, IpAddress.v4(0xC000_0264 + i)));
    }
    lan.tick();
    assertThat(lan.sent).hasSize(64);
    assertThat(lan.deadline - lan.now).isNegative();
    lan.run(0);
    assertThat(lan.sent).hasSize(1000);
  }

  @Test
  void shouldLoseNoWishOfAnyThread() throws InterruptedException {
    int[] ids = new int[400];
    for (int i = 0; i < ids.length; i++) {
      ids[i] = lan.table.register(0, IpAddress.v4(0xC000_0264 + i));
    }
    Thread[] workers = new Thread[4];
    for (int w = 0; w < workers.length; w++) {
      int offset = w * 100;
      workers[w] =
          new Thread(
              () -> {
                for (int i = 0; i < 200; i++) { // each id is wanted by two workers
                  lan.layer.solicit(ids[(offset + i) % ids.length]);
                }
              });
      workers[w].start();
    }
    while (lan.sent.size() < ids.length) {
      lan.tick();
    }
    for (Thread worker : workers) {
      worker.join();
    }
    lan.run(0);
    assertThat(lan.sent).hasSize(ids.length).doesNotHaveDuplicates();
  }

  @ParameterizedTest
  @EnumSource
  void shouldWorkWhenTheClockWrapsAround(Family family) {
    lan.now = Long.MAX_VALUE - SECOND;
    int id = wanted(family);
    lan.run(3);
    assertThat(lan.sent).hasSize(3);
    assertNeighbor(id, NeighborState.FAILED, null);
  }

  @ParameterizedTest
  @EnumSource
  void shouldNotGrowWhenTheNetworkFloods(Family family) {
    int id = wanted(family);
    lan.takeSent();
    for (int i = 0; i < 100_000; i++) {
      IpAddress sender =
          family == Family.V4 ? IpAddress.v4(0x0A00_0000 + i) : IpAddress.v6(0x2001_0DB8_0009_0000L, 0x8000 + i);
      lan.receive(family.request(MacAddress.of(0x0200_1000_0000L + i), sender.toString(), family.peer));
    }
    assertThat(lan.table.size()).isEqualTo(1);
    assertNeighbor(id, NeighborState.INCOMPLETE, null);
    assertThat(lan.takeSent()).isEmpty();
    assertThat(lan.takeEvents()).isEmpty();
    assertThat(lan.layer.timersSet()).isEqualTo(1);
  }

  /** Several workers register hosts, one asks for them: wishes for those that gave way must not pile up. */
  @Test
  void shouldNotFallBehindInAFloodOfAddresses() {
    for (int i = 0; i < 20_000; i++) {
      lan.layer.solicit(lan.table.registerOnDemand(0, IpAddress.v6(0x2001_0DB8_0001_0000L, 0x1000 + i)));
    }
    int ticks = 0;
    do {
      lan.tick();
      ticks++;
    } while (lan.deadline - lan.now < 0);
    assertThat(lan.takeSent()).hasSize(NeighborTable.MAXIMUM_ON_DEMAND);
    assertThat(ticks).isEqualTo(NeighborTable.MAXIMUM_ON_DEMAND / 64);
  }

  /** Whoever sends to a network of ours could fill the log with hosts that never were. */
  @ParameterizedTest
  @EnumSource
  void shouldNotTellOfHostsThatTrafficAloneAskedForAndThatNeverWere(Family family) {
    int id = lan.table.registerOnDemand(0, family.peerAddress());
    lan.layer.solicit(id);
    lan.run(4);
    assertNeighbor(id, NeighborState.FAILED, null);
    assertThat(lan.takeEvents()).isEmpty();
    lan.layer.insist(id);
    lan.tick();
    lan.receive(family.answer(PEER));
    assertThat(lan.takeEvents()).containsExactly("found " + family.peer + " " + PEER);
    lan.run(100);
    assertThat(lan.takeEvents()).containsExactly("lost " + family.peer + " " + PEER);
  }
}
