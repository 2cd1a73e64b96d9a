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
          shortestExpectedDelay(),
          neverQueue(),
          powerOfTwoChoices(),
          fastestResponse(),
          sourceHash(),
          maglev(),
          rendezvous());

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
   * Shortest expected delay, {@code sed}: the server with the smallest quotient of active flows plus one and weight.
   *
   * @return the discipline
   */
  public static Scheduler shortestExpectedDelay() {
    return new ShortestExpectedDelay();
  }

  /**
   * Never queue, {@code nq}: an idle server at once, the heaviest of them, else the shortest expected delay.
   *
   * @return the discipline
   */
  public static Scheduler neverQueue() {
    return new NeverQueue();
  }

  /**
   * Power of two choices, {@code p2c}: of two servers drawn in proportion to their weights the one with fewer active
   * flows per weight.
   *
   * @return the discipline
   */
  public static Scheduler powerOfTwoChoices() {
    return new PowerOfTwoChoices();
  }

  /**
   * Fastest response, {@code fastest}: in turn, by weights that follow the servers' smoothed response times.
   *
   * @return the discipline
   */
  public static Scheduler fastestResponse() {
    return new FastestResponse();
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
   * Rendezvous hashing, {@code hrw}: a consistent hash over all five parts of the flow, with a second choice for each,
   * in a table of {@value RendezvousTable#DEFAULT_ROWS} rows.
   *
   * @return the discipline
   */
  public static Scheduler rendezvous() {
    return rendezvous(HashInputs.FIVE_TUPLE);
  }

  /**
   * Rendezvous hashing over other parts of the flow.
   *
   * @param inputs at least one part
   * @return the discipline
   */
  public static Scheduler rendezvous(HashInputs inputs) {
    return rendezvous(inputs, RendezvousTable.DEFAULT_ROWS);
  }

  /**
   * Rendezvous hashing with a table of another size.
   *
   * @param inputs at least one part
   * @param rows a power of two, 256..{@value RendezvousTable#MAX_ROWS}; about 600 for each server keep shares within
   *     10 % or so
   * @return the discipline
   */
  public static Scheduler rendezvous(HashInputs inputs, int rows) {
    return new Rendezvous(inputs, RendezvousTable.requireRows(rows));
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
   * @return {@code rr wrr lc wlc sed nq p2c fastest sh maglev hrw}, unmodifiable
   */
  public static List<String> names() {
    return NAMES;
  }
}
