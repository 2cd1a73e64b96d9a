package io.lb4j.pcap;

import io.lb4j.frame.FrameBatch;
import io.lb4j.frame.FrameMarks;
import io.lb4j.pcap.os.FrameArea;
import io.lb4j.pcap.os.FrameSender;
import io.lb4j.pcap.os.Native;
import io.lb4j.pcap.os.PacketSocket;
import io.lb4j.pcap.os.PacketSocketSender;
import io.lb4j.pcap.os.Pollable;
import io.lb4j.pcap.os.PortTally;
import io.lb4j.pcap.os.ReceiveWait;
import io.lb4j.pcap.os.TransmitBatch;
import io.netty.buffer.ByteBuf;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/**
 * The queue of a libpcap port. libpcap copies each frame to the same place, and the queue from there into an area that
 * {@link #release()} makes free again; nothing is allocated per frame. Owned by one worker, or each half by a thread of
 * its own; closed by the control thread, which waits for the calls that those are in.
 */
final class PcapQueue implements Pollable {
  private static final int CACHE_LINE = 64;
  private static final int ETHERNET_HEADER = 14;
  private static final int VLAN_TAG = 4;
  private static final int AREA_SIZE = 512 * 1024;
  private static final long NOT_CARRIED = FrameMarks.CHECKSUM_PARTIAL | FrameMarks.GSO | FrameMarks.TRUNCATED;
  private static final VarHandle RECEIVING = flag("receiving");
  private static final VarHandle SENDING = flag("sending");

  private final PcapWarnings warnings;
  private final long handle;
  private final int maxFrameLength; // without a VLAN tag
  private final int snapLength;
  private final ReceiveWait wait;
  private final FrameSender sender;
  private final TransmitBatch outgoing;
  private final PortTally tally;

  private final MemorySegment pointers = Arena.ofAuto().allocate(16, 8); // header and data, as pcap_next_ex sets them
  private final long headerPointer = pointers.address();
  private final MemorySegment area;
  private final ByteBuf buffer;
  private int used;
  private long burstBytes;
  private boolean mayHaveMore;
  private int refusedSinceFlush;

  private volatile boolean closed;
  private boolean receiving; // the receiving half is inside a call that uses the handle
  private boolean sending; // the transmitting half is

  PcapQueue(PcapWarnings warnings, PcapHandle handle, int mtu, int snapLength, PacketSocket socket, PortTally tally) {
    this.warnings = warnings;
    this.handle = handle.address();
    this.maxFrameLength = mtu + ETHERNET_HEADER;
    this.snapLength = snapLength;
    this.tally = tally;
    this.outgoing = new TransmitBatch(maxFrameLength + VLAN_TAG);
    this.sender = socket == null ? new InjectSender(this.handle) : new PacketSocketSender(socket.fd(), outgoing);
    this.area = Arena.ofAuto().allocate(Math.max(AREA_SIZE, 2L * (snapLength + CACHE_LINE)), CACHE_LINE);
    this.buffer = new FrameArea(area);
    this.wait = new ReceiveWait(handle.selectableFd());
  }

  private static VarHandle flag(String name) {
    try {
      return MethodHandles.lookup().findVarHandle(PcapQueue.class, name, boolean.class);
    } catch (ReflectiveOperationException e) {
      throw new ExceptionInInitializerError(e);
    }
  }

  @Override
  public int receive(FrameBatch batch, int ingress) {
    if (!enter(RECEIVING)) {
      return 0;
    }
    try {
      return receiveBurst(batch, ingress);
    } finally {
      leave(RECEIVING);
    }
  }

  private int receiveBurst(FrameBatch batch, int ingress) {
    int room = batch.room();
    int received = 0;
    burstBytes = 0;
    mayHaveMore = true;
    while (received < room && used + snapLength <= area.byteSize()) {
      int answer = LibPcap.next(handle, headerPointer, headerPointer + 8);
      if (answer != 1) {
        mayHaveMore = false;
        onNothing(answer);
        break;
      }
      receiveFrame(batch, ingress);
      received++;
    }
    if (received > 0) {
      tally.onReceived(received, burstBytes);
    }
    return received;
  }

