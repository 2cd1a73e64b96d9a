package io.lb4j.schedule;

/**
 * One filling of a {@link MaglevTable}. Owned by the control thread, used once. The rounds that a light server sits out
 * are not walked: its next round is computed, and a queue yields servers by round and rank, which is the order in which
 * walking would meet them.
 */
final class MaglevFill {
  private final int[] order;
  private final int size;
  private final int[] slot;
  private final int[] skip;
  private final double[] share;
  private final double[] target;
  private final double largestShare;

  MaglevFill(Roster roster, int[] order, int size, long seed) {
    this.order = order;
    this.size = size;
    this.slot = new int[order.length];
    this.skip = new int[order.length];
    this.share = new double[order.length];
    this.target = new double[order.length];
    this.largestShare = place(roster, seed);
  }

  private double place(Roster roster, long seed) {
    byte[][] keys = roster.keys();
    int[] weights = roster.weights();
    double total = Weights.total(weights);
    double largest = 0;
    for (int rank = 0; rank < order.length; rank++) {
      byte[] key = keys[order[rank]];
      slot[rank] = (int) Long.remainderUnsigned(XxHash64.hash(key, seed), size);
      skip[rank] = (int) Long.remainderUnsigned(XxHash64.hash(key, seed + 1), size - 1) + 1;
      share[rank] = weights[order[rank]] / total;
      largest = Math.max(largest, share[rank]);
    }
    return largest;
  }

  char[] fill() {
    char[] slots = new char[size];
    boolean[] taken = new boolean[size];
    RoundQueue queue = new RoundQueue(order.length);
    for (int filled = 0; filled < size; filled++) {
      int rank = queue.rank();
      slots[takeSlot(rank, taken)] = (char) order[rank];
      target[rank] += largestShare;
      queue.postpone(nextRound(rank, queue.round()));
    }
    return slots;
  }

  private int takeSlot(int rank, boolean[] taken) {
    int at = slot[rank];
    while (taken[at]) {
      at = after(at, rank);
    }
    taken[at] = true;
    slot[rank] = after(at, rank);
    return at;
  }

  private int after(int at, int rank) {
    int next = at + skip[rank];
    return next >= size ? next - size : next;
  }

  /** The first later round r with r * share &gt;= target; the guess by division may be one off either way. */
  private int nextRound(int rank, int round) {
    int next = Math.max(round + 1, (int) Math.min(target[rank] / share[rank], Integer.MAX_VALUE - 1) - 1);
    while (next * share[rank] < target[rank]) {
      next++;
    }
    return next;
  }
}
