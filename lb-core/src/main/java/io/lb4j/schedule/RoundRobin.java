package io.lb4j.schedule;

import java.util.List;

/**
 * Round robin: candidates in the order of declaration, each worker in a rotation of its own. Weights are ignored. After
 * a change of candidates the rotation goes on with the server whose turn it was, or with the next one that is still
 * there. Immutable, shared.
 */
record RoundRobin() implements Scheduler {
  @Override
  public String name() {
    return "rr";
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
      int first = previous instanceof Rotation former ? roster.resume(former.roster, former.next) : 0;
      return new Rotation(roster, first);
    }
  }

  /** Owned by one worker. */
  static final class Rotation implements Picker {
    private final Roster roster;
    private final int size;
    private int next;

    Rotation(Roster roster, int next) {
      this.roster = roster;
      this.size = roster.size();
      this.next = next;
    }

    @Override
    public int pick(long hash, ActiveFlows active) {
      int picked = next;
      next = picked + 1 == size ? 0 : picked + 1;
      return picked;
    }
  }
}
