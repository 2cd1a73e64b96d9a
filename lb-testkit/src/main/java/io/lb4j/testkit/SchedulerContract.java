package io.lb4j.testkit;

import static org.assertj.core.api.Assertions.assertThat;

import io.lb4j.schedule.ActiveFlows;
import io.lb4j.schedule.Candidate;
import io.lb4j.schedule.Picker;
import io.lb4j.schedule.Schedule;
import io.lb4j.schedule.Scheduler;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.SplittableRandom;
import java.util.function.IntUnaryOperator;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/**
 * The rules that every {@link Scheduler} keeps, as tests: picks within range, shares, determinism, independence of
 * workers, no allocation, no exception, continuity over changes. A subclass supplies the discipline:
 *
 * <pre>{@code
 * class MySchedulerTest extends SchedulerContract {
 *   @Override
 *   protected Scheduler scheduler() {
 *     return new MyScheduler();
 *   }
 * }
 * }</pre>
 *
 * <p>Flows in these tests come one by one with random hashes, each adds one to the active flows of the server picked,
 * and none ends. The numbers are seeded, so a failure repeats.
 */
public abstract class SchedulerContract {
  private static final int[] SIZES = {1, 2, 3, 7, 16, 100, 655, 656, 1000, 4096};
  private static final int MOST = 4096;
  private static final long SEED = 0x5EED;
  private static final int SHARE_PICKS = 120_000;
  private static final int WARM_UP_PICKS = 30_000;
  private static final int MEASURED_PICKS = 10_000;
  private static final int MEASUREMENTS = 10;

  /** What a discipline promises about the shares of new flows. */
  public enum Shares {
    /** Shares follow the weights. */
    BY_WEIGHT,
    /** Weights are ignored, all shares are equal. */
    EQUAL,
    /** Nothing, for example because response times decide. */
    NOT_PROMISED
  }

  /** For subclasses. */
  protected SchedulerContract() {}

  /**
   * Makes the discipline.
   *
   * @return each time a new one or the same, as the discipline prefers; all of them behave alike
   */
  protected abstract Scheduler scheduler();

  /**
   * What the discipline promises about shares.
   *
   * @return {@link Shares#BY_WEIGHT} unless overridden
   */
  protected Shares shares() {
    return Shares.BY_WEIGHT;
  }

  /**
   * How far a server's part of 120,000 picks may be from its promised part.
   *
   * @return a difference of fractions of 1; 0.01 unless overridden, which leaves room for random and hashed picks
   */
  protected double tolerance() {
    return 0.01;
  }

  // what a discipline says of itself

  @Test
  final void shouldDescribeItselfTheSameWayAlways() {
    Scheduler scheduler = scheduler();
    assertThat(scheduler.name()).isNotBlank().isEqualTo(scheduler.name()).doesNotContainAnyWhitespaces();
    assertThat(scheduler.name()).isEqualTo(scheduler().name());
    assertThat(scheduler.hashInputs()).isNotNull();
    assertThat(scheduler.hashInputs().parts()).isEqualTo(scheduler().hashInputs().parts());
  }

  // range

  @Test
  final void shouldPickWithinRangeForAnyNumberOfCandidates() {
    for (int size : SIZES) {
      checkRange(candidates(size, i -> 1));
      checkRange(candidates(size, i -> 1 + i % 10));
    }
  }

  @Test
  final void shouldPickWithinRangeForExtremesOfWeight() {
    for (int size : SIZES) {
      checkRange(candidates(size, i -> Candidate.MAX_WEIGHT));
      checkRange(candidates(size, i -> i == 0 ? Candidate.MAX_WEIGHT : 1));
      checkRange(candidates(size, i -> Candidate.MAX_WEIGHT - i % 2));
    }
  }

  private void checkRange(List<Candidate> candidates) {
    Flows flows = new Flows(candidates.size(), 1);
    Picker picker = scheduler().prepare(candidates, SEED).newPicker(null);
    for (int i = 0; i < 200; i++) {
      flows.next(picker);
    }
  }

  @Test
  final void shouldPickTheOnlyCandidate() {
    Picker picker = scheduler().prepare(candidates(1, i -> 3), SEED).newPicker(null);
    Flows flows = new Flows(1, 2);
    for (int i = 0; i < 1000; i++) {
      assertThat(flows.next(picker)).isZero();
    }
  }

