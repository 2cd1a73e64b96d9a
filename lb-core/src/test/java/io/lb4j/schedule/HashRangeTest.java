package io.lb4j.schedule;

import static org.assertj.core.api.Assertions.assertThat;

import java.math.BigInteger;
import java.util.SplittableRandom;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class HashRangeTest {
  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 65537, 268431360, 1L << 32})
  void shouldBeTheUpperHalfOfTheUnsignedProduct(long range) {
    SplittableRandom random = new SplittableRandom(range);
    for (int i = 0; i < 10_000; i++) {
      check(random.nextLong(), range);
    }
    check(0, range);
    check(-1, range);
    check(Long.MIN_VALUE, range);
    check(Long.MAX_VALUE, range);
  }

  private static void check(long hash, long range) {
    BigInteger expected =
        new BigInteger(Long.toUnsignedString(hash)).multiply(BigInteger.valueOf(range)).shiftRight(Long.SIZE);
    assertThat(HashRange.index(hash, range)).isEqualTo(expected.longValueExact());
  }
}
