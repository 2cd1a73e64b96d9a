package io.lb4j.schedule;

/**
 * SipHash-1-3 of five 64-bit words (Aumasson and Bernstein, "SipHash: a fast short-input PRF", 2012, with one
 * compression and three finalization rounds). Keyed, so that a stranger cannot choose inputs that collide. Safe from
 * any thread; allocates nothing.
 */
final class SipHash13 {
  private static final long V0 = 0x736f6d6570736575L;
  private static final long V1 = 0x646f72616e646f6dL;
  private static final long V2 = 0x6c7967656e657261L;
  private static final long V3 = 0x7465646279746573L;
  private static final long SECOND_KEY = 0x9E37_79B9_7F4A_7C15L;
  private static final long LENGTH_BLOCK = 40L << 56;

  private SipHash13() {}

  /** The key's second half is derived from the seed, so that one number is enough to agree between instances. */
  static long hash(long seed, long a, long b, long c, long d, long e) {
    return keyed(seed, seed * SECOND_KEY + SECOND_KEY, a, b, c, d, e);
  }

  static long keyed(long k0, long k1, long a, long b, long c, long d, long e) {
    long v0 = k0 ^ V0;
    long v1 = k1 ^ V1;
    long v2 = k0 ^ V2;
    long v3 = k1 ^ V3;
    long word = a;
    for (int block = 0; block < 6; block++) {
      v3 ^= word;
      v0 += v1;
      v1 = Long.rotateLeft(v1, 13) ^ v0;
      v0 = Long.rotateLeft(v0, 32);
      v2 += v3;
      v3 = Long.rotateLeft(v3, 16) ^ v2;
      v0 += v3;
      v3 = Long.rotateLeft(v3, 21) ^ v0;
      v2 += v1;
      v1 = Long.rotateLeft(v1, 17) ^ v2;
      v2 = Long.rotateLeft(v2, 32);
      v0 ^= word;
      word = block == 0 ? b : block == 1 ? c : block == 2 ? d : block == 3 ? e : LENGTH_BLOCK;
    }
    v2 ^= 0xFF;
    for (int round = 0; round < 3; round++) {
      v0 += v1;
      v1 = Long.rotateLeft(v1, 13) ^ v0;
      v0 = Long.rotateLeft(v0, 32);
      v2 += v3;
      v3 = Long.rotateLeft(v3, 16) ^ v2;
      v0 += v3;
      v3 = Long.rotateLeft(v3, 21) ^ v0;
      v2 += v1;
      v1 = Long.rotateLeft(v1, 17) ^ v2;
      v2 = Long.rotateLeft(v2, 32);
    }
    return v0 ^ v1 ^ v2 ^ v3;
  }
}
