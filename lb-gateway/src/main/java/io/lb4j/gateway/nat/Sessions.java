package io.lb4j.gateway.nat;

import io.lb4j.flow.FlowHash;
import io.lb4j.flow.FlowState;
import io.lb4j.flow.FlowTable;
import io.lb4j.flow.FlowTableOverflow;
import io.lb4j.flow.FlowTimeouts;
import io.lb4j.forward.SessionAccounting;
import io.lb4j.frame.FrameView;
import java.time.Duration;

/**
 * The sessions of one worker: pairs of entries in the table of their family, their life and their end. Owned by that
 * worker; allocates nothing in the steady state.
 *
 * <p>A session lives while one of its directions that keep it alive was seen within its state's time-out. It ends at
 * the first packet after that, swept or not. Half-open sessions may use a quarter of the capacity.
 */
final class Sessions {
  static final int MISS = SessionTable.MISS;
  static final int NO_ROOM = -2;
  static final int NO_ROOM_EMBRYONIC = -3;

  private static final int V6_HANDLE = 1 << 30;
  private static final int EMBRYONIC_SHARE = 4;
  private static final int EVICTION_WINDOW = 16;
  private static final int LAST_RESORT_WINDOW = 256;
  private static final int FRESH_TICKS = (int) (1_000_000_000L / FlowTable.TICK_NS);
  private static final int LARGE_JUMP_TICKS = 1 << 11;
  private static final long SLOTS_PER_SECOND = 2_000_000;
  private static final long SECOND_NS = 1_000_000_000L;

  /** Hears of sessions that use a mapping or a filter, when they end. */
  interface MappedEnd {
    /** The first direction's tuple, and what it became. */
    void onEnd(Tuple first, Tuple became);
  }

  private final FlowHash hash;
  private final int capacity;
  private final int embryonicLimit;
  private final FlowTableOverflow overflow;
  private final SessionAccounting accounting;
  private final MappedEnd mappedEnd;
  private final int[] outboundTicks; // by FlowState
  private final int queryTicks;

  private final SessionTable v4;
  private SessionTable v6;
  private int sessions;
  private int embryonic;
  private int tick;
  private long sweptNs;
  private int cursor;
  private long rounds;
  private long refreshIntervalNs = Long.MAX_VALUE;
  private long refreshedNs;
  private boolean refreshing;
  private int endedCheck;

  private final Tuple first = new Tuple();
  private final Tuple became = new Tuple();
  private final Tuple other = new Tuple();
  private final Tuple turned = new Tuple();

  Sessions(
      FlowHash hash,
      int capacity,
      FlowTableOverflow overflow,
      SessionAccounting accounting,
      MappedEnd mappedEnd,
      FlowTimeouts outboundTimeouts,
      Duration queryTimeout,
      long nowNs) {
    this.hash = hash;
    this.capacity = capacity;
    this.embryonicLimit = Math.max(1, capacity / EMBRYONIC_SHARE);
    this.overflow = overflow;
    this.accounting = accounting;
    this.mappedEnd = mappedEnd;
    FlowState[] states = FlowState.values();
    this.outboundTicks = new int[states.length];
    for (FlowState state : states) {
      outboundTicks[state.ordinal()] = ticks(outboundTimeouts.of(state));
    }
    this.queryTicks = ticks(queryTimeout);
    this.v4 = new SessionTable(false, 64 + capacity * 4, hash);
    this.sweptNs = nowNs;
    this.refreshedNs = nowNs;
    this.tick = FlowTable.tick(nowNs);
  }

  private static int ticks(Duration timeout) {
    return (int) ((timeout.toNanos() + FlowTable.TICK_NS - 1) / FlowTable.TICK_NS);
  }

  /** Takes the memory for IPv6, once. */
  void enableV6() {
    if (v6 == null) {
      v6 = new SessionTable(true, 64 + capacity * 3, hash);
    }
  }

  /** Clients of services are remembered so often while their sessions live. */
  void refreshEvery(long intervalNs) {
    refreshIntervalNs = intervalNs;
  }

  int size() {
    return sessions;
  }

