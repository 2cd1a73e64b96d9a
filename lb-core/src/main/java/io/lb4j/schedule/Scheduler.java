package io.lb4j.schedule;

import java.util.List;

/**
 * A scheduling discipline: the declaration a virtual service carries, and the factory of what runs. Immutable, shared.
 * Third parties implement it; {@code SchedulerContract} of lb-testkit is the suite their discipline has to pass.
 *
 * <p>It works in three steps, so that each part has one owner. The control thread calls {@link #prepare} whenever
 * candidates or weights change; the result is immutable and shared. Each worker asks it once for a {@link Picker} of
 * its own, which it calls for every new flow.
 */
public interface Scheduler {
  /**
   * The name used in configuration files and reports.
   *
   * @return for example {@code wrr}
   */
  String name();

  /**
   * What a pick's hash is computed from. A discipline that does not hash answers {@link HashInputs#NONE} and gets 0.
   *
   * @return the parts of a flow that decide
   */
  default HashInputs hashInputs() {
    return HashInputs.NONE;
  }

  /**
   * Whether a server's share of new flows follows its weight. What a server in slow start may get at most is a part of
   * its fair share, and that is the same for all where weights do not count.
   *
   * @return false when the discipline ignores weights
   */
  default boolean usesWeights() {
    return true;
  }

  /**
   * Whether it goes by how long servers take to answer, which somebody has to measure.
   *
   * @return false unless overridden
   */
  default boolean usesResponseTimes() {
    return false;
  }

  /**
   * Compiles the discipline for the servers that take new flows now. Called by the control thread; may be slow.
   *
   * @param candidates one or more, each of weight 1 or more; their order is the order of declaration
   * @param seed equal seeds give equal picks on every JVM and instance
   * @return the shared, immutable part
   */
  Schedule prepare(List<Candidate> candidates, long seed);
}
