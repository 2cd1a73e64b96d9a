package io.lb4j.gateway.nat;

import io.lb4j.flow.FlowHash;
import io.lb4j.flow.FlowState;
import io.lb4j.flow.FlowTable;
import io.lb4j.flow.FlowTableOverflow;
import io.lb4j.flow.FlowTimeouts;
import io.lb4j.forward.SessionAccounting;
import io.lb4j.frame.FrameView;
import io.lb4j.wire.IpProtocol;
import java.time.Duration;
import org.jspecify.annotations.Nullable;
import java.util.function.IntConsumer;

/**
 * The sessions of one worker: pairs of entries in the table of their family, their life and their end. Owned by that
 * worker; allocates nothing in the steady state.
 *
 * <p>A session lives while one of its directions that keep it alive was seen within its state's time-out. It ends at
 * the first packet after that, swept or not. Half-open sessions of each family may use a quarter of the capacity.
 *
 * <p>Handles are void after every call that can end a session: {@link #find}, {@link #makeRoom}, {@link #end} and the
 * sweep.
 */
final class Sessions {
  static final int MISS = SessionTable.MISS;
  static final int NO_ROOM = -2;
  static final int NO_ROOM_EMBRYONIC = -3;

  private static final int V6_HANDLE = 1 << 30;
  private static final int EMBRYONIC_SHARE = 4;
  /** Both directions, a mapping's two, a filter, a note. */
  private static final int ENTRIES_OF_A_SESSION = 6;

  /** A number that lies so far behind is no late packet's: what was known was wrong. */
  private static final int OVERTAKEN = 1 << 20;

  private static final int LARGE_JUMP_TICKS = 1 << 11;

  /** Hears of sessions that use a mapping, a filter or a PROXY header. */
  interface Listener {
    /** A session ended: the first direction's tuple, what it became, and its word. May take out other entries. */
    void onEnd(Tuple first, Tuple became, long word);

    /** An established session whose numbers are kept ends by its silence: either direction. Ends no other session. */
    void onExpire(int handle);

    /** The sweep found a session alive. Voids no handle. */
    void onAlive(int handle);
  }

  private final FlowHash hash;
  private final int capacity;
  private final int embryonicLimit;
  private final SessionAccounting accounting;
  private final Listener listener;
  private final SessionSweep sweep;
  private final SessionEviction eviction;
  private final int[] outboundTicks; // by FlowState
  private final int queryTicks;

  private final SessionTable v4;
  private SessionTable v6;
  private int sessions;
  private final int[] embryonic = new int[2]; // by family
  private int tick;

  private final Tuple first = new Tuple();
  private final Tuple became = new Tuple();
  private final Tuple other = new Tuple();
  private final Tuple turned = new Tuple();

  /**
   * No sessions.
   *
   * @param capacity sessions of both families
   * @param extraEntries of an IPv4 session at most, beside its two directions
   */
  Sessions(
      FlowHash hash,
      int capacity,
      int extraEntries,
      FlowTableOverflow overflow,
      SessionAccounting accounting,
      Listener listener,
      FlowTimeouts outboundTimeouts,
      Duration queryTimeout,
      long nowNs) {
    this.hash = hash;
    this.capacity = capacity;
    this.embryonicLimit = Math.max(1, capacity / EMBRYONIC_SHARE);
    this.accounting = accounting;
    this.listener = listener;
    FlowState[] states = FlowState.values();
    this.outboundTicks = new int[states.length];
    for (FlowState state : states) {
      outboundTicks[state.ordinal()] = ticks(outboundTimeouts.of(state));
    }
    this.queryTicks = ticks(queryTimeout);
    this.v4 = new SessionTable(false, slots(4, extraEntries), hash); // a PROXY header's note has room as well
    this.sweep = new SessionSweep(this, accounting, listener, nowNs);
    this.eviction = new SessionEviction(this, overflow);
    this.tick = FlowTable.tick(nowNs);
  }

  private static int ticks(Duration timeout) {
    return (int) ((timeout.toNanos() + FlowTable.TICK_NS - 1) / FlowTable.TICK_NS);
  }

