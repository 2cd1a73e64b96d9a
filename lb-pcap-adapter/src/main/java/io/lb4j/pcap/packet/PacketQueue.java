package io.lb4j.pcap.packet;

import io.lb4j.frame.FrameBatch;
import io.lb4j.frame.FrameMarks;
import io.lb4j.pcap.os.Pollable;
import io.lb4j.pcap.os.PortTally;
import io.lb4j.pcap.os.ReceiveWait;
import io.lb4j.port.PortCounters;
import io.lb4j.wire.EthernetHeader;
import io.netty.buffer.ByteBuf;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.List;

/**
 * A queue of a packet port: its sockets, of which the first one sends, and their rings. Frames are handed over where
 * the kernel put them and may be sent from there, through this queue or another port's. Owned by one worker, or each
 * half by a thread of its own; closed by the control thread. The rings go back to the kernel when nobody is inside a
 * call and all frames were released: by whoever comes last.
 */
final class PacketQueue implements Pollable {
  private static final int ETHERNET_HEADER = EthernetHeader.LENGTH;
  private static final int VLAN_TAG = EthernetHeader.TAG_LENGTH;
  private static final long CLOSING_PATIENCE_NS = 200_000_000L;
  private static final VarHandle RECEIVING = flag("receiving");
  private static final VarHandle SENDING = flag("sending");
  private static final VarHandle RETIRED = flag("retired");

  private final List<RingSocket> sockets;
  private final ReceiveRing ring;
  private final OffloadSender sender;
  private final ReceiveWait wait;
  private final int maxFrameLength; // without a VLAN tag
  private final PortTally tally = new PortTally();
  private int lent; // frames received and not released: the receiving half's
  private int refusedSinceFlush;
  private long missed; // as far as the kernel was asked: under the port's lock

  private volatile boolean closed;
  private boolean receiving; // the receiving half is inside a call, or has frames
  private boolean sending; // the transmitting half is inside a call
  private boolean retired;

  PacketQueue(List<RingSocket> sockets, ReceiveRing ring, int mtu) {
    this.sockets = List.copyOf(sockets);
    this.ring = ring;
    this.sender = new OffloadSender(sockets.get(0).socket().fd(), mtu);
    int[] fds = sockets.stream().mapToInt(each -> each.socket().fd()).toArray();
    this.wait = new ReceiveWait(fds, this::takeErrors);
    this.maxFrameLength = mtu + ETHERNET_HEADER;
  }

  private void takeErrors() {
    for (RingSocket each : sockets) {
      each.socket().takeError();
    }
  }

  private static VarHandle flag(String name) {
    try {
      return MethodHandles.lookup().findVarHandle(PacketQueue.class, name, boolean.class);
    } catch (ReflectiveOperationException e) {
      throw new ExceptionInInitializerError(e);
    }
  }

  @Override
  public int receive(FrameBatch batch, int ingress) {
    if (!enterReceiving()) {
      return 0;
    }
    if (lent == 0) {
      ring.mend();
    }
    int received = ring.receive(batch, ingress);
    if (received > 0) {
      lent += received;
      tally.onReceived(received, ring.receivedBytes());
    } else {
      if (lent == 0) {
        ring.release(); // blocks without frames must not fill it
      }
      leaveReceiving();
    }
    return received;
  }

  @Override
  public void release() {
    if (lent > 0) {
      ring.release();
      lent = 0;
      leave(RECEIVING);
    }
  }

  @Override
  public boolean transmit(ByteBuf frame, int start, int length, long marks) {
    if (closed || !isPossible(frame, start, length, marks)) {
      tally.onRefused(1);
      return false;
    }
    if (!sender.hasRoom(length)) {
      send();
    }
    if (!sender.add(frame, start, length, marks)) {
      tally.onRefused(1);
      return false;
    }
    return true;
  }

