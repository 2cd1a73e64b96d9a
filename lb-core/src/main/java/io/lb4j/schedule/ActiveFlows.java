package io.lb4j.schedule;

/** Active flows per candidate, as one worker counts them. Owned by that worker. */
public interface ActiveFlows {
  /**
   * Active flows of a candidate.
   *
   * @param candidate index into the list of candidates
   * @return 0 or more
   */
  int of(int candidate);
}
