package io.lb4j.schedule;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lb4j.settings.ConfigurationException;
import java.math.BigInteger;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class MaglevTableTest {
  private static final int SIZE = MaglevTable.DEFAULT_SIZE;

  /** Tables in the comments of Envoy's maglev_lb_test.cc: identity=weight, then the servers by slot. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "127.0.0.1:90=1 127.0.0.1:91=1 127.0.0.1:92=1 127.0.0.1:93=1 127.0.0.1:94=1 127.0.0.1:95=1 | 2 4 0 1 5 0 3",
        "90=1 91=1 92=1 93=1 94=1 95=1 | 2 5 0 3 4 1 0",
        "127.0.0.1:90=1 127.0.0.1:91=2 | 1 0 0 1 0 1 1 0 1 1 1 1 1 0 1 0 1",
        "127.0.0.1:90=1 127.0.0.1:91=1 | 1 0 0 1 0 1 1 0 0 1 0 1 0 0 1 0 1",
        "127.0.0.1:90=8 127.0.0.1:91=2 | 1 0 0 0 0 0 1 0 0 1 0 1 0 0 0 0 0"
      })
  void shouldBuildThePublishedTables(String servers, String slots) {
    List<Candidate> candidates = Arrays.stream(servers.split(" ")).map(MaglevTableTest::candidate).toList();
    int[] expected = Arrays.stream(slots.split(" ")).mapToInt(Integer::parseInt).toArray();
    assertThat(slots(MaglevTable.of(candidates, expected.length, 0))).isEqualTo(expected);
  }

  private static Candidate candidate(String text) {
    int at = text.indexOf('=');
    return new Candidate(text.substring(0, at), Integer.parseInt(text.substring(at + 1)));
  }

  /** As in the lopsided case of the same file: 1023 light servers beside one that outweighs them all together. */
  @Test
  void shouldGiveEachLightServerOneSlotBesideAHeavyOne() {
    List<Candidate> candidates =
        IntStream.range(0, 1024).mapToObj(i -> new Candidate("127.0.0.1:" + i, i == 0 ? 65535 : 1)).toList();
    int[] counts = counts(MaglevTable.of(candidates, SIZE, 0), 1024);
    assertThat(counts[0]).isEqualTo(SIZE - 1023);
    assertThat(Arrays.stream(counts).skip(1)).containsOnly(1);
  }

  @Test
  void shouldShareAlmostEqually() {
    int[] counts = counts(MaglevTable.of(Pool.equal(100), SIZE, 0), 100);
    double average = SIZE / 100.0;
    assertThat(Arrays.stream(counts).max().orElseThrow() / average).isLessThanOrEqualTo(1.002);
    assertThat(Arrays.stream(counts).min().orElseThrow() / average).isGreaterThanOrEqualTo(0.998);
  }

  @ParameterizedTest
  @CsvSource({"10, 3", "100, 10", "655, 7", "100, 65535"})
  void shouldShareByWeight(int size, int most) {
    List<Candidate> candidates = Pool.weighted(size, i -> 1 + i * 31 % most);
    int[] counts = counts(MaglevTable.of(candidates, SIZE, 0), size);
    double total = candidates.stream().mapToInt(Candidate::weight).sum();
    for (int i = 0; i < size; i++) {
      assertThat(counts[i] - SIZE * candidates.get(i).weight() / total).as("server %d", i).isBetween(-3.0, 3.0);
    }
  }

  @Test
  void shouldMoveAtMostOnePercentOfTheOthersWhenOneOfAHundredLeaves() {
    List<Candidate> before = Pool.equal(100);
    MaglevTable full = MaglevTable.of(before, SIZE, 0);
    double worst = 0;
    for (int removed = 0; removed < 100; removed++) {
      worst = Math.max(worst, moved(full, MaglevTable.of(Pool.without(before, removed), SIZE, 0), removed));
    }
    assertThat(worst).isLessThanOrEqualTo(0.010);
  }

  private static double moved(MaglevTable before, MaglevTable after, int removed) {
    int others = 0;
    int moved = 0;
    for (int slot = 0; slot < SIZE; slot++) {
      int owner = before.candidateAt(slot);
      int now = after.candidateAt(slot);
      others += owner != removed ? 1 : 0;
      moved += owner != removed && owner != (now < removed ? now : now + 1) ? 1 : 0;
    }
    return (double) moved / others;
  }

  @ParameterizedTest
  @ValueSource(longs = {0, 1, -1, 0x5EED})
  void shouldNotDependOnTheOrderOfDeclaration(long seed) {
    List<Candidate> candidates = Pool.weighted(300, i -> 1 + i % 9);
    MaglevTable table = MaglevTable.of(candidates, SIZE, seed);
    for (int order = 0; order < 5; order++) {
      List<Candidate> shuffled = Pool.shuffled(candidates, order);
      MaglevTable other = MaglevTable.of(shuffled, SIZE, seed);
      assertThat(other.digest()).isEqualTo(table.digest());
      for (int slot = 0; slot < SIZE; slot += 97) {
        assertThat(shuffled.get(other.candidateAt(slot))).isEqualTo(candidates.get(table.candidateAt(slot)));
      }
    }
  }

  @Test
  void shouldSortIdentitiesByTheirBytesAndNotByUtf16Units() {
    String supplementary = new String(Character.toChars(0x10000));
    List<Candidate> candidates = List.of(new Candidate(supplementary, 1), new Candidate("\uE000", 1));
    assertThat(new Roster(candidates).byIdentity()).containsExactly(1, 0);
  }

  @Test
  void shouldDependOnTheSeed() {
    String digest = MaglevTable.of(Pool.equal(10), SIZE, 0).digest();
    assertThat(MaglevTable.of(Pool.equal(10), SIZE, 1).digest()).isNotEqualTo(digest);
  }

  @Test
  void shouldGrowThroughPrimesWithAHundredSlotsForEachServer() {
    int size = 0;
    for (int servers = 1; servers <= 83886; servers++) {
      size = MaglevTable.sizeFor(servers);
      assertThat(size).isGreaterThanOrEqualTo(100 * servers);
    }
    for (int power = 16; power <= 23; power++) {
      int prime = BigInteger.ONE.shiftLeft(power).nextProbablePrime().intValueExact();
      assertThat(MaglevTable.sizeFor(prime / 100)).isEqualTo(prime);
    }
    assertThat(size).isEqualTo(MaglevTable.MAX_SIZE);
    assertThat(MaglevTable.sizeFor(655)).isEqualTo(65537);
    assertThat(MaglevTable.sizeFor(656)).isEqualTo(131101);
  }

  @ParameterizedTest
  @ValueSource(ints = {-7, 0, 1, 2, 4, 65536, 8388619, Integer.MAX_VALUE})
  void shouldRefuseSizesThatAreNotPrimesInRange(int size) {
    List<Candidate> candidates = Pool.equal(3);
    assertThatThrownBy(() -> MaglevTable.of(candidates, size, 0))
        .isInstanceOf(ConfigurationException.class)
        .hasMessageContaining("prime");
  }

  private static int[] slots(MaglevTable table) {
    return IntStream.range(0, table.size()).map(table::candidateAt).toArray();
  }

  private static int[] counts(MaglevTable table, int size) {
    return Pool.counts(slots(table), size);
  }
}
