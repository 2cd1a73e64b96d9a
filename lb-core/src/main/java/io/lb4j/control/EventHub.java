package io.lb4j.control;

import io.lb4j.event.Event;
import io.lb4j.event.EventListener;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongSupplier;
import org.jctools.queues.varhandle.MpscVarHandleArrayQueue;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Takes events to all who listen, to the log {@code io.lb4j.events} and to flight recordings. Safe from any thread.
 *
 * <p>Whoever notices something puts it into a bounded queue, without a lock, and goes on: a worker never waits for a
 * listener. Control empties the queue with its next tick, at once when it has a thread. An event that finds no room is
 * counted and lost; one that comes too often waits for its turn, see {@link EventLimiter}.
 */
public final class EventHub implements EventListener, ControlTask {
  static final int CAPACITY = 1024;

  private static final Logger LOG = LoggerFactory.getLogger("io.lb4j.events");
  private static final long LOST_LOG_INTERVAL_NS = 1_000_000_000L;

  private final MpscVarHandleArrayQueue<Raised> queue = new MpscVarHandleArrayQueue<>(CAPACITY);
  private final List<EventListener> listeners;
  private final @Nullable EventListener recorder;
  private final LongSupplier clock;
  private final Runnable wake;
  private final AtomicLong lost = new AtomicLong();
  private final EventLimiter limiter = new EventLimiter(this::tell);
  private volatile long told;
  private volatile long suppressed;
  private long lostBefore; // when it was logged last
  private long lostLoggedNs;

  private record Raised(Event event, long atNs) {}

  /**
   * What became of events so far.
   *
   * @param told that listeners heard of
   * @param suppressed left out because a later one of the same subject tells how things stand
   * @param lost because too many came at once
   */
  public record Counts(long told, long suppressed, long lost) {}

  /**
   * A hub.
   *
   * @param listeners who hear from the beginning
   * @param clock nanoseconds, never running backwards
   * @param wake lets control tick soon; called by whoever raises an event
   */
  public EventHub(List<EventListener> listeners, LongSupplier clock, Runnable wake) {
    this.listeners = new CopyOnWriteArrayList<>(listeners);
    this.clock = clock;
    this.wake = wake;
    this.recorder = isRecorderPresent() ? new FlightRecords() : null;
  }

  /** Whether this Java has the module of flight recordings; without it its classes must not be touched. */
  static boolean isRecorderPresent() {
    return ModuleLayer.boot().findModule("jdk.jfr").filter(EventHub.class.getModule()::canRead).isPresent();
  }

  /**
   * Adds somebody who hears from now on.
   *
   * @param listener called by control, see {@link EventListener}
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

  /** Something happened. Told to listeners by control, later. */
  @Override
  public void onEvent(Event event) {
    if (queue.offer(new Raised(event, clock.getAsLong()))) {
      wake.run();
    } else {
      lost.incrementAndGet();
    }
  }

  /** Tells what was raised since the last tick, and what has waited for its turn. */
  @Override
  public long tick(long nowNs) {
    int most = CAPACITY; // what comes meanwhile is for the next tick
    for (Raised next = queue.poll(); next != null; next = --most > 0 ? queue.poll() : null) {
      limiter.offer(next.event, next.atNs);
    }
    long deadlineNs = limiter.tick(nowNs);
    suppressed = limiter.suppressed();
    logLost(nowNs);
    return queue.isEmpty() ? deadlineNs : nowNs;
  }

  private void logLost(long nowNs) {
    long now = lost.get();
    if (now != lostBefore && (lostBefore == 0 || nowNs - lostLoggedNs >= LOST_LOG_INTERVAL_NS)) {
      LOG.warn("{} events were lost, because more than {} came at once", now - lostBefore, CAPACITY);
      lostBefore = now;
      lostLoggedNs = nowNs;
    }
  }

  private void tell(Event event, long leftOut) {
    told = told + 1;
    log(event, leftOut);
    if (recorder != null) {
      recorder.onEvent(event, leftOut);
    }
    for (EventListener listener : listeners) {
      try {
        listener.onEvent(event, leftOut);
      } catch (RuntimeException | Error e) {
        LOG.error("an event listener failed", e);
      }
    }
  }

  private static void log(Event event, long leftOut) {
    String before = leftOut == 0 ? "" : " (" + leftOut + " such events before it left out)";
    if (isBad(event)) {
      LOG.warn("{}{}", event.text(), before);
    } else {
      LOG.info("{}{}", event.text(), before);
    }
  }

  private static boolean isBad(Event event) {
    return event instanceof Event.ServerDown
        || event instanceof Event.MassFailure
        || event instanceof Event.FlowTablePressure
        || event instanceof Event.NeighborLost
        || event instanceof Event.NeighborMoved
        || event instanceof Event.VirtualAddressConflict
        || event instanceof Event.ServerSetupFault
        || event instanceof Event.DoubtfulSetting;
  }

  /**
   * What became of events so far.
   *
   * @return a snapshot
   */
  public Counts counts() {
    return new Counts(told, suppressed, lost.get());
  }
}
