package io.lb4j.control;

import io.lb4j.counters.HandshakeCounts;
import java.util.HashMap;
import java.util.Map;
import java.util.function.IntFunction;

/**
 * Brings the times of handshakes that the workers have measured to the servers' response times, four times a second.
 * Called by one thread at a time.
 */
public final class HandshakeTimes implements ControlTask {
  private static final long INTERVAL_NS = 250_000_000;

  private final ServiceRegistry registry;
  private final IntFunction<HandshakeCounts> counts;
  private final Map<Integer, HandshakeCounts> taken = new HashMap<>();
  private long nextNs;
  private boolean begun;

  /**
   * Nothing taken over so far.
   *
   * @param registry of the servers
   * @param counts what the workers count under a binding id, over all of them
   */
  public HandshakeTimes(ServiceRegistry registry, IntFunction<HandshakeCounts> counts) {
    this.registry = registry;
    this.counts = counts;
  }

  @Override
  public long tick(long nowNs) {
    if (!begun || nextNs - nowNs <= 0) {
      begun = true;
      nextNs = nowNs + INTERVAL_NS;
      registry.observeHandshakes(this::sinceLastTime, nowNs);
    }
    return nextNs;
  }

  /** Counts only grow, whoever has the number: nothing is forgotten, so nothing is taken twice. */
  private HandshakeCounts sinceLastTime(int binding) {
    HandshakeCounts now = counts.apply(binding);
    HandshakeCounts before = taken.put(binding, now);
    return before == null ? now : now.minus(before);
  }
}