  private void receiveFrame(FrameBatch batch, int ingress) {
    long header = pointers.get(Native.POINTER, 0);
    long data = pointers.get(Native.POINTER, 8);
    int captured = Native.MEMORY.get(Native.INT, header + LibPcap.CAPTURED_LENGTH_OFFSET);
    int wireLength = Native.MEMORY.get(Native.INT, header + LibPcap.CAPTURED_LENGTH_OFFSET + 4);
    int start = used;
    MemorySegment.copy(Native.MEMORY, data, area, start, captured);
    long marks = captured < wireLength ? FrameMarks.TRUNCATED : FrameMarks.NONE;
    if (wireLength > maxFrameLength + VLAN_TAG) {
      marks |= FrameMarks.GSO;
      warnings.onSuperFrame(wireLength);
    }
    batch.add(buffer, start, captured, marks, ingress);
    burstBytes += captured;
    used = start + captured + CACHE_LINE - 1 & -CACHE_LINE;
  }

  private void onNothing(int answer) {
    if (answer < 0) {
      warnings.onReceiveError(answer);
    }
  }

  @Override
  public void release() {
    used = 0;
  }

  @Override
  public boolean transmit(ByteBuf frame, int start, int length, long marks) {
    if (closed || (marks & NOT_CARRIED) != 0 || length < ETHERNET_HEADER || isTooLong(frame, start, length)) {
      tally.onRefused(1);
      return false;
    }
    if (!outgoing.hasRoom(length)) {
      send();
    }
    outgoing.add(frame, start, length, marks);
    return true;
  }

  private boolean isTooLong(ByteBuf frame, int start, int length) {
    return length > maxFrameLength && (length > maxFrameLength + VLAN_TAG || !isTagged(frame, start));
  }

  private static boolean isTagged(ByteBuf frame, int start) {
    int type = frame.getUnsignedShort(start + ETHERNET_HEADER - 2);
    return type == 0x8100 || type == 0x88A8;
  }

  @Override
  public int flush() {
    if (outgoing.size() > 0) {
      send();
    }
    int refused = refusedSinceFlush;
    refusedSinceFlush = 0;
    return refused;
  }

  private void send() {
    int size = outgoing.size();
    if (enter(SENDING)) {
      try {
        sender.send(outgoing);
      } finally {
        leave(SENDING);
      }
      tally.onTransmitted(size - outgoing.refused(), outgoing.sentBytes());
      onRefused(outgoing.refused());
    } else {
      onRefused(size);
    }
    outgoing.clear();
  }

  private void onRefused(int frames) {
    if (frames > 0) {
      tally.onRefused(frames);
      refusedSinceFlush += frames;
    }
  }

  @Override
  public void await(long timeoutNs) {
    if (mayHaveMore || timeoutNs <= 0 || !enter(RECEIVING)) {
      return;
    }
    try {
      wait.await(timeoutNs);
    } finally {
      leave(RECEIVING);
    }
  }

  @Override
  public boolean beginWait() {
    return enter(RECEIVING);
  }

  @Override
  public void endWait() {
    leave(RECEIVING);
  }

  @Override
  public boolean isReady() {
    return mayHaveMore;
  }

  @Override
  public ReceiveWait receiveWait() {
    return wait;
  }

  /** Says that the handle is in use; false after closing. By the full fence either closing sees it, or we closing. */
  private boolean enter(VarHandle half) {
    half.setVolatile(this, true);
    if (closed) {
      leave(half);
      return false;
    }
    return true;
  }

  private void leave(VarHandle half) {
    half.setRelease(this, false);
  }

  /** Ends all use of the handle: returns when nobody is inside a call. Called by the control thread, once. */
  void close() {
    closed = true;
    wait.wake();
    while ((boolean) RECEIVING.getVolatile(this) || (boolean) SENDING.getVolatile(this)) {
      Thread.onSpinWait();
    }
    wait.close();
  }
}
