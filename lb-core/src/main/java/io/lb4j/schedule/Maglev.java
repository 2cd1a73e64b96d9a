package io.lb4j.schedule;

import java.util.List;

/**
 * Maglev: the flow's keyed hash chooses a slot of a {@link MaglevTable}. Shares follow the weights, and a change of
 * candidates moves few flows beside those it has to move. Immutable, shared.
 *
 * @param hashInputs at least one part
 * @param tableSize a prime, or {@link #SIZE_BY_SERVERS}
 */
record Maglev(HashInputs hashInputs, int tableSize) implements Scheduler {
  /** The size grows with the number of candidates. */
  static final int SIZE_BY_SERVERS = 0;

  Maglev {
    hashInputs.requireAny("maglev");
  }

  @Override
  public String name() {
    return "maglev";
  }

  @Override
  public Schedule prepare(List<Candidate> candidates, long seed) {
    int size = tableSize == SIZE_BY_SERVERS ? MaglevTable.sizeFor(candidates.size()) : tableSize;
    return MaglevTable.of(candidates, size, seed).schedule();
  }
}
