package io.lb4j.wire;

import com.sun.management.HotSpotDiagnosticMXBean;
import com.sun.management.VMOption;
import java.lang.management.ManagementFactory;

/**
 * How much memory tables may take beside the JVM's own. As the JVM does for its direct buffers, it lets garbage be
 * collected before it refuses, because tables give their memory back only as garbage. Safe from any thread.
 */
final class MemoryBudget {
  /** Waits of 1, 2, 4 .. 256 ms in which nothing was given back, as the JVM has them. */
  private static final int MOST_WAITS = 9;

  private final long most;
  private long taken;

  /** A budget of {@code most} bytes. */
  MemoryBudget(long most) {
    this.most = most;
  }

  /**
   * What the JVM allows its direct buffers: {@code -XX:MaxDirectMemorySize}, else as much as the heap. Tables have this
   * beside them. Where the JVM cannot be asked, because it is another one or {@code jdk.management} is missing, it is
   * the heap's.
   */
  static long ofTheJvm() {
    try {
      HotSpotDiagnosticMXBean vm = ManagementFactory.getPlatformMXBean(HotSpotDiagnosticMXBean.class);
      VMOption given = vm == null ? null : vm.getVMOption("MaxDirectMemorySize");
      if (given != null && given.getOrigin() != VMOption.Origin.DEFAULT) {
        return Long.parseLong(given.getValue());
      }
    } catch (LinkageError | RuntimeException e) {
      // what is said above
    }
    return Runtime.getRuntime().maxMemory();
  }

  /**
   * Takes a part.
   *
   * @throws OutOfMemoryError when it is not left
   */
  synchronized void take(long bytes) {
    if (!leaves(bytes)) {
      System.gc();
      awaitGarbage(bytes);
    }
    if (!leaves(bytes)) {
      throw new OutOfMemoryError(
          "tables would take " + bytes + " bytes beside " + taken + ", of " + most + " in direct memory");
    }
    taken += bytes;
  }

  private boolean leaves(long bytes) {
    return bytes <= most - taken;
  }

  private void awaitGarbage(long bytes) {
    try {
      int waits = 0;
      while (!leaves(bytes) && waits < MOST_WAITS) {
        long before = taken;
        wait(1L << waits);
        waits += taken < before ? 0 : 1;
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** Gives a part back. */
  synchronized void giveBack(long bytes) {
    taken -= bytes;
    notifyAll();
  }
}
