package io.lb4j.schedule;

import java.util.List;

/**
 * Source hash: the flow's keyed hash chooses a point in the sum of all weights, laid out by identity. The same seed
 * gives the same map on every JVM and for every order of declaration; a change of candidates moves many clients, which
 * {@link Maglev} avoids. Immutable, shared.
 *
 * @param hashInputs at least one part
 */
record SourceHash(HashInputs hashInputs) implements Scheduler {
  SourceHash {
    hashInputs.requireAny("sh");
  }

  @Override
  public String name() {
    return "sh";
  }

  @Override
  public Schedule prepare(List<Candidate> candidates, long seed) {
    WeightedRange range = new WeightedRange(new Roster(candidates));
    return range.total() <= HashSlots.MAX_SIZE ? new HashSlots(range.slots()) : range;
  }
}
