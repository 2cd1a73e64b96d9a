package io.lb4j.testkit;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lb4j.schedule.ActiveFlows;
import io.lb4j.schedule.Candidate;
import io.lb4j.schedule.HashInputs;
import io.lb4j.schedule.Picker;
import io.lb4j.schedule.Schedule;
import io.lb4j.schedule.Scheduler;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.Function;
import org.junit.jupiter.api.Test;

/** The contract catches disciplines that break it. */
class SchedulerContractTest {
  private static final Picker FIRST = (hash, active) -> 0;

  private Object kept;

  @Test
  void shouldCatchAPickBehindTheEnd() {
    SchedulerContract contract = of(candidates -> previous -> (hash, active) -> candidates.size());
    assertThatThrownBy(contract::shouldPickTheOnlyCandidate).isInstanceOf(AssertionError.class);
    assertThatThrownBy(contract::shouldPickWithinRangeForAnyNumberOfCandidates).isInstanceOf(AssertionError.class);
  }

  @Test
  void shouldCatchIgnoredWeights() {
    assertThatThrownBy(of(candidates -> previous -> FIRST)::shouldKeepPromisedShares)
        .isInstanceOf(AssertionError.class);
  }

  @Test
  void shouldCatchARestartAtEachChange() {
    SchedulerContract contract = of(SchedulerContractTest::restarting);
    assertThatThrownBy(contract::shouldKeepPromisedSharesThoughPickersAreRenewedAgainAndAgain)
        .isInstanceOf(AssertionError.class);
  }

  @Test
  void shouldCatchRandomnessWithoutASeed() {
    SchedulerContract contract =
        of(candidates -> previous -> (hash, active) -> ThreadLocalRandom.current().nextInt(candidates.size()));
    assertThatThrownBy(contract::shouldPickAlikeWithTheSameSeed).isInstanceOf(AssertionError.class);
  }

  @Test
  void shouldCatchAPickerSharedByWorkers() {
    SchedulerContract contract = of(SchedulerContractTest::shared);
    assertThatThrownBy(contract::shouldGiveEachWorkerAPickerOfItsOwn).isInstanceOf(AssertionError.class);
  }

  @Test
  void shouldCatchAllocation() {
    SchedulerContract contract = of(candidates -> previous -> this::pickFirstAndAllocate);
    assertThatThrownBy(contract::shouldAllocateNothingPerPick).isInstanceOf(AssertionError.class);
  }

  /** The object escapes, or the compiler would leave it out. */
  private int pickFirstAndAllocate(long hash, ActiveFlows active) {
    kept = new Object();
    return kept == active ? -1 : 0;
  }

  @Test
  void shouldCatchSignExtensionOfTheHash() {
    SchedulerContract contract = of(candidates -> previous -> (hash, active) -> (int) (hash % candidates.size()));
    assertThatThrownBy(contract::shouldAnswerForAnyHashAndAnyActiveFlows).isInstanceOf(AssertionError.class);
  }

  @Test
  void shouldCatchASecondChoiceBehindTheEnd() {
    SchedulerContract contract = of(candidates -> previous -> new SecondBehindTheEnd(candidates.size()));
    assertThatThrownBy(contract::shouldAnswerForAnyHashAndAnyActiveFlows)
        .isInstanceOf(AssertionError.class)
        .hasMessageContaining("again");
  }

  private record SecondBehindTheEnd(int size) implements Picker {
    @Override
    public int pick(long hash, ActiveFlows active) {
      return 0;
    }

    @Override
    public int pickAgain(long hash, int attempt, ActiveFlows active) {
      return size;
    }
  }

  @Test
  void shouldCatchPlacementByPosition() {
    SchedulerContract contract =
        of(candidates -> previous -> (hash, active) -> (int) Long.remainderUnsigned(hash, candidates.size()));
    assertThatThrownBy(contract::shouldPlaceByIdentityOrLeaveTheHashAlone).isInstanceOf(AssertionError.class);
  }

  @Test
  void shouldCatchAListThatIsHeldOnTo() {
    SchedulerContract contract =
        of(candidates -> previous -> (hash, active) -> (int) (hash >>> 40) % candidates.size());
    assertThatThrownBy(contract::shouldNotHoldOnToTheListOfCandidates).isInstanceOf(ArithmeticException.class);
  }

  private static Schedule restarting(List<Candidate> candidates) {
    return previous -> counting(candidates);
  }

  private static Schedule shared(List<Candidate> candidates) {
    Picker one = counting(candidates);
    return previous -> one;
  }

  private static Picker counting(List<Candidate> candidates) {
    int[] next = new int[1];
    return (hash, active) -> next[0]++ % candidates.size();
  }

  private static SchedulerContract of(Function<List<Candidate>, Schedule> prepare) {
    return new SchedulerContract() {
      @Override
      protected Scheduler scheduler() {
        return new Scheduler() {
          @Override
          public String name() {
            return "broken";
          }

          @Override
          public HashInputs hashInputs() {
            return HashInputs.SOURCE;
          }

          @Override
          public Schedule prepare(List<Candidate> candidates, long seed) {
            return prepare.apply(candidates);
          }
        };
      }
    };
  }
}
