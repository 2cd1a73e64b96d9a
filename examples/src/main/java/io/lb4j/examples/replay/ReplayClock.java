package io.lb4j.examples.replay;

import java.util.function.LongSupplier;

/** The captures' time, which never goes back. Owned by one thread. */
final class ReplayClock implements LongSupplier {
  private long nowNs;

  /** Goes to a packet's time, unless a later one was seen. */
  long advance(long timestampNs) {
    nowNs = Math.max(nowNs, timestampNs);
    return nowNs;
  }

  @Override
  public long getAsLong() {
    return nowNs;
  }
}
