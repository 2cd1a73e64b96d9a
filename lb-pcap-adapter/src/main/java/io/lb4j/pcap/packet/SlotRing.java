package io.lb4j.pcap.packet;

import io.lb4j.frame.FrameBatch;
import io.lb4j.pcap.os.Native;
import io.netty.buffer.ByteBuf;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/**
 * A ring of slots of one frame each, handed over one by one (TPACKET_V2). Of a frame that is too long for its slot, the
 * kernel queues a whole copy in the socket, in the same order, and that is taken from there. Owned by a queue's worker.
 *
 * <p>Of a super-frame that it has no header for, the kernel (up to 6.18 at least) drops not only the frame: the slot
 * stays taken for good, and with it the ring stands still. Then it is made anew.
 *
 * <pre>
 *   slot   +0 status   +4 length   +8 captured   +12 place of the Ethernet header   +16 time: seconds   +20 nanoseconds
 *          +24 VLAN tag   +26 VLAN protocol
 * </pre>
 */
final class SlotRing {
  /** Bytes of a slot that a frame cannot have: those before it, and some. */
  static final int HEADROOM = 96;

  /** Later than any frame. */
  static final long NEVER = Long.MAX_VALUE;

  /** Of so many that copy frames into a ring at the same time, the order is kept. */
  private static final int PROCESSORS = 16;

  private static final VarHandle STATUS = Native.INT.varHandle();
  private static final int WIRE_LENGTH = 4;
  private static final int CAPTURED = 8;
  private static final int ETHERNET = 12;
  private static final int SECONDS = 16;
  private static final int NANOSECONDS = 20;
  private static final int TAG_CONTROL = 24;
  private static final int TAG_PROTOCOL = 26;

  private static final long NONE = -1;
  private static final VarHandle TAKEN = field("taken");

  /** Gives a socket an empty ring in the place of the one it has; answers whether it did. */
  @FunctionalInterface
  interface Renewal {
    boolean renew(RingSocket socket, RingRequest request);
  }

  private final RingSocket socket;
  private final RingRequest request;
  private final Renewal renewal;
  private final RingFrames frames;
  private final CopyArea copies;
  private final int fd;
  private final ByteBuf buffer;
  private final long base;
  private final int length;
  private final int slotSize;
  private final int blockSize;
  private final int slots;
  private int oldest; // place of the slot that was read and is not given back
  private int current; // place of the slot to be read next
  private int held;
  private long taken; // frames so far; written by the worker, read by the control thread too
  private long takenBefore = NONE; // when the control thread heard of drops last
  private volatile long stuckAt = NONE; // taken when frames were dropped and none was taken; written by both
  private volatile boolean gone; // there is no ring until it can be made anew

  /**
   * A ring as it was asked for.
   *
   * @param socket with its memory
   * @param request which says how it is divided
   * @param frames counts what is taken
   * @param copies takes whole frames
   * @param renewal makes it anew
   */
  SlotRing(RingSocket socket, RingRequest request, RingFrames frames, CopyArea copies, Renewal renewal) {
    this.socket = socket;
    this.request = request;
    this.renewal = renewal;
    this.frames = frames;
    this.copies = copies;
    this.fd = socket.socket().fd();
    this.buffer = socket.memory().buffer();
    this.base = socket.memory().address();
    this.length = socket.memory().length();
    this.slotSize = request.slot();
    this.blockSize = request.blockSize(length);
    this.slots = length / blockSize * (blockSize / slotSize);
  }

  private static VarHandle field(String name) {
    try {
      return MethodHandles.lookup().findVarHandle(SlotRing.class, name, long.class);
    } catch (ReflectiveOperationException e) {
      throw new ExceptionInInitializerError(e);
    }
  }

  /** Frames taken so far. Any thread may ask. */
  long taken() {
    return (long) TAKEN.getAcquire(this);
  }

  /** Hears that frames found no room since it heard last, and how many were taken. Called by the control thread. */
  void onDropped(long count, long now) {
    if (gone || count > 0 && now == takenBefore) {
      stuckAt = now;
    }
    takenBefore = now;
  }

