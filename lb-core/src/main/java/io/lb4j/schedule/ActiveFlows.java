package io.lb4j.schedule;

/** What a picker may ask about the candidates: active flows, as one worker counts them. Owned by that worker. */
public interface ActiveFlows {
  /**
   * Active flows of a candidate.
   *
   * @param candidate index into the list of candidates
   * @return 0 or more
   */
  int of(int candidate);

  /**
   * How long a candidate takes to answer, smoothed; equal for all workers.
   *
   * @param candidate index into the list of candidates
   * @return nanoseconds, 1 or more; 0 when it is not known
   */
  default long responseNs(int candidate) {
    return 0;
  }
}
