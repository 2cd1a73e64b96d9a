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
}
