package io.lb4j.examples.live;

import io.lb4j.examples.config.Configuration;
import io.lb4j.examples.config.ConfigurationFileException;

/** The host that a balancer runs on, asked before services begin. */
@FunctionalInterface
interface Host extends AutoCloseable {
  /** A host without a kernel beside the balancer. */
  Host NONE = configuration -> {};

  /**
   * Refuses what the host's kernel would spoil.
   *
   * @param configuration to be used
   * @throws ConfigurationFileException when the kernel holds an address that has to be the balancer's alone
   */
  void check(Configuration configuration) throws ConfigurationFileException;

  /**
   * Hears of a configuration that is about to take the place of another one.
   *
   * @param present what runs
   * @param next what will
   */
  default void prepare(Configuration present, Configuration next) {}

  /**
   * Hears what runs now.
   *
   * @param present in place of all earlier ones
   */
  default void settle(Configuration present) {}

  /** Hears that nothing runs any more. */
  @Override
  default void close() {}
}
