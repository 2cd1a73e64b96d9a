package io.lb4j.event;

/**
 * Hears of events. A balancer calls all its listeners by one thread, one after the other and in the order of the
 * events: its control thread, or, where it is embedded, whoever calls {@code LoadBalancer.tickControl}. A listener may
 * call the balancer. While it works, monitors and all else that control does wait, but no frame; what it throws is
 * logged and ends nothing.
 */
@FunctionalInterface
public interface EventListener {
  /**
   * Something happened.
   *
   * @param event what
   */
  void onEvent(Event event);

  /**
   * Something happened, and it happens often: of the events about one thing that come too fast, only the last one is
   * told.
   *
   * @param event what
   * @param suppressed how many of the same category and subject were left out before it; 0 as a rule
   */
  default void onEvent(Event event, long suppressed) {
    onEvent(event);
  }
}
