package io.lb4j.schedule;

/**
 * Maps a 64-bit hash to a range by the upper half of a 128-bit product instead of a division (Lemire, "Fast Random
 * Integer Generation in an Interval", 2019, section 4). Without the paper's rejection step a value's share is off by
 * less than range / 2^64. Safe from any thread; allocates nothing.
 */
final class HashRange {
  private HashRange() {}

  /**
   * floor(hash * range / 2^64), the hash taken as unsigned.
   *
   * @param range 1 or more
   * @return 0..range-1
   */
  static long index(long hash, long range) {
    return Math.multiplyHigh(hash, range) + (hash >> 63 & range);
  }
}