  @Test
  final void shouldAnswerForAnyHashAndAnyActiveFlows() {
    long[] hashes = {0, 1, -1, Long.MIN_VALUE, Long.MAX_VALUE, Integer.MIN_VALUE, Integer.MAX_VALUE, 1L << 32};
    List<ActiveFlows> loads =
        List.of(i -> 0, i -> Integer.MAX_VALUE, i -> i % 2 == 0 ? Integer.MAX_VALUE : 0, i -> i, i -> MOST - i);
    for (int size : SIZES) {
      Schedule schedule = scheduler().prepare(candidates(size, i -> Candidate.MAX_WEIGHT - i), SEED);
      Picker picker = schedule.newPicker(null);
      for (ActiveFlows load : loads) {
        for (long hash : hashes) {
          assertThat(picker.pick(hash, load)).isBetween(0, size - 1);
          for (int attempt = 1; attempt <= 4; attempt++) {
            assertThat(picker.pickAgain(hash, attempt, load)).as("again").isBetween(0, size - 1);
          }
        }
      }
    }
  }

  // shares

  @Test
  final void shouldKeepPromisedShares() {
    checkShares(0);
  }

  @Test
  final void shouldKeepPromisedSharesThoughPickersAreRenewedAgainAndAgain() {
    checkShares(3);
  }

  private void checkShares(int picksPerPicker) {
    int[] weights = {1, 2, 3, 4, 10};
    List<Candidate> candidates = candidates(weights.length, i -> weights[i]);
    Flows flows = new Flows(weights.length, 3);
    Schedule schedule = scheduler().prepare(candidates, SEED);
    Picker picker = schedule.newPicker(null);
    for (int i = 0; i < SHARE_PICKS; i++) {
      picker = picksPerPicker != 0 && i % picksPerPicker == 0 ? schedule.newPicker(picker) : picker;
      flows.next(picker);
    }
    for (int i = 0; i < weights.length && shares() != Shares.NOT_PROMISED; i++) {
      double promised = shares() == Shares.EQUAL ? 1.0 / weights.length : weights[i] / 20.0;
      double actual = (double) flows.active[i] / SHARE_PICKS;
      assertThat(actual).as("share of server %d", i).isBetween(promised - tolerance(), promised + tolerance());
    }
  }

  // determinism

  @Test
  final void shouldPickAlikeWithTheSameSeed() {
    for (long seed : new long[] {0, 1, -1, SEED}) {
      List<Candidate> candidates = candidates(50, i -> 1 + i % 7);
      Picker one = scheduler().prepare(candidates, seed).newPicker(null);
      Picker other = scheduler().prepare(new ArrayList<>(candidates), seed).newPicker(null);
      assertThat(new Flows(50, 4).picks(one, 5000)).isEqualTo(new Flows(50, 4).picks(other, 5000));
    }
  }

  @Test
  final void shouldPlaceByIdentityOrLeaveTheHashAlone() {
    if (scheduler().hashInputs().isEmpty()) {
      picksWithoutTheHash();
    } else {
      placesByIdentity();
    }
  }

  /** A discipline that asks for no hash gets 0, and must not need more to spread flows. */
  private void picksWithoutTheHash() {
    Picker picker = scheduler().prepare(candidates(50, i -> 1), SEED).newPicker(null);
    int[] active = new int[50];
    for (int i = 0; i < 5_000; i++) {
      active[picker.pick(0, candidate -> active[candidate])]++;
    }
    assertThat(active).as("flows of each of 50 equal candidates").doesNotContain(0);
  }

  private void placesByIdentity() {
    List<Candidate> declared = candidates(50, i -> 1 + i % 7);
    List<Candidate> shuffled = new ArrayList<>(declared);
    Collections.shuffle(shuffled, new Random(SEED));
    Picker one = scheduler().prepare(declared, SEED).newPicker(null);
    Picker other = scheduler().prepare(shuffled, SEED).newPicker(null);
    SplittableRandom random = new SplittableRandom(SEED);
    for (int i = 0; i < 10_000; i++) {
      long hash = random.nextLong();
      assertThat(shuffled.get(other.pick(hash, idle -> 0))).isEqualTo(declared.get(one.pick(hash, idle -> 0)));
    }
  }

  @Test
  final void shouldNotHoldOnToTheListOfCandidates() {
    List<Candidate> candidates = candidates(9, i -> 1 + i);
    List<Candidate> own = new ArrayList<>(candidates);
    Schedule schedule = scheduler().prepare(own, SEED);
    own.clear();
    int[] expected = new Flows(9, 5).picks(scheduler().prepare(candidates, SEED).newPicker(null), 1000);
    assertThat(new Flows(9, 5).picks(schedule.newPicker(null), 1000)).isEqualTo(expected);
  }

  // workers

  @Test
  final void shouldGiveEachWorkerAPickerOfItsOwn() {
    Schedule schedule = scheduler().prepare(candidates(20, i -> 1 + i % 3), SEED);
    int[] alone = new Flows(20, 6).picks(schedule.newPicker(null), 2000);
    Picker one = schedule.newPicker(null);
    Picker other = schedule.newPicker(null);
    Flows flows = new Flows(20, 6);
    Flows others = new Flows(20, 7);
    for (int i = 0; i < alone.length; i++) {
      assertThat(flows.next(one)).isEqualTo(alone[i]);
      others.picks(other, i % 4);
    }
  }

