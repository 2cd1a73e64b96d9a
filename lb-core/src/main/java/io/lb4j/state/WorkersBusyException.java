package io.lb4j.state;

/**
 * A worker did not get to what was asked of it in time: its thread hangs, or starves. What was done until then is done.
 * Immutable.
 */
public final class WorkersBusyException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /**
   * An answer that did not come.
   *
   * @param worker who was asked
   * @param millis how long was waited without progress
   */
  public WorkersBusyException(int worker, long millis) {
    super("worker " + worker + " made no progress for " + millis + " ms with what was asked of it");
  }
}
