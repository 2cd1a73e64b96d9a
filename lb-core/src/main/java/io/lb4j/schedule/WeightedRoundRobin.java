package io.lb4j.schedule;

import java.util.List;

/**
 * Smooth weighted round robin. A cycle has as many picks as the weights add up to after division by their greatest
 * common divisor; each server gets exactly its weight, never more than ceil(weight / sum of the others) times in
 * succession. Cycles of up to 65536 picks are computed in advance, longer ones pick by pick ({@link SmoothOrder}).
 *
 * <p>Each worker walks a cycle of its own. When the servers and weights are the same as before, it continues exactly;
 * else at the same fraction of the new cycle, so that frequent changes do not favour the servers at its beginning.
 * Immutable, shared.
 */
record WeightedRoundRobin() implements Scheduler {
  private static final long LONGEST_SEQUENCE = 1 << 16;

  /** Bounds the time that {@code prepare} takes: picks computed in advance times servers looked at for each. */
  private static final long MOST_STEPS = 1 << 26;

  @Override
  public String name() {
    return "wrr";
  }

  @Override
  public Schedule prepare(List<Candidate> candidates, long seed) {
    Roster roster = new Roster(candidates);
    SmoothOrder order = new SmoothOrder(Weights.reduced(roster.weights()));
    long length = order.length();
    return length <= LONGEST_SEQUENCE && length * roster.size() <= MOST_STEPS
        ? new Sequence(roster, sequence(order))
        : new Scan(roster, order);
  }

  private static char[] sequence(SmoothOrder order) {
    char[] picks = new char[(int) order.length()];
    for (int i = 0; i < picks.length; i++) {
      picks[i] = (char) order.next();
    }
    return picks;
  }

  private record Sequence(Roster roster, char[] picks) implements Schedule {
    @Override
    public Picker newPicker(Picker previous) {
      return new SequencePicker(roster, picks, (int) CyclePicker.resume(previous, picks.length));
    }
  }

  /** Its order is the pristine one that pickers copy. */
  private record Scan(Roster roster, SmoothOrder order) implements Schedule {
    @Override
    public Picker newPicker(Picker previous) {
      if (previous instanceof ScanPicker former && former.roster.sameAs(roster)) {
        return former.copy(roster);
      }
      SmoothOrder own = order.copy();
      own.seek(CyclePicker.resume(previous, own.length()));
      return new ScanPicker(roster, own);
    }
  }

  /** Walks a cycle. Owned by one worker. */
  abstract static class CyclePicker implements Picker {
    final Roster roster;

    CyclePicker(Roster roster) {
      this.roster = roster;
    }

    /** Picks made of the cycle. */
    abstract long position();

    abstract long length();

    /** The nearest point at the same fraction of a cycle; rounding to the nearest does not drift. */
    static long resume(Picker previous, long length) {
      if (!(previous instanceof CyclePicker former)) {
        return 0;
      }
      long scaled = former.position() * length + former.length() / 2;
      return Long.divideUnsigned(scaled, former.length()) % length;
    }
  }

  static final class SequencePicker extends CyclePicker {
    private final char[] picks;
    private int next;

    SequencePicker(Roster roster, char[] picks, int next) {
      super(roster);
      this.picks = picks;
      this.next = next;
    }

    @Override
    public int pick(long hash, ActiveFlows active) {
      int position = next;
      next = position + 1 == picks.length ? 0 : position + 1;
      return picks[position];
    }

    @Override
    long position() {
      return next;
    }

    @Override
    long length() {
      return picks.length;
    }
  }

  private static final class ScanPicker extends CyclePicker {
    private final SmoothOrder order;

    ScanPicker(Roster roster, SmoothOrder order) {
      super(roster);
      this.order = order;
    }

    @Override
    public int pick(long hash, ActiveFlows active) {
      return order.next();
    }

    @Override
    long position() {
      return order.position();
    }

    @Override
    long length() {
      return order.length();
    }

    ScanPicker copy(Roster sameRoster) {
      return new ScanPicker(sameRoster, order.copy());
    }
  }
}
