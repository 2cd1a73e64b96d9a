package io.lb4j.service;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lb4j.settings.ConfigurationError;
import io.lb4j.settings.ConfigurationException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ConnectionLimitTest {
  @Test
  void shouldTakeTheNextConnectionWhenOneHasEnded() {
    assertThat(ConnectionLimit.of(1)).isEqualTo(new ConnectionLimit(1, 0));
    assertThat(ConnectionLimit.of(100)).isEqualTo(new ConnectionLimit(100, 99));
  }

  /** Whoever computes a limit of 0 must not get a server without any. */
  @ParameterizedTest
  @ValueSource(ints = {0, -1})
  void shouldRefuseALimitThatNothingCouldPass(int most) {
    assertThatThrownBy(() -> ConnectionLimit.of(most))
        .isInstanceOfSatisfying(
            ConfigurationException.class,
            e -> {
              assertThat(e.error()).isEqualTo(ConfigurationError.OUT_OF_RANGE);
              assertThat(e.setting()).isEqualTo("max-connections");
            });
  }
}
