package io.lb4j.control;

import io.lb4j.event.Event;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Lets some events of each subject through at once and then one per second; of those that come faster the last one is
 * told when its time has come, so that what was told last is always how things stand. Owned by the control thread.
 *
 * <p>Bounded: of the subjects beyond a number the one that was silent for longest is forgotten.
 */
final class EventLimiter {
  static final int BURST = 5;
  static final long INTERVAL_NS = 1_000_000_000L;
  static final int MAX_SUBJECTS = 4096;

  private final Output output;
  private final Map<Key, Subject> subjects = new LinkedHashMap<>(16, 0.75f, true); // the longest silent first
  private final Set<Subject> waiting = new LinkedHashSet<>();
  private long suppressed;

  /** Takes what is told. */
  interface Output {
    /** An event, and how many of its subject were left out before it. */
    void tell(Event event, long suppressed);
  }

  private record Key(String category, String subject) {}

  /** A bucket of {@link #BURST} events that fills by one per {@link #INTERVAL_NS}. */
  private static final class Subject {
    private boolean usedBefore;
    private long fullNs; // when the bucket is full again
    private @Nullable Event last; // waits for its turn
    private long leftOut; // events before it

    /** When the next event may be told, by the same clock. */
    long turnNs() {
      return fullNs - (BURST - 1) * INTERVAL_NS;
    }

    boolean hasTurn(long nowNs) {
      return !usedBefore || turnNs() - nowNs <= 0;
    }

    void use(long nowNs) {
      fullNs = (usedBefore && fullNs - nowNs > 0 ? fullNs : nowNs) + INTERVAL_NS;
      usedBefore = true;
    }
  }

  EventLimiter(Output output) {
    this.output = output;
  }

  /**
   * Takes an event.
   *
   * @param event what happened
   * @param atNs when; events of one subject come in the order of time
   */
  void offer(Event event, long atNs) {
    Subject subject = subject(new Key(event.category(), event.subject()));
    if (subject.last != null && subject.hasTurn(atNs)) {
      waiting.remove(subject);
      tellLast(subject, subject.turnNs());
    }
    if (subject.hasTurn(atNs)) {
      subject.use(atNs);
      output.tell(event, 0);
      return;
    }
    if (subject.last != null) {
      subject.leftOut++;
      suppressed++;
    }
    subject.last = event;
    waiting.add(subject);
  }

  private Subject subject(Key key) {
    Subject known = subjects.get(key);
    if (known != null) {
      return known;
    }
    if (subjects.size() == MAX_SUBJECTS) {
      forgetOldest();
    }
    Subject added = new Subject();
    subjects.put(key, added);
    return added;
  }

  private void forgetOldest() {
    Iterator<Subject> oldest = subjects.values().iterator();
    Subject subject = oldest.next();
    oldest.remove();
    if (waiting.remove(subject)) {
      tellLast(subject, subject.fullNs);
    }
  }

  private void tellLast(Subject subject, long atNs) {
    Event event = subject.last;
    long before = subject.leftOut;
    subject.use(atNs);
    subject.last = null;
    subject.leftOut = 0;
    output.tell(event, before);
  }

  /**
   * Tells what has waited for its turn.
   *
   * @param nowNs the time
   * @return the next turn that is waited for; a second from now at the latest
   */
  long tick(long nowNs) {
    long deadlineNs = nowNs + INTERVAL_NS;
    Iterator<Subject> all = waiting.iterator();
    while (all.hasNext()) {
      Subject subject = all.next();
      if (subject.hasTurn(nowNs)) {
        all.remove();
        tellLast(subject, nowNs);
      } else if (subject.turnNs() - deadlineNs < 0) {
        deadlineNs = subject.turnNs();
      }
    }
    return deadlineNs;
  }

  /** Events that nobody was told of. */
  long suppressed() {
    return suppressed;
  }

  /** How many subjects are remembered. */
  int subjects() {
    return subjects.size();
  }
}
