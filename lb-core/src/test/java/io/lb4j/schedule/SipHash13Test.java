package io.lb4j.schedule;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class SipHash13Test {
  private static final int SAMPLES = 4000;

  /** Lines that src/test/python/siphash_reference.py wrote. */
  static List<String> reference() throws IOException {
    try (InputStream lines = SipHash13Test.class.getResourceAsStream("siphash-reference.txt")) {
      return new String(lines.readAllBytes(), StandardCharsets.US_ASCII).lines().toList();
    }
  }

  @ParameterizedTest
  @MethodSource("reference")
  void shouldAgreeWithTheIndependentImplementation(String line) {
    long[] n = Stream.of(line.split(" ")).mapToLong(word -> Long.parseUnsignedLong(word, 16)).toArray();
    assertThat(SipHash13.keyed(n[0], n[1], n[2], n[3], n[4], n[5], n[6])).isEqualTo(n[7]);
  }

  /** Every chosen input bit flips every output bit with probability one half, within 6 standard deviations. */
  @ParameterizedTest
  @ValueSource(longs = {0, 1, -1, 0x5EED})
  void shouldAvalanche(long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    for (int bit = 0; bit < 4 * Long.SIZE + Integer.SIZE + Byte.SIZE; bit++) {
      int[] flips = flips(random, seed, bit);
      for (int flipped : flips) {
        assertThat((double) flipped / SAMPLES).as("input bit %d", bit).isBetween(0.452, 0.548);
      }
    }
  }

  private static int[] flips(SplittableRandom random, long seed, int bit) {
    int[] flips = new int[Long.SIZE];
    for (int sample = 0; sample < SAMPLES; sample++) {
      long[] parts = random.longs(6).toArray();
      long before = hash(seed, parts);
      parts[bit / Long.SIZE + (bit >= 4 * Long.SIZE + Integer.SIZE ? 1 : 0)] ^= 1L << (bit % Integer.SIZE + wide(bit));
      long changed = before ^ hash(seed, parts);
      for (int out = 0; out < Long.SIZE; out++) {
        flips[out] += (int) (changed >>> out & 1);
      }
    }
    return flips;
  }

  private static int wide(int bit) {
    return bit < 4 * Long.SIZE && bit % Long.SIZE >= Integer.SIZE ? Integer.SIZE : 0;
  }

  private static long hash(long seed, long[] parts) {
    return HashInputs.FIVE_TUPLE.hash(
        seed, parts[0], parts[1], parts[2], parts[3], (int) parts[4], (int) parts[5]);
  }

  @Test
  void shouldIgnorePartsThatAreNotChosen() {
    long hash = HashInputs.SOURCE.hash(7, 1, 2, 3, 4, 5, 6);
    assertThat(HashInputs.SOURCE.hash(7, 1, 2, -3, -4, -5, -6)).isEqualTo(hash);
    assertThat(HashInputs.SOURCE.hash(7, 1, 3, 3, 4, 5, 6)).isNotEqualTo(hash);
    assertThat(HashInputs.SOURCE.hash(8, 1, 2, 3, 4, 5, 6)).isNotEqualTo(hash);
  }
}
