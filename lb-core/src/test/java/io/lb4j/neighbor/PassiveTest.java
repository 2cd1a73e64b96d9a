package io.lb4j.neighbor;

import static io.lb4j.neighbor.Lan.OTHER;
import static io.lb4j.neighbor.Lan.OWN;
import static io.lb4j.neighbor.Lan.PEER;
import static io.lb4j.neighbor.Lan.SECOND;
import static org.assertj.core.api.Assertions.assertThat;

import io.lb4j.address.IpAddress;
import io.lb4j.address.IpPrefix;
import io.lb4j.frame.Verdict;
import io.lb4j.neighbor.AddressClaim.State;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Virtual addresses of a balancer that stands by, and that takes over. */
class PassiveTest {
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

  private OwnedAddresses owned(boolean active, String... vips) {
    OwnedAddresses.Builder builder = OwnedAddresses.builder(lan.links).active(active);
    List.of(vips).forEach(vip -> builder.virtualAddress(IpPrefix.of(vip)));
    return builder.build();
  }

  private void claimed(Family family) {
    lan = Lan.announcing(EXACT, family.vip);
    lan.run(10);
    assertThat(states()).containsExactly(State.CLAIMED);
    lan.takeSent();
    lan.takeEvents();
  }

  private void passive(Family family) {
    claimed(family);
    lan.layer.adopt(owned(false, family.vip));
  }

  private List<State> states() {
    return lan.layer.claims().stream().map(AddressClaim::state).toList();
  }

  private List<Long> times(String frame) {
    return lan.sent.stream().filter(sent -> sent.is(frame)).map(sent -> sent.atNs() / SECOND).toList();
  }

  private Verdict ask(Family family, String target) {
    return lan.receive(family.request(PEER, family.client, target));
  }

  @ParameterizedTest
  @EnumSource
  void shouldNeitherAnswerNorAnnounceNorDefendFromThatMomentOn(Family family) {
    passive(family);
    assertThat(states()).containsExactly(State.PASSIVE);
    assertThat(ask(family, family.vip)).isEqualTo(Verdict.PASS);
    assertThat(lan.receive(family.announcement(OTHER, family.vip))).isEqualTo(Verdict.PASS);
    assertThat(lan.receive(family.probe(OTHER, family.vip))).isEqualTo(Verdict.PASS);
    lan.run(300);
    assertThat(lan.takeSent()).isEmpty();
    assertThat(lan.takeEvents()).isEmpty();
    assertThat(lan.layer.timersSet()).isZero();
  }

  @ParameterizedTest
  @EnumSource
  void shouldStopBetweenTwoProbes(Family family) {
    lan = Lan.announcing(EXACT, family.vip);
    lan.run(0.5);
    assertThat(states()).containsExactly(State.PROBING);
    lan.takeSent();
    lan.layer.adopt(owned(false, family.vip));
    lan.run(300);
    assertThat(times(family.probe(OWN, family.vip))).isEmpty();
    assertThat(times(family.announcement(OWN, family.vip))).isEmpty();
    assertThat(lan.takeEvents()).isEmpty();
  }

  @ParameterizedTest
  @EnumSource
  void shouldProbeAnewThenAnnounceWhenItTakesOver(Family family) {
    passive(family);
    lan.run(90);
    lan.layer.adopt(owned(true, family.vip));
    assertThat(states()).containsExactly(State.PROBING);
    assertThat(ask(family, family.vip)).as("not before the claim").isEqualTo(Verdict.PASS);
    lan.run(100);
    boolean v4 = family == Family.V4;
    assertThat(times(family.probe(OWN, family.vip))).isEqualTo(v4 ? List.of(100L, 101L, 102L) : List.of(100L));
    assertThat(times(family.announcement(OWN, family.vip)))
        .isEqualTo(v4 ? List.of(104L, 106L, 166L) : List.of(101L, 103L, 163L));
    assertThat(lan.takeEvents()).containsExactly("claimed " + family.vip);
    assertThat(ask(family, family.vip)).isEqualTo(Verdict.ANSWER);
  }

