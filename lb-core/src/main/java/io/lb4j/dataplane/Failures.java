package io.lb4j.dataplane;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Reports defects of ours or of a port, the first of them and ever fewer. Owned by one thread. */
public final class Failures {
  private static final Logger LOG = LoggerFactory.getLogger(Failures.class);

  private final String thread;
  private long count;

  /**
   * No failure yet.
   *
   * @param thread what the reports call it
   */
  public Failures(String thread) {
    this.thread = thread;
  }

  /**
   * Counts a failure and reports it, perhaps. Never throws.
   *
   * @param failure what a burst ended with
   */
  public void report(Throwable failure) {
    count++;
    if (Long.bitCount(count) == 1) {
      try {
        LOG.error("{}: a burst failed ({} so far)", thread, count, failure);
      } catch (RuntimeException | Error e) {
        // where memory is short the report may fail as well, and the thread is to go on
      }
    }
  }
}