  /** Slots of which all sessions with all their entries use three quarters, and {@code least} for each at any rate. */
  private int slots(int least, int extraEntries) {
    int entries = capacity * (2 + extraEntries);
    return 64 + Math.max(capacity * least, (entries * 4 + 2) / 3);
  }

  /** Takes the memory for IPv6, once; its sessions have so many entries at most beside their two directions. */
  void enableV6(int extraEntries) {
    if (v6 == null) {
      v6 = new SessionTable(true, slots(3, extraEntries), hash);
    }
  }

  /** Takes the memory for what each side of a family's sessions acknowledges, once; IPv6 has to be enabled. */
  void keepNumbers(boolean isV6) {
    (isV6 ? v6 : v4).keepNumbers();
  }

  boolean keepsNumbers(boolean isV6) {
    SessionTable table = isV6 ? v6 : v4;
    return table != null && table.keepsNumbers();
  }

  /** What a direction's packets acknowledged last; 0 when that is not known. */
  int number(int handle) {
    return table(handle).number(slot(handle));
  }

  /** Remembers what a packet acknowledges, unless it was overtaken by others. */
  void keepNumber(int handle, int number) {
    SessionTable table = table(handle);
    int slot = slot(handle);
    int known = table.number(slot);
    int behind = known - number;
    if (known == 0 || behind < 0 || behind > OVERTAKEN) {
      table.setNumber(slot, number);
    }
  }

  /** Clients of services are remembered so often while their sessions live. */
  void refreshEvery(long intervalNs) {
    sweep.refreshEvery(intervalNs);
  }

  int size() {
    return sessions;
  }

  int tick() {
    return tick;
  }

  long rounds() {
    return sweep.rounds();
  }

