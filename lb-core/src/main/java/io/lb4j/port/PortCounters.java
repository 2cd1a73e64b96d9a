package io.lb4j.port;

/**
 * Counts of a port since it was opened. Immutable, shared.
 *
 * @param receivedFrames frames given to workers
 * @param receivedBytes their bytes
 * @param missedFrames frames the device or kernel dropped before a worker took them
 * @param transmittedFrames frames the device took
 * @param transmittedBytes their bytes
 * @param refusedFrames frames handed over that were not sent
 */
public record PortCounters(
    long receivedFrames,
    long receivedBytes,
    long missedFrames,
    long transmittedFrames,
    long transmittedBytes,
    long refusedFrames) {
  /** Nothing yet. */
  public static final PortCounters ZERO = new PortCounters(0, 0, 0, 0, 0, 0);

  /**
   * The counts of two queues together.
   *
   * @param other the other queue's
   * @return field by field sums
   */
  public PortCounters plus(PortCounters other) {
    return new PortCounters(
        receivedFrames + other.receivedFrames,
        receivedBytes + other.receivedBytes,
        missedFrames + other.missedFrames,
        transmittedFrames + other.transmittedFrames,
        transmittedBytes + other.transmittedBytes,
        refusedFrames + other.refusedFrames);
  }
}
