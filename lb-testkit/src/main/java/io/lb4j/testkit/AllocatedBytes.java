package io.lb4j.testkit;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;

/** Bytes the calling thread has allocated on the heap since it began. Safe from any thread; allocates nothing. */
final class AllocatedBytes {
  private static final ThreadMXBean THREADS =
      ManagementFactory.getThreadMXBean() instanceof ThreadMXBean bean ? bean : null;

  /** Whether this JVM counts them. */
  static final boolean AVAILABLE =
      THREADS != null && THREADS.isThreadAllocatedMemorySupported() && THREADS.isThreadAllocatedMemoryEnabled();

  private AllocatedBytes() {}

  static long ofThisThread() {
    return THREADS.getCurrentThreadAllocatedBytes();
  }
}
