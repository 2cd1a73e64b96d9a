package io.lb4j.pcap.xdp;

import io.lb4j.pcap.os.Libc;
import io.lb4j.pcap.os.Native;
import io.lb4j.port.PortException.Cause;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** Waits with poll(2) for frames at several sockets, or for closing. Waited on by the worker, woken by control. */
final class XdpWait {
  private static final long ERROR_NAP_NS = 10_000_000;
  private static final int POLLFD_SIZE = 8;
  private static final int REVENTS = 6;
  private static final int ERRORS = Libc.POLLERR | Libc.POLLHUP | Libc.POLLNVAL;

  private final int count;
  private final Runnable onError;
  private final MemorySegment pollfds;
  private final MemorySegment timespec = Arena.ofAuto().allocate(16, 8);
  private final int wakeReadFd;
  private final int wakeWriteFd;

  /**
   * Prepares to wait.
   *
   * @param onError called when a descriptor has an error, which it reports until somebody takes it
   */
  XdpWait(int[] fds, Runnable onError) {
    this.onError = onError;
    count = fds.length + 1;
    pollfds = Arena.ofAuto().allocate((long) count * POLLFD_SIZE, 8);
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment ends = arena.allocate(8, 4);
      int answer = Libc.pipe(ends);
      if (answer < 0) {
        throw Native.failure(Cause.SYSTEM, "pipe()", -answer, "too many open files");
      }
      wakeReadFd = ends.get(Native.INT, 0);
      wakeWriteFd = ends.get(Native.INT, 4);
    }
    watch(0, wakeReadFd);
    for (int i = 0; i < fds.length; i++) {
      watch(i + 1, fds[i]);
    }
  }

  private void watch(int i, int fd) {
    pollfds.set(Native.INT, (long) i * POLLFD_SIZE, fd);
    pollfds.set(Native.SHORT, (long) i * POLLFD_SIZE + 4, Libc.POLLIN);
  }

  /** Returns when frames wait, the time is over, or {@link #wake()} was called. */
  void await(long timeoutNs) {
    Libc.poll(pollfds, count, timeoutNs, timespec);
    for (int i = 1; i < count; i++) {
      if ((pollfds.get(Native.SHORT, (long) i * POLLFD_SIZE + REVENTS) & ERRORS) != 0) {
        onError.run();
        Libc.poll(pollfds, 1, Math.min(timeoutNs, ERROR_NAP_NS), timespec); // do not spin meanwhile
        return;
      }
    }
  }

  /** Ends waiting, now and for good. Safe from any thread. */
  void wake() {
    Libc.writeByte(wakeWriteFd);
  }

  /** Gives the pipe back; nobody may wait any more. */
  void close() {
    Libc.close(wakeReadFd);
    Libc.close(wakeWriteFd);
  }
}
