package io.lb4j.schedule;

/** Picks a candidate for each new flow. Owned by one worker; allocates nothing and never throws. */
public interface Picker {
  /**
   * Picks.
   *
   * @param hash keyed hash of the scheduler's hash inputs; 0 when it has none
   * @param active active flows of each candidate, as this worker counts them
   * @return index into the list of candidates
   */
  int pick(long hash, ActiveFlows active);

  /**
   * As {@link #pick}, for call sites that see the pickers of many services: a virtual call there could go to any of
   * them and would not be inlined, while the disciplines used most are few and told apart by a comparison each.
   *
   * @param picker of one service
   * @param hash as there
   * @param active as there
   * @return index into the list of candidates
   */
  static int pick(Picker picker, long hash, ActiveFlows active) {
    if (picker instanceof RoundRobin.Rotation rotation) {
      return rotation.pick(hash, active);
    }
    if (picker instanceof WeightedRoundRobin.SequencePicker sequence) {
      return sequence.pick(hash, active);
    }
    if (picker instanceof HashSlots slots) {
      return slots.pick(hash, active);
    }
    if (picker instanceof WeightedLeastConnections.LeastLoaded leastLoaded) {
      return leastLoaded.pick(hash, active);
    }
    if (picker instanceof LeastConnections.Fewest fewest) {
      return fewest.pick(hash, active);
    }
    return picker.pick(hash, active);
  }

  /**
   * Picks again for the same flow, because the server picked before holds as many connections as it may. Unless
   * overridden, a discipline that hashes answers as if for another flow, the same one each time; others take their next
   * pick.
   *
   * @param hash as before
   * @param attempt 1 for the second choice, 2 for the third
   * @param active as before; servers known to be full look busiest of all
   * @return index into the list of candidates, perhaps one that was picked before
   */
  default int pickAgain(long hash, int attempt, ActiveFlows active) {
    return pick(SplitMix64.mix(hash + attempt * SplitMix64.GAMMA), active);
  }
}
