package io.lb4j.gateway.nat;

import io.lb4j.flow.FlowTableOverflow;

/** Which session gives way to a new one when there is no room. Owned by one worker; allocates nothing. */
final class SessionEviction {
  private static final int WINDOW = 16;
  private static final int LAST_RESORT_WINDOW = 256;
  /** Rank of a session that nobody has answered: it gives way before those that somebody has. */
  private static final int UNANSWERED = 1 << 16;

  private final Sessions sessions;
  private final FlowTableOverflow overflow;
  private long count;

  SessionEviction(Sessions sessions, FlowTableOverflow overflow) {
    this.sessions = sessions;
    this.overflow = overflow;
  }

  /** Sessions that gave way before their time was over. */
  long count() {
    return count;
  }

  /** Makes one session near a new one's place give way: the expired, then the half-open, then the ended. */
  boolean evict(Tuple key, boolean onlyEmbryonic) {
    SessionTable table = sessions.tableOf(key.v6);
    int slot = table.homeOf(key);
    int victim = Sessions.MISS;
    int victimRank = -1;
    for (int i = 0; i < WINDOW || victimRank < UNANSWERED && i < LAST_RESORT_WINDOW; i++) {
      int handle = Sessions.handle(slot, key.v6);
      int rank = rank(handle, onlyEmbryonic);
      if (rank > victimRank) {
        victimRank = rank;
        victim = handle;
      }
      slot = slot + 1 == table.slots() ? 0 : slot + 1;
    }
    if (victim == Sessions.MISS) {
      return false;
    }
    if (sessions.isExpired(victim, 0)) {
      sessions.expire(victim);
    } else {
      count++;
      sessions.end(victim, false);
    }
    return true;
  }

  private int rank(int handle, boolean onlyEmbryonic) {
    long word = sessions.word(handle);
    if (word == 0 || Word.kind(word) != Word.SESSION) {
      return -1;
    }
    int state = Word.state(word);
    int age = sessions.silence(handle, word);
    if (onlyEmbryonic) {
      int order = state == SessionState.UDP_ANSWERED ? 0 : UNANSWERED;
      return SessionState.isEmbryonic(state) ? order + age : -1;
    }
    if (sessions.isExpired(handle, 0)) {
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
}