  private boolean isPossible(ByteBuf frame, int start, int length, long marks) {
    if ((marks & FrameMarks.TRUNCATED) != 0 || length < ETHERNET_HEADER) {
      return false;
    }
    if ((marks & FrameMarks.GSO) != 0) {
      return OffloadSender.isPossible(length);
    }
    return length <= maxFrameLength || length <= maxFrameLength + VLAN_TAG && isTagged(frame, start);
  }

  private static boolean isTagged(ByteBuf frame, int start) {
    return EthernetHeader.isTag(frame.getUnsignedShort(start + EthernetHeader.ETHER_TYPE_OFFSET));
  }

  @Override
  public int flush() {
    if (sender.size() > 0) {
      send();
    }
    int refused = refusedSinceFlush;
    refusedSinceFlush = 0;
    return refused;
  }

  private void send() {
    if (enterSending()) {
      sender.send();
      leave(SENDING);
      tally.onTransmitted(sender.sentFrames(), sender.sentBytes());
      onRefused(sender.refused());
    } else {
      onRefused(sender.size());
    }
    sender.clear();
  }

  private void onRefused(int frames) {
    if (frames > 0) {
      tally.onRefused(frames);
      refusedSinceFlush += frames;
    }
  }

  @Override
  public void await(long timeoutNs) {
    if (timeoutNs <= 0 || !enterReceiving()) {
      return;
    }
    if (!ring.isReady()) {
      wait.await(timeoutNs);
    }
    leaveReceiving();
  }

  @Override
  public boolean beginWait() {
    return enterReceiving();
  }

  @Override
  public void endWait() {
    leaveReceiving();
  }

  @Override
  public boolean isReady() {
    return ring.isReady();
  }

  @Override
  public ReceiveWait receiveWait() {
    return wait;
  }

  /** Says that the ring is in use; false after closing. By the full fence either closing sees it, or we closing. */
  private boolean enterReceiving() {
    RECEIVING.setVolatile(this, true);
    if (closed) {
      leaveReceiving();
      return false;
    }
    return true;
  }

  /** Frames that are lent keep the ring in place. */
  private void leaveReceiving() {
    if (lent == 0) {
      leave(RECEIVING);
    }
  }

  private boolean enterSending() {
    SENDING.setVolatile(this, true);
    if (closed) {
      leave(SENDING);
      return false;
    }
    return true;
  }

  private void leave(VarHandle half) {
    half.setVolatile(this, false);
    if (closed) {
      retire();
    }
  }

  /** Counts so far; to be asked under the port's lock, and not after {@link #close()}. */
  PortCounters counters() {
    for (int i = 0; i < sockets.size(); i++) {
      long taken = ring.taken(i); // before drops are asked for: frames behind which there was no room are taken later
      long dropped = sockets.get(i).socket().takeDropped();
      missed += dropped;
      ring.onDropped(i, dropped, taken);
    }
    return lastCounters();
  }

  /** Counts without asking the kernel. */
  PortCounters lastCounters() {
    return tally.snapshot(missed);
  }

  /** Receives nothing from now on. */
  void deafen() {
    sockets.forEach(each -> each.socket().deafen());
  }

  /**
   * Ends all use of the sockets: usually before it returns. A worker that still has frames gives the ring back itself.
   * Called by the control thread, once.
   */
  void close() {
    deafen();
    closed = true;
    wait.wake();
    long deadlineNs = System.nanoTime() + CLOSING_PATIENCE_NS;
    while (!retire() && deadlineNs - System.nanoTime() > 0) {
      Thread.onSpinWait();
    }
  }

  /** Gives everything back if nobody uses it any more; whether that is done. */
  private boolean retire() {
    if ((boolean) RECEIVING.getVolatile(this) || (boolean) SENDING.getVolatile(this)) {
      return false;
    }
    if (RETIRED.compareAndSet(this, false, true)) {
      wait.close();
      sockets.forEach(RingSocket::close);
    }
    return true;
  }
}
