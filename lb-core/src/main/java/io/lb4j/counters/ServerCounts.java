package io.lb4j.counters;

/**
 * Counts of one real server of one service. Immutable, shared. In Direct Server Return only the client's half is seen:
 * frames and bytes are the clients', flows and active flows are estimates.
 *
 * @param frames clients' frames sent to the server
 * @param bytes their bytes
 * @param newFlows flows that the server was given
 * @param flows flows in the table now
 * @param active those of them that have not begun to close
 * @param idleResets connections whose both ends were reset because they were silent for too long, where that is asked for
 * @param idleUntold those that were not, because the numbers that the ends expect were not known
 */
public record ServerCounts(
    long frames, long bytes, long newFlows, long flows, long active, long idleResets, long idleUntold) {
  /** Nothing yet. */
  public static final ServerCounts ZERO = new ServerCounts(0, 0, 0, 0, 0, 0, 0);

  /**
   * Two workers' counts together.
   *
   * @param other the other worker's
   * @return field by field sums
   */
  public ServerCounts plus(ServerCounts other) {
    return new ServerCounts(
        frames + other.frames,
        bytes + other.bytes,
        newFlows + other.newFlows,
        flows + other.flows,
        active + other.active,
        idleResets + other.idleResets,
        idleUntold + other.idleUntold);
  }
}
