package io.lb4j.core;

import io.lb4j.address.IpAddress;
import io.lb4j.counters.LinkCounts;
import io.lb4j.counters.ServerCounts;
import io.lb4j.frame.Verdict;
import io.lb4j.service.Activity;
import io.lb4j.service.ServerHealth;
import java.util.List;
import java.util.Map;

/**
 * What the balancer counted, over all workers, since it was built. Immutable, shared. Each count is exact; together
 * they are of one instant only while the workers rest.
 *
 * @param received frames that came in
 * @param held frames that wait now: for a next hop, for a first fragment, or on the way from one worker to another
 * @param verdicts how frames ended, those that occurred, in the order of {@link Verdict}; {@link Verdict#HOLD} not
 *     among them
 * @param originated frames the balancer made of itself, answers not included
 * @param transmitted frames the ports took
 * @param refused frames the ports refused
 * @param interfaces per interface
 * @param services per service
 * @param flowTable of all workers
 * @param events what became of events
 */
public record Statistics(
    long received,
    long held,
    Map<Verdict, Long> verdicts,
    long originated,
    long transmitted,
    long refused,
    List<InterfaceStatistics> interfaces,
    List<ServiceStatistics> services,
    FlowTableStatistics flowTable,
    EventStatistics events) {
  /**
   * Of one interface.
   *
   * @param name of the interface
   * @param counts of its frames
   * @param verdicts of frames that came in by it
   */
  public record InterfaceStatistics(String name, LinkCounts counts, Map<Verdict, Long> verdicts) {}

  /**
   * Of one service.
   *
   * @param name of the service
   * @param servers in order of declaration
   */
  public record ServiceStatistics(String name, List<ServerStatistics> servers) {}

  /**
   * Of one server of a service.
   *
   * @param name of the server
   * @param address of the server
   * @param port of the server; 0 when it is the service's own
   * @param weight as declared
   * @param activity as declared
   * @param health by which it is used, and why
   * @param counts of its frames and flows
   */
  public record ServerStatistics(
      String name,
      IpAddress address,
      int port,
      int weight,
      Activity activity,
      ServerHealth health,
      ServerCounts counts) {}

  /**
   * Of the flow tables.
   *
   * @param size flows held now
   * @param capacity flows held at most
   * @param embryonic half-open flows held now
   * @param evictions flows and sessions that gave way to new ones
   * @param memoryBytes off-heap memory
   * @param sessions sessions that translators keep beside the flow tables
   */
  public record FlowTableStatistics(
      long size, long capacity, long embryonic, long evictions, long memoryBytes, long sessions) {}

  /**
   * Of events.
   *
   * @param told that listeners heard of
   * @param suppressed left out because a later one of the same subject tells how things stand
   * @param lost because too many came at once
   */
  public record EventStatistics(long told, long suppressed, long lost) {}

  /**
   * Frames that ended in a way.
   *
   * @param verdict which
   * @return a count
   */
  public long count(Verdict verdict) {
    return verdicts.getOrDefault(verdict, 0L);
  }

  /**
   * Whether every frame has one final verdict or waits: {@code received = sum of verdicts + held}.
   *
   * @return true whenever the workers rest
   */
  public boolean holds() {
    return received == held + verdicts.values().stream().mapToLong(Long::longValue).sum();
  }

  /**
   * Frames that were to leave: forwarded, answered, or made by the balancer.
   *
   * @return a count
   */
  public long leaving() {
    return count(Verdict.FORWARD) + count(Verdict.ANSWER) + originated;
  }

  /**
   * Whether a port took or refused each frame that was to leave. A frame is counted with its verdict first, and handed
   * to a port with the rest of its batch a moment later.
   *
   * @return true whenever the workers rest; without threads of the balancer's own never, once its caller has sent a
   *     frame
   */
  public boolean allSent() {
    return leaving() == transmitted + refused;
  }
}
