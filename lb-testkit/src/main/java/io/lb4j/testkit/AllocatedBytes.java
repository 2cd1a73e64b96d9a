package io.lb4j.testkit;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;

/** What a thread allocates on the heap. Safe from any thread; allocates nothing itself. */
public final class AllocatedBytes {
  private static final ThreadMXBean THREADS =
      ManagementFactory.getThreadMXBean() instanceof ThreadMXBean bean ? bean : null;

  private AllocatedBytes() {}

  /** Skips the test that calls it where this JVM does not count allocated bytes. */
  public static void assumeCounted() {
    assumeTrue(
        THREADS != null && THREADS.isThreadAllocatedMemorySupported() && THREADS.isThreadAllocatedMemoryEnabled(),
        "this JVM does not count allocated bytes");
  }

  /**
   * What the calling thread has allocated since it began.
   *
   * @return bytes on the heap
   */
  public static long ofThisThread() {
    return THREADS.getCurrentThreadAllocatedBytes();
  }

  /**
   * What the calling thread allocates by doing something.
   *
   * @param what to do
   * @return bytes on the heap; also those of what the compiler replaces meanwhile, so warm up, or take the least of
   *     several measurements
   */
  public static long by(Runnable what) {
    long before = ofThisThread();
    what.run();
    return ofThisThread() - before;
  }
}
