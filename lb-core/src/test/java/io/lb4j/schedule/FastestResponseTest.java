package io.lb4j.schedule;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class FastestResponseTest {
  private static final Scheduler SCHEDULER = Schedulers.fastestResponse();
  private static final int LOOK = 16; // picks until a changed time is seen

  /** Response times that a test sets. */
  private record Times(long... ns) implements ActiveFlows {
    @Override
    public int of(int candidate) {
      return 0;
    }

    @Override
    public long responseNs(int candidate) {
      return ns[candidate];
    }
  }

  private static int[] counts(Picker picker, Times times, int picks) {
    int[] counts = new int[times.ns.length];
    for (int i = 0; i < picks; i++) {
      counts[picker.pick(0, times)]++;
    }
    return counts;
  }

  /** Weights multiply; a server's share falls with the square of its time, to 1/64; unknown ones count as the mean. */
  @ParameterizedTest
  @CsvSource({
    "'1 1',     '0 0',           '50 50'",
    "'1 3',     '0 0',           '25 75'",
    "'1 1',     '1000 1000',     '50 50'",
    "'1 1',     '1000 2000',     '80 20'",
    "'1 1 1',   '100 100 200',   '400 400 100'",
    "'2 1 1',   '100 100 200',   '800 400 100'",
    "'1 1 4',   '100 100 200',   '100 100 100'",
    "'1 1',     '1000 8000',     '64 1'",
    "'1 1',     '1000 10000',    '64 1'",
    "'1 1',     '1000 99000000', '64 1'",
    "'1 1 1',   '100 300 0',     '36 4 9'",
    "'3 1',     '500 0',         '75 25'",
  })
  void shouldShareByWeightAndResponseTime(String weights, String times, String expected) {
    int[] weight = ints(weights);
    Times responses = new Times(java.util.Arrays.stream(ints(times)).asLongStream().toArray());
    int[] shares = ints(expected);
    int cycle = java.util.Arrays.stream(shares).sum();
    Picker picker = SCHEDULER.prepare(Pool.ofWeights(weight), 0).newPicker(null);
    int[] counts = counts(picker, responses, 100 * cycle);
    for (int i = 0; i < shares.length; i++) {
      assertThat(counts[i]).as("server %d", i).isBetween(100 * shares[i] - 1, 100 * shares[i] + 1);
    }
  }

  private static int[] ints(String numbers) {
    return java.util.Arrays.stream(numbers.split(" ")).mapToInt(Integer::parseInt).toArray();
  }

  @Test
  void shouldSeeAChangedTimeWithinAFewPicks() {
    Picker picker = SCHEDULER.prepare(Pool.equal(2), 0).newPicker(null);
    counts(picker, new Times(100, 100), 1_000);
    Times slow = new Times(100, 1_000);
    counts(picker, slow, LOOK);
    assertThat(counts(picker, slow, 650)[1]).isBetween(9, 11);
    Times well = new Times(100, 100);
    counts(picker, well, LOOK);
    assertThat(counts(picker, well, 100)[1]).isBetween(49, 51);
  }

  /** What a slow server was owed, or owes, is not paid in flows of a time when it has another share. */
  @Test
  void shouldNotMakeUpForEarlierSharesInABurst() {
    Picker picker = SCHEDULER.prepare(Pool.ofWeights(65535, 1), 0).newPicker(null);
    for (int i = 0; i < 200; i++) {
      long time = i % 2 == 0 ? 100 : 1_000;
      Times times = new Times(time, 1_100 - time);
      counts(picker, times, 333);
    }
    picker = SCHEDULER.prepare(Pool.ofWeights(1, 1), 0).newPicker(picker);
    Times equal = new Times(100, 100);
    assertThat(counts(picker, equal, 20)[1]).isBetween(8, 12);
  }

  @Test
  void shouldSpreadEvenlyOverACycle() {
    Picker picker = SCHEDULER.prepare(Pool.equal(3), 0).newPicker(null);
    Times times = new Times(100, 100, 200);
    counts(picker, times, LOOK);
    for (int i = 0; i < 100; i++) {
      int[] counts = counts(picker, times, 9);
      assertThat(counts).containsExactly(4, 4, 1);
    }
  }

  @Test
  void shouldGoOnAfterAChangeWithTheTimesItKnows() {
    List<Candidate> before = Pool.equal(4);
    Picker picker = SCHEDULER.prepare(before, 0).newPicker(null);
    counts(picker, new Times(100, 100, 100, 800), 1_000);
    Picker next = SCHEDULER.prepare(Pool.without(before, 0), 0).newPicker(picker);
    assertThat(counts(next, new Times(100, 100, 800), 129 * 10)).containsExactly(640, 640, 10);
  }
}
