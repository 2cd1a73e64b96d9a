package io.lb4j.schedule;

import java.util.List;

/**
 * Least connections: the candidate with the fewest active flows on this worker. Of equals it takes the first after the
 * last pick, so that ties rotate. Weights are ignored. Immutable, shared.
 */
record LeastConnections() implements Scheduler {
  @Override
  public String name() {
    return "lc";
  }

  @Override
  public boolean usesWeights() {
    return false;
  }

  @Override
  public Schedule prepare(List<Candidate> candidates, long seed) {
    return new Turns(new Roster(candidates));
  }

  private record Turns(Roster roster) implements Schedule {
    @Override
    public Picker newPicker(Picker previous) {
      int first = previous instanceof Fewest former ? roster.resume(former.roster, former.first) : 0;
      return new Fewest(roster, first);
    }
  }

  /** Owned by one worker. */
  static final class Fewest implements Picker {
    private final Roster roster;
    private final int size;
    private int first;

    Fewest(Roster roster, int first) {
      this.roster = roster;
      this.size = roster.size();
      this.first = first;
    }

    @Override
    public int pick(long hash, ActiveFlows active) {
      int count = size;
      int candidate = first;
      int best = candidate;
      int fewest = active.of(candidate);
      for (int left = count - 1; left > 0 && fewest > 0; left--) {
        candidate = candidate + 1 == count ? 0 : candidate + 1;
        int flows = active.of(candidate);
        if (flows < fewest) {
          fewest = flows;
          best = candidate;
        }
      }
      first = best + 1 == count ? 0 : best + 1;
      return best;
    }
  }
}
