package io.lb4j.examples.control;

import io.lb4j.event.Event;
import io.lb4j.event.EventListener;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The last events of a balancer, numbered. Safe from any thread; of fixed size. */
final class EventLog implements EventListener {
  /** Events that are kept. */
  static final int CAPACITY = 1024;

  private final Deque<Entry> entries = new ArrayDeque<>();
  private Runnable whenNew = () -> {};
  private long next;

  /** An event with its number and time, and how many before it were left out. Immutable. */
  record Entry(long number, Instant time, Event event, long suppressed) {
    Map<String, Object> tree() {
      Map<String, Object> tree = new LinkedHashMap<>();
      tree.put("number", number);
      tree.put("time", time.toString());
      tree.put("event", event.getClass().getSimpleName());
      tree.put("category", event.category());
      tree.put("subject", event.subject());
      tree.put("text", event.text());
      tree.put("suppressed", suppressed);
      return tree;
    }

    String text() {
      String before = suppressed == 0 ? "" : " (" + suppressed + " before it left out)";
      return time + "  " + event.text() + before;
    }
  }

  /** Calls somebody, quick, whenever there is a new event. */
  synchronized void whenNew(Runnable call) {
    whenNew = call;
  }

  @Override
  public void onEvent(Event event) {
    onEvent(event, 0);
  }

  @Override
  public synchronized void onEvent(Event event, long suppressed) {
    if (entries.size() == CAPACITY) {
      entries.removeFirst();
    }
    entries.addLast(new Entry(next++, Instant.now().truncatedTo(ChronoUnit.MILLIS), event, suppressed));
    whenNew.run();
  }

  /** The number that the next event gets. */
  synchronized long next() {
    return next;
  }

  /** Events from a number on, as far as they are kept. */
  synchronized List<Entry> since(long number, int most) {
    return entries.stream().filter(entry -> entry.number() >= number).limit(most).toList();
  }
}
