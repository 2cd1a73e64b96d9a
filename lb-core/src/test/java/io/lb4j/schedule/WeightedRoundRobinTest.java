package io.lb4j.schedule;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class WeightedRoundRobinTest {
  private static final Scheduler SCHEDULER = Schedulers.weightedRoundRobin();

  static Stream<int[]> cyclesOfEveryKind() {
    return Stream.of(
        new int[] {1},
        new int[] {65535},
        new int[] {1, 1},
        new int[] {65535, 1},
        new int[] {65535, 65534},
        new int[] {65535, 65534, 7},
        new int[] {65535, 65533, 65531, 65529},
        new int[] {1, 2, 3, 5, 60000, 30011},
        new int[] {40000, 29999, 1, 1, 1},
        new int[] {2, 1, 65535, 1, 2});
  }

  @ParameterizedTest
  @MethodSource("cyclesOfEveryKind")
  void shouldKeepSharesAndRuns(int[] weights) {
    checkCycles(weights);
  }

  @ParameterizedTest
  @ValueSource(ints = {2, 3, 4, 5})
  void shouldKeepSharesAndRunsForEverySmallPool(int size) {
    int most = size < 5 ? 7 : 5;
    int[] weights = new int[size];
    for (int code = 0; code < Math.pow(most, size); code++) {
      for (int i = 0, rest = code; i < size; i++, rest /= most) {
        weights[i] = 1 + rest % most;
      }
      checkCycles(weights);
    }
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4})
  void shouldKeepSharesAndRunsForRandomPools(long seed) {
    Random random = new Random(seed);
    for (int pool = 0; pool < 200; pool++) {
      int most = 1 << 1 + random.nextInt(9);
      checkCycles(random.ints(2 + random.nextInt(30), 1, most + 1).toArray());
    }
  }

  private static void checkCycles(int[] weights) {
    int[] reduced = Weights.reduced(weights);
    int cycle = Math.toIntExact(Weights.total(reduced));
    Picker picker = SCHEDULER.prepare(Pool.ofWeights(weights), 0).newPicker(null);
    int[] first = Pool.picks(picker, cycle);
    int[] second = Pool.picks(picker, cycle);
    assertThat(Pool.counts(first, weights.length)).as("shares of the first cycle").isEqualTo(reduced);
    assertThat(Pool.counts(second, weights.length)).as("shares of the second cycle").isEqualTo(reduced);
    if (weights.length > 1) {
      checkRuns(reduced, cycle, IntStream.concat(Arrays.stream(first), Arrays.stream(second)).toArray());
    }
  }

  private static void checkRuns(int[] weights, int cycle, int[] picks) {
    int run = 1;
    for (int i = 1; i < picks.length; i++) {
      run = picks[i] == picks[i - 1] ? run + 1 : 1;
      int rest = cycle - weights[picks[i]];
      if (run > (weights[picks[i]] + rest - 1) / rest) {
        throw new AssertionError("run of " + run + " at pick " + i + " of weights " + Arrays.toString(weights));
      }
    }
  }

  /** Long cycles are picked one by one; a prefix of any length stays close to the weights. */
  @ParameterizedTest
  @CsvSource({"16, 1", "256, 2", "4096, 3"})
  void shouldStayCloseToTheWeightsWithinALongCycle(int size, long seed) {
    int[] weights = new Random(seed).ints(size, 1, Candidate.MAX_WEIGHT + 1).toArray();
    double total = Weights.total(weights);
    Picker picker = SCHEDULER.prepare(Pool.ofWeights(weights), 0).newPicker(null);
    int picks = 20_000;
    int[] counts = Pool.counts(Pool.picks(picker, picks), size);
    for (int i = 0; i < size; i++) {
      assertThat(counts[i] - picks * weights[i] / total).as("server %d", i).isBetween(-2.0, 2.0);
    }
  }

  static Stream<int[]> poolsToChange() {
    return Stream.of(new int[] {5, 1, 1}, new int[] {3, 2, 2, 9}, new int[] {65535, 65534, 7}, new int[] {9, 65535, 4});
  }

  @ParameterizedTest
  @MethodSource("poolsToChange")
  void shouldContinueExactlyWhenNothingChanged(int[] weights) {
    List<Candidate> candidates = Pool.ofWeights(weights);
    Picker whole = SCHEDULER.prepare(candidates, 0).newPicker(null);
    Picker parts = SCHEDULER.prepare(candidates, 0).newPicker(null);
    for (int i = 0; i < 1000; i++) {
      parts = i % 3 == 0 ? SCHEDULER.prepare(candidates, i).newPicker(parts) : parts;
      assertThat(parts.pick(0, Pool.IDLE)).isEqualTo(whole.pick(0, Pool.IDLE));
    }
  }

  @ParameterizedTest
  @MethodSource("poolsToChange")
  void shouldKeepSharesThroughFrequentChangesOfWeight(int[] weights) {
    int[] changed = weights.clone();
    changed[0] = changed[0] / 2 + 1;
    List<List<Candidate>> pools = List.of(Pool.ofWeights(weights), Pool.ofWeights(changed));
    double[] due = new double[weights.length];
    int[] counts = new int[weights.length];
    Picker picker = null;
    Random random = new Random(6);
    int picks = 0;
    for (int change = 0; change < 2000; change++) {
      List<Candidate> pool = pools.get(change & 1);
      picker = SCHEDULER.prepare(pool, 0).newPicker(picker);
      double total = pool.stream().mapToInt(Candidate::weight).sum();
      for (int left = 1 + random.nextInt(9); left > 0; left--, picks++) {
        counts[picker.pick(0, Pool.IDLE)]++;
        for (int server = 0; server < due.length; server++) {
          due[server] += pool.get(server).weight() / total;
        }
      }
    }
    for (int server = 0; server < due.length; server++) {
      assertThat((counts[server] - due[server]) / picks).as("share of server %d", server).isBetween(-0.03, 0.03);
    }
  }

  @ParameterizedTest
  @MethodSource("poolsToChange")
  void shouldServeEachServerExactlyInEveryCycleAfterTheOneOfAChange(int[] weights) {
    Picker before = SCHEDULER.prepare(Pool.ofWeights(3, 1, 2), 0).newPicker(null);
    Pool.picks(before, 2);
    Picker after = SCHEDULER.prepare(Pool.ofWeights(weights), 0).newPicker(before);
    int cycle = (int) Weights.total(weights);
    Pool.picks(after, cycle);
    assertThat(Pool.counts(Pool.picks(after, cycle), weights.length)).isEqualTo(weights);
  }

  @Test
  void shouldNotDriftThroughChangesWithoutAPick() {
    List<Candidate> small = Pool.ofWeights(3, 2, 2);
    List<Candidate> large = Pool.ofWeights(3, 2, 2, 9, 40);
    Picker expected = SCHEDULER.prepare(large, 0).newPicker(null);
    Pool.picks(expected, 24);
    Picker picker = SCHEDULER.prepare(small, 0).newPicker(null);
    Pool.picks(picker, 3);
    for (int i = 0; i < 101; i++) {
      picker = SCHEDULER.prepare(i % 2 == 0 ? large : small, 0).newPicker(picker);
    }
    assertThat(Pool.picks(picker, 112)).isEqualTo(Pool.picks(expected, 112));
  }
}
