package io.lb4j.schedule;

import java.util.List;

/**
 * Never queue: an idle candidate at once, the heaviest of them, so that no flow waits behind another one while a server
 * has nothing to do; when none is idle, the {@linkplain ShortestExpectedDelay shortest expected delay}. (Linux
 * {@code net/netfilter/ipvs/ip_vs_nq.c} takes the first idle one it meets.) Of equals it takes the first after the last
 * pick. Immutable, shared.
 */
record NeverQueue() implements Scheduler {
  @Override
  public String name() {
    return "nq";
  }

  @Override
  public Schedule prepare(List<Candidate> candidates, long seed) {
    Roster roster = new Roster(candidates);
    return new Turns(roster, roster.weights());
  }

  private record Turns(Roster roster, int[] weights) implements Schedule {
    @Override
    public Picker newPicker(Picker previous) {
      int first = previous instanceof IdleFirst former ? roster.resume(former.roster, former.first) : 0;
      return new IdleFirst(roster, weights, first);
    }
  }

  /** Owned by one worker; the weights are shared and never written. */
  private static final class IdleFirst implements Picker {
    private final Roster roster;
    private final int[] weights;
    private int first;

    IdleFirst(Roster roster, int[] weights, int first) {
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
      for (int left = weight.length - 1; left > 0; left--) {
        candidate = candidate + 1 == weight.length ? 0 : candidate + 1;
        long flows = active.of(candidate);
        if (isBetter(flows, weight[candidate], bestFlows, bestWeight)) {
          best = candidate;
          bestFlows = flows;
          bestWeight = weight[candidate];
        }
      }
      first = best + 1 == weight.length ? 0 : best + 1;
      return best;
    }

    private static boolean isBetter(long flows, long weight, long bestFlows, long bestWeight) {
      boolean idle = flows == 0;
      if (idle != (bestFlows == 0)) {
        return idle;
      }
      return (flows + 1) * bestWeight < (bestFlows + 1) * weight;
    }
  }
}
