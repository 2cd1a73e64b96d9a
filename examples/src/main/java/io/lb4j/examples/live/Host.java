package io.lb4j.examples.live;

import io.lb4j.address.IpPrefix;
import io.lb4j.examples.config.Configuration;
import io.lb4j.examples.config.ConfigurationFileException;
import java.util.List;
import java.util.function.Consumer;

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
   * Tells what the host's kernel does beside the balancer and is not kept from.
   *
   * @param configuration to be used
   * @param warnings takes them
   */
  default void warn(Configuration configuration, Consumer<String> warnings) {}

  /**
   * Keeps the balancer's frames from the host's kernel from now on, if it is to.
   *
   * @param configuration to be used
   * @param said takes what was done
   * @throws io.lb4j.port.PortException when that cannot be done
   */
  default void raise(Configuration configuration, Consumer<String> said) {}

  /**
   * The balancer's addresses that the host may have, because its kernel sees no frame for them.
   *
   * @param configuration to be used
   * @return none without anything that keeps such frames from the kernel
   */
  default List<IpPrefix> hidden(Configuration configuration) {
    return List.of();
  }

  /**
   * Hears of a configuration that is about to take the place of another one.
   *
   * @param present what runs
   * @param next what will
   */
  default void prepare(Configuration present, Configuration next) {}

  /**
   * Hears what runs now, after each {@link #prepare}: the next configuration, or the present one where nothing came of
   * it. Throws nothing, since it is done.
   *
   * @param present in place of all earlier ones
   */
  default void settle(Configuration present) {}

  /**
   * Hears of an interface that was removed, and may be there again, before it is opened anew.
   *
   * @param interfaceName of the configuration
   * @throws io.lb4j.port.PortException NOT_FOUND: it is not there; otherwise when its frames cannot be kept from the
   *     kernel
   */
  default void renew(String interfaceName) {}

  /** Hears that nothing runs any more. */
  @Override
  default void close() {}
}
