package io.lb4j.control;

import static org.assertj.core.api.Assertions.assertThat;

import io.lb4j.counters.ServerCounts;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("one-jdk")
class BindingIdsTest {
  private static final String DIRECT = "web (direct)";
  private static final String TRANSLATED = "web (translated)";
  private static final List<String> OWNERS = List.of(DIRECT, TRANSLATED);
  private static final String SERVER = "192.0.2.21";

  private final Map<Integer, ServerCounts> counted = new HashMap<>();
  private final BindingIds ids =
      new BindingIds(() -> this.swept, id -> counted.getOrDefault(id, ServerCounts.ZERO));
  private Set<Integer> inUse = Set.of();
  private long generation;
  private long swept;

  /** A snapshot in which the server has some numbers, and every worker has swept under it. */
  private void use(Integer... numbers) {
    generation++;
    Set<Integer> next = Set.of(numbers);
    ids.carryOver(OWNERS, SERVER, inUse, next);
    ids.retain(next, generation);
    inUse = next;
    swept = generation;
  }

  private void count(int number, long frames) {
    counted.merge(number, new ServerCounts(frames, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0), ServerCounts::plus);
  }

  private long frames() {
    return ids.counts(OWNERS, SERVER, inUse).frames();
  }

  @Test
  void shouldLoseNoCountHoweverOftenTheMethodChanges() {
    int number = ids.of(DIRECT, SERVER);
    use(number);
    long frames = 0;
    for (int change = 0; change < 6; change++) {
      count(number, 100);
      frames += 100;
      assertThat(frames()).isEqualTo(frames);
      int other = ids.of(change % 2 == 0 ? TRANSLATED : DIRECT, SERVER);
      use(number, other);
      assertThat(frames()).as("both methods").isEqualTo(frames);
      count(number, 1);
      count(other, 10);
      frames += 11;
      use(other);
      assertThat(frames()).as("change %d", change).isEqualTo(frames);
      number = other;
    }
  }
}
