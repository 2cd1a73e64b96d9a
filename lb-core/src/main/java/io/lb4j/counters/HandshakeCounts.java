package io.lb4j.counters;

/**
 * What the data path sees of a server's TCP handshakes. Immutable, shared. In Direct Server Return an answer is known
 * from what the client sends next, and a refusal not at all.
 *
 * @param answered handshakes that the server answered
 * @param silent repeated SYNs, and connections that ended without an answer
 * @param refused resets in answer to a SYN
 * @param timed answers whose time was measured
 * @param timeNs sum of those times, nanoseconds
 */
public record HandshakeCounts(long answered, long silent, long refused, long timed, long timeNs) {
  /** Nothing yet. */
  public static final HandshakeCounts ZERO = new HandshakeCounts(0, 0, 0, 0, 0);

  /**
   * Two workers' counts together.
   *
   * @param other the other worker's
   * @return field by field sums
   */
  public HandshakeCounts plus(HandshakeCounts other) {
    return new HandshakeCounts(
        answered + other.answered,
        silent + other.silent,
        refused + other.refused,
        timed + other.timed,
        timeNs + other.timeNs);
  }

  /**
   * What was counted since.
   *
   * @param earlier counts of the same server
   * @return field by field differences
   */
  public HandshakeCounts minus(HandshakeCounts earlier) {
    return new HandshakeCounts(
        answered - earlier.answered,
        silent - earlier.silent,
        refused - earlier.refused,
        timed - earlier.timed,
        timeNs - earlier.timeNs);
  }
}
