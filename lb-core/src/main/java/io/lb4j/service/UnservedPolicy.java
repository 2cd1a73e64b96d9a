package io.lb4j.service;

/** What becomes of frames to a virtual address that no service wants. */
public enum UnservedPolicy {
  /** Dropped silently. */
  DROP,
  /** Answered with ICMP destination unreachable, at a bounded rate (RFC 1812, section 4.3.2.8). */
  REJECT,
  /** Left to the host beside us. */
  PASS
}
