package io.lb4j.schedule;

import static org.assertj.core.api.Assertions.assertThat;

import java.math.BigInteger;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class WeightedLeastConnectionsTest {
  private static final Scheduler SCHEDULER = Schedulers.weightedLeastConnections();

  /** Small numbers for many ties, the largest for overflow. */
  @ParameterizedTest
  @CsvSource({"1, 9, 9", "2, 4, 4", "3, 65535, 2147483647", "16, 3, 5", "16, 65535, 2147483647", "200, 10, 50"})
  void shouldPickTheArgminOfTheExactQuotients(int size, int mostWeight, int mostFlows) {
    Random random = new Random(size + mostWeight);
    for (int round = 0; round < 20; round++) {
      int[] weights = random.ints(size, 1, mostWeight + 1).toArray();
      Picker picker = SCHEDULER.prepare(Pool.ofWeights(weights), 0).newPicker(null);
      int last = size - 1;
      for (int i = 0; i < 200; i++) {
        int[] active = IntStream.range(0, size).map(c -> flows(random, mostFlows)).toArray();
        int picked = picker.pick(0, candidate -> active[candidate]);
        assertThat(picked).isEqualTo(oracle(weights, active, last));
        last = picked;
      }
    }
  }

  private static int flows(Random random, int most) {
    return random.nextInt(8) == 0 ? most : 1 + random.nextInt(most);
  }

  /** The first candidate after the last pick, in cyclic order, that none is less loaded than. */
  private static int oracle(int[] weights, int[] active, int last) {
    return IntStream.rangeClosed(1, weights.length)
        .map(step -> (last + step) % weights.length)
        .filter(i -> IntStream.range(0, weights.length).noneMatch(j -> less(weights, active, j, i)))
        .findFirst()
        .orElseThrow();
  }

  private static boolean less(int[] weights, int[] active, int a, int b) {
    BigInteger left = BigInteger.valueOf(active[a]).multiply(BigInteger.valueOf(weights[b]));
    return left.compareTo(BigInteger.valueOf(active[b]).multiply(BigInteger.valueOf(weights[a]))) < 0;
  }

  @Test
  void shouldFillServersInProportionToTheirWeights() {
    int[] weights = {1, 2, 4, 93};
    Picker picker = SCHEDULER.prepare(Pool.ofWeights(weights), 0).newPicker(null);
    int[] active = new int[4];
    for (int i = 0; i < 100_000; i++) {
      active[picker.pick(0, candidate -> active[candidate])]++;
    }
    for (int i = 0; i < 4; i++) {
      assertThat(active[i]).isBetween(1000 * weights[i] - 1, 1000 * weights[i] + 1);
    }
  }

  @Test
  void shouldRotateAmongEqualsAlsoAfterAChange() {
    List<Candidate> before = Pool.ofWeights(3, 3, 3, 3);
    Picker picker = SCHEDULER.prepare(before, 0).newPicker(null);
    assertThat(Pool.picks(picker, 6)).containsExactly(0, 1, 2, 3, 0, 1);
    Picker next = SCHEDULER.prepare(Pool.without(before, 0), 0).newPicker(picker);
    assertThat(Pool.picks(next, 4)).containsExactly(1, 2, 0, 1);
  }
}
