package io.lb4j.control;

import io.lb4j.event.Event;
import io.lb4j.event.EventListener;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Takes events to all who listen, and to the log {@code io.lb4j.events}. Safe from any thread. */
public final class EventHub implements EventListener {
  private static final Logger LOG = LoggerFactory.getLogger("io.lb4j.events");

  private final List<EventListener> listeners;

  /**
   * A hub.
   *
   * @param listeners who hear from the beginning
   */
  public EventHub(List<EventListener> listeners) {
    this.listeners = new CopyOnWriteArrayList<>(listeners);
  }

  /**
   * Adds somebody who hears from now on.
   *
   * @param listener called by whichever thread notices
   */
  public void add(EventListener listener) {
    listeners.add(listener);
  }

  /**
   * Lets somebody hear no more.
   *
   * @param listener as it was added
   */
  public void remove(EventListener listener) {
    listeners.remove(listener);
  }

  @Override
  public void onEvent(Event event) {
    if (isBad(event)) {
      LOG.warn("{}", event.text());
    } else {
      LOG.info("{}", event.text());
    }
    for (EventListener listener : listeners) {
      try {
        listener.onEvent(event);
      } catch (RuntimeException e) {
        LOG.error("an event listener failed", e);
      }
    }
  }

  private static boolean isBad(Event event) {
    return event instanceof Event.ServerDown
        || event instanceof Event.MassFailure
        || event instanceof Event.FlowTablePressure
        || event instanceof Event.NeighborLost
        || event instanceof Event.NeighborMoved
        || event instanceof Event.VirtualAddressConflict;
  }
}
