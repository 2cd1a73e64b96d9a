package io.lb4j.schedule;

import java.util.Arrays;
import java.util.Comparator;
import java.util.stream.IntStream;

/**
 * Spreads candidates over a cycle of T picks, T the sum of their weights. The k-th pick of a candidate of weight w has
 * a window: released at floor((k-1) T / w), due by ceil(k T / w). Each turn goes to the earliest deadline among the
 * released, of equals to the heavier and then the earlier declared (the windows are those of proportionate progress:
 * Baruah et al., "Proportionate Progress: A Notion of Fairness in Resource Allocation", 1996, section 2). Nobody
 * follows itself unless it has more than half of the cycle. Owned by whoever calls {@link #next}.
 *
 * <p>Windows advance by quotient and remainder, so a turn divides nothing. Reasons against a candidate are added to its
 * deadline, each heavier than all deadlines and lighter reasons together; so there is always an answer.
 */
final class DeadlineOrder {
  private static final long NOT_RELEASED = 1L << 40;
  private static final long WAS_LAST = 1L << 41;
  private static final long SERVED = 1L << 42;
  private static final int NOBODY = -1;

  private final int[] candidate;
  private final int[] weight;
  private final long[] quotient;
  private final long[] remainder;
  private final long[] release;
  private final long[] fraction;
  private final long[] deadline;
  private final long length;
  private final boolean mayRepeat;
  private long now;
  private int last = NOBODY;

  /**
   * A new cycle.
   *
   * @param weights of all candidates
   * @param chosen the candidates of this order
   */
  DeadlineOrder(int[] weights, int[] chosen) {
    this.candidate = heaviestFirst(weights, chosen);
    this.weight = Arrays.stream(candidate).map(i -> weights[i]).toArray();
    this.length = Weights.total(weight);
    this.mayRepeat = weight.length < 2 || 2L * weight[0] > length;
    this.quotient = Arrays.stream(weight).mapToLong(w -> length / w).toArray();
    this.remainder = Arrays.stream(weight).mapToLong(w -> length % w).toArray();
    this.release = new long[weight.length];
    this.fraction = new long[weight.length];
    this.deadline = new long[weight.length];
    Arrays.setAll(deadline, this::deadline);
  }

  private DeadlineOrder(DeadlineOrder source) {
    this.candidate = source.candidate;
    this.weight = source.weight;
    this.length = source.length;
    this.mayRepeat = source.mayRepeat;
    this.quotient = source.quotient;
    this.remainder = source.remainder;
    this.release = source.release.clone();
    this.fraction = source.fraction.clone();
    this.deadline = source.deadline.clone();
    this.now = source.now;
    this.last = source.last;
  }

  private static int[] heaviestFirst(int[] weights, int[] chosen) {
    return IntStream.of(chosen)
        .boxed()
        .sorted(Comparator.comparingInt((Integer i) -> -weights[i]))
        .mapToInt(Integer::intValue)
        .toArray();
  }

  DeadlineOrder copy() {
    return new DeadlineOrder(this);
  }

  /** Picks per cycle. */
  long length() {
    return length;
  }

  int next() {
    int turn = mostUrgent();
    last = mayRepeat ? NOBODY : turn;
    advance(turn);
    if (++now == length) {
      beginCycle();
    }
    return candidate[turn];
  }

  private int mostUrgent() {
    int best = 0;
    long lowest = Long.MAX_VALUE;
    for (int i = 0; i < release.length; i++) {
      long released = release[i];
      long cost = deadline[i];
      if (released > now) {
        cost += released >= length ? SERVED : NOT_RELEASED;
      }
      if (i == last) {
        cost += WAS_LAST;
      }
      if (cost < lowest) {
        lowest = cost;
        best = i;
      }
    }
    return best;
  }

  private void advance(int i) {
    release[i] += quotient[i];
    fraction[i] += remainder[i];
    if (fraction[i] >= weight[i]) {
      fraction[i] -= weight[i];
      release[i]++;
    }
    deadline[i] = deadline(i);
  }

  private long deadline(int i) {
    long over = fraction[i] + remainder[i];
    long end = release[i] + quotient[i];
    return over == 0 ? end : over <= weight[i] ? end + 1 : end + 2;
  }

  private void beginCycle() {
    now = 0;
    for (int i = 0; i < release.length; i++) {
      release[i] -= length;
      deadline[i] -= length;
    }
  }

  /** Goes to a point of the cycle: everyone has the whole part of its share, the heavier ones what that leaves over. */
  void seek(long target) {
    now = target;
    last = NOBODY;
    long left = target;
    for (int i = 0; i < weight.length; i++) {
      left -= target * weight[i] / length;
    }
    for (int i = 0; i < weight.length; i++) {
      long served = target * weight[i] / length + (left-- > 0 ? 1 : 0);
      release[i] = served * length / weight[i];
      fraction[i] = served * length % weight[i];
      deadline[i] = deadline(i);
    }
  }
}
