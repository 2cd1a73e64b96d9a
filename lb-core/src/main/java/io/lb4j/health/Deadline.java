package io.lb4j.health;

import java.net.SocketTimeoutException;
import java.time.Duration;

/**
 * What is left of a probe's time, by the clock that sockets go by. Owned by one probe's thread, and the one place where
 * the time is read: a socket cannot be told what time it is.
 */
final class Deadline {
  private static final long MILLI_NS = 1_000_000;

  private final long startNs = System.nanoTime();
  private final long timeoutNs;

  Deadline(Duration timeout) {
    this.timeoutNs = timeout.toNanos();
  }

  long elapsedNs() {
    return System.nanoTime() - startNs;
  }

  /** 1 or more, for a socket's time-out, where 0 would be for ever. */
  int remainingMillis() throws SocketTimeoutException {
    long remainingNs = timeoutNs - elapsedNs();
    if (remainingNs <= 0) {
      throw new SocketTimeoutException();
    }
    return (int) Math.max(1, remainingNs / MILLI_NS);
  }
}
