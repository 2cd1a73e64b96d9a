package io.lb4j.neighbor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lb4j.settings.ConfigurationError;
import io.lb4j.settings.ConfigurationException;
import java.time.Duration;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;

class NeighborSettingsTest {
  private static final Duration ONE = Duration.ofSeconds(1);

  private static void assertRefused(String setting, ThrowingCallable build) {
    assertThatThrownBy(build)
        .isInstanceOfSatisfying(
            ConfigurationException.class,
            e -> {
              assertThat(e.error()).isEqualTo(ConfigurationError.OUT_OF_RANGE);
              assertThat(e.setting()).isEqualTo(setting);
            });
  }

  @Test
  void shouldHaveTheDefaultsOfTheRfcs() {
    NeighborSettings neighbors = NeighborSettings.defaults();
    assertThat(neighbors.retransmitNs()).isEqualTo(1_000_000_000L);
    assertThat(neighbors.reachableNs()).isEqualTo(30_000_000_000L);
    assertThat(neighbors.heldBytes()).isEqualTo(524_288);
    AnnouncementSettings announcements = AnnouncementSettings.defaults();
    assertThat(announcements.arpProbes()).isEqualTo(3);
    assertThat(announcements.refreshNs()).isEqualTo(60_000_000_000L);
    assertThat(announcements.enabled()).isTrue();
    assertThat(AnnouncementSettings.off().enabled()).isFalse();
  }

  @Test
  void shouldNameTheSettingThatIsOutOfRange() {
    assertRefused("neighbors: retransmit", () -> NeighborSettings.builder().solicitations(Duration.ZERO, 3).build());
    assertRefused("neighbors: solicitations", () -> NeighborSettings.builder().solicitations(ONE, 0).build());
    assertRefused("neighbors: probes", () -> NeighborSettings.builder().reachability(ONE, ONE, 0).build());
    assertRefused(
        "neighbors: back-off-max", () -> NeighborSettings.builder().backOff(ONE, Duration.ofMillis(1)).build());
    assertRefused("neighbors: held-bytes", () -> NeighborSettings.builder().held(1, 1, -1, ONE).build());
    assertRefused(
        "announce: probe-max",
        () -> AnnouncementSettings.builder().arpProbes(3, ONE, Duration.ofMillis(1), ONE).build());
    assertRefused("announce: arp-probes", () -> AnnouncementSettings.builder().arpProbes(-1, ONE, ONE, ONE).build());
    assertRefused("announce: robustness", () -> AnnouncementSettings.builder().listenerReports(0, ONE).build());
    assertRefused("announce: refresh", () -> AnnouncementSettings.builder().refresh(ONE.negated()).build());
  }

  @Test
  void shouldNameTheValueThatWasSet() {
    assertThatThrownBy(() -> NeighborSettings.builder().backOff(ONE, Duration.ofNanos(7)).build())
        .isInstanceOfSatisfying(ConfigurationException.class, e -> assertThat(e.value()).isEqualTo("7"))
        .hasMessageContaining("is less than back-off-min, 1000000000");
  }
}
