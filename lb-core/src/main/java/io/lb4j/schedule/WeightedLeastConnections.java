package io.lb4j.schedule;

import java.util.List;

/**
 * Weighted least connections: the candidate with the smallest quotient of active flows on this worker and weight,
 * compared by cross-multiplication in 64 bits, so without division or rounding. Of equals it takes the first after the
 * last pick, so that ties rotate. Only active flows count: there is no share for inactive ones as in IPVS's overhead
 * formula (Linux {@code net/netfilter/ipvs/ip_vs_wlc.c}). Immutable, shared.
 */
record WeightedLeastConnections() implements Scheduler {
  @Override
  public String name() {
    return "wlc";
  }

  @Override
  public Schedule prepare(List<Candidate> candidates, long seed) {
    Roster roster = new Roster(candidates);
    return new Turns(roster, roster.weights());
  }

  private record Turns(Roster roster, int[] weights) implements Schedule {
    @Override
    public Picker newPicker(Picker previous) {
      int first = previous instanceof LeastLoaded former ? roster.resume(former.roster, former.first) : 0;
      return new LeastLoaded(roster, weights, first);
    }
  }

  /** Owned by one worker; the weights are shared and never written. */
  static final class LeastLoaded implements Picker {
    private final Roster roster;
    private final int[] weights;
    private int first;

    LeastLoaded(Roster roster, int[] weights, int first) {
      this.roster = roster;
      this.weights = weights;
      this.first = first;
    }

    @Override
    public int pick(long hash, ActiveFlows active) {
      int[] weight = weights;
      int candidate = first;
      int best = candidate;
      long bestFlows = active.of(candidate);
      long bestWeight = weight[candidate];
      for (int left = weight.length - 1; left > 0 && bestFlows > 0; left--) {
        candidate = candidate + 1 == weight.length ? 0 : candidate + 1;
        int flows = active.of(candidate);
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
