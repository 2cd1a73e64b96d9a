package io.lb4j.service;

/** Whether a balancer serves, or stands by for another one with the same virtual addresses. Immutable, shared. */
public enum Role {
  /** Owns the virtual addresses: probes, announces and answers for them, and forwards. */
  ACTIVE,
  /**
   * Neither answers for the virtual addresses, nor announces, nor forwards; watches its servers and keeps its flows, so
   * that it can take over at any time. Its interface addresses are its own as ever.
   */
  PASSIVE
}