  /** Sets the time; a jump beyond what ticks can tell is handled by visiting all sessions at once. */
  void at(long nowNs) {
    int now = FlowTable.tick(nowNs);
    int jump = now - tick;
    if (jump > LARGE_JUMP_TICKS) {
      sweep.visitAll(jump, nowNs);
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

  /** What names an entry of a family's table. */
  static int handle(int slot, boolean isV6) {
    return isV6 ? slot | V6_HANDLE : slot;
  }

  /** The entry at a position of the sweep, which goes through IPv4's table, then through that of IPv6. */
  int handleAt(int position) {
    return position < v4.slots() ? position : position - v4.slots() | V6_HANDLE;
  }

  /** Entries of both tables, free ones too. */
  int slots() {
    return v4.slots() + (v6 == null ? 0 : v6.slots());
  }

  int touch(FrameView view) {
    if (view.isV6()) {
      return v6 == null ? 0 : v6.touch(view.hash());
    }
    return v4.touch(view.hash());
  }

  /** The entries of a family; null while there are none of IPv6. */
  @Nullable SessionTable tableOf(boolean isV6) {
    return isV6 ? v6 : v4;
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
    return handle == MISS || Word.age(word(handle), tick) <= FlowTable.FRESH_TICKS ? handle : alive(handle);
  }

  /** The session of a tuple; one whose time is over ends here. Entries that are no session are none. */
  int find(Tuple tuple) {
    int handle = lookup(tuple);
    return handle == MISS || Word.kind(word(handle)) != Word.SESSION ? MISS : alive(handle);
  }

  /** The hash that packets of a tuple have. */
  int hashOf(Tuple tuple) {
    return (tuple.v6 ? v6 : v4).hashOf(tuple);
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
      expire(handle);
      return MISS;
    }
    return handle;
  }

  /** Looks at the other direction only when this one has been silent for too long. */
  boolean isExpired(int handle, long further) {
    long word = word(handle);
    long age = Word.age(word, tick) + further;
    if (age <= FlowTable.FRESH_TICKS && (Word.binding(word) == 0 || accounting.isKnown(Word.binding(word)))) {
      return false; // without asking for the time-out, which is several cache lines away
    }
    int timeout = timeoutTicks(word);
    if (timeout < 0) {
      return true;
    }
    if (age <= timeout) {
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
      return SessionState.isQuery(state) ? queryTicks : outboundTicks[SessionState.timer(state).ordinal()];
    }
    int ticks = accounting.timeoutTicks(binding, SessionState.timer(state));
    return ticks >= 0 && SessionState.isQuery(state) ? queryTicks : ticks;
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

  /** Whether a new session may begin, after others gave way where the settings allow it: 0, or why not. */
  int makeRoom(Tuple key, boolean isEmbryonic) {
    if (isEmbryonic && embryonic[family(key.v6)] >= embryonicLimit && !eviction.evict(key, true)) {
      return NO_ROOM_EMBRYONIC;
    }
    SessionTable table = key.v6 ? v6 : v4;
    while (sessions >= capacity || !table.hasRoomFor(ENTRIES_OF_A_SESSION)) {
      if (!eviction.evict(key, false)) {
        return NO_ROOM;
      }
    }
    return 0;
  }

  private static int family(boolean isV6) {
    return isV6 ? 1 : 0;
  }

  /**
   * Opens a session for which {@link #makeRoom} found room.
   *
   * @param key the first direction's tuple
   * @param becomes what it is translated to; turned round it is the reply's tuple. Neither tuple may have an entry
   * @param firstWord of the first direction
   * @param replyWord of the reply
   * @return the first direction's handle
   */
  int open(Tuple key, Tuple becomes, long firstWord, long replyWord) {
    int handle = insert(key, becomes, firstWord, replyWord);
    int binding = Word.binding(firstWord);
    if (binding != 0) {
      accounting.onBegin(binding);
    }
    return handle;
  }

  private int insert(Tuple key, Tuple becomes, long firstWord, long replyWord) {
    assert lookup(key) == MISS && lookup(turned.reverse(becomes)) == MISS : "a tuple is taken";
    SessionTable table = key.v6 ? v6 : v4;
    int slot = table.insert(key, becomes, firstWord);
    table.insert(turned.reverse(becomes), other.reverse(key), replyWord);
    sessions++;
    if (SessionState.isEmbryonic(Word.state(firstWord))) {
      embryonic[family(key.v6)]++;
    }
    return key.v6 ? slot | V6_HANDLE : slot;
  }

  /** Opens a session that began elsewhere, for which {@link #hasRoomFor} found room and whose tuples are free. */
  void restore(Tuple key, Tuple becomes, long firstWord, long replyWord) {
    insert(key, becomes, firstWord, replyWord);
    int binding = Word.binding(firstWord);
    if (binding != 0) {
      accounting.onRestored(binding, !SessionState.isClosing(Word.state(firstWord)));
    }
  }

  /** Whether there is room for a session without that others give way. */
  boolean hasRoomFor(boolean isV6, boolean isEmbryonic) {
    SessionTable table = isV6 ? v6 : v4;
    return table != null
        && sessions < capacity
        && table.hasRoomFor(ENTRIES_OF_A_SESSION)
        && !(isEmbryonic && embryonic[family(isV6)] >= embryonicLimit);
  }

  /** Whether nobody has a tuple, or only a session whose time is over, which ends. */
  boolean isFree(Tuple tuple) {
    return find(tuple) == MISS && lookup(tuple) == MISS;
  }

  /** Whether a session that was silent for so many ticks has ended. */
  boolean isOver(long word, int age) {
    return age > timeoutTicks(word);
  }

  boolean hasRoomForNote(boolean isV6) {
    return (isV6 ? v6 : v4).hasRoomFor(1);
  }

  /** Adds a mapping or note. */
  int add(Tuple key, Tuple becomes, long word) {
    SessionTable table = key.v6 ? v6 : v4;
    int slot = table.insert(key, becomes, word);
    return key.v6 ? slot | V6_HANDLE : slot;
  }

  /** Takes an entry out; the sweep goes back where entries moved past it. */
  void remove(int handle) {
    SessionTable table = table(handle);
    int slot = slot(handle);
    int last = table.remove(slot);
    sweep.onRemoved(slot, last, table == v4 ? 0 : v4.slots(), table.slots());
  }

  /** Whether limits let a session that had closed live again; its state has to change at once then. */
  boolean mayLiveAgain(long word) {
    return Word.binding(word) == 0 || accounting.mayLiveAgain(Word.binding(word));
  }

  /** Both directions' state changes. */
  void setState(int handle, int state) {
    int before = Word.state(word(handle));
    int twin = twin(handle);
    setWord(handle, Word.withState(word(handle), state));
    if (twin != MISS) {
      setWord(twin, Word.withState(word(twin), state));
    }
    embryonic[family((handle & V6_HANDLE) != 0)] +=
        (SessionState.isEmbryonic(state) ? 1 : 0) - (SessionState.isEmbryonic(before) ? 1 : 0);
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
      embryonic[family(first.v6)]--;
    }
    int binding = Word.binding(word);
    if (binding != 0) {
      boolean active = !SessionState.isClosing(Word.state(word));
      accounting.onEnd(
          binding, active, first.v6, first.sourceHigh, first.sourceLow, servicePort(first), replaced);
    }
    if (Word.isMapped(word) || Word.has(word, Word.PROXIED)) {
      listener.onEnd(first, became, word);
    }
  }

  /** The port that a client uses; a query has none. */
  static int servicePort(Tuple request) {
    boolean hasPorts = request.protocol == IpProtocol.TCP || request.protocol == IpProtocol.UDP;
    return hasPorts ? request.destinationPort() : 0;
  }

  /** Ends a session whose time is over; voids all handles. */
  void expire(int handle) {
    long word = word(handle);
    if (Word.binding(word) != 0 && !SessionState.isAnswered(Word.state(word))) {
      accounting.onSynRepeated(Word.binding(word));
    }
    if (Word.keepsNumbers(word) && SessionState.timer(Word.state(word)) == FlowState.ESTABLISHED) {
      listener.onExpire(handle);
    }
    end(handle, false);
  }

  /** Sessions that gave way before their time was over. */
  long evictions() {
    return eviction.count();
  }

  /** How long neither direction was seen. */
  int silence(int handle, long word) {
    int twin = twin(handle);
    int age = Word.age(word, tick);
    return twin == MISS ? age : Math.min(age, Word.age(word(twin), tick));
  }

  // ---- listing -------------------------------------------------------------------------------------------------

  /**
   * Visits the first directions of sessions, {@code slots} entries of the table at a time, the last entry first: what
   * moves when others end moves towards the first, so that it comes twice rather than not at all. Only entries that a
   * table's end has no room for move the other way; they come at the beginning.
   *
   * @param from 0, then the last answer
   * @return where to go on; negative when all were visited
   */
  int list(int from, int slots, IntConsumer visitor) {
    long end = Math.min((long) from + slots, slots());
    int position = from;
    for (; position < end; position++) {
      SessionTable table = position < v4.slots() ? v4 : v6;
      int family = table == v4 ? 0 : V6_HANDLE;
      int slot = table.slots() - 1 - (table == v4 ? position : position - v4.slots());
      if (slot == table.slots() - 1) {
        for (int wrapped = 0; table.isWrapped(wrapped); wrapped++) {
          list(wrapped | family, visitor);
        }
      }
      if (!table.isWrapped(slot)) {
        list(slot | family, visitor);
      }
    }
    return position < slots() ? position : MISS;
  }

  private void list(int handle, IntConsumer visitor) {
    long word = word(handle);
    boolean session = word != 0 && Word.kind(word) == Word.SESSION && !Word.has(word, Word.REPLY);
    if (session && !isExpired(handle, 0)) {
      visitor.accept(handle);
    }
  }

  // ---- expiry --------------------------------------------------------------------------------------------------

  /** Visits as many entries as the time since the last visit asks for, {@code most} of them; answers when next. */
  long sweep(long nowNs, int most) {
    return sweep.visit(nowNs, most);
  }
}
