package io.lb4j.schedule;

import java.util.List;

/**
 * Rendezvous, or highest random weight: the flow's keyed hash chooses a row of a {@link RendezvousTable}. A server that
 * comes or goes moves its own flows and no others; when the first choice is full, the second is one that every instance
 * agrees on. Immutable, shared.
 *
 * @param hashInputs at least one part
 * @param rows a power of two
 */
record Rendezvous(HashInputs hashInputs, int rows) implements Scheduler {
  Rendezvous {
    hashInputs.requireAny("hrw");
  }

  @Override
  public String name() {
    return "hrw";
  }

  @Override
  public Schedule prepare(List<Candidate> candidates, long seed) {
    return new FirstTwo(RendezvousTable.of(candidates, rows, seed));
  }

  /** Keeps no state between picks. Immutable, shared. */
  private record FirstTwo(RendezvousTable table) implements Schedule, Picker {
    @Override
    public Picker newPicker(Picker previous) {
      return this;
    }

    @Override
    public int pick(long hash, ActiveFlows active) {
      return table.first(table.rowOf(hash));
    }

    @Override
    public int pickAgain(long hash, int attempt, ActiveFlows active) {
      int second = attempt == 1 ? table.second(table.rowOf(hash)) : RendezvousTable.NONE;
      return second == RendezvousTable.NONE ? Picker.super.pickAgain(hash, attempt, active) : second;
    }
  }
}