  @ParameterizedTest
  @EnumSource
  void shouldNotClaimWhatAnotherStillAnswersForButTheRest(Family family) {
    claimed(family);
    lan.layer.adopt(owned(false, family.vip, family.vip2));
    lan.layer.adopt(owned(true, family.vip, family.vip2));
    lan.run(0.5);
    lan.receive(family.announcement(OTHER, family.vip));
    lan.run(10);
    assertThat(lan.layer.claims())
        .containsExactly(
            new AddressClaim("eth0", IpAddress.of(family.vip), State.CONFLICT),
            new AddressClaim("eth0", IpAddress.of(family.vip2), State.CLAIMED));
    assertThat(lan.takeEvents())
        .containsExactly("conflict " + family.vip + " " + OTHER + " false", "claimed " + family.vip2);
    lan.run(60);
    assertThat(states()).as("tried again").containsExactly(State.CLAIMED, State.CLAIMED);
  }

  @ParameterizedTest
  @EnumSource
  void shouldDefendAgainAtOnceAfterItTookOver(Family family) {
    claimed(family);
    lan.receive(family.announcement(OTHER, family.vip));
    lan.layer.adopt(owned(false, family.vip));
    lan.layer.adopt(owned(true, family.vip));
    lan.run(5);
    lan.takeSent();
    lan.receive(family.announcement(OTHER, family.vip));
    assertThat(times(family.announcement(OWN, family.vip))).hasSize(1);
  }

  @ParameterizedTest
  @EnumSource
  void shouldAnswerForAPrefixWhileActiveOnly(Family family) {
    String prefix = family == Family.V4 ? "192.0.2.128/25" : "2001:db8:1::ff:0/112";
    String member = family == Family.V4 ? "192.0.2.129" : "2001:db8:1::ff:1";
    lan = Lan.quiet(prefix);
    assertThat(ask(family, member)).isEqualTo(Verdict.ANSWER);
    lan.layer.adopt(owned(false, prefix));
    assertThat(ask(family, member)).isEqualTo(Verdict.PASS);
    lan.layer.adopt(owned(true, prefix));
    assertThat(ask(family, member)).isEqualTo(Verdict.ANSWER);
  }

  @ParameterizedTest
  @EnumSource
  void shouldClaimAtOnceWithoutAWordWhenAnnouncementsAreOff(Family family) {
    lan = Lan.quiet(family.vip);
    lan.layer.adopt(owned(false, family.vip));
    assertThat(ask(family, family.vip)).isEqualTo(Verdict.PASS);
    lan.layer.adopt(owned(true, family.vip));
    assertThat(ask(family, family.vip)).isEqualTo(Verdict.ANSWER);
    lan.run(100);
    assertThat(lan.takeSent()).isEmpty();
  }

  /** Without a kernel beside us the interface addresses are answered for in both roles. */
  @ParameterizedTest
  @EnumSource
  void shouldGoOnAnsweringForInterfaceAddresses(Family family) {
    lan = Lan.withoutHost(family.vip);
    lan.layer.adopt(owned(false, family.vip));
    assertThat(ask(family, family.own)).isEqualTo(Verdict.ANSWER);
    assertThat(ask(family, family.vip)).isEqualTo(Verdict.PASS);
  }

  /**
   * Solicitations for the address arrive from the first moment of a take-over on, also through a switch that snoops.
   */
  @ParameterizedTest
  @EnumSource(value = Family.class, names = "V6")
  void shouldStayInTheGroupsOfItsAddresses(Family family) {
    passive(family);
    lan.receive(ListenerReportTest.query("ff02::1", 1000, "::", "027d0000"));
    lan.run(2);
    String group = Wire.ip(Wire.solicitedNode(family.vip));
    assertThat(lan.takeSent()).singleElement().satisfies(report -> assertThat(report).contains("8f00").contains(group));
  }
}
