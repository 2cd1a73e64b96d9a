package io.lb4j.pcap.os;

import io.lb4j.port.PortException.Cause;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.locks.LockSupport;

/**
 * Waits for frames, or for the port's closing, with poll(2). Waited on by the worker, woken by the control thread.
 */
public final class ReceiveWait {
  private static final long NAP_NS = 1_000_000;
  private static final long ERROR_NAP_NS = 10_000_000;
  private static final int POLLFD_SIZE = 8;

  /** How many descriptors are waited for: the pipe by which closing wakes, and the socket. */
  static final int POLLFDS = 2;

  /** Bytes of their pollfd structures. */
  static final int POLLFDS_SIZE = POLLFDS * POLLFD_SIZE;

  private static final int REVENTS = 6;
  private static final int ERRORS = Libc.POLLERR | Libc.POLLHUP | Libc.POLLNVAL;

  private final boolean pollable;
  private final Runnable onError;
  private final MemorySegment pollfds = Arena.ofAuto().allocate(POLLFDS_SIZE, 8);
  private final MemorySegment timespec = Arena.ofAuto().allocate(16, 8);
  private int wakeReadFd = -1;
  private int wakeWriteFd = -1;

  /**
   * Prepares to wait.
   *
   * @param fd becomes readable when frames wait; -1 when the system has none, then waiting is napping
   */
  public ReceiveWait(int fd) {
    this(fd, () -> {});
  }

  /**
   * Prepares to wait.
   *
   * @param fd as above
   * @param onError called when the descriptor has an error, which it reports until somebody takes it
   */
  public ReceiveWait(int fd, Runnable onError) {
    this.onError = onError;
    pollable = fd >= 0 && Libc.hasPoll();
    if (pollable) {
      openPipe();
      watch(0, wakeReadFd);
      watch(POLLFD_SIZE, fd);
    }
  }

  private void openPipe() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment ends = arena.allocate(8, 4);
      int answer = Libc.pipe(ends);
      if (answer < 0) {
        throw Native.failure(Cause.SYSTEM, "pipe()", -answer, "too many open files");
      }
      wakeReadFd = ends.get(Native.INT, 0);
      wakeWriteFd = ends.get(Native.INT, 4);
    }
  }

  private void watch(long offset, int fd) {
    pollfds.set(Native.INT, offset, fd);
    pollfds.set(Native.SHORT, offset + 4, Libc.POLLIN);
  }

  /** Returns when frames wait, the time is over, or {@link #wake()} was called. */
  public void await(long timeoutNs) {
    if (!pollable) {
      LockSupport.parkNanos(Math.min(timeoutNs, NAP_NS));
      return;
    }
    Libc.poll(pollfds, POLLFDS, timeoutNs, timespec);
    if ((pollfds.get(Native.SHORT, POLLFD_SIZE + REVENTS) & ERRORS) != 0) {
      // The interface is down or gone: the next receive collects the error, or it is taken here; do not spin meanwhile.
      onError.run();
      Libc.poll(pollfds, 1, Math.min(timeoutNs, ERROR_NAP_NS), timespec);
    }
  }

  /** Whether there is a descriptor to wait for. */
  public boolean isPollable() {
    return pollable;
  }

  /** Copies what to wait for into a larger array. */
  void fill(MemorySegment into, long offset) {
    MemorySegment.copy(pollfds, 0, into, offset, POLLFDS_SIZE);
  }

  /** Takes the error that was found in a larger array, if there is one. */
  void takeErrors(MemorySegment from, long offset) {
    if ((from.get(Native.SHORT, offset + POLLFD_SIZE + REVENTS) & ERRORS) != 0) {
      onError.run();
    }
  }

  /** Ends waiting, now and for good. Safe from any thread. */
  public void wake() {
    if (pollable) {
      Libc.writeByte(wakeWriteFd);
    }
  }

  /** Gives the pipe back; nobody may wait any more. */
  public void close() {
    if (pollable) {
      Libc.close(wakeReadFd);
      Libc.close(wakeWriteFd);
    }
  }
}
