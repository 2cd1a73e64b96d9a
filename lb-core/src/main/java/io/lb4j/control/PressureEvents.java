package io.lb4j.control;

import io.lb4j.event.Event;
import io.lb4j.event.EventListener;
import java.util.function.LongSupplier;

/** Tells once a second what full flow tables have cost since the last time. Owned by the control thread. */
public final class PressureEvents implements ControlTask {
  private static final long INTERVAL_NS = 1_000_000_000L;

  private final LongSupplier evicted;
  private final LongSupplier refused;
  private final EventListener events;
  private long evictedBefore;
  private long refusedBefore;
  private long toldNs;
  private boolean toldAny;

  /**
   * A watch on tables that have cost nothing yet.
   *
   * @param evicted flows that gave way, since the beginning
   * @param refused new flows that found no room, since the beginning
   * @param events takes the events
   */
  public PressureEvents(LongSupplier evicted, LongSupplier refused, EventListener events) {
    this.evicted = evicted;
    this.refused = refused;
    this.events = events;
  }

  @Override
  public long tick(long nowNs) {
    if (toldAny && nowNs - toldNs < INTERVAL_NS) {
      return toldNs + INTERVAL_NS;
    }
    long evictedNow = evicted.getAsLong();
    long refusedNow = refused.getAsLong();
    if (evictedNow != evictedBefore || refusedNow != refusedBefore) {
      events.onEvent(new Event.FlowTablePressure(evictedNow - evictedBefore, refusedNow - refusedBefore));
      evictedBefore = evictedNow;
      refusedBefore = refusedNow;
      toldNs = nowNs;
      toldAny = true;
    }
    return nowNs + INTERVAL_NS;
  }
}
