package io.lb4j.pcap.xdp;

import io.lb4j.frame.FrameBatch;
import io.lb4j.frame.FrameMarks;
import io.lb4j.pcap.os.Pollable;
import io.lb4j.pcap.os.PortTally;
import io.lb4j.pcap.os.ReceiveWait;
import io.lb4j.port.PortCounters;
import io.netty.buffer.ByteBuf;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import org.jspecify.annotations.Nullable;

/**
 * A queue of an AF_XDP port: the sockets of one or more of the device's queues. Owned by one worker, or each half by a
 * thread of its own; closed by the control thread. The sockets are closed when nobody is inside a call and all frames
 * were released and flushed: by whoever comes last.
 */
final class XdpQueue implements Pollable {
  private static final long CLOSING_PATIENCE_NS = 200_000_000L;
  private static final long DEVICE_STOPS_NS = 2_000_000_000L;
  private static final VarHandle RECEIVING = flag("receiving");
  private static final VarHandle SENDING = flag("sending");
  private static final VarHandle RETIRED = flag("retired");

  private final XdpMemory memory;
  private final int number;
  private final XskSocket[] sockets;
  private final @Nullable NeighborTap tap;
  private final XdpReceiver receiver;
  private final XdpSender sender;
  private final ReceiveWait wait;
  private final PortTally tally = new PortTally();
  private int refusedSinceFlush;
  private long missed; // as far as the kernel was asked: under the port's lock

  private volatile boolean closed;
  private boolean receiving; // the receiving half is inside a call, or has frames
  private boolean sending; // the transmitting half is inside a call, or has frames
  private boolean retired;

  XdpQueue(XdpMemory memory, int number, XskSocket[] sockets, @Nullable NeighborTap tap, int mtu) {
    this.memory = memory;
    this.number = number;
    this.sockets = sockets;
    this.tap = tap;
    sender = new XdpSender(memory, number, sockets[0], mtu);
    wait = new ReceiveWait(descriptors(), this::takeErrors);
    receiver = new XdpReceiver(memory, number, sockets, tap != null && tap.listens() ? tap : null); // takes chunks
  }

  private static VarHandle flag(String name) {
    try {
      return MethodHandles.lookup().findVarHandle(XdpQueue.class, name, boolean.class);
    } catch (ReflectiveOperationException e) {
      throw new ExceptionInInitializerError(e);
    }
  }

  private int[] descriptors() {
    int[] fds = new int[sockets.length + (tap == null ? 0 : 1)];
    for (int i = 0; i < sockets.length; i++) {
      fds[i] = sockets[i].fd();
    }
    if (tap != null) {
      fds[sockets.length] = tap.fd();
    }
    return fds;
  }

  private void takeErrors() {
    for (XskSocket socket : sockets) {
      socket.takeError();
    }
    if (tap != null) {
      tap.socket().takeError();
    }
  }

  @Override
  public int receive(FrameBatch batch, int ingress) {
    if (!enter(RECEIVING)) {
      return 0;
    }
    int received = receiver.receive(batch, ingress);
    if (received > 0) {
      tally.onReceived(received, receiver.receivedBytes());
    } else {
      leaveReceiving();
    }
    return received;
  }

  @Override
  public void release() {
    if (receiver.hasLent()) {
      receiver.release();
      leave(RECEIVING);
    }
  }

  @Override
  public boolean transmit(ByteBuf frame, int start, int length, long marks) {
    if (closed || !sender.isPossible(frame, start, length, marks) || sender.size() == 0 && !enter(SENDING)) {
      tally.onRefused(1);
      return false;
    }
    boolean added = sender.add(frame, start, length, (marks & FrameMarks.VLAN) != 0 ? FrameMarks.vlanTci(marks) : -1);
    if (!added) {
      tally.onRefused(1);
      leaveSending();
    }
    return added;
  }

  @Override
  public int flush() {
    if (sender.size() > 0) {
      if (closed) {
        onRefused(sender.size());
        sender.forget();
      } else {
        sender.send();
        tally.onTransmitted(sender.sentFrames(), sender.sentBytes());
        onRefused(sender.refused());
      }
      leaveSending();
    }
    int refused = refusedSinceFlush;
    refusedSinceFlush = 0;
    return refused;
  }

  private void onRefused(int frames) {
    if (frames > 0) {
      tally.onRefused(frames);
      refusedSinceFlush += frames;
    }
  }

  @Override
  public void await(long timeoutNs) {
    if (timeoutNs <= 0 || !enter(RECEIVING)) {
      return;
    }
    if (!receiver.isReady()) {
      wait.await(timeoutNs);
      receiver.afterWait();
    }
    leaveReceiving();
  }

  @Override
  public boolean beginWait() {
    return enter(RECEIVING);
  }

  @Override
  public void endWait() {
    receiver.afterWait();
    leaveReceiving();
  }

  @Override
  public boolean isReady() {
    return receiver.isReady();
  }

  @Override
  public ReceiveWait receiveWait() {
    return wait;
  }

  /** Says that a half is in use; false after closing. By the full fence either closing sees it, or we closing. */
  private boolean enter(VarHandle half) {
    half.setVolatile(this, true);
    if (!closed) {
      return true;
    }
    if (half != RECEIVING || !receiver.hasLent()) {
      leave(half);
    }
    return false;
  }

  /** Frames that are lent keep the sockets open. */
  private void leaveReceiving() {
    if (!receiver.hasLent()) {
      leave(RECEIVING);
    }
  }

  /** Frames that wait for the flush keep the sockets open: so the fence is one for each burst. */
  private void leaveSending() {
    if (sender.size() == 0) {
      leave(SENDING);
    }
  }

  private void leave(VarHandle half) {
    half.setVolatile(this, false);
    if (closed) {
      retire();
    }
  }

  /** Counts so far; to be asked under the port's lock, and not after {@link #close()}. */
  PortCounters counters() {
    long sum = tap == null ? 0 : tap.missed();
    for (XskSocket socket : sockets) {
      sum += socket.missed();
    }
    missed = sum;
    return lastCounters();
  }

  /** Counts without asking the kernel. */
  PortCounters lastCounters() {
    return tally.snapshot(missed);
  }

  /** Ends all use of the sockets: usually before it returns. Called by the control thread, once. */
  void close() {
    closed = true;
    wait.wake();
    long deadlineNs = System.nanoTime() + CLOSING_PATIENCE_NS;
    while (!retire() && deadlineNs - System.nanoTime() > 0) {
      Thread.onSpinWait();
    }
  }

  /** Then the device itself uses the memory, and the kernel stops it some time after the sockets were closed. */
  private boolean isZeroCopy() {
    for (XskSocket socket : sockets) {
      if (socket.isZeroCopy()) {
        return true;
      }
    }
    return false;
  }

  /** Gives everything back if nobody uses it any more; whether that is done. */
  private boolean retire() {
    if ((boolean) RECEIVING.getVolatile(this) || (boolean) SENDING.getVolatile(this)) {
      return false;
    }
    if (RETIRED.compareAndSet(this, false, true)) {
      for (XskSocket socket : sockets) {
        socket.close();
      }
      if (tap != null) {
        tap.close();
      }
      wait.close();
      receiver.empty();
      sender.empty();
      memory.reclaim(number, isZeroCopy() ? DEVICE_STOPS_NS : 0);
    }
    return true;
  }
}
