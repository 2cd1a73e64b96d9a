package io.lb4j.schedule;

/**
 * A seeded sequence of 64-bit numbers that is the same on every JVM (Steele, Lea and Flood, "Fast Splittable
 * Pseudorandom Number Generators", 2014, figure 16). Not for secrets. Owned by one worker, or used once by the control
 * thread; allocates nothing.
 */
final class SplitMix64 {
  static final long GAMMA = 0x9E37_79B9_7F4A_7C15L;

  private long state;

  SplitMix64(long seed) {
    this.state = seed;
  }

  /** A sequence that goes on where another one is. */
  SplitMix64(SplitMix64 source) {
    this.state = source.state;
  }

  long next() {
    state += GAMMA;
    return mix(state);
  }

  /** Spreads each bit over all 64; different numbers stay different. */
  static long mix(long number) {
    long mixed = (number ^ number >>> 30) * 0xBF58_476D_1CE4_E5B9L;
    mixed = (mixed ^ mixed >>> 27) * 0x94D0_49BB_1331_11EBL;
    return mixed ^ mixed >>> 31;
  }
}