  int tick() {
    return tick;
  }

  long rounds() {
    return rounds;
  }

  /** Sets the time; a jump beyond what ticks can tell is handled by visiting all sessions at once. */
  void at(long nowNs) {
    int now = FlowTable.tick(nowNs);
    int jump = now - FlowTable.tick(sweptNs);
    if (jump > LARGE_JUMP_TICKS) {
      tick = now - jump; // the lower bits of the last visit
      sweepAll(jump);
      sweptNs = nowNs;
    }
    tick = now;
  }

  // ---- finding -------------------------------------------------------------------------------------------------

  private SessionTable table(int handle) {
    return (handle & V6_HANDLE) == 0 ? v4 : v6;
  }

  private static int slot(int handle) {
    return handle & ~V6_HANDLE;
  }

  int touch(FrameView view) {
    if (view.isV6()) {
      return v6 == null ? 0 : v6.touch(view.hash());
    }
    return v4.touch(view.hash());
  }

  /** The session of a hashed segment; one whose time is over ends here. */
  int find(FrameView view) {
    int handle;
    if (view.isV6()) {
      if (v6 == null) {
        return MISS;
      }
      int slot =
          v6.find6(
              view.hash(),
              view.sourceHigh(),
              view.sourceLow(),
              view.destinationHigh(),
              view.destinationLow(),
              view.ports(),
              view.protocol());
      handle = slot == MISS ? MISS : slot | V6_HANDLE;
    } else {
      handle =
          v4.find4(
              view.hash(), view.sourceLow() << 32 | view.destinationLow(), view.ports(), view.protocol());
    }
    return handle == MISS || Word.age(word(handle), tick) <= FRESH_TICKS ? handle : alive(handle);
  }

  /** The session of a tuple; one whose time is over ends here. */
  int find(Tuple tuple) {
    int handle = lookup(tuple);
    return handle == MISS || Word.kind(word(handle)) != Word.SESSION ? handle : alive(handle);
  }

  /** The entry of a tuple, whatever its kind and age. */
  int lookup(Tuple tuple) {
    if (tuple.v6) {
      int slot = v6 == null ? MISS : v6.find(tuple);
      return slot == MISS ? MISS : slot | V6_HANDLE;
    }
    return v4.find(tuple);
  }

  private int alive(int handle) {
    if (isExpired(handle, 0)) {
      end(handle, false);
      return MISS;
    }
    return handle;
  }

  /** Looks at the other direction only when this one has been silent for too long. */
  private boolean isExpired(int handle, long further) {
    long word = word(handle);
    int timeout = timeoutTicks(word);
    if (timeout < 0) {
      return true;
    }
    if (Word.age(word, tick) + further <= timeout) {
      return false;
    }
    int twin = twin(handle);
    if (twin == MISS || Word.age(word(twin), tick) + further > timeout) {
      return true;
    }
    setWord(handle, Word.withTickOf(word, word(twin)));
    return false;
  }

  private int timeoutTicks(long word) {
    int state = Word.state(word);
    int binding = Word.binding(word);
    if (binding == 0) {
      return state == SessionState.QUERY ? queryTicks : outboundTicks[SessionState.timer(state).ordinal()];
    }
    int ticks = accounting.timeoutTicks(binding, SessionState.timer(state));
    return ticks >= 0 && state == SessionState.QUERY ? queryTicks : ticks;
  }

  /** Whether the session was silent for longer than an ended one may be. */
  boolean isSilent(int handle) {
    long word = word(handle);
    int binding = Word.binding(word);
    int limit =
        binding == 0 ? outboundTicks[FlowState.FIN.ordinal()] : accounting.timeoutTicks(binding, FlowState.FIN);
    if (Word.age(word, tick) <= limit) {
      return false;
    }
    int twin = twin(handle);
    return twin == MISS || Word.age(word(twin), tick) > limit;
  }

  /** The other direction. */
  int twin(int handle) {
    return lookup(turned.reverse(becomes(handle, turned)));
  }

  long word(int handle) {
    return table(handle).word(slot(handle));
  }

