package io.lb4j.pcap.os;

import io.lb4j.port.PortException.Cause;
import io.lb4j.port.PortQueue;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * Waits for frames of a queue, or for the port's closing, with poll(2). Waited on by the worker, woken by the control
 * thread.
 */
public final class ReceiveWait {
  private static final long NAP_NS = 1_000_000;
  private static final long ERROR_NAP_NS = 10_000_000;

  /** Bytes of a pollfd structure. */
  static final int POLLFD_SIZE = 8;

  private static final int REVENTS = 6;
  private static final int ERRORS = Libc.POLLERR | Libc.POLLHUP | Libc.POLLNVAL;

  private final boolean pollable;
  private final Runnable onError;
  private final int descriptors; // the pipe by which closing wakes, and the sockets
  private final MemorySegment pollfds;
  private final MemorySegment timespec = Arena.ofAuto().allocate(16, 8);
  private @Nullable WaitSet all; // of the queue and others
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
    this(new int[] {fd}, onError);
  }

  /**
   * Prepares to wait for a queue of several sockets.
   *
   * @param fds become readable when frames wait; -1 as above
   * @param onError called when one of them has an error
   */
  public ReceiveWait(int[] fds, Runnable onError) {
    this.onError = onError;
    descriptors = fds.length + 1;
    pollfds = Arena.ofAuto().allocate((long) descriptors * POLLFD_SIZE, 8);
    pollable = Libc.hasPoll() && Arrays.stream(fds).allMatch(fd -> fd >= 0);
    if (pollable) {
      openPipe();
      watch(0, wakeReadFd);
      for (int i = 0; i < fds.length; i++) {
        watch(i + 1, fds[i]);
      }
    }
  }

  private void openPipe() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment ends = arena.allocate(8, 4);
      int answer = Libc.pipe(ends);
      if (answer < 0) {
        throw Native.failure(Cause.SYSTEM, "pipe()", -answer, "the kernel is short of memory");
      }
      wakeReadFd = ends.get(Native.INT, 0);
      wakeWriteFd = ends.get(Native.INT, 4);
    }
  }

  private void watch(int i, int fd) {
    pollfds.set(Native.INT, (long) i * POLLFD_SIZE, fd);
    pollfds.set(Native.SHORT, (long) i * POLLFD_SIZE + 4, Libc.POLLIN);
  }

  /** Returns when frames wait, the time is over, or {@link #wake()} was called. */
  public void await(long timeoutNs) {
    if (!pollable) {
      LockSupport.parkNanos(Math.min(timeoutNs, NAP_NS));
      return;
    }
    Libc.poll(pollfds, descriptors, timeoutNs, timespec);
    if (hasError(pollfds, 0)) {
      // The interface is down or gone: the next receive collects the error, or it is taken here; do not spin meanwhile.
      onError.run();
      Libc.poll(pollfds, 1, Math.min(timeoutNs, ERROR_NAP_NS), timespec);
    }
  }

  /** As {@link PortQueue#awaitAny}, of the queue that waits by this. */
  boolean awaitAny(PortQueue[] queues, long timeoutNs) {
    if (all == null || !all.isOver(queues)) {
      all = new WaitSet(queues);
    }
    return all.await(timeoutNs);
  }

  /** Whether there is a descriptor to wait for. */
  public boolean isPollable() {
    return pollable;
  }

  private boolean hasError(MemorySegment from, long offset) {
    for (int i = 1; i < descriptors; i++) {
      if ((from.get(Native.SHORT, offset + (long) i * POLLFD_SIZE + REVENTS) & ERRORS) != 0) {
        return true;
      }
    }
    return false;
  }

  /** How many descriptors are waited for. */
  int descriptors() {
    return descriptors;
  }

  /** Copies what to wait for into a larger array. */
  void fill(MemorySegment into, long offset) {
    MemorySegment.copy(pollfds, 0, into, offset, (long) descriptors * POLLFD_SIZE);
  }

  /** Takes the error that was found in a larger array, if there is one. */
  void takeErrors(MemorySegment from, long offset) {
    if (hasError(from, offset)) {
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
