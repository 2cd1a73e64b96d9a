package io.lb4j.examples.live;

import io.lb4j.examples.config.Configuration;
import io.lb4j.examples.config.ConfigurationFileException;

/** The host that a balancer runs on, asked before services begin. */
@FunctionalInterface
interface Host {
  /** A host without a kernel beside the balancer. */
  Host NONE = configuration -> {};

  /**
   * Refuses what the host's kernel would spoil.
   *
   * @param configuration to be used
   * @throws ConfigurationFileException when the kernel holds an address that has to be the balancer's alone
   */
  void check(Configuration configuration) throws ConfigurationFileException;
}
