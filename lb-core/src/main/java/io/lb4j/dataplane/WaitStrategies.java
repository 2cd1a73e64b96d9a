package io.lb4j.dataplane;

/**
 * How the threads of a balancer wait, by what they do. Immutable, shared.
 *
 * @param receive of threads that take frames from a port and give them to workers; only where such threads are
 * @param work of the workers, which receive and send themselves where no other threads do
 * @param transmit of the thread that sends what workers let out; only where there is one
 */
public record WaitStrategies(WaitStrategy receive, WaitStrategy work, WaitStrategy transmit) {
  /** All threads sleep while there is nothing to do. */
  public static final WaitStrategies PARK = all(WaitStrategy.PARK);

  /**
   * The same for all threads.
   *
   * @param strategy how they wait
   * @return the strategies
   */
  public static WaitStrategies all(WaitStrategy strategy) {
    return new WaitStrategies(strategy, strategy, strategy);
  }
}
