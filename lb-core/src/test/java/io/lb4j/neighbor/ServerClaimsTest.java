package io.lb4j.neighbor;

import static io.lb4j.neighbor.Lan.OTHER;
import static io.lb4j.neighbor.Lan.PEER;
import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A real server that says that it has a virtual address. */
final class ServerClaimsTest {
  private Lan lan;

  @AfterEach
  void release() {
    lan.close();
  }

  private void start(Family family) {
    lan =
        Lan.announcing(
            AnnouncementSettings.builder().probeWait(Duration.ZERO).build(), family.vip, family.vip2);
    lan.table.register(0, family.peerAddress());
    lan.run(10);
    lan.receive(family.request(PEER, family.peer, family.own));
    lan.receive(family.answer(PEER));
    lan.takeEvents();
    lan.takeSent();
  }

  private List<String> faults() {
    return lan.takeEvents().stream().filter(event -> event.startsWith("server")).toList();
  }

  @ParameterizedTest
  @EnumSource
  void shouldTellThatAServerAnswersForAVirtualAddress(Family family) {
    start(family);
    lan.receive(family.announcement(PEER, family.vip));
    assertThat(faults()).containsExactly("server " + family.peer + " " + PEER + " " + family.vip + " false");
  }

  @ParameterizedTest
  @EnumSource
  void shouldTellThatAServerAsksForItsNeighboursAsAVirtualAddress(Family family) {
    start(family);
    lan.receive(family.request(PEER, family.vip, family.client));
    assertThat(faults()).containsExactly("server " + family.peer + " " + PEER + " " + family.vip + " true");
  }

  @ParameterizedTest
  @EnumSource
  void shouldTellNothingOfAStranger(Family family) {
    start(family);
    lan.receive(family.announcement(OTHER, family.vip));
    lan.receive(family.request(OTHER, family.vip, family.client));
    assertThat(faults()).isEmpty();
  }

  @ParameterizedTest
  @EnumSource
  void shouldTellNothingOfAServerThatSpeaksForItself(Family family) {
    start(family);
    for (int i = 0; i < 100; i++) {
      lan.receive(family.request(PEER, family.peer, family.vip));
      lan.receive(family.announcement(PEER, family.peer));
      lan.receive(family.probe(PEER, family.client));
    }
    assertThat(faults()).isEmpty();
  }

  @ParameterizedTest
  @EnumSource
  void shouldTellTwentyTimesASecondAtMost(Family family) {
    start(family);
    for (int i = 0; i < 1000; i++) {
      lan.receive(family.announcement(PEER, family.vip));
      lan.receive(family.request(PEER, family.vip2, family.client));
      lan.now += Lan.SECOND / 100;
    }
    assertThat(faults()).hasSizeBetween(199, 220);
  }
}
