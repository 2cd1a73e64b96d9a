package io.lb4j.dataplane;

/**
 * How many ICMP errors may be sent (RFC 1812, section 4.3.2.8; RFC 4443, section 2.4 f): one each millisecond, 50 saved
 * up at most. Owned by one worker.
 */
final class ErrorRate {
  private static final long TOKEN_NS = 1_000_000;
  private static final int BURST = 50;

  private long tokensSinceNs;
  private boolean started;

  /** Takes a token; false when there is none. */
  boolean take(long nowNs) {
    long full = nowNs - BURST * TOKEN_NS;
    if (!started || tokensSinceNs - full < 0) {
      tokensSinceNs = full;
      started = true;
    }
    if (nowNs - tokensSinceNs < TOKEN_NS) {
      return false;
    }
    tokensSinceNs += TOKEN_NS;
    return true;
  }
}
