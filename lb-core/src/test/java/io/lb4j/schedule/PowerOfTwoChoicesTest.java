package io.lb4j.schedule;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class PowerOfTwoChoicesTest {
  private static final Scheduler SCHEDULER = Schedulers.powerOfTwoChoices();

  private static int[] throwBalls(List<Candidate> bins, int balls, long seed) {
    Picker picker = SCHEDULER.prepare(bins, seed).newPicker(null);
    int[] active = new int[bins.size()];
    for (int i = 0; i < balls; i++) {
      active[picker.pick(0, candidate -> active[candidate])]++;
    }
    return active;
  }

  @ParameterizedTest
  @CsvSource({"10, 1", "10, 2", "100, 1", "100, 2", "1000, 1", "1000, 2"})
  void shouldKeepTheFullestOfEqualBinsWithinFourOfTheMean(int size, long seed) {
    int[] active = throwBalls(Pool.equal(size), 1_000_000, seed);
    assertThat(Arrays.stream(active).sum()).isEqualTo(1_000_000);
    assertThat(Arrays.stream(active).max().orElseThrow()).isLessThanOrEqualTo(1_000_000 / size + 4);
  }

  /** Per unit of weight, also where one server weighs as much as all others. */
  @ParameterizedTest
  @ValueSource(ints = {1, 7, 99})
  void shouldKeepTheFullestBinWithinFourOfTheMeanPerWeight(int heaviest) {
    List<Candidate> bins = Pool.weighted(100, i -> i == 0 ? heaviest : 1 + i % 3);
    int[] active = throwBalls(bins, 1_000_000, 3);
    double mean = 1_000_000.0 / bins.stream().mapToInt(Candidate::weight).sum();
    for (int i = 0; i < active.length; i++) {
      assertThat(active[i] / (double) bins.get(i).weight()).as("server %d", i).isLessThanOrEqualTo(mean + 4);
    }
  }

  @Test
  void shouldPickAlikeWithOneSeedAndDifferentlyWithAnother() {
    List<Candidate> candidates = Pool.weighted(50, i -> 1 + i % 7);
    int[] picks = Pool.picks(SCHEDULER.prepare(candidates, 9).newPicker(null), 1000);
    assertThat(Pool.picks(SCHEDULER.prepare(candidates, 9).newPicker(null), 1000)).isEqualTo(picks);
    assertThat(Pool.picks(SCHEDULER.prepare(candidates, 10).newPicker(null), 1000)).isNotEqualTo(picks);
  }

  @Test
  void shouldLookAtTwoDifferentServersEachTime() {
    for (int size : new int[] {2, 3, 10}) {
      Picker picker = SCHEDULER.prepare(Pool.weighted(size, i -> i == 0 ? 1000 : 1), 4).newPicker(null);
      int[] asked = new int[2];
      for (int i = 0; i < 10_000; i++) {
        Arrays.fill(asked, -1);
        picker.pick(0, candidate -> {
          asked[asked[0] == -1 ? 0 : 1] = candidate;
          return 0;
        });
        assertThat(asked[0]).isNotEqualTo(asked[1]).isNotEqualTo(-1);
        assertThat(asked[1]).isNotEqualTo(-1);
      }
    }
  }

  /** Nobody is busy, so the first draw decides. */
  @Test
  void shouldGoByTheWeightsWhileAllAreIdle() {
    int[] weights = {1, 2, 3, 4, 10};
    int[] counts = Pool.counts(Pool.picks(SCHEDULER.prepare(Pool.ofWeights(weights), 5).newPicker(null), 200_000), 5);
    IntStream.range(0, 5).forEach(i -> assertThat(counts[i]).isBetween(weights[i] * 9_700, weights[i] * 10_300));
  }

  /** Also where the weights add up to more than is spelled out point by point. */
  @ParameterizedTest
  @CsvSource({"1, 0", "9000, 1"})
  void shouldDrawEachOfTheOthersInProportionWhenOneIsLeftOut(int factor, int off) {
    List<Candidate> candidates = Pool.ofWeights(5 * factor + off, factor, 2 * factor, 3 * factor);
    WeightedDraw draw = new WeightedDraw(new Roster(candidates));
    for (int left = 0; left < 4; left++) {
      int[] counts = new int[4];
      long rest = 11L * factor + off - candidates.get(left).weight();
      for (int i = 0; i < 1_000; i++) {
        long evenly = Long.divideUnsigned(-1L, rest * 1_000) * (i * rest + rest / 2);
        counts[draw.anyBut(left, evenly)]++;
      }
      for (int i = 0; i < 4; i++) {
        double share = i == left ? 0 : candidates.get(i).weight() * 1_000.0 / rest;
        assertThat((double) counts[i]).isBetween(share - 1, share + 1);
      }
    }
  }

  @Test
  void shouldGoOnWithItsNumbersAfterAChange() {
    List<Candidate> candidates = Pool.equal(50);
    Picker picker = SCHEDULER.prepare(candidates, 6).newPicker(null);
    int[] all = Pool.picks(SCHEDULER.prepare(candidates, 6).newPicker(null), 20);
    Pool.picks(picker, 10);
    Picker next = SCHEDULER.prepare(Pool.equal(50), 6).newPicker(picker);
    assertThat(Pool.picks(next, 10)).isEqualTo(Arrays.copyOfRange(all, 10, 20));
  }
}
