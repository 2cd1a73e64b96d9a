package io.lb4j.health;

import static org.assertj.core.api.Assertions.assertThat;

import io.lb4j.service.Health;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class TallyTest {
  /** In 2, out 3; results as + and -, the health after each as letters. */
  @ParameterizedTest
  @CsvSource({
    "UNKNOWN, +,         U",
    "UNKNOWN, -+,        ?U",
    "UNKNOWN, ---,       ??D",
    "UNKNOWN, --+---,    ??UUUD",
    "UP,      --+--+--,  UUUUUUUU",
    "UP,      ---,       UUD",
    "UP,      ---+-++,   UUDDDDU",
    "DOWN,    +-+-+-,    DDDDDD",
    "DOWN,    ++---++,   DUUUDDU",
    "DOWN,    ----++,    DDDDDU",
  })
  void shouldCountInARow(Health before, String results, String after) {
    Tally tally = new Tally(2, 3, before);
    StringBuilder seen = new StringBuilder();
    for (char result : results.toCharArray()) {
      tally.onResult(result == '+');
      seen.append(tally.health() == Health.UP ? 'U' : tally.health() == Health.DOWN ? 'D' : '?');
    }
    assertThat(seen).hasToString(after);
  }

  @Test
  void shouldNotMoveForAServerThatFailsEveryOtherProbe() {
    Tally tally = new Tally(2, 3, Health.UNKNOWN);
    int transitions = 0;
    for (int n = 0; n < 1000; n++) {
      Health before = tally.health();
      tally.onResult(n % 2 == 0);
      transitions += before != tally.health() ? 1 : 0;
    }
    assertThat(transitions).as("up with the first success, and never again").isEqualTo(1);
  }

  /** Against a reading of the history as text: down after "---", up after "++", from where the last change was. */
  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5})
  void shouldMoveExactlyAsTheHistoryTells(long seed) {
    Random random = new Random(seed);
    Tally tally = new Tally(2, 3, Health.UP);
    String history = "";
    Health expected = Health.UP;
    int transitions = 0;
    for (int n = 0; n < 10_000; n++) {
      boolean ok = random.nextBoolean();
      history += ok ? '+' : '-';
      if (history.endsWith(expected == Health.UP ? "---" : "++")) {
        expected = expected == Health.UP ? Health.DOWN : Health.UP;
        history = "";
        transitions++;
      }
      tally.onResult(ok);
      assertThat(tally.health()).isEqualTo(expected);
    }
    // three tails in a row take 14 throws on average, two heads 6: a cycle of 20 has two transitions
    assertThat(transitions).isBetween(900, 1100);
  }
}
