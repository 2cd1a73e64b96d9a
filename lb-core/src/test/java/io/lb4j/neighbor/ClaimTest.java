package io.lb4j.neighbor;

import static io.lb4j.neighbor.Lan.OTHER;
import static io.lb4j.neighbor.Lan.OWN;
import static io.lb4j.neighbor.Lan.PEER;
import static io.lb4j.neighbor.Lan.SECOND;
import static org.assertj.core.api.Assertions.assertThat;

import io.lb4j.address.IpAddress;
import io.lb4j.frame.Verdict;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class ClaimTest {
  /** The RFCs' times without their randomness: every ARP probe 1 s after the other. */
  private static final AnnouncementSettings EXACT =
      AnnouncementSettings.builder()
          .probeWait(Duration.ZERO)
          .arpProbes(3, Duration.ofSeconds(1), Duration.ofSeconds(1), Duration.ofSeconds(2))
          .build();

  private Lan lan;

  @AfterEach
  void release() {
    lan.close();
  }

  private void start(Family family) {
    lan = Lan.announcing(EXACT, family.vip);
  }

  private void claimed(Family family) {
    start(family);
    lan.run(10);
    assertThat(lan.layer.isClaimed(0, IpAddress.of(family.vip))).isTrue();
    lan.takeSent();
    lan.takeEvents();
  }

  private boolean isClaimed(Family family) {
    return lan.layer.isClaimed(0, IpAddress.of(family.vip));
  }

  /** Times in seconds at which a frame was sent. */
  private List<Long> times(String frame) {
    return lan.sent.stream().filter(sent -> sent.is(frame)).map(sent -> sent.atNs() / SECOND).toList();
  }

  @ParameterizedTest
  @EnumSource
  void shouldProbeThenAnnounceThenRefreshEveryMinute(Family family) {
    start(family);
    lan.run(200);
    boolean v4 = family == Family.V4;
    assertThat(times(family.probe(OWN, family.vip))).isEqualTo(v4 ? List.of(0L, 1L, 2L) : List.of(0L));
    assertThat(times(family.announcement(OWN, family.vip)))
        .isEqualTo(v4 ? List.of(4L, 6L, 66L, 126L, 186L) : List.of(1L, 3L, 63L, 123L, 183L));
    assertThat(lan.takeEvents()).containsExactly("claimed " + family.vip);
  }

  @ParameterizedTest
  @EnumSource
  void shouldNotAnswerBeforeTheClaim(Family family) {
    start(family);
    lan.tick();
    String request = family.request(PEER, family.client, family.vip);
    assertThat(lan.receive(request)).isEqualTo(Verdict.PASS);
    assertThat(isClaimed(family)).isFalse();
    lan.run(4);
    assertThat(lan.receive(request)).isEqualTo(Verdict.ANSWER);
  }

  @ParameterizedTest
  @EnumSource
  void shouldStayUnclaimedAfterAConflictAndTryAgainAfterAMinute(Family family) {
    start(family);
    lan.run(0.5);
    lan.sent.clear();
    assertThat(lan.receive(family.announcement(OTHER, family.vip))).isEqualTo(Verdict.PASS);
    lan.receive(family.announcement(OTHER, family.vip));
    lan.run(59.9);
    assertThat(times(family.probe(OWN, family.vip))).isEmpty();
    assertThat(times(family.announcement(OWN, family.vip))).isEmpty();
    assertThat(isClaimed(family)).isFalse();
    assertThat(lan.receive(family.request(PEER, family.client, family.vip))).isEqualTo(Verdict.PASS);
    lan.run(10);
    assertThat(isClaimed(family)).isTrue();
    assertThat(times(family.probe(OWN, family.vip))).startsWith(60L);
    assertThat(lan.takeEvents())
        .containsExactly("conflict " + family.vip + " " + OTHER + " false", "claimed " + family.vip);
  }

  @ParameterizedTest
  @EnumSource
  void shouldGiveWayToSomebodyWhoProbesAtTheSameTime(Family family) {
    start(family);
    lan.run(0.5);
    assertThat(lan.receive(family.probe(OTHER, family.vip))).isEqualTo(Verdict.PASS);
    lan.run(10);
    assertThat(isClaimed(family)).isFalse();
    assertThat(lan.takeEvents()).containsExactly("conflict " + family.vip + " " + OTHER + " false");
  }

  @Test
  void shouldSeeAReplyToItsProbeAsConflict() {
    start(Family.V4);
    lan.run(0.5);
    lan.receive(Wire.reply(OTHER, Family.V4.vip, OWN, "0.0.0.0"));
    lan.run(10);
    assertThat(isClaimed(Family.V4)).isFalse();
  }

  @ParameterizedTest
  @EnumSource
  void shouldDefendAClaimedAddressOncePerTenSeconds(Family family) {
    claimed(family);
    long start = lan.now / SECOND;
    for (int i = 0; i < 25; i++) {
      assertThat(lan.receive(family.announcement(OTHER, family.vip))).isEqualTo(Verdict.PASS);
      lan.run(1);
    }
    assertThat(times(family.announcement(OWN, family.vip))).containsExactly(start, start + 10, start + 20);
    assertThat(lan.takeEvents()).hasSize(3).containsOnly("conflict " + family.vip + " " + OTHER + " true");
    assertThat(isClaimed(family)).isTrue();
  }

  @Test
  void shouldSeeARealServerThatSpeaksForTheVirtualAddress() {
    claimed(Family.V4);
    lan.receive(Wire.request(PEER, Family.V4.vip, "192.0.2.1")); // a server without arp_announce looks for its router
    assertThat(lan.takeEvents()).containsExactly("conflict 192.0.2.10 " + PEER + " true");
  }

  @ParameterizedTest
  @EnumSource
  void shouldClaimAtOnceAndSendNothingWhenOff(Family family) {
    lan = Lan.quiet(family.vip);
    assertThat(isClaimed(family)).isTrue();
    lan.receive(family.announcement(OTHER, family.vip));
    lan.run(1000);
    assertThat(lan.takeSent()).isEmpty();
    assertThat(lan.takeEvents()).isEmpty();
  }

  @ParameterizedTest
  @EnumSource
  void shouldClaimWithoutProbesWhenToldSo(Family family) {
    lan =
        Lan.announcing(
            AnnouncementSettings.builder()
                .arpProbes(0, Duration.ofSeconds(1), Duration.ofSeconds(2), Duration.ofSeconds(2))
                .duplicateAddressProbes(0, Duration.ofSeconds(1))
                .refresh(Duration.ZERO)
                .build(),
            family.vip);
    lan.run(300);
    assertThat(times(family.probe(OWN, family.vip))).isEmpty();
    assertThat(times(family.announcement(OWN, family.vip))).containsExactly(0L, 2L);
  }

  @ParameterizedTest
  @EnumSource
  void shouldKeepClaimsThatStayWhenTheConfigurationChanges(Family family) {
    claimed(family);
    lan.layer.adopt(lan.owned(family.vip, family.vip2));
    assertThat(isClaimed(family)).isTrue();
    lan.run(10);
    assertThat(times(family.probe(OWN, family.vip))).isEmpty();
    assertThat(lan.takeEvents()).containsExactly("claimed " + family.vip2);
  }

  @ParameterizedTest
  @EnumSource
  void shouldFallSilentAboutAddressesThatWereRemoved(Family family) {
    claimed(family);
    lan.layer.adopt(lan.owned());
    lan.run(200);
    assertThat(times(family.announcement(OWN, family.vip))).isEmpty();
    assertThat(isClaimed(family)).isFalse();
    assertThat(lan.receive(family.request(PEER, family.client, family.vip))).isEqualTo(Verdict.PASS);
    assertThat(lan.layer.timersSet()).isZero();
  }

  @Test
  void shouldKeepToTheRandomTimesOfTheRfc() {
    for (int seed = 0; seed < 50; seed++) {
      lan = Lan.seeded(seed, 0, Family.V4.vip);
      lan.run(10);
      List<Long> probes =
          lan.sent.stream().filter(s -> s.is(Family.V4.probe(OWN, Family.V4.vip))).map(Lan.Sent::atNs).toList();
      assertThat(probes).hasSize(3);
      assertThat(probes.get(0)).isBetween(0L, SECOND);
      assertThat(probes.get(1) - probes.get(0)).isBetween(SECOND, 2 * SECOND);
      assertThat(probes.get(2) - probes.get(1)).isBetween(SECOND, 2 * SECOND);
      assertThat(lan.sent.get(3).atNs() - probes.get(2)).isEqualTo(2 * SECOND);
    }
  }

  @Test
  void shouldSendTheSameBytesForTheSameSeedWhereverTheClockBegan() {
    List<String> first = trace(7, 0);
    assertThat(trace(7, 0)).isEqualTo(first);
    assertThat(trace(7, Long.MAX_VALUE - 3 * SECOND)).isEqualTo(first);
    assertThat(trace(7, Long.MIN_VALUE)).isEqualTo(first);
    assertThat(trace(8, 0)).isNotEqualTo(first);
  }

  private List<String> trace(long seed, long startNs) {
    lan = Lan.seeded(seed, startNs, Family.V4.vip, Family.V6.vip, Family.V4.vip2, Family.V6.vip2);
    lan.layer.solicit(lan.table.register(0, Family.V6.peerAddress()));
    lan.run(200);
    return lan.sent.stream().map(s -> s.atNs() - startNs + " " + s.hex()).toList();
  }
}