  void setWord(int handle, long word) {
    table(handle).setWord(slot(handle), word);
  }

  Tuple key(int handle, Tuple into) {
    return table(handle).key(slot(handle), into);
  }

  Tuple becomes(int handle, Tuple into) {
    return table(handle).becomes(slot(handle), into);
  }

  int count(int handle) {
    return table(handle).count(slot(handle));
  }

  void setCount(int handle, int count) {
    table(handle).setCount(slot(handle), count);
  }

  // ---- beginning and ending ------------------------------------------------------------------------------------

  /** Whether a new session may begin, after one gave way where the settings allow it: 0, or why not. */
  int makeRoom(Tuple key, boolean isEmbryonic) {
    if (isEmbryonic && embryonic >= embryonicLimit && !evict(key, true)) {
      return NO_ROOM_EMBRYONIC;
    }
    SessionTable table = key.v6 ? v6 : v4;
    boolean full = sessions >= capacity || !table.hasRoomFor(6);
    return full && !evict(key, false) ? NO_ROOM : 0;
  }

  /**
   * Opens a session for which {@link #makeRoom} found room.
   *
   * @param key the first direction's tuple
   * @param becomes what it is translated to; turned round it is the reply's tuple, which nobody may have
   * @param firstWord of the first direction
   * @param replyWord of the reply
   * @return the first direction's handle
   */
  int open(Tuple key, Tuple becomes, long firstWord, long replyWord) {
    SessionTable table = key.v6 ? v6 : v4;
    int slot = table.insert(key, becomes, firstWord);
    table.insert(turned.reverse(becomes), other.reverse(key), replyWord);
    sessions++;
    if (SessionState.isEmbryonic(Word.state(firstWord))) {
      embryonic++;
    }
    int binding = Word.binding(firstWord);
    if (binding != 0) {
      accounting.onBegin(binding);
    }
    return key.v6 ? slot | V6_HANDLE : slot;
  }

  /** Adds a mapping or filter. */
  int add(Tuple key, Tuple becomes, long word) {
    SessionTable table = key.v6 ? v6 : v4;
    int slot = table.insert(key, becomes, word);
    return key.v6 ? slot | V6_HANDLE : slot;
  }

  /** Takes out a mapping or filter. */
  void remove(int handle) {
    table(handle).remove(slot(handle));
  }

  /** Both directions' state changes. */
  void setState(int handle, int state) {
    int before = Word.state(word(handle));
    int twin = twin(handle);
    setWord(handle, Word.withState(word(handle), state));
    if (twin != MISS) {
      setWord(twin, Word.withState(word(twin), state));
    }
    embryonic += (SessionState.isEmbryonic(state) ? 1 : 0) - (SessionState.isEmbryonic(before) ? 1 : 0);
    int binding = Word.binding(word(handle));
    if (binding != 0 && SessionState.isClosing(before) != SessionState.isClosing(state)) {
      accounting.onActiveChange(binding, SessionState.isClosing(state) ? -1 : 1);
    }
  }

  /** Ends a session by either direction's handle; voids all handles. */
  void end(int handle, boolean replaced) {
    int from = handle;
    if (Word.has(word(handle), Word.REPLY)) {
      int twin = twin(handle);
      assert twin != MISS : "a direction without its other one";
      from = twin;
    }
    long word = word(from);
    key(from, first);
    becomes(from, became);
    remove(from);
    int reply = lookup(turned.reverse(became));
    if (reply != MISS) {
      remove(reply);
    }
    sessions--;
    if (SessionState.isEmbryonic(Word.state(word))) {
      embryonic--;
    }
    int binding = Word.binding(word);
    if (binding != 0) {
      boolean active = !SessionState.isClosing(Word.state(word));
      accounting.onEnd(binding, active, first.v6, first.sourceHigh, first.sourceLow, replaced);
    }
    if (Word.has(word, Word.MAPPED) || Word.has(word, Word.PROXIED)) {
      endedCheck = Word.has(word, Word.PROXIED) ? Word.check(word) : -1;
      mappedEnd.onEnd(first, became);
    }
  }

