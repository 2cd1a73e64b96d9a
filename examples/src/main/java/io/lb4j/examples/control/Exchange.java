package io.lb4j.examples.control;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;

/** What a command may do with the client beside answering in one line. Used by the control thread. */
interface Exchange {
  /** Sends events to the client from now on, one a line, until it goes. */
  void followEvents();

  /**
   * Sends bytes to the client before the answer, as lines with {@code data}. Other clients wait meanwhile, and one that
   * does not take them for some seconds is gone.
   */
  OutputStream download();

  /**
   * Asks the client for bytes, as lines with {@code data} and at last one with {@code end}. Other clients wait
   * meanwhile, and one that does not send for some seconds is gone.
   *
   * @return ends where the client's bytes do
   * @throws IOException when the client is gone
   */
  InputStream upload() throws IOException;
}
