package io.lb4j.gateway;

import static org.assertj.core.api.Assertions.assertThat;

import io.lb4j.address.IpAddress;
import io.lb4j.address.MacAddress;
import io.lb4j.event.Event;
import io.lb4j.frame.Verdict;
import io.lb4j.neighbor.AddressClaim;
import io.lb4j.neighbor.AddressClaim.State;
import io.lb4j.neighbor.AnnouncementSettings;
import io.lb4j.service.Role;
import io.lb4j.testkit.FrameBuilder;
import io.lb4j.wire.TcpHeader;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Two balancers on one wire, of which one serves. */
class TakeoverTest {
  private Twins twins;

  private void start(boolean v6) {
    twins = new Twins(v6);
    twins.run(10);
    twins.a.told();
    twins.sent.clear();
  }

  @AfterEach
  void close() {
    twins.close();
  }

  private static List<State> states(Twins.Twin twin) {
    return twin.balancer.claims().stream().map(AddressClaim::state).toList();
  }

  /** Who answers for each floating address must be this one alone. */
  private void assertOnly(Twins.Twin owner) {
    for (int link : List.of(Network.OUTSIDE, Network.INSIDE)) {
      for (String address : twins.floating(link)) {
        assertThat(twins.whoHas(link, address)).as(address).containsExactly(Twins.hex(owner.macs[link]));
      }
    }
  }

  private int answers() {
    int most = 0;
    for (int link : List.of(Network.OUTSIDE, Network.INSIDE)) {
      for (String address : twins.floating(link)) {
        most = Math.max(most, twins.whoHas(link, address).size());
      }
    }
    return most;
  }

  @BothFamilies
  void shouldLetTheActiveOneAnswerAlone(boolean v6) {
    start(v6);
    assertOnly(twins.a);
    assertThat(states(twins.a)).hasSize(3).containsOnly(State.CLAIMED);
    assertThat(states(twins.b)).hasSize(3).containsOnly(State.PASSIVE);
  }

  @BothFamilies
  void shouldProbeEveryAddressThenAnnounceItAndNothingElse(boolean v6) {
    start(v6);
    twins.a.balancer.becomePassive();
    twins.b.balancer.becomeActive();
    twins.run(10);
    List<Twins.Sent> expected = new ArrayList<>();
    for (int link : List.of(Network.OUTSIDE, Network.INSIDE)) {
      for (String address : twins.floating(link)) {
        String mac = twins.b.macs[link];
        for (int i = 0; i < (v6 ? 1 : 3); i++) {
          expected.add(new Twins.Sent(twins.b, link, twins.probe(mac, address)));
        }
        for (int i = 0; i < 2; i++) {
          expected.add(new Twins.Sent(twins.b, link, twins.announcement(mac, address)));
        }
      }
    }
    assertThat(twins.sent).containsExactlyInAnyOrderElementsOf(expected);
    for (int link : List.of(Network.OUTSIDE, Network.INSIDE)) {
      for (String address : twins.floating(link)) {
        List<String> about =
            twins.sent.stream()
                .map(Twins.Sent::hex)
                .filter(hex -> hex.equals(twins.probe(twins.b.macs[link], address))
                    || hex.equals(twins.announcement(twins.b.macs[link], address)))
                .toList();
        assertThat(about).as("probes first").startsWith(twins.probe(twins.b.macs[link], address));
        assertThat(about).endsWith(twins.announcement(twins.b.macs[link], address));
      }
    }
    assertOnly(twins.b);
  }

  @BothFamilies
  void shouldTellOfTheChangeAndOfEachAddress(boolean v6) {
    start(v6);
    twins.a.balancer.becomePassive();
    twins.b.balancer.becomeActive();
    twins.run(10);
    assertThat(twins.a.told()).containsExactly(new Event.RoleChanged(false));
    assertThat(twins.b.told())
        .containsExactlyInAnyOrder(
            new Event.RoleChanged(true),
            new Event.VirtualAddressClaimed("eth0", IpAddress.of(Network.external(v6, 1))),
            new Event.VirtualAddressClaimed("eth0", IpAddress.of(Network.vip(v6))),
            new Event.VirtualAddressClaimed("eth1", IpAddress.of(twins.gateway())));
  }

  /** In the wrong order: the one that serves keeps its addresses, the other one says so and waits. */
  @BothFamilies
  void shouldClaimNothingThatTheOtherStillAnswersFor(boolean v6) {
    start(v6);
    twins.b.balancer.becomeActive();
    twins.run(10);
    assertOnly(twins.a);
    assertThat(states(twins.b)).containsOnly(State.CONFLICT);
    MacAddress other = MacAddress.of(twins.a.macs[Network.OUTSIDE]);
    assertThat(twins.b.told())
        .contains(new Event.VirtualAddressConflict("eth0", IpAddress.of(Network.vip(v6)), other, false))
        .noneMatch(Event.VirtualAddressClaimed.class::isInstance);
    twins.a.balancer.becomePassive();
    twins.run(61);
    twins.run(10);
    assertOnly(twins.b);
    assertThat(states(twins.b)).containsOnly(State.CLAIMED);
  }

  @BothFamilies
  void shouldProbeAnewWhenItIsToldAgainAfterAConflict(boolean v6) {
    start(v6);
    twins.b.balancer.becomeActive();
    twins.run(10);
    twins.a.balancer.becomePassive();
    twins.b.balancer.becomePassive();
    twins.b.balancer.becomeActive();
    twins.run(5);
    assertOnly(twins.b);
  }

