package io.lb4j.service;

/** What a change means for a flow that lives, with its next packet. */
public enum FlowEffect {
  /** It stays with its server. */
  KEPT,
  /** Another server gets it. */
  MOVED,
  /** Its sender is reset. */
  RESET,
  /** Its packets are dropped. */
  LOST,
  /** Its packets are dropped while the service is switched off. */
  SUSPENDED
}
