package io.lb4j.schedule;

import io.lb4j.settings.ConfigurationError;
import io.lb4j.settings.ConfigurationException;
import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;

/**
 * The lookup table of Maglev hashing (Eisenbud et al., "Maglev: A Fast and Reliable Software Network Load Balancer",
 * NSDI 2016, section 3.4, listing 1), with offset, skip and weights as Envoy defines them, so that seed 0 gives Envoy's
 * tables. Immutable, shared; it is built by the control thread.
 *
 * <pre>
 *   i        candidates, ascending by the UTF-8 bytes of their identity
 *   offset_i XXH64(identity_i, seed) mod M            M: the size, a prime
 *   skip_i   XXH64(identity_i, seed + 1) mod (M-1) + 1
 *   share_i  weight_i / sum of weights                binary64
 *   round r  = 1, 2, … until the table is full: each i with r * share_i &gt;= target_i adds the largest share to its
 *            target_i, which begins at 0, and takes the first free slot of offset_i, offset_i + skip_i, … mod M
 * </pre>
 *
 * <p>In round 1 everyone takes a slot, so the lightest server is in every table that has a slot for it. All arithmetic
 * is exact or IEEE 754 binary64 in this order of operations; other instances need the same to agree.
 */
public final class MaglevTable {
  /** The size up to 655 servers: the smallest prime above 2^16, as in the paper. */
  public static final int DEFAULT_SIZE = 65537;

  /** The largest size. */
  public static final int MAX_SIZE = 8388617;

  /** The smallest primes above 2^16, 2^17, … 2^23. */
  private static final int[] SIZES = {DEFAULT_SIZE, 131101, 262147, 524309, 1048583, 2097169, 4194319, MAX_SIZE};

  private static final int SLOTS_PER_SERVER = 100;
  private static final int MAX_CANDIDATES = 1 << 16;

  private final int[] order;
  private final char[] slots;

  private MaglevTable(int[] order, char[] slots) {
    this.order = order;
    this.slots = slots;
  }

  /**
   * The size that is used when none is set: the first of 65537, 131101, 262147, 524309, 1048583, 2097169, 4194319 and
   * 8388617 that has 100 slots or more for each server. They are the smallest primes above the powers of two.
   *
   * @param servers 1 or more
   * @return a prime; the largest one when none has 100 slots for each
   */
  public static int sizeFor(int servers) {
    for (int size : SIZES) {
      if (size >= (long) SLOTS_PER_SERVER * servers) {
        return size;
      }
    }
    return MAX_SIZE;
  }

  /**
   * Builds a table.
   *
   * @param candidates 1..65536, in any order
   * @param size a prime, 3..{@value #MAX_SIZE}; when there are fewer slots than candidates, some get none
   * @param seed 0 for the tables that Envoy builds
   * @return the table
   */
  public static MaglevTable of(List<Candidate> candidates, int size, long seed) {
    requireSize(size);
    if (candidates.size() > MAX_CANDIDATES) {
      throw new ConfigurationException(
          ConfigurationError.OUT_OF_RANGE,
          "scheduler maglev: servers",
          candidates.size(),
          "a table takes at most " + MAX_CANDIDATES + " servers");
    }
    Roster roster = new Roster(candidates);
    int[] order = roster.byIdentity();
    return new MaglevTable(order, new MaglevFill(roster, order, size, seed).fill());
  }

  static int requireSize(int size) {
    if (size < 3 || size > MAX_SIZE || !isPrime(size)) {
      throw new ConfigurationException(
          ConfigurationError.OUT_OF_RANGE,
          "scheduler maglev: table size",
          size,
          "the size is a prime from 3 to " + MAX_SIZE);
    }
    return size;
  }

  private static boolean isPrime(int number) {
    for (int divisor = 2; divisor <= number / divisor; divisor++) {
      if (number % divisor == 0) {
        return false;
      }
    }
    return true;
  }

  /**
   * Number of slots.
   *
   * @return a prime
   */
  public int size() {
    return slots.length;
  }

  /**
   * The candidate that owns a slot.
   *
   * @param slot 0..size-1
   * @return index into the list of candidates
   */
  public int candidateAt(int slot) {
    return slots[slot];
  }

  /**
   * SHA-256 over all slots, for comparison between instances: per slot the candidate's rank among the sorted
   * identities, as 16 bits, big-endian.
   *
   * @return 64 hexadecimal digits in lower case
   */
  public String digest() {
    try {
      return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(ranks()));
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError("every Java platform has SHA-256", e);
    }
  }

  private byte[] ranks() {
    char[] rankOf = new char[order.length];
    for (int rank = 0; rank < order.length; rank++) {
      rankOf[order[rank]] = (char) rank;
    }
    ByteBuffer ranks = ByteBuffer.allocate(Character.BYTES * slots.length);
    for (char candidate : slots) {
      ranks.putChar(rankOf[candidate]);
    }
    return ranks.array();
  }

  Schedule schedule() {
    return new HashSlots(slots);
  }
}