  /** The PROXY slot of the session that is ending, or -1. */
  int endedProxySlot() {
    return endedCheck;
  }

  /** Makes one session near a new one's place give way: the expired, then the half-open, then the ended. */
  private boolean evict(Tuple key, boolean onlyEmbryonic) {
    SessionTable table = key.v6 ? v6 : v4;
    int family = key.v6 ? V6_HANDLE : 0;
    int slot = table.homeOf(key);
    int victim = MISS;
    int victimRank = -1;
    for (int i = 0; i < EVICTION_WINDOW || victim == MISS && i < LAST_RESORT_WINDOW; i++) {
      int rank = rank(slot | family, onlyEmbryonic);
      if (rank > victimRank) {
        victimRank = rank;
        victim = slot | family;
      }
      slot = slot + 1 == table.slots() ? 0 : slot + 1;
    }
    if (victim == MISS) {
      return false;
    }
    end(victim, false);
    return true;
  }

  private int rank(int handle, boolean onlyEmbryonic) {
    long word = word(handle);
    if (word == 0 || Word.kind(word) != Word.SESSION) {
      return -1;
    }
    int state = Word.state(word);
    int age = Word.age(word, tick);
    if (onlyEmbryonic) {
      return SessionState.isEmbryonic(state) ? age : -1;
    }
    if (isExpired(handle, 0)) {
      return 3 << 16 | age;
    }
    if (overflow == FlowTableOverflow.REJECT) {
      return -1;
    }
    if (SessionState.isEmbryonic(state)) {
      return 2 << 16 | age;
    }
    if (SessionState.isClosing(state)) {
      return 1 << 16 | age;
    }
    return overflow == FlowTableOverflow.EVICT_OLDEST ? age : -1;
  }

  // ---- expiry --------------------------------------------------------------------------------------------------

  private int slots() {
    return v4.slots() + (v6 == null ? 0 : v6.slots());
  }

  private long roundNs() {
    return Math.max(1, slots() / SLOTS_PER_SECOND) * SECOND_NS;
  }

  /** Visits as many entries as the time since the last visit asks for, {@code most} of them; answers when next. */
  long sweep(long nowNs, int most) {
    if (sessions == 0) {
      cursor = 0;
      rounds++;
      sweptNs = nowNs;
      return nowNs + SECOND_NS;
    }
    long roundNs = roundNs();
    int slots = slots();
    long elapsed = nowNs - sweptNs;
    long due = elapsed >= roundNs ? slots : elapsed * slots / roundNs;
    if (due > 0) {
      int budget = (int) Math.min(due, most);
      sweptNs = due > most ? nowNs - Math.min(roundNs, (due - budget) * roundNs / slots) : nowNs;
      visit(budget, nowNs);
    }
    return sweptNs + Math.max(SECOND_NS / 1000, Math.min(slots, 1024L) * roundNs / slots);
  }

  private void visit(int budget, long nowNs) {
    int slots = slots();
    for (int i = 0; i < budget; i++) {
      if (!visitSlot(cursor, 0)) {
        cursor++;
      }
      if (cursor == slots) {
        cursor = 0;
        rounds++;
        refreshing = nowNs - refreshedNs >= refreshIntervalNs;
        if (refreshing) {
          refreshedNs = nowNs;
        }
      }
    }
  }

  private void sweepAll(long further) {
    for (int at = 0; at < slots(); ) {
      if (!visitSlot(at, further)) {
        at++;
      }
    }
    rounds++;
  }

  /** Answers whether an entry was taken out, so that another may be in its place. */
  private boolean visitSlot(int index, long further) {
    int handle = index < v4.slots() ? index : index - v4.slots() | V6_HANDLE;
    long word = word(handle);
    if (word == 0 || Word.kind(word) != Word.SESSION || Word.has(word, Word.REPLY)) {
      return false;
    }
    if (isExpired(handle, further)) {
      end(handle, false);
      return true;
    }
    if (refreshing && Word.binding(word) != 0) {
      key(handle, first);
      accounting.onAlive(Word.binding(word), first.v6, first.sourceHigh, first.sourceLow);
    }
    return false;
  }
}
