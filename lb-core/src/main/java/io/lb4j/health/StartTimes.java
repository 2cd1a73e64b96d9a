package io.lb4j.health;

import io.lb4j.monitor.Monitor;
import java.util.SplittableRandom;

/**
 * When one monitor probes one server. Starts keep to a grid of one interval, each later than its point by a chance
 * share of the jitter; so the jitter does not add up, and a failure is found within
 * {@code out * interval + timeout + jitter * interval}. The grid begins anywhere within the first interval, so that not
 * all servers are probed at once. Owned by the control thread.
 */
final class StartTimes {
  private final long intervalNs;
  private final long jitterNs;
  private final SplittableRandom random;
  private long pointNs;
  private long nextNs;

  StartTimes(Monitor monitor, SplittableRandom random, long nowNs) {
    this.intervalNs = monitor.interval().toNanos();
    this.jitterNs = (long) (monitor.jitter() * intervalNs);
    this.random = random;
    this.pointNs = nowNs + random.nextLong(intervalNs);
    this.nextNs = pointNs;
  }

  long nextNs() {
    return nextNs;
  }

  boolean isDue(long nowNs) {
    return nextNs - nowNs <= 0;
  }

  /** A probe started. Who comes too late by more than an interval begins a new grid instead of hurrying after. */
  void onStart(long nowNs) {
    pointNs += intervalNs;
    if (pointNs + intervalNs - nowNs < 0) {
      pointNs = nowNs + intervalNs;
    }
    nextNs = pointNs + (jitterNs == 0 ? 0 : random.nextLong(jitterNs + 1));
  }

  /** A probe could not start: tried again soon, on the same grid. */
  void postpone(long nowNs, long byNs) {
    nextNs = nowNs + byNs;
  }
}
