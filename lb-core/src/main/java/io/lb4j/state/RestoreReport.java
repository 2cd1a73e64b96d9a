package io.lb4j.state;

import io.lb4j.flow.TakeOver;
import java.util.EnumMap;
import java.util.Map;

/**
 * What became of saved state. Immutable, shared.
 *
 * @param flows how many flows and sessions met each fate, those that occurred
 * @param clients how many clients of persistence did
 */
public record RestoreReport(Map<TakeOver, Long> flows, Map<TakeOver, Long> clients) {
  /** Unmodifiable maps. */
  public RestoreReport {
    flows = Map.copyOf(flows);
    clients = Map.copyOf(clients);
  }

  /**
   * Flows and sessions that are known from now on.
   *
   * @return a count
   */
  public long flowsRestored() {
    return flows.getOrDefault(TakeOver.TAKEN_OVER, 0L);
  }

  /**
   * Flows and sessions that are not, by reason.
   *
   * @return those reasons that occurred, in the order of {@link TakeOver}
   */
  public Map<TakeOver, Long> flowsSkipped() {
    return skipped(flows);
  }

  /**
   * Clients that are remembered from now on.
   *
   * @return a count
   */
  public long clientsRestored() {
    return clients.getOrDefault(TakeOver.TAKEN_OVER, 0L);
  }

  /**
   * Clients that are not, by reason.
   *
   * @return those reasons that occurred, in the order of {@link TakeOver}
   */
  public Map<TakeOver, Long> clientsSkipped() {
    return skipped(clients);
  }

  private static Map<TakeOver, Long> skipped(Map<TakeOver, Long> counts) {
    Map<TakeOver, Long> skipped = new EnumMap<>(TakeOver.class);
    skipped.putAll(counts);
    skipped.remove(TakeOver.TAKEN_OVER);
    return skipped;
  }
}
