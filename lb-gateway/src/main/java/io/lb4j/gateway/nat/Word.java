package io.lb4j.gateway.nat;

/**
 * The 64 bits that an entry of the session table has beside its two tuples. 0 is a free entry. Static: safe from any
 * thread.
 *
 * <pre>
 *   63       62      61        60 .. 48  47         46      45     44..43  42..41    40..36  35..20  19 .. 0
 *   proxied  around  outbound  check     refreshes  mapped  reply  kind    protocol  state   tick    binding, or link
 * </pre>
 *
 * <ul>
 *   <li>binding: service and server. Outbound sessions have in its place 1 + the interface that the direction's packets
 *       must come in by, or 0 for any
 *   <li>tick: when this direction last kept the session alive
 *   <li>check: the lower bits of this side's next TCP sequence number, which the other side acknowledges while the session
 *       opens (0: any will do) and at which a reset counts
 *   <li>outbound: not a service's; mapped: uses a mapping or a filter, or, a service's, what its sides acknowledge is
 *       kept, because both are to be reset after too long a silence; refreshes: packets of this direction keep the
 *       session alive; around: they are to an address of ours once more; proxied: the server is told of the client
 * </ul>
 */
final class Word {
  static final int SESSION = 1;
  static final int MAPPING = 2;
  static final int NOTE = 3; // a filter, or what is known of a connection with a PROXY header

  static final long MAX_CHECK = 0x1FFF;
  static final long PROXIED = 1L << 63;
  static final long AROUND = 1L << 62;
  static final long OUTBOUND = 1L << 61;
  static final long REFRESHES = 1L << 47;
  static final long MAPPED = 1L << 46;
  static final long NUMBERED = MAPPED; // of a service's session
  static final long REPLY = 1L << 45;

  private static final long PLAIN_MASK = PROXIED | AROUND | OUTBOUND | REFRESHES | MAPPED | 3L << 43;

  private static final int CHECK_SHIFT = 48;
  private static final int KIND_SHIFT = 43;
  private static final int PROTOCOL_SHIFT = 41;
  private static final int STATE_SHIFT = 36;
  private static final int TICK_SHIFT = 20;
  private static final long BINDING_MASK = (1 << 20) - 1;
  private static final long TICK_MASK = 0xFFFF;
  private static final long STATE_MASK = 31;

  private Word() {}

  static long of(int kind, int protocolCode, int state, int tick, int binding) {
    return (long) kind << KIND_SHIFT
        | (long) protocolCode << PROTOCOL_SHIFT
        | (long) state << STATE_SHIFT
        | (tick & TICK_MASK) << TICK_SHIFT
        | binding;
  }

  /** The service and server; 0 for outbound sessions. */
  static int binding(long word) {
    return has(word, OUTBOUND) ? 0 : (int) (word & BINDING_MASK);
  }

  /** Whether an outbound direction's packets may come in by an interface. */
  static boolean admits(long word, int link) {
    int zone = (int) (word & BINDING_MASK);
    return !has(word, OUTBOUND) || zone == 0 || zone == link + 1;
  }

  /** Whether an outbound direction's packets come from an inside host. */
  static boolean isFromInside(long word) {
    return has(word, OUTBOUND) && (word & BINDING_MASK) != 0;
  }

  /** The word of an outbound direction whose packets must come in by an interface; -1: by any. */
  static long withLink(long word, int link) {
    return word & ~BINDING_MASK | link + 1;
  }

  static int age(long word, int tick) {
    return (int) (tick - (word >>> TICK_SHIFT) & TICK_MASK);
  }

  static long withTick(long word, int tick) {
    return word & ~(TICK_MASK << TICK_SHIFT) | (tick & TICK_MASK) << TICK_SHIFT;
  }

  /** With the tick of another entry. */
  static long withTickOf(long word, long other) {
    long mask = TICK_MASK << TICK_SHIFT;
    return word & ~mask | other & mask;
  }

  static int state(long word) {
    return (int) (word >>> STATE_SHIFT & STATE_MASK);
  }

  static long withState(long word, int state) {
    return word & ~(STATE_MASK << STATE_SHIFT) | (long) state << STATE_SHIFT;
  }

  static int protocolCode(long word) {
    return (int) (word >>> PROTOCOL_SHIFT) & 3;
  }

  static int kind(long word) {
    return (int) (word >>> KIND_SHIFT) & 3;
  }

  static int check(long word) {
    return (int) (word >>> CHECK_SHIFT & MAX_CHECK);
  }

  static long withCheck(long word, int check) {
    return word & ~(MAX_CHECK << CHECK_SHIFT) | (check & MAX_CHECK) << CHECK_SHIFT;
  }

  /** Whether a session uses a mapping or a filter. */
  static boolean isMapped(long word) {
    return (word & (MAPPED | OUTBOUND)) == (MAPPED | OUTBOUND);
  }

  /** Whether what a session's sides acknowledge is kept. */
  static boolean keepsNumbers(long word) {
    return (word & (MAPPED | OUTBOUND)) == MAPPED;
  }

  /** Whether it is a service's session, one whose frames are translated and forwarded, and nothing else. */
  static boolean isPlain(long word) {
    return (word & PLAIN_MASK) == (REFRESHES | (long) SESSION << KIND_SHIFT);
  }

  static boolean has(long word, long flag) {
    return (word & flag) != 0;
  }
}
