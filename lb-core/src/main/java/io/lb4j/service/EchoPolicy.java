package io.lb4j.service;

/** What becomes of echo requests to a virtual address. */
public enum EchoPolicy {
  /** The balancer answers: the address is alive, whatever its servers do. */
  ANSWER,
  /** A real server of the address answers, chosen by the client's address. */
  FORWARD,
  /** They are dropped. */
  DROP
}
