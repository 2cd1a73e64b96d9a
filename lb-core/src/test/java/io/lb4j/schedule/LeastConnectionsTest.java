package io.lb4j.schedule;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.List;
import java.util.Queue;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class LeastConnectionsTest {
  private static final Scheduler SCHEDULER = Schedulers.leastConnections();

  /** A million flows on several workers, the oldest ending when more than the capacity are alive. */
  @ParameterizedTest
  @CsvSource({"3, 1, 1000000", "10, 1, 5000", "10, 4, 1000000", "16, 4, 20000", "100, 8, 1000000", "100, 8, 50000"})
  void shouldKeepActiveFlowsWithinOnePlusTheNumberOfWorkers(int size, int workers, int alive) {
    Schedule schedule = SCHEDULER.prepare(Pool.equal(size), 0);
    List<Picker> pickers = IntStream.range(0, workers).mapToObj(w -> schedule.newPicker(null)).toList();
    int[][] active = new int[workers][size];
    Queue<int[]> flows = new ArrayDeque<>();
    Random random = new Random(size);
    for (int i = 0; i < 1_000_000; i++) {
      int worker = random.nextInt(workers);
      int[] own = active[worker];
      int picked = pickers.get(worker).pick(0, candidate -> own[candidate]);
      own[picked]++;
      flows.add(new int[] {worker, picked});
      if (flows.size() > alive) {
        int[] oldest = flows.remove();
        active[oldest[0]][oldest[1]]--;
      }
    }
    int[] sums = IntStream.range(0, size).map(c -> Arrays.stream(active).mapToInt(own -> own[c]).sum()).toArray();
    int spread = Arrays.stream(sums).max().orElseThrow() - Arrays.stream(sums).min().orElseThrow();
    assertThat(spread).isLessThanOrEqualTo(1 + workers);
  }

  @Test
  void shouldPickAServerWithTheFewestFlows() {
    Random random = new Random(3);
    Picker picker = SCHEDULER.prepare(Pool.equal(20), 0).newPicker(null);
    for (int i = 0; i < 10_000; i++) {
      int[] active = random.ints(20, 0, 5).map(n -> n == 4 ? Integer.MAX_VALUE : n).toArray();
      int picked = picker.pick(0, candidate -> active[candidate]);
      assertThat(active[picked]).isEqualTo(Arrays.stream(active).min().orElseThrow());
    }
  }

  @Test
  void shouldRotateAmongEquals() {
    Picker picker = SCHEDULER.prepare(Pool.equal(4), 0).newPicker(null);
    assertThat(Pool.picks(picker, 9)).containsExactly(0, 1, 2, 3, 0, 1, 2, 3, 0);
  }

  @Test
  void shouldGoOnRotatingAfterAChange() {
    List<Candidate> before = Pool.equal(5);
    Picker picker = SCHEDULER.prepare(before, 0).newPicker(null);
    Pool.picks(picker, 3);
    Picker next = SCHEDULER.prepare(Pool.without(before, 0), 0).newPicker(picker);
    assertThat(Pool.picks(next, 3)).containsExactly(2, 3, 0);
  }
}
