package io.lb4j.schedule;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/**
 * xxHash64 (Collet, "xxHash fast digest algorithm", specification 0.1.1, XXH64). Not keyed against an opponent: used
 * for the identities of servers, which the operator chooses. Safe from any thread; allocates nothing.
 */
final class XxHash64 {
  private static final long PRIME_1 = 0x9E37_79B1_85EB_CA87L;
  private static final long PRIME_2 = 0xC2B2_AE3D_27D4_EB4FL;
  private static final long PRIME_3 = 0x1656_67B1_9E37_79F9L;
  private static final long PRIME_4 = 0x85EB_CA77_C2B2_AE63L;
  private static final long PRIME_5 = 0x27D4_EB2F_1656_67C5L;
  private static final int STRIPE_LENGTH = 32;

  private static final VarHandle LONG =
      MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);
  private static final VarHandle INT = MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.LITTLE_ENDIAN);

  private XxHash64() {}

  static long hash(byte[] input, long seed) {
    int striped = input.length & -STRIPE_LENGTH;
    long start = striped == 0 ? seed + PRIME_5 : stripes(input, striped, seed);
    return avalanche(tail(input, striped, start + input.length));
  }

  /** Four lanes of eight bytes each, as often as 32 bytes are there. */
  private static long stripes(byte[] input, int end, long seed) {
    long lane1 = seed + PRIME_1 + PRIME_2;
    long lane2 = seed + PRIME_2;
    long lane3 = seed;
    long lane4 = seed - PRIME_1;
    for (int at = 0; at < end; at += STRIPE_LENGTH) {
      lane1 = round(lane1, (long) LONG.get(input, at));
      lane2 = round(lane2, (long) LONG.get(input, at + 8));
      lane3 = round(lane3, (long) LONG.get(input, at + 16));
      lane4 = round(lane4, (long) LONG.get(input, at + 24));
    }
    long hash =
        Long.rotateLeft(lane1, 1)
            + Long.rotateLeft(lane2, 7)
            + Long.rotateLeft(lane3, 12)
            + Long.rotateLeft(lane4, 18);
    return merge(merge(merge(merge(hash, lane1), lane2), lane3), lane4);
  }

  /** What is left: eight bytes at a time, then four, then one. */
  private static long tail(byte[] input, int from, long start) {
    long hash = start;
    int at = from;
    for (; at + 8 <= input.length; at += 8) {
      hash = Long.rotateLeft(hash ^ round(0, (long) LONG.get(input, at)), 27) * PRIME_1 + PRIME_4;
    }
    if (at + 4 <= input.length) {
      long word = Integer.toUnsignedLong((int) INT.get(input, at));
      hash = Long.rotateLeft(hash ^ word * PRIME_1, 23) * PRIME_2 + PRIME_3;
      at += 4;
    }
    for (; at < input.length; at++) {
      hash = Long.rotateLeft(hash ^ (input[at] & 0xFF) * PRIME_5, 11) * PRIME_1;
    }
    return hash;
  }

  private static long round(long lane, long word) {
    return Long.rotateLeft(lane + word * PRIME_2, 31) * PRIME_1;
  }

  private static long merge(long hash, long lane) {
    return (hash ^ round(0, lane)) * PRIME_1 + PRIME_4;
  }

  private static long avalanche(long mixed) {
    long hash = (mixed ^ mixed >>> 33) * PRIME_2;
    hash = (hash ^ hash >>> 29) * PRIME_3;
    return hash ^ hash >>> 32;
  }
}