  /** Whatever is done to them in whatever order, no two ever answer; and when one serves for long, it answers. */
  @ParameterizedTest(name = "IPv6 {0}, seed {1}")
  @CsvSource({"false, 1", "true, 1", "false, 2", "true, 2"})
  void shouldNeverLetBothAnswer(boolean v6, long seed) {
    start(v6);
    Random random = new Random(seed);
    for (int step = 0; step < 25; step++) {
      Twins.Twin twin = random.nextBoolean() ? twins.a : twins.b;
      if (random.nextBoolean()) {
        twin.balancer.becomeActive();
      } else {
        twin.balancer.becomePassive();
      }
      assertThat(answers()).as("step %d", step).isLessThanOrEqualTo(1);
      for (int i = random.nextInt(12); i >= 0; i--) {
        twins.run(0.5);
        assertThat(answers()).as("step %d", step).isLessThanOrEqualTo(1);
      }
    }
    twins.a.balancer.becomePassive();
    twins.b.balancer.becomeActive();
    twins.run(80);
    assertOnly(twins.b);
    assertThat(twins.a.balancer.role()).isEqualTo(Role.PASSIVE);
  }

  private FrameBuilder request(int link, Twins.Twin twin, int flags) {
    return FrameBuilder.from(Network.peer(twins.v6, 1), Network.vip(twins.v6))
        .macs(twin.macs[link], Network.ROUTER_MAC)
        .tcp(3000, 80, flags)
        .numbers(100, 0);
  }

  private FrameBuilder fromInside(Twins.Twin twin, String to) {
    return FrameBuilder.from(Network.inside(twins.v6, 1), to).macs(twin.macs[Network.INSIDE], Network.mac(1));
  }

  @BothFamilies
  void shouldTranslateNothingWhilePassiveInEitherDirection(boolean v6) {
    start(v6);
    String peer = Network.peer(v6, 1);
    assertThat(twins.a.receive(0, request(0, twins.a, TcpHeader.SYN).build())).isEqualTo(Verdict.FORWARD);
    FrameBuilder reply = fromInside(twins.a, peer).tcp(8080, 3000, TcpHeader.SYN | TcpHeader.ACK).numbers(900, 101);
    FrameBuilder outbound = fromInside(twins.a, peer).udp(5000, 53).payload((byte) 1);
    assertThat(twins.a.receive(1, outbound.build())).isEqualTo(Verdict.FORWARD);
    twins.a.balancer.becomePassive();
    twins.sent.clear();
    assertThat(twins.a.receive(0, request(0, twins.a, TcpHeader.ACK).build())).isEqualTo(Verdict.PASSIVE);
    assertThat(twins.a.receive(1, reply.build())).isEqualTo(Verdict.PASSIVE);
    assertThat(twins.a.receive(1, outbound.build())).isEqualTo(Verdict.PASSIVE);
    assertThat(twins.a.receive(1, fromInside(twins.a, peer).timeToLive(1).udp(5000, 53).build()))
        .as("no time exceeded")
        .isEqualTo(Verdict.PASSIVE);
    FrameBuilder knock =
        FrameBuilder.from(peer, Network.external(v6, 1)).macs(twins.a.macs[0], Network.ROUTER_MAC).tcp(1, 2, 2);
    assertThat(twins.a.receive(0, knock.build())).as("no unsolicited SYN is kept").isEqualTo(Verdict.PASSIVE);
    assertThat(twins.sent).isEmpty();
    assertThat(twins.a.path.sessions()).as("kept").isEqualTo(2);
    twins.a.balancer.becomeActive();
    assertThat(twins.a.receive(1, reply.build())).isEqualTo(Verdict.FORWARD);
  }

  /** An unsolicited SYN waits for six seconds, and would be rejected then. */
  @BothFamilies
  void shouldEndWhatTheTranslatorHolds(boolean v6) {
    start(v6);
    FrameBuilder knock =
        FrameBuilder.from(Network.peer(v6, 1), Network.external(v6, 1))
            .macs(twins.a.macs[0], Network.ROUTER_MAC)
            .tcp(1, 2, TcpHeader.SYN);
    assertThat(twins.a.receive(0, knock.build())).isEqualTo(Verdict.HOLD);
    twins.a.balancer.becomePassive();
    twins.run(10);
    assertThat(twins.a.balancer.statistics().count(Verdict.PASSIVE)).isEqualTo(1);
    assertThat(twins.sent).isEmpty();
  }

  @BothFamilies
  void shouldServeNewConnectionsAtOnceByTheOther(boolean v6) {
    start(v6);
    twins.a.balancer.becomePassive();
    twins.b.balancer.becomeActive();
    assertThat(twins.b.receive(0, request(0, twins.b, TcpHeader.SYN).build())).isEqualTo(Verdict.FORWARD);
    FrameBuilder reply =
        fromInside(twins.b, Network.peer(v6, 1)).tcp(8080, 3000, TcpHeader.SYN | TcpHeader.ACK).numbers(900, 101);
    assertThat(twins.b.receive(1, reply.build())).isEqualTo(Verdict.FORWARD);
  }

  /** The settings that the documentation gives for a quick take-over. */
  @BothFamilies
  void shouldTakeOverInAFractionOfASecondWhenToldSo(boolean v6) {
    Duration brief = Duration.ofMillis(200);
    AnnouncementSettings quick =
        AnnouncementSettings.builder()
            .probeWait(Duration.ZERO)
            .arpProbes(1, brief, brief, brief)
            .duplicateAddressProbes(1, brief)
            .build();
    twins = new Twins(v6, b -> b.announcements(quick));
    twins.run(0.3);
    assertOnly(twins.a);
    twins.a.balancer.becomePassive();
    twins.b.balancer.becomeActive();
    twins.run(0.3);
    assertOnly(twins.b);
  }
}
