package io.lb4j.schedule;

import java.util.Arrays;

/** Arithmetic on a list of weights. Safe from any thread. */
final class Weights {
  private Weights() {}

  /** The weights divided by their greatest common divisor. */
  static int[] reduced(int[] weights) {
    int divisor = Arrays.stream(weights).reduce(0, Weights::greatestCommonDivisor);
    return Arrays.stream(weights).map(weight -> weight / divisor).toArray();
  }

  static long total(int[] weights) {
    return Arrays.stream(weights).asLongStream().sum();
  }

  private static int greatestCommonDivisor(int a, int b) {
    return b == 0 ? a : greatestCommonDivisor(b, a % b);
  }
}
