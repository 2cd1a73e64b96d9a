package io.lb4j.schedule;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lb4j.settings.ConfigurationException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Random;
import java.util.function.IntUnaryOperator;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class RendezvousTableTest {
  private static final long SEED = 0x5EED;
  private static final int ROWS = 1 << 14;

  private static IntUnaryOperator weights(int kind) {
    return switch (kind) {
      case 0 -> i -> 1;
      case 1 -> i -> 1 + i % 10;
      default -> i -> i == 0 ? Candidate.MAX_WEIGHT : 1 + i;
    };
  }

  /** A whole ranking by sorting all scores, none left out. */
  private static List<Integer> ranking(List<Candidate> candidates, int row, long seed) {
    record Scored(int candidate, long draw, double score, String identity) {}
    List<Scored> scored = new ArrayList<>();
    for (int i = 0; i < candidates.size(); i++) {
      String identity = candidates.get(i).identity();
      long key = XxHash64.hash(identity.getBytes(StandardCharsets.UTF_8), seed);
      long z = key + (row + 1) * 0x9E37_79B9_7F4A_7C15L;
      z = (z ^ z >>> 30) * 0xBF58_476D_1CE4_E5B9L;
      z = (z ^ z >>> 27) * 0x94D0_49BB_1331_11EBL;
      long draw = z ^ z >>> 31;
      double u = ((draw >>> 12) + 0.5) / (1L << 52);
      scored.add(new Scored(i, draw, -StrictMath.log(u) / candidates.get(i).weight(), identity));
    }
    scored.sort(
        Comparator.comparingDouble(Scored::score)
            .thenComparing((a, b) -> Long.compareUnsigned(b.draw(), a.draw()))
            .thenComparing(Scored::identity));
    return scored.stream().map(Scored::candidate).toList();
  }

  @ParameterizedTest
  @CsvSource({"2, 0", "3, 1", "10, 2", "100, 0", "100, 1", "100, 2"})
  void shouldHaveTheFirstTwoOfEachRowsRanking(int size, int kind) {
    List<Candidate> candidates = Pool.weighted(size, weights(kind));
    RendezvousTable table = RendezvousTable.of(candidates, 1 << 10, SEED);
    for (int row = 0; row < table.rows(); row++) {
      List<Integer> ranking = ranking(candidates, row, SEED);
      assertThat(table.first(row)).isEqualTo(ranking.get(0));
      assertThat(table.second(row)).isEqualTo(ranking.get(1));
    }
  }

  /** Whoever else is there: of any two servers the same one is before the other. */
  @ParameterizedTest
  @ValueSource(ints = {0, 1, 2})
  void shouldNeverLetAThirdDecideTheOrderOfTwo(int kind) {
    List<Candidate> all = Pool.weighted(12, weights(kind));
    for (int a = 0; a < 12; a++) {
      for (int b = a + 1; b < 12; b++) {
        List<Candidate> two = List.of(all.get(a), all.get(b));
        RendezvousTable alone = RendezvousTable.of(two, 1 << 8, SEED);
        for (int c = 0; c < 12; c++) {
          if (c != a && c != b) {
            checkOrder(two, alone, all.get(c));
          }
        }
      }
    }
  }

  private static void checkOrder(List<Candidate> two, RendezvousTable alone, Candidate third) {
    List<Candidate> three = List.of(third, two.get(1), two.get(0));
    RendezvousTable table = RendezvousTable.of(three, 1 << 8, SEED);
    for (int row = 0; row < alone.rows(); row++) {
      Candidate leader = two.get(alone.first(row));
      Candidate first = three.get(table.first(row));
      Candidate second = three.get(table.second(row));
      Candidate before = first.equals(third) ? second : first;
      assertThat(before).isEqualTo(leader);
    }
  }

  /** Only the rows of the server that goes change, and to their second choice; likewise back when it comes. */
  @ParameterizedTest
  @CsvSource({"2, 0", "10, 1", "100, 0", "100, 2"})
  void shouldPassARemovedServersRowsToTheirSecondChoiceAndMoveNoOther(int size, int kind) {
    List<Candidate> before = Pool.weighted(size, weights(kind));
    RendezvousTable old = RendezvousTable.of(before, ROWS, SEED);
    Random random = new Random(size);
    for (int round = 0; round < 5; round++) {
      int removed = random.nextInt(size);
      List<Candidate> after = Pool.without(before, removed);
      RendezvousTable next = RendezvousTable.of(after, ROWS, SEED);
      for (int row = 0; row < ROWS; row++) {
        int expected = old.first(row) == removed ? old.second(row) : old.first(row);
        assertThat(after.get(next.first(row))).isEqualTo(before.get(expected));
      }
    }
  }

  /** Binomial, not even: the largest of 100 shares is about 1.24 of the mean in 2^14 rows, about 1.12 in 2^16. */
  @ParameterizedTest
  @CsvSource({"16384, 1.28", "65536, 1.15"})
  void shouldReportItsImbalance(int rows, double most) {
    int[] counts = firsts(Pool.equal(100), rows);
    double worst = IntStream.of(counts).max().orElseThrow() * 100.0 / rows;
    assertThat(worst).isBetween(1.05, most);
  }

  @Test
  void shouldShareByWeight() {
    int[] weights = {1, 2, 3, 4, 10};
    int[] counts = firsts(Pool.ofWeights(weights), RendezvousTable.DEFAULT_ROWS);
    for (int i = 0; i < weights.length; i++) {
      double share = weights[i] * RendezvousTable.DEFAULT_ROWS / 20.0;
      assertThat((double) counts[i]).isBetween(share - 4 * Math.sqrt(share), share + 4 * Math.sqrt(share));
    }
  }

  private static int[] firsts(List<Candidate> candidates, int rows) {
    RendezvousTable table = RendezvousTable.of(candidates, rows, SEED);
    return Pool.counts(IntStream.range(0, rows).map(table::first).toArray(), candidates.size());
  }

  @Test
  void shouldHaveNoSecondChoiceForTheOnlyServer() {
    RendezvousTable table = RendezvousTable.of(Pool.equal(1), ROWS, SEED);
    assertThat(table.first(77)).isZero();
    assertThat(table.second(77)).isEqualTo(RendezvousTable.NONE);
  }

  @ParameterizedTest
  @ValueSource(ints = {0, -1, 128, 16383, 65537, 1 << 21, Integer.MIN_VALUE})
  void shouldRefuseOtherNumbersOfRows(int rows) {
    assertThatThrownBy(() -> RendezvousTable.of(Pool.equal(2), rows, 0)).isInstanceOf(ConfigurationException.class);
    assertThatThrownBy(() -> Schedulers.rendezvous(HashInputs.SOURCE, rows))
        .isInstanceOf(ConfigurationException.class);
  }

  @Test
  void shouldPickTheSecondChoiceNextAndThenOthers() {
    List<Candidate> candidates = Pool.equal(20);
    RendezvousTable table = RendezvousTable.of(candidates, ROWS, SEED);
    Picker picker = Schedulers.rendezvous(HashInputs.SOURCE, ROWS).prepare(candidates, SEED).newPicker(null);
    Random random = new Random(1);
    for (int i = 0; i < 1_000; i++) {
      long hash = random.nextLong();
      int row = table.rowOf(hash);
      assertThat(picker.pick(hash, Pool.IDLE)).isEqualTo(table.first(row));
      assertThat(picker.pickAgain(hash, 1, Pool.IDLE)).isEqualTo(table.second(row)).isNotEqualTo(table.first(row));
      assertThat(picker.pickAgain(hash, 2, Pool.IDLE)).isEqualTo(picker.pickAgain(hash, 2, Pool.IDLE));
    }
  }

  /** The flows of a full server spread over all others, the same way on every instance. */
  @Test
  void shouldSpreadTheNextChoicesOfOneServersFlows() {
    for (Scheduler scheduler : List.of(Schedulers.maglev(), Schedulers.sourceHash(), Schedulers.rendezvous())) {
      Picker picker = scheduler.prepare(Pool.equal(10), SEED).newPicker(null);
      Random random = new Random(2);
      int[] next = new int[10];
      for (int i = 0; i < 50_000; i++) {
        long hash = random.nextLong();
        if (picker.pick(hash, Pool.IDLE) == 3) {
          next[picker.pickAgain(hash, 1, Pool.IDLE)]++;
        }
      }
      IntStream.range(0, 10).filter(i -> i != 3).forEach(i -> assertThat(next[i]).as(scheduler.name()).isPositive());
    }
  }
}