  @Test
  final void shouldServeWorkersOnSeveralThreads() throws InterruptedException {
    Schedule schedule = scheduler().prepare(candidates(20, i -> 1 + i % 3), SEED);
    int[] alone = new Flows(20, 8).picks(schedule.newPicker(null), 50_000);
    int[][] picks = new int[4][];
    Thread[] workers = new Thread[picks.length];
    for (int i = 0; i < workers.length; i++) {
      int worker = i;
      workers[i] =
          new Thread(() -> picks[worker] = new Flows(20, 8).picks(schedule.newPicker(null), 50_000), "worker-" + i);
      workers[i].start();
    }
    for (int i = 0; i < workers.length; i++) {
      workers[i].join();
      assertThat(picks[i]).isEqualTo(alone);
    }
  }

  // cost

  @Test
  final void shouldAllocateNothingPerPick() {
    AllocatedBytes.assumeCounted();
    for (int size : new int[] {1, 16, 300}) {
      Picker picker = scheduler().prepare(candidates(size, i -> 1 + 5 * i), SEED).newPicker(null);
      Flows flows = new Flows(size, 9);
      flows.pickAndPickAgain(picker, WARM_UP_PICKS);
      long least = Long.MAX_VALUE;
      for (int i = 0; i < MEASUREMENTS; i++) {
        least = Math.min(least, AllocatedBytes.by(() -> flows.pickAndPickAgain(picker, MEASURED_PICKS)));
      }
      assertThat(least).as("bytes allocated by %d picks among %d servers", 2 * MEASURED_PICKS, size).isZero();
    }
  }

  // changes

  @Test
  final void shouldGoOnOverAnyChangeOfCandidates() {
    Random random = new Random(SEED);
    Picker picker = null;
    for (int change = 0; change < 300; change++) {
      int size = 1 + random.nextInt(change % 10 == 0 ? 500 : 20);
      int first = random.nextInt(5);
      int mostWeight = change % 3 == 0 ? Candidate.MAX_WEIGHT : 4;
      List<Candidate> candidates =
          IntStream.range(first, first + size).mapToObj(i -> candidate(i, 1 + random.nextInt(mostWeight))).toList();
      picker = scheduler().prepare(candidates, SEED).newPicker(picker);
      new Flows(size, change).run(picker, random.nextInt(40));
    }
  }

  @Test
  final void shouldBeginAnewAfterAnotherDiscipline() {
    Schedule schedule = scheduler().prepare(candidates(12, i -> 1 + i), SEED);
    int[] fresh = new Flows(12, 10).picks(schedule.newPicker(null), 500);
    Picker foreign = (hash, active) -> 0;
    assertThat(new Flows(12, 10).picks(schedule.newPicker(foreign), 500)).isEqualTo(fresh);
  }

  private static List<Candidate> candidates(int size, IntUnaryOperator weight) {
    return IntStream.range(0, size).mapToObj(i -> candidate(i, weight.applyAsInt(i))).toList();
  }

  private static Candidate candidate(int number, int weight) {
    return new Candidate("10." + number / 256 + "." + number % 256 + ".1:80", weight);
  }

  /** Random flows that never end, and the servers they went to. Owned by one thread. */
  private static final class Flows implements ActiveFlows {
    final int[] active;
    private long state;

    Flows(int size, long seed) {
      this.active = new int[size];
      this.state = seed;
    }

    @Override
    public int of(int candidate) {
      return active[candidate];
    }

    /** SplitMix64 (Steele, Lea and Flood, 2014): no allocation and a good distribution. */
    private long hash() {
      state += 0x9E37_79B9_7F4A_7C15L;
      long hash = (state ^ state >>> 30) * 0xBF58_476D_1CE4_E5B9L;
      hash = (hash ^ hash >>> 27) * 0x94D0_49BB_1331_11EBL;
      return hash ^ hash >>> 31;
    }

    int next(Picker picker) {
      int picked = picker.pick(hash(), this);
      if (picked < 0 || picked >= active.length) {
        throw new AssertionError("picked " + picked + " of " + active.length + " candidates");
      }
      active[picked]++;
      return picked;
    }

    void run(Picker picker, int count) {
      for (int i = 0; i < count; i++) {
        next(picker);
      }
    }

    /** Asks for a second choice each time; takes neither. */
    void runAgain(Picker picker, int count) {
      for (int i = 0; i < count; i++) {
        picker.pickAgain(hash(), 1 + i % 3, this);
      }
    }

    void pickAndPickAgain(Picker picker, int count) {
      run(picker, count);
      runAgain(picker, count);
    }

    int[] picks(Picker picker, int count) {
      int[] picks = new int[count];
      Arrays.setAll(picks, i -> next(picker));
      return picks;
    }
  }
}
