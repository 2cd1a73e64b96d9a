package io.lb4j.flow;

/**
 * The keyed hash that places flows in the table: multiply and shift in the manner of Murmur3's finalizer (Appleby),
 * with two secret words, because a stranger who knows the hash can fill one bucket. Immutable, shared; allocates
 * nothing.
 */
public final class FlowHash {
  private static final long M1 = 0xFF51_AFD7_ED55_8CCDL;
  private static final long M2 = 0xC4CE_B9FE_1A85_EC53L;
  private static final long M3 = 0x9E37_79B9_7F4A_7C15L;

  private final long first;
  private final long second;

  /**
   * A hash.
   *
   * @param seed secret; equal seeds give equal hashes
   */
  public FlowHash(long seed) {
    this.first = mix(seed + M3);
    this.second = mix(first + M3);
  }

  private static long mix(long bits) {
    bits ^= bits >>> 33;
    bits *= M1;
    bits ^= bits >>> 33;
    bits *= M2;
    return bits ^ bits >>> 33;
  }

  /**
   * The hash of an IPv4 flow.
   *
   * @param addresses source in the upper, destination in the lower 32 bits
   * @param ports source port in the upper, destination port in the lower 16 bits
   * @param protocol 0..255
   * @return 32 bits
   */
  public int of4(long addresses, int ports, int protocol) {
    long h = (addresses ^ first) * M1;
    h ^= h >>> 32;
    h = (h ^ second ^ transport(ports, protocol)) * M2;
    h ^= h >>> 29;
    return (int) (h * M3 >>> 32);
  }

  /**
   * The hash of an IPv6 flow.
   *
   * @param sourceHigh first 64 bits of the source
   * @param sourceLow last 64 bits of the source
   * @param destinationHigh first 64 bits of the destination
   * @param destinationLow last 64 bits of the destination
   * @param ports source port in the upper, destination port in the lower 16 bits
   * @param protocol 0..255
   * @return 32 bits
   */
  public int of6(long sourceHigh, long sourceLow, long destinationHigh, long destinationLow, int ports, int protocol) {
    long h = (sourceHigh ^ first) * M1;
    h = (h ^ h >>> 32 ^ sourceLow) * M2;
    h = (h ^ h >>> 32 ^ destinationLow) * M1;
    h = (h ^ h >>> 32 ^ destinationHigh ^ second) * M2;
    h ^= h >>> 32;
    h = (h ^ transport(ports, protocol)) * M1;
    h ^= h >>> 29;
    return (int) (h * M3 >>> 32);
  }

  private static long transport(int ports, int protocol) {
    return (ports & 0xFFFF_FFFFL) << 8 | protocol;
  }
}
