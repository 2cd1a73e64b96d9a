package io.lb4j.schedule;

import java.util.List;

/**
 * Shortest expected delay: the candidate with the smallest quotient of active flows plus one and weight, so the one
 * that serves the new flow soonest if servers work in proportion to their weights (as Linux
 * {@code net/netfilter/ipvs/ip_vs_sed.c}). Compared by cross-multiplication in 64 bits. Among idle candidates the
 * heaviest is first, where {@link WeightedLeastConnections} sees no difference. Of equals it takes the first after the
 * last pick. Immutable, shared.
 */
record ShortestExpectedDelay() implements Scheduler {
  @Override
  public String name() {
    return "sed";
  }

  @Override
  public Schedule prepare(List<Candidate> candidates, long seed) {
    Roster roster = new Roster(candidates);
    return new Turns(roster, roster.weights());
  }

  private record Turns(Roster roster, int[] weights) implements Schedule {
    @Override
    public Picker newPicker(Picker previous) {
      int first = previous instanceof Soonest former ? roster.resume(former.roster, former.first) : 0;
      return new Soonest(roster, weights, first);
    }
  }

  /** Owned by one worker; the weights are shared and never written. */
  private static final class Soonest implements Picker {
    private final Roster roster;
    private final int[] weights;
    private int first;

    Soonest(Roster roster, int[] weights, int first) {
      this.roster = roster;
      this.weights = weights;
      this.first = first;
    }

    @Override
    public int pick(long hash, ActiveFlows active) {
      int[] weight = weights;
      int candidate = first;
      int best = candidate;
      long bestFlows = active.of(candidate) + 1L;
      long bestWeight = weight[candidate];
      for (int left = weight.length - 1; left > 0; left--) {
        candidate = candidate + 1 == weight.length ? 0 : candidate + 1;
        long flows = active.of(candidate) + 1L;
        if (flows * bestWeight < bestFlows * weight[candidate]) {
          best = candidate;
          bestFlows = flows;
          bestWeight = weight[candidate];
        }
      }
      first = best + 1 == weight.length ? 0 : best + 1;
      return best;
    }
  }
}
