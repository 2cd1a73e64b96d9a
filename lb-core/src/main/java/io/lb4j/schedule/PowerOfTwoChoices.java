package io.lb4j.schedule;

import java.util.List;

/**
 * The power of two choices (Mitzenmacher, "The Power of Two Choices in Randomized Load Balancing", 2001): of two
 * candidates drawn at random the one with the smaller quotient of active flows and weight, compared by
 * cross-multiplication. A pick looks at two servers however many there are.
 *
 * <p>Both are drawn in proportion to the weights, the second among the others. Drawn uniformly, a server that weighs
 * half of five would be among two drawn in 40 % of all picks and could not reach its half. Equally loaded servers go by
 * the first draw, so that weights count even when flows are too short to meet. Immutable, shared.
 */
record PowerOfTwoChoices() implements Scheduler {
  @Override
  public String name() {
    return "p2c";
  }

  @Override
  public Schedule prepare(List<Candidate> candidates, long seed) {
    Roster roster = new Roster(candidates);
    return new Draws(new WeightedDraw(roster), roster.weights(), seed);
  }

  /** Every worker draws the same numbers, from the same seed; their flows differ. */
  private record Draws(WeightedDraw draw, int[] weights, long seed) implements Schedule {
    @Override
    public Picker newPicker(Picker previous) {
      SplitMix64 random =
          previous instanceof BetterOfTwo former ? new SplitMix64(former.random) : new SplitMix64(seed);
      return new BetterOfTwo(draw, weights, random);
    }
  }

  /** Owned by one worker; goes on with its random numbers over a change of candidates. */
  private static final class BetterOfTwo implements Picker {
    private final WeightedDraw draw;
    private final int[] weights;
    private final SplitMix64 random;

    BetterOfTwo(WeightedDraw draw, int[] weights, SplitMix64 random) {
      this.draw = draw;
      this.weights = weights;
      this.random = random;
    }

    @Override
    public int pick(long hash, ActiveFlows active) {
      if (weights.length == 1) {
        return 0;
      }
      int one = draw.any(random.next());
      int other = draw.anyBut(one, random.next());
      return (long) active.of(other) * weights[one] < (long) active.of(one) * weights[other] ? other : one;
    }
  }
}
