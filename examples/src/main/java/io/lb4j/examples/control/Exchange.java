package io.lb4j.examples.control;

/** What a command may do with the client beside answering in one line. Used by the control thread. */
interface Exchange {
  /** Sends events to the client from now on, one a line, until it goes. */
  void followEvents();
}
