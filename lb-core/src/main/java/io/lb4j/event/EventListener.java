package io.lb4j.event;

/**
 * Hears of events. Called by whichever thread notices: control, a monitor, or a worker on its slow path. It must be
 * quick and must not call the balancer; what it throws is logged and ends nothing.
 */
@FunctionalInterface
public interface EventListener {
  /**
   * Something happened.
   *
   * @param event what
   */
  void onEvent(Event event);
}
