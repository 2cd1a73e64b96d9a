package io.lb4j.steering;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Reports defects of ours or of a port, the first of them and ever fewer. Owned by one thread. */
final class Failures {
  private static final Logger LOG = LoggerFactory.getLogger(Failures.class);

  private final String thread;
  private long count;

  Failures(String thread) {
    this.thread = thread;
  }

  void report(Throwable failure) {
    count++;
    if (Long.bitCount(count) == 1) {
      LOG.error("{}: a burst failed ({} so far)", thread, count, failure);
    }
  }
}
