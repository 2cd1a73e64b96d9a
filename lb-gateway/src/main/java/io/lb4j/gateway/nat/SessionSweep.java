package io.lb4j.gateway.nat;

import io.lb4j.forward.SessionAccounting;

/**
 * Goes round the entries of a worker's sessions, a few at a time, ends those whose time is over and tells of the
 * others. Owned by that worker; allocates nothing.
 */
final class SessionSweep {
  private static final long SLOTS_PER_SECOND = 2_000_000;
  private static final long SECOND_NS = 1_000_000_000L;

  private final Sessions sessions;
  private final SessionAccounting accounting;
  private final Sessions.Listener listener;
  private final Tuple first = new Tuple();
  private long sweptNs;
  private long touched; // written only, so that the load is kept
  private int cursor; // IPv4 entries, then those of IPv6
  private long rounds;
  private long refreshIntervalNs = Long.MAX_VALUE;
  private long refreshedNs;
  private boolean refreshing;

  SessionSweep(Sessions sessions, SessionAccounting accounting, Sessions.Listener listener, long nowNs) {
    this.sessions = sessions;
    this.accounting = accounting;
    this.listener = listener;
    this.sweptNs = nowNs;
    this.refreshedNs = nowNs;
  }

  /** Clients of services are remembered so often while their sessions live. */
  void refreshEvery(long intervalNs) {
    refreshIntervalNs = intervalNs;
  }

  /** How often all entries were visited. */
  long rounds() {
    return rounds;
  }

  private long roundNs() {
    return Math.max(1, sessions.slots() / SLOTS_PER_SECOND) * SECOND_NS;
  }

  /** Visits as many entries as the time since the last visit asks for, {@code most} of them; answers when next. */
  long visit(long nowNs, int most) {
    if (sessions.size() == 0) {
      cursor = 0;
      rounds++;
      sweptNs = nowNs;
      return nowNs + SECOND_NS;
    }
    long roundNs = roundNs();
    int slots = sessions.slots();
    long elapsed = nowNs - sweptNs;
    long due = elapsed >= roundNs ? slots : elapsed * slots / roundNs;
    if (due > 0) {
      int budget = (int) Math.min(due, most);
      sweptNs = due > most ? nowNs - Math.min(roundNs, (due - budget) * roundNs / slots) : nowNs;
      steps(budget, nowNs);
    }
    return sweptNs + Math.max(SECOND_NS / 1000, Math.min(slots, 1024L) * roundNs / slots);
  }

  private void steps(int budget, long nowNs) {
    int slots = sessions.slots();
    for (int i = 0; i < budget; i++) {
      step(0);
      if (cursor == slots) {
        cursor = 0;
        rounds++;
        refreshing = nowNs - refreshedNs >= refreshIntervalNs;
        if (refreshing) {
          refreshedNs = nowNs;
        }
      }
    }
    touched = sessions.word(sessions.handleAt(cursor)); // so that nothing has to wait for it next time
  }

  /** Visits all entries, when so many ticks have passed beyond the sessions' own time. */
  void visitAll(int further, long nowNs) {
    int slots = sessions.slots();
    for (cursor = 0; cursor < slots; ) {
      step(further);
    }
    cursor = 0;
    rounds++;
    sweptNs = nowNs;
  }

  /** Looks at the entry at the cursor; if it goes, another may take its place. */
  private void step(long further) {
    int handle = sessions.handleAt(cursor);
    long word = sessions.word(handle);
    if (word == 0 || Word.kind(word) != Word.SESSION || Word.has(word, Word.REPLY)) {
      cursor++;
    } else if (sessions.isExpired(handle, further)) {
      sessions.expire(handle);
    } else {
      tellAlive(handle, word);
      cursor++;
    }
  }

  private void tellAlive(int handle, long word) {
    if (refreshing && Word.binding(word) != 0) {
      sessions.key(handle, first);
      accounting.onAlive(
          Word.binding(word), first.v6, first.sourceHigh, first.sourceLow, Sessions.servicePort(first));
    }
    if (Word.isMapped(word)) {
      listener.onAlive(handle);
    }
  }

  /**
   * An entry of a table was taken out. Goes back to it where others moved past the cursor.
   *
   * @param slot the entry
   * @param last where something moved from last; the entry itself when nothing did
   * @param offset where the table's entries begin
   * @param slots how many it has
   */
  void onRemoved(int slot, int last, int offset, int slots) {
    boolean passed = last < slot || cursor <= last + offset;
    if (slot + offset < cursor && cursor < offset + slots && passed) {
      cursor = slot + offset;
    }
  }
}
