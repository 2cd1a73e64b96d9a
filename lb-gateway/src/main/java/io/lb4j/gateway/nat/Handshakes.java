package io.lb4j.gateway.nat;

import io.lb4j.forward.SessionAccounting;
import io.lb4j.frame.FrameView;

/**
 * How servers answer the first SYNs of services' sessions. Owned by one worker; allocates nothing after construction.
 *
 * <p>When a SYN came is kept in a small table that belongs to no session: by the hash of the reply's tuple, which the
 * answer brings along, so that no other memory is looked at. A later SYN may take the place of an earlier one, whose
 * answer is then counted without its time.
 *
 * <pre>
 *   cells   2 i: 1 &lt;&lt; 32 | hash, 0 when free     2 i + 1: when the SYN came
 * </pre>
 */
final class Handshakes {
  static final int NOT_MEASURED = -1;

  private static final int ENTRIES = 1 << 12;
  private static final long TAKEN = 1L << 32;

  private final SessionAccounting accounting;
  private final long[] cells = new long[2 * ENTRIES];
  private long nowNs;

  Handshakes(SessionAccounting accounting) {
    this.accounting = accounting;
  }

  void begin(long burstNs) {
    this.nowNs = burstNs;
  }

  private static long tag(int hash) {
    return TAKEN | hash & 0xFFFF_FFFFL;
  }

  private static int cell(int hash) {
    return 2 * (hash & ENTRIES - 1);
  }

  /** A client's SYN opened a session, whose reply has this hash. */
  void onOpened(int replyHash) {
    int cell = cell(replyHash);
    cells[cell] = tag(replyHash);
    cells[cell + 1] = nowNs;
  }

  /** A segment of a session that opens, no reset, was recorded. */
  void onSegment(FrameView view, int binding, boolean reply, int before, int after) {
    if (SessionState.isAnswered(before)) {
      return;
    }
    if (SessionState.isAnswered(after)) {
      accounting.onServerAnswered(binding, reply ? elapsedNs(view.hash()) : NOT_MEASURED);
    } else if (!reply && TcpStates.isOpening(view)) {
      accounting.onSynRepeated(binding);
    }
  }

  private long elapsedNs(int hash) {
    int cell = cell(hash);
    if (cells[cell] != tag(hash)) {
      return NOT_MEASURED;
    }
    cells[cell] = 0;
    return nowNs - cells[cell + 1];
  }

  /** A server answered a SYN with a reset. */
  void onRefused(int binding) {
    accounting.onServerRefused(binding);
  }
}
