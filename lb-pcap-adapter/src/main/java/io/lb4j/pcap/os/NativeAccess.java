package io.lb4j.pcap.os;

import io.lb4j.port.PortException;
import io.lb4j.port.PortException.Cause;

/** Whether C functions can be called at all. To be asked before anything else of this package. Safe from any thread. */
public final class NativeAccess {
  private NativeAccess() {}

  /**
   * Refuses other systems than Linux, and a JVM that denies native access.
   *
   * @param refusal what to say of other systems
   * @throws PortException NOT_SUPPORTED
   */
  public static void requireLinux(String refusal) {
    require(() -> {
      if (!Native.LINUX) {
        throw new PortException(Cause.NOT_SUPPORTED, refusal);
      }
    });
  }

  /**
   * Does what calls C functions for the first time.
   *
   * @throws PortException NOT_SUPPORTED when native access is denied, and what is thrown by it
   */
  public static void require(Runnable first) {
    try {
      first.run();
    } catch (ExceptionInInitializerError | NoClassDefFoundError e) {
      throw new PortException(
          Cause.NOT_SUPPORTED,
          "C functions cannot be called; likely cause: native access is denied to this module:"
              + " --enable-native-access=io.lb4j.pcap, or ALL-UNNAMED on the class path",
          e);
    }
  }
}
