package io.lb4j.pcap;

/**
 * What a tick of an interface's clock is in a block file: a negative power of 10 or of 2 seconds, counted from an
 * offset to 1970. Immutable, shared.
 *
 * @param binary whether the base is 2
 * @param exponent 0..127: a tick is 10^-exponent or 2^-exponent seconds
 * @param offsetSeconds added to every time
 */
record TimestampResolution(boolean binary, int exponent, long offsetSeconds) {
  /** Microseconds, when the file says nothing. */
  static final TimestampResolution MICROSECONDS = new TimestampResolution(false, 6, 0);

  private static final long SECOND_NS = 1_000_000_000L;

  static TimestampResolution of(int option, long offsetSeconds) {
    return new TimestampResolution((option & 0x80) != 0, option & 0x7F, offsetSeconds);
  }

  /**
   * Nanoseconds since 1970.
   *
   * @param ticks unsigned
   * @return 0..2^63-1, the nearest of them when the file's time lies outside
   */
  long toNs(long ticks) {
    long counted = wholeSeconds(ticks); // unsigned, as their sum with the offset
    long seconds = counted + offsetSeconds;
    if (offsetSeconds < 0 && Long.compareUnsigned(counted, -offsetSeconds) < 0) {
      return 0;
    }
    if (offsetSeconds > 0 && Long.compareUnsigned(seconds, counted) < 0) {
      return Long.MAX_VALUE;
    }
    long fractionNs = binary ? binaryFractionNs(ticks) : decimalFractionNs(ticks);
    return saturatedSum(saturatedProduct(seconds, SECOND_NS), fractionNs);
  }

  private long wholeSeconds(long ticks) {
    if (binary) {
      return exponent > 63 ? 0 : ticks >>> exponent;
    }
    return exponent > 19 ? 0 : Long.divideUnsigned(ticks, powerOfTen(exponent));
  }

  private long decimalFractionNs(long ticks) {
    long fraction = exponent > 19 ? ticks : Long.remainderUnsigned(ticks, powerOfTen(exponent));
    if (exponent > 9) {
      return exponent > 28 ? 0 : Long.divideUnsigned(fraction, powerOfTen(exponent - 9));
    }
    return fraction * powerOfTen(9 - exponent);
  }

  /** fraction * 10^9 / 2^exponent through the product's 128 bits. */
  private long binaryFractionNs(long ticks) {
    long fraction = exponent > 63 ? ticks : ticks & (1L << exponent) - 1;
    long high = Math.unsignedMultiplyHigh(fraction, SECOND_NS);
    long low = fraction * SECOND_NS;
    if (exponent < 64) {
      return high << 64 - exponent | low >>> exponent; // all 0 where the exponent is
    }
    return high >>> exponent - 64;
  }

  private static long powerOfTen(int exponent) {
    long power = 1;
    for (int i = 0; i < exponent; i++) {
      power *= 10;
    }
    return power;
  }

  private static long saturatedProduct(long unsigned, long factor) {
    long low = unsigned * factor;
    return Math.unsignedMultiplyHigh(unsigned, factor) != 0 || low < 0 ? Long.MAX_VALUE : low;
  }

  private static long saturatedSum(long a, long b) {
    long sum = a + b;
    return sum < 0 ? Long.MAX_VALUE : sum;
  }
}
