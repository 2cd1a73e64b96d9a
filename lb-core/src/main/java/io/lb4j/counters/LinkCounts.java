package io.lb4j.counters;

/**
 * Counts of one interface. Immutable, shared.
 *
 * @param received frames that came in
 * @param receivedBytes their bytes
 * @param originated frames the balancer made of itself, answers not included
 * @param transmitted frames the port took
 * @param transmittedBytes their bytes, those refused at the flush included
 * @param refused frames the port refused
 */
public record LinkCounts(
    long received, long receivedBytes, long originated, long transmitted, long transmittedBytes, long refused) {
  /** Nothing yet. */
  public static final LinkCounts ZERO = new LinkCounts(0, 0, 0, 0, 0, 0);

  /**
   * Two workers' counts together.
   *
   * @param other the other worker's
   * @return field by field sums
   */
  public LinkCounts plus(LinkCounts other) {
    return new LinkCounts(
        received + other.received,
        receivedBytes + other.receivedBytes,
        originated + other.originated,
        transmitted + other.transmitted,
        transmittedBytes + other.transmittedBytes,
        refused + other.refused);
  }
}
