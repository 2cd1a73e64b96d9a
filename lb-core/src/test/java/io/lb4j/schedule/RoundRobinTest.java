package io.lb4j.schedule;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class RoundRobinTest {
  private static final Scheduler SCHEDULER = Schedulers.roundRobin();

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 16, 256, 4096})
  void shouldTakeServersInTheOrderOfDeclaration(int size) {
    Picker picker = SCHEDULER.prepare(Pool.weighted(size, i -> 1 + i % 7), 0).newPicker(null);
    int[] expected = IntStream.range(0, 5 * size).map(i -> i % size).toArray();
    assertThat(Pool.picks(picker, 5 * size)).isEqualTo(expected);
  }

  @ParameterizedTest
  @CsvSource({"3, 2", "5, 4", "16, 8", "100, 16"})
  void shouldStayWithinTheNumberOfWorkersWhenSharded(int size, int workers) {
    Schedule schedule = SCHEDULER.prepare(Pool.equal(size), 0);
    List<Picker> pickers = IntStream.range(0, workers).mapToObj(w -> schedule.newPicker(null)).toList();
    Random random = new Random(size);
    int rounds = 1000;
    int[] counts = new int[size];
    for (int i = 0; i < rounds * size; i++) {
      counts[pickers.get(random.nextInt(workers)).pick(0, Pool.IDLE)]++;
    }
    assertThat(Arrays.stream(counts).map(count -> Math.abs(count - rounds)).max().orElseThrow())
        .isLessThanOrEqualTo(workers);
  }

  @Test
  void shouldGoOnWithTheServerWhoseTurnItWas() {
    List<Candidate> before = Pool.equal(6);
    Picker picker = SCHEDULER.prepare(before, 0).newPicker(null);
    Pool.picks(picker, 3);
    List<Candidate> after = Pool.without(before, 1);
    assertThat(SCHEDULER.prepare(after, 0).newPicker(picker).pick(0, Pool.IDLE)).isEqualTo(2);
  }

  @Test
  void shouldGoOnWithTheNextSurvivorWhenTheServerLeft() {
    List<Candidate> before = Pool.equal(6);
    Picker picker = SCHEDULER.prepare(before, 0).newPicker(null);
    Pool.picks(picker, 5);
    Picker next = SCHEDULER.prepare(before.subList(1, 5), 0).newPicker(picker);
    assertThat(Pool.picks(next, 2)).containsExactly(0, 1);
  }

  @Test
  void shouldBeginAtTheFirstServerWhenAllAreNewOrTheDisciplineWasAnother() {
    Picker picker = SCHEDULER.prepare(Pool.equal(3), 0).newPicker(null);
    Pool.picks(picker, 2);
    List<Candidate> others = List.of(new Candidate("a", 1), new Candidate("b", 1));
    assertThat(SCHEDULER.prepare(others, 0).newPicker(picker).pick(0, Pool.IDLE)).isZero();
    Picker foreign = (hash, active) -> 0;
    assertThat(SCHEDULER.prepare(others, 0).newPicker(foreign).pick(0, Pool.IDLE)).isZero();
  }
}
