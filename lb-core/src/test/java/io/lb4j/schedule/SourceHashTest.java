package io.lb4j.schedule;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class SourceHashTest {
  private static final Scheduler SCHEDULER = Schedulers.sourceHash();

  static Stream<int[]> pools() {
    return Stream.of(new int[] {1}, new int[] {1, 2, 3, 4}, new int[] {65535, 65534, 30000, 1}, new int[] {60000, 9});
  }

  @ParameterizedTest
  @MethodSource("pools")
  void shouldGiveSharesByWeight(int[] weights) {
    Picker picker = SCHEDULER.prepare(Pool.ofWeights(weights), 0).newPicker(null);
    int clients = 400_000;
    int[] counts = new int[weights.length];
    for (int client = 0; client < clients; client++) {
      counts[picker.pick(HashInputs.SOURCE.hash(11, 0, client, 0, 0, 0, 0), Pool.IDLE)]++;
    }
    double total = Weights.total(weights);
    for (int i = 0; i < weights.length; i++) {
      assertThat((double) counts[i] / clients).isBetween(weights[i] / total - 0.005, weights[i] / total + 0.005);
    }
  }

  @ParameterizedTest
  @MethodSource("pools")
  void shouldGiveTheSameMapForEveryOrderOfDeclaration(int[] weights) {
    List<Candidate> declared = Pool.ofWeights(weights);
    List<Candidate> shuffled = Pool.shuffled(declared, 5);
    Picker one = SCHEDULER.prepare(declared, 9).newPicker(null);
    Picker other = SCHEDULER.prepare(shuffled, 9).newPicker(null);
    SplittableRandom random = new SplittableRandom(1);
    for (int i = 0; i < 100_000; i++) {
      long hash = random.nextLong();
      assertThat(shuffled.get(other.pick(hash, Pool.IDLE))).isEqualTo(declared.get(one.pick(hash, Pool.IDLE)));
    }
  }

  @ParameterizedTest
  @MethodSource("pools")
  void shouldAgreeBetweenTableAndSearch(int[] weights) {
    WeightedRange range = new WeightedRange(new Roster(Pool.ofWeights(weights)));
    HashSlots slots = new HashSlots(range.slots());
    SplittableRandom random = new SplittableRandom(2);
    for (int i = 0; i < 100_000; i++) {
      long hash = random.nextLong();
      assertThat(range.pick(hash, Pool.IDLE)).isEqualTo(slots.pick(hash, Pool.IDLE));
    }
  }

  @Test
  void shouldNotOverflowWithManyServersOfTheLargestWeights() {
    Schedule schedule = SCHEDULER.prepare(Pool.weighted(4096, i -> Candidate.MAX_WEIGHT - (i & 1)), 0);
    assertThat(schedule).isInstanceOf(WeightedRange.class);
    Picker picker = schedule.newPicker(null);
    assertThat(picker.pick(0, Pool.IDLE)).isZero();
    assertThat(picker.pick(-1, Pool.IDLE)).isBetween(1, 4095);
  }
}