  /** Makes the ring anew if frames were dropped, none was taken in that time, and none is there: it was not full. */
  void mend() {
    if (stuckAt == taken && !isReady(current)) {
      stuckAt = NONE;
      gone = !renewal.renew(socket, request);
      oldest = 0;
      current = 0;
    }
  }

  /** Whether a frame waits. */
  boolean isReady() {
    return held < slots && isReady(current);
  }

  private boolean isReady(int slot) {
    return (status(slot) & RingFrames.STATUS_USER) != 0;
  }

  private int status(int slot) {
    return (int) STATUS.getAcquire(Native.MEMORY, base + slot);
  }

  /** Counts the frames that wait, up to as many; answers how many they are. */
  int count(int most) {
    int limit = Math.min(most, slots - held);
    int count = 0;
    for (int slot = current; count < limit && isReady(slot); slot = after(slot)) {
      count++;
    }
    return count;
  }

  /**
   * When the earliest frame came, in nanoseconds, of those that are next in the ring, also of those behind one that
   * another processor is still copying; {@link #NEVER} if there is none.
   */
  long earliestNs() {
    long earliest = NEVER;
    int slot = current;
    for (int i = Math.min(PROCESSORS, slots - held); i > 0; i--) {
      if (isReady(slot)) {
        earliest = Math.min(earliest, timeNs(slot));
      }
      slot = after(slot);
    }
    return earliest;
  }

  private long timeNs(int slot) {
    long seconds = Integer.toUnsignedLong(Native.MEMORY.get(Native.INT, base + slot + SECONDS));
    return seconds * 1_000_000_000L + Native.MEMORY.get(Native.INT, base + slot + NANOSECONDS);
  }

  /** Whether the frame that waits has to wait until memory for copies was given back. */
  boolean isBlocked() {
    return (status(current) & RingFrames.STATUS_COPY) != 0 && copies.isFull();
  }

  /** Takes as many frames that wait, or fewer; answers how many. */
  int take(FrameBatch batch, int ingress, int count) {
    int added = 0;
    for (int i = count; i > 0 && !isBlocked(); i--) {
      take(batch, ingress);
      added++;
    }
    return added;
  }

  /** Takes the frame that waits. */
  void take(FrameBatch batch, int ingress) {
    long slot = base + current;
    int status = status(current);
    if ((status & RingFrames.STATUS_COPY) != 0 && copies.take(fd)) {
      add(batch, ingress, copies.buffer(), copies.frame(), copies.length(), slot, status);
    } else {
      add(batch, ingress, buffer, frame(slot), Native.MEMORY.get(Native.INT, slot + CAPTURED), slot, status);
    }
    held++;
    TAKEN.setRelease(this, taken + 1);
    current = after(current);
  }

  private static long frame(long slot) {
    return slot + (Native.MEMORY.get(Native.SHORT, slot + ETHERNET) & 0xFFFF);
  }

  private void add(
      FrameBatch batch, int ingress, ByteBuf in, long frame, int captured, long slot, int status) {
    frames.add(
        batch,
        ingress,
        in,
        frame,
        captured,
        Native.MEMORY.get(Native.INT, slot + WIRE_LENGTH),
        status,
        Native.MEMORY.get(Native.SHORT, slot + TAG_CONTROL) & 0xFFFF,
        Native.MEMORY.get(Native.SHORT, slot + TAG_PROTOCOL) & 0xFFFF);
  }

  /** The place of the slot behind; what is left of a block and too short for one is not used. */
  private int after(int slot) {
    int next = slot + slotSize;
    int used = next & blockSize - 1;
    if (used + slotSize > blockSize) {
      next += blockSize - used;
    }
    return next == length ? 0 : next;
  }

  /** Gives all slots read so far back to the kernel. */
  void release() {
    for (; held > 0; held--) {
      STATUS.setRelease(Native.MEMORY, base + oldest, 0);
      oldest = after(oldest);
    }
  }
}
