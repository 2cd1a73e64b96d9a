package io.lb4j.port;

/** Whether frames can flow through a port. */
public enum PortStatus {
  /** They can. */
  UP,
  /** The interface is down; frames flow again when it comes up. */
  DOWN,
  /** The interface is gone; the port has to be opened anew: {@link LastingPort} does that. */
  GONE,
  /** The port was closed. */
  CLOSED
}
