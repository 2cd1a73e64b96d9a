package io.lb4j.service;

/** What a change means for a flow that lives, with its client's next packet. */
public enum FlowEffect {
  /** It stays with its server. */
  KEPT,
  /** Another server gets it. */
  MOVED,
  /** Its sender is reset, or told that there is nothing to reach. */
  RESET,
  /** Its packets are dropped, or left to the host where no service wants them. */
  LOST,
  /** Its packets are dropped while the service is switched off. */
  SUSPENDED,
  /** Several of these: other services take over parts of the addresses or ports, each in its own way. */
  MIXED
}
