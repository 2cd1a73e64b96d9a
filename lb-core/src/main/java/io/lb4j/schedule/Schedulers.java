package io.lb4j.schedule;

import java.util.List;
import java.util.Optional;

/**
 * The built-in disciplines. What each is for stands in {@code docs/schedulers.md}. All of them are immutable, shared,
 * and equal when they were made with equal arguments, so that a reloaded configuration compares as unchanged.
 */
public final class Schedulers {
  private static final List<Scheduler> BUILT_IN =
      List.of(
          roundRobin(),
          weightedRoundRobin(),
          leastConnections(),
          weightedLeastConnections(),
          sourceHash(),
          maglev());

  private static final List<String> NAMES = BUILT_IN.stream().map(Scheduler::name).toList();

  private Schedulers() {}

  /**
   * Round robin, {@code rr}: each server in turn, in the order of declaration. Weights are ignored.
   *
   * @return the discipline
   */
  public static Scheduler roundRobin() {
    return new RoundRobin();
  }

  /**
   * Smooth weighted round robin, {@code wrr}: every cycle gives each server exactly its weight, spread over the cycle.
   *
   * @return the discipline
   */
  public static Scheduler weightedRoundRobin() {
    return new WeightedRoundRobin();
  }

  /**
   * Least connections, {@code lc}: the server with the fewest active flows. Weights are ignored.
   *
   * @return the discipline
   */
  public static Scheduler leastConnections() {
    return new LeastConnections();
  }

  /**
   * Weighted least connections, {@code wlc}: the server with the smallest quotient of active flows and weight.
   *
   * @return the discipline
   */
  public static Scheduler weightedLeastConnections() {
    return new WeightedLeastConnections();
  }

  /**
   * Source hash, {@code sh}: one client address, one server, while the servers and their weights stay.
   *
   * @return the discipline
   */
  public static Scheduler sourceHash() {
    return sourceHash(HashInputs.SOURCE);
  }

  /**
   * Source hash over other parts of the flow.
   *
   * @param inputs at least one part
   * @return the discipline
   */
  public static Scheduler sourceHash(HashInputs inputs) {
    return new SourceHash(inputs);
  }

  /**
   * Maglev, {@code maglev}: a consistent hash over all five parts of the flow. The table has the size that
   * {@link MaglevTable#sizeFor} gives.
   *
   * @return the discipline
   */
  public static Scheduler maglev() {
    return maglev(HashInputs.FIVE_TUPLE);
  }

  /**
   * Maglev over other parts of the flow.
   *
   * @param inputs at least one part
   * @return the discipline
   */
  public static Scheduler maglev(HashInputs inputs) {
    return new Maglev(inputs, Maglev.SIZE_BY_SERVERS);
  }

  /**
   * Maglev with a table of fixed size, which does not change when servers are added.
   *
   * @param inputs at least one part
   * @param tableSize a prime, 3..{@value MaglevTable#MAX_SIZE}; at least 100 times the number of servers keeps shares
   *     within 1 % or so
   * @return the discipline
   */
  public static Scheduler maglev(HashInputs inputs, int tableSize) {
    return new Maglev(inputs, MaglevTable.requireSize(tableSize));
  }

  /**
   * The discipline of a configuration name, with its default arguments.
   *
   * @param name one of {@link #names()}
   * @return empty when no built-in discipline has that name
   */
  public static Optional<Scheduler> named(String name) {
    return BUILT_IN.stream().filter(scheduler -> scheduler.name().equals(name)).findFirst();
  }

  /**
   * The configuration names.
   *
   * @return {@code rr wrr lc wlc sh maglev}, unmodifiable
   */
  public static List<String> names() {
    return NAMES;
  }
}
