package io.lb4j.schedule;

import static org.assertj.core.api.Assertions.assertThat;

import java.math.BigInteger;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Shortest expected delay and never queue, which is the same among busy servers. */
class ShortestExpectedDelayTest {
  /** Small numbers for many ties and idle servers, the largest for overflow. */
  @ParameterizedTest
  @CsvSource({"1, 9, 9", "2, 4, 4", "3, 65535, 2147483647", "16, 3, 2", "16, 65535, 2147483647", "200, 10, 50"})
  void shouldPickTheArgminOfTheExactQuotients(int size, int mostWeight, int mostFlows) {
    Random random = new Random(size + mostWeight);
    for (boolean neverQueues : new boolean[] {false, true}) {
      Scheduler scheduler = neverQueues ? Schedulers.neverQueue() : Schedulers.shortestExpectedDelay();
      for (int round = 0; round < 20; round++) {
        int[] weights = random.ints(size, 1, mostWeight + 1).toArray();
        Picker picker = scheduler.prepare(Pool.ofWeights(weights), 0).newPicker(null);
        int last = size - 1;
        for (int i = 0; i < 200; i++) {
          int[] active = IntStream.range(0, size).map(c -> flows(random, mostFlows)).toArray();
          int picked = picker.pick(0, candidate -> active[candidate]);
          assertThat(picked).isEqualTo(oracle(weights, active, last, neverQueues));
          last = picked;
        }
      }
    }
  }

  private static int flows(Random random, int most) {
    return random.nextInt(8) == 0 ? most : random.nextInt(most);
  }

  /** The first candidate after the last pick, in cyclic order, that none is better than. */
  private static int oracle(int[] weights, int[] active, int last, boolean neverQueues) {
    return IntStream.rangeClosed(1, weights.length)
        .map(step -> (last + step) % weights.length)
        .filter(
            i -> IntStream.range(0, weights.length).noneMatch(j -> isBetter(weights, active, j, i, neverQueues)))
        .findFirst()
        .orElseThrow();
  }

  private static boolean isBetter(int[] weights, int[] active, int a, int b, boolean neverQueues) {
    if (neverQueues && (active[a] == 0 || active[b] == 0) && active[a] + (long) active[b] > 0) {
      return active[a] == 0;
    }
    BigInteger left = BigInteger.valueOf(active[a] + 1L).multiply(BigInteger.valueOf(weights[b]));
    return left.compareTo(BigInteger.valueOf(active[b] + 1L).multiply(BigInteger.valueOf(weights[a]))) < 0;
  }

  @Test
  void shouldDifferInWhoQueuesWhileAnotherIsIdle() {
    List<Candidate> candidates = Pool.ofWeights(1, 10);
    int[] active = {0, 5};
    Picker sed = Schedulers.shortestExpectedDelay().prepare(candidates, 0).newPicker(null);
    Picker nq = Schedulers.neverQueue().prepare(candidates, 0).newPicker(null);
    assertThat(sed.pick(0, candidate -> active[candidate])).as("6 / 10 is less than 1 / 1").isEqualTo(1);
    assertThat(nq.pick(0, candidate -> active[candidate])).as("it is idle").isZero();
  }

  @Test
  void shouldTakeTheHeaviestOfIdleServers() {
    for (String name : List.of("sed", "nq")) {
      Scheduler scheduler = Schedulers.named(name).orElseThrow();
      Picker picker = scheduler.prepare(Pool.ofWeights(1, 3, 2, 3), 0).newPicker(null);
      assertThat(Pool.picks(picker, 4)).as(name).containsExactly(1, 3, 1, 3);
    }
  }

  @Test
  void shouldGoOnRotatingAmongEqualsAfterAChange() {
    for (String name : List.of("sed", "nq")) {
      Scheduler scheduler = Schedulers.named(name).orElseThrow();
      List<Candidate> before = Pool.ofWeights(3, 3, 3, 3);
      Picker picker = scheduler.prepare(before, 0).newPicker(null);
      assertThat(Pool.picks(picker, 6)).as(name).containsExactly(0, 1, 2, 3, 0, 1);
      Picker next = scheduler.prepare(Pool.without(before, 0), 0).newPicker(picker);
      assertThat(Pool.picks(next, 4)).as(name).containsExactly(1, 2, 0, 1);
    }
  }
}
