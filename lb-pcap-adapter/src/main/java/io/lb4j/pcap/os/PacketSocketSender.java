package io.lb4j.pcap.os;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * Sends a batch by one call of sendmmsg(2) on a packet socket. The call stops at a frame that the device refuses: that
 * frame is left out and the next call goes on behind it. Owned by a queue's worker.
 */
public final class PacketSocketSender implements FrameSender {
  private static final int MSG_DONTWAIT = 0x40;
  private static final int MMSGHDR_SIZE = 64;
  private static final int MSG_IOV = 16;
  private static final int MSG_IOVLEN = 24;

  private final int fd;
  private final MemorySegment messages;
  private final MemorySegment callState = Native.callState(Arena.ofAuto());

  /**
   * A sender for one batch object, whose vectors its messages point at for good.
   *
   * @param fd a bound packet socket
   */
  public PacketSocketSender(int fd, TransmitBatch batch) {
    this.fd = fd;
    messages = Arena.ofAuto().allocate((long) TransmitBatch.CAPACITY * MMSGHDR_SIZE, 64);
    for (int i = 0; i < TransmitBatch.CAPACITY; i++) {
      long message = (long) i * MMSGHDR_SIZE;
      messages.set(Native.POINTER, message + MSG_IOV, batch.vectors() + (long) i * TransmitBatch.IOVEC_SIZE);
      messages.set(Native.LONG, message + MSG_IOVLEN, 1);
    }
  }

  @Override
  public void send(TransmitBatch batch) {
    int count = batch.size();
    int from = 0;
    boolean toldDown = false;
    while (from < count) {
      long first = messages.address() + (long) from * MMSGHDR_SIZE;
      int answer = Libc.sendmmsg(fd, first, count - from, MSG_DONTWAIT, callState);
      if (answer > 0) {
        from += answer;
      } else if (answer == -Libc.ENETDOWN && !toldDown) {
        toldDown = true; // may be an old error of a device that is up again: reading it cleared it
      } else if (isForAll(-answer)) {
        refuseFrom(batch, from);
        return;
      } else if (answer != -Libc.EINTR) {
        batch.refuse(from++);
      }
    }
  }

  /** Whether what stops this frame stops the others too: no room in the socket, or no device. */
  private static boolean isForAll(int errno) {
    return errno == Libc.EAGAIN
        || errno == Libc.ENETDOWN
        || errno == Libc.ENXIO
        || errno == Libc.ENODEV
        || errno == Libc.EBADF;
  }

  private static void refuseFrom(TransmitBatch batch, int from) {
    for (int i = from; i < batch.size(); i++) {
      batch.refuse(i);
    }
  }
}
