package io.lb4j.control;

/** Something that control does from time to time. Called by one thread at a time, under no lock. */
public interface ControlTask {
  /**
   * Does what is due.
   *
   * @param nowNs the time
   * @return when to call again at the latest; compare as {@code deadline - now < 0}
   */
  long tick(long nowNs);
}
