package io.lb4j.counters;

import static org.assertj.core.api.Assertions.assertThat;

import org.assertj.core.data.Percentage;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ResponseTimeTest {
  private static final long MILLI = 1_000_000;
  private static final long SECOND = 1000 * MILLI;

  private final ResponseTime time = new ResponseTime(2 * SECOND);

  @Test
  void shouldBeUnknownUntilTheFirstMeasurementAndThenBeThat() {
    assertThat(time.smoothedNs()).isEqualTo(ResponseTime.UNKNOWN);
    time.measured(-1, 0);
    assertThat(time.smoothedNs()).as("not measured").isEqualTo(ResponseTime.UNKNOWN);
    time.measured(3 * MILLI, 77);
    assertThat(time.smoothedNs()).isEqualTo(3 * MILLI);
  }

  /** exp(-1) of a step is left after the time constant, however often is measured. */
  @ParameterizedTest
  @ValueSource(longs = {100, 250, 500, 1000})
  void shouldForgetByTimeAndNotByTheNumberOfMeasurements(long everyMillis) {
    long now = 5 * SECOND;
    time.measured(10 * MILLI, now);
    for (long end = now + 2 * SECOND; now < end; ) {
      now += everyMillis * MILLI;
      time.measured(MILLI, now);
    }
    double expected = MILLI + 9 * MILLI * Math.exp(-1);
    assertThat((double) time.smoothedNs()).isCloseTo(expected, Percentage.withPercentage(0.01));
  }

  @Test
  void shouldCountOneMeasurementHalfAtMost() {
    time.measured(MILLI, 0);
    time.measured(9 * MILLI, 3600 * SECOND);
    assertThat(time.smoothedNs()).isEqualTo(5 * MILLI);
  }

  @Test
  void shouldCountMeasurementsOfOneInstantALittle() {
    time.measured(MILLI, SECOND);
    for (int i = 0; i < 22; i++) {
      time.measured(33 * MILLI, SECOND);
    }
    assertThat(time.smoothedNs()).isBetween(16 * MILLI, 18 * MILLI);
  }

  @Test
  void shouldNeverLookUnknownAgain() {
    time.measured(0, 0);
    assertThat(time.smoothedNs()).isEqualTo(1);
    time.measured(0, SECOND);
    assertThat(time.smoothedNs()).isEqualTo(1);
  }

  @Test
  void shouldTakeTimesOfAnySizeAndClocksThatWrap() {
    long now = Long.MAX_VALUE - SECOND / 2;
    time.measured(60 * SECOND, now);
    time.measured(60 * SECOND, now + SECOND);
    assertThat(time.smoothedNs()).isEqualTo(60 * SECOND);
    time.measured(Long.MAX_VALUE, now + 2 * SECOND);
    assertThat(time.smoothedNs()).isPositive();
  }
}
