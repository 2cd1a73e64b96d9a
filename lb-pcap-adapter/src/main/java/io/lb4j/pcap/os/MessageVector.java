package io.lb4j.pcap.os;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * Messages that are sent by one call of sendmmsg(2), and which of them the socket did not take. The call stops at a
 * message that is refused: that one is left out and the next call goes on behind it. Never waits. Owned by a queue's
 * worker.
 */
public final class MessageVector {
  private static final int MSG_DONTWAIT = 0x40;
  private static final int MMSGHDR_SIZE = 64;
  private static final int MSG_IOV = 16;
  private static final int MSG_IOVLEN = 24;

  private final int fd;
  private final MemorySegment messages;
  private final boolean[] refused;
  private final MemorySegment callState = Native.callState(Arena.ofAuto());

  /**
   * A vector without content.
   *
   * @param fd a bound packet socket
   * @param capacity most messages
   */
  public MessageVector(int fd, int capacity) {
    this.fd = fd;
    this.messages = Arena.ofAuto().allocate((long) capacity * MMSGHDR_SIZE, 64);
    this.refused = new boolean[capacity];
  }

  /**
   * Says where a message is.
   *
   * @param iovecs address of its array of iovec, which has to stay
   * @param count how many of them
   */
  public void set(int i, long iovecs, int count) {
    long message = (long) i * MMSGHDR_SIZE;
    messages.set(Native.POINTER, message + MSG_IOV, iovecs);
    messages.set(Native.LONG, message + MSG_IOVLEN, count);
  }

  /**
   * Sends the first messages.
   *
   * @param count how many
   * @return how many were refused: see {@link #isRefused}
   */
  public int send(int count) {
    int from = 0;
    int refusals = 0;
    boolean toldDown = false;
    while (from < count) {
      int answer = Libc.sendmmsg(
          fd, messages.address() + (long) from * MMSGHDR_SIZE, count - from, MSG_DONTWAIT, callState);
      if (answer > 0) {
        for (int end = from + answer; from < end; from++) {
          refused[from] = false;
        }
      } else if (answer == -Libc.ENETDOWN && !toldDown) {
        toldDown = true; // may be an old error of a device that is up again: reading it cleared it
      } else if (isForAll(-answer)) {
        refusals += count - from;
        while (from < count) {
          refused[from++] = true;
        }
      } else if (answer != -Libc.EINTR) {
        refused[from++] = true;
        refusals++;
      }
    }
    return refusals;
  }

  /** Whether what stops this message stops the others too: no room in the socket, or no device. */
  private static boolean isForAll(int errno) {
    return errno == Libc.EAGAIN
        || errno == Libc.ENETDOWN
        || errno == Libc.ENXIO
        || errno == Libc.ENODEV
        || errno == Libc.EBADF;
  }

  /** Whether the last {@link #send} could not send a message. */
  public boolean isRefused(int i) {
    return refused[i];
  }
}
