package io.lb4j.counters;

/**
 * Counts of one real server of one service. Immutable, shared. In Direct Server Return only the client's half is seen:
 * there are no replies, and flows and active flows are estimates.
 *
 * @param frames clients' frames sent to the server
 * @param bytes their bytes
 * @param newFlows flows that the server was given
 * @param flows flows in the table now
 * @param active those of them that have not begun to close
 * @param idleResets connections whose both ends were reset because they were silent for too long, where that is asked
 *     for
 * @param idleUntold those that were not, because the numbers that the ends expect were not known
 * @param replyFrames the server's frames sent to clients, where they pass the balancer; those that had to wait for a
 *     next hop are not among them
 * @param replyBytes their bytes
 * @param movedFlows flows that the server did not keep, being down or offline, and that were scheduled anew
 * @param lostFrames frames of flows that it did not keep and that were not: dropped, or answered with a reset
 */
public record ServerCounts(
    long frames,
    long bytes,
    long newFlows,
    long flows,
    long active,
    long idleResets,
    long idleUntold,
    long replyFrames,
    long replyBytes,
    long movedFlows,
    long lostFrames) {
  /** Nothing yet. */
  public static final ServerCounts ZERO = new ServerCounts(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);

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
        idleUntold + other.idleUntold,
        replyFrames + other.replyFrames,
        replyBytes + other.replyBytes,
        movedFlows + other.movedFlows,
        lostFrames + other.lostFrames);
  }

  /**
   * What was counted since.
   *
   * @param earlier counts under the same number
   * @return differences of all that only grows; flows and active ones as they are now
   */
  public ServerCounts since(ServerCounts earlier) {
    return new ServerCounts(
        frames - earlier.frames,
        bytes - earlier.bytes,
        newFlows - earlier.newFlows,
        flows,
        active,
        idleResets - earlier.idleResets,
        idleUntold - earlier.idleUntold,
        replyFrames - earlier.replyFrames,
        replyBytes - earlier.replyBytes,
        movedFlows - earlier.movedFlows,
        lostFrames - earlier.lostFrames);
  }
}
