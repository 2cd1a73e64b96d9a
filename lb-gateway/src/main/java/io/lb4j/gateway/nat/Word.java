package io.lb4j.gateway.nat;

/**
 * The 64 bits that an entry of the session table has beside its two tuples. 0 is a free entry. Static: safe from any
 * thread.
 *
 * <pre>
 *   63       62      61 .. 48  47         46      45     44..43  42..41    40..36  35..20  19 .. 0
 *   proxied  around  check     refreshes  mapped  reply  kind    protocol  state   tick    binding
 * </pre>
 *
 * <ul>
 *   <li>binding: service and server; 0 for sessions that servers started
 *   <li>tick: when this direction last kept the session alive
 *   <li>check: the lower bits of this side's next TCP sequence number, which the other side acknowledges while the session
 *       opens (0: any will do) and at which a reset counts; the slot of a session with a PROXY header
 *   <li>mapped: the session uses a mapping or a filter; refreshes: packets of this direction keep it alive; around: they
 *       are to an address of ours once more
 * </ul>
 */
final class Word {
  static final int SESSION = 1;
  static final int MAPPING = 2;
  static final int FILTER = 3;

  static final long MAX_CHECK = 0x3FFF;
  static final long PROXIED = 1L << 63;
  static final long AROUND = 1L << 62;
  static final long REFRESHES = 1L << 47;
  static final long MAPPED = 1L << 46;
  static final long REPLY = 1L << 45;

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

  static int binding(long word) {
    return (int) (word & BINDING_MASK);
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

  static boolean has(long word, long flag) {
    return (word & flag) != 0;
  }
}
