package io.lb4j.schedule;

/** A discipline compiled for one list of candidates. Immutable, shared by all workers. */
public interface Schedule {
  /**
   * A picker for one worker. Called by that worker when it adopts the schedule.
   *
   * @param previous the picker this worker used for the same service until now, so that an order can be continued over
   *     a change of candidates; null at first, or of any other class after a change of discipline
   * @return a picker that the worker owns
   */
  Picker newPicker(Picker previous);
}
