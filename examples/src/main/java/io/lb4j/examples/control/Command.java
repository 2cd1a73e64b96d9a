package io.lb4j.examples.control;

import io.lb4j.examples.CommandException;
import io.lb4j.examples.config.ConfigurationFileException;
import java.io.IOException;

/** Something a client may ask for. Called by the control thread. */
@FunctionalInterface
interface Command {
  /**
   * Does it.
   *
   * @param request its arguments were checked by name
   * @param exchange for what one line each way cannot hold
   * @return the last line
   * @throws CommandException when an argument is wrong
   * @throws ConfigurationFileException when a file is refused
   * @throws IOException when the client is gone
   */
  Reply run(Request request, Exchange exchange) throws CommandException, ConfigurationFileException, IOException;
}
