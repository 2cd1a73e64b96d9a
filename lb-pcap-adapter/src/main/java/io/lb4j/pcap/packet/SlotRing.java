package io.lb4j.pcap.packet;

import io.lb4j.frame.FrameBatch;
import io.lb4j.pcap.os.Libc;
import io.lb4j.pcap.os.Native;
import io.netty.buffer.ByteBuf;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.VarHandle;

/**
 * A ring of slots of one frame each, handed over one by one (TPACKET_V2). A slot has room for a frame of the MTU; of a
 * longer one, a super-frame, the kernel queues a whole copy in the socket, in the same order, and that is taken from
 * there into an area of its own. Owned by a queue's worker.
 *
 * <pre>
 *   slot   +0 status   +4 length   +8 captured   +12 place of the Ethernet header   +24 VLAN tag   +26 VLAN protocol
 * </pre>
 */
final class SlotRing implements ReceiveRing {
  /** Bytes of a slot before the frame. */
  static final int HEADROOM = 96;

  private static final VarHandle STATUS = Native.INT.varHandle();
  private static final int WIRE_LENGTH = 4;
  private static final int CAPTURED = 8;
  private static final int ETHERNET = 12;
  private static final int TAG_CONTROL = 24;
  private static final int TAG_PROTOCOL = 26;
  private static final int MSG_DONTWAIT = 0x40;
  private static final int AREA_SIZE = 4 * 1024 * 1024;
  private static final int LONGEST = 1024 * 1024; // what may come: 64 KiB, and half a MiB with BIG TCP
  private static final int ROOM_BEFORE = 64; // for the header, a tag, and alignment
  private static final int CACHE_LINE = 64;

  private final RingFrames frames;
  private final int fd;
  private final long base;
  private final int slotSize;
  private final int slots;
  private final MemorySegment area;
  private final ByteBuf areaBuffer;
  private int areaUsed;
  private int oldest; // slot that was read and is not given back
  private int current; // slot to be read next
  private int held;

  SlotRing(RingMemory memory, int fd, int slotSize, int slots) {
    this.frames = new RingFrames(memory);
    this.fd = fd;
    this.base = memory.address();
    this.slotSize = slotSize;
    this.slots = slots;
    this.area = Arena.ofAuto().allocate(AREA_SIZE, CACHE_LINE);
    this.areaBuffer = new RingMemory.RingArea(area);
  }

  @Override
  public int receive(FrameBatch batch, int ingress) {
    int room = batch.room();
    int received = 0;
    frames.begin();
    while (received < room && held < slots) {
      long slot = base + (long) current * slotSize;
      int status = (int) STATUS.getAcquire(Native.MEMORY, slot);
      boolean isLong = (status & RingFrames.STATUS_COPY) != 0;
      if ((status & RingFrames.STATUS_USER) == 0 || isLong && isAreaFull()) {
        break;
      }
      if (isLong ? addLong(batch, ingress, slot, status) : add(batch, ingress, slot, status)) {
        received++;
      }
      held++;
      current = current + 1 == slots ? 0 : current + 1;
    }
    return received;
  }

  private boolean add(FrameBatch batch, int ingress, long slot, int status) {
    return frames.add(
        batch,
        ingress,
        slot + (Native.MEMORY.get(Native.SHORT, slot + ETHERNET) & 0xFFFF),
        Native.MEMORY.get(Native.INT, slot + CAPTURED),
        Native.MEMORY.get(Native.INT, slot + WIRE_LENGTH),
        status,
        Native.MEMORY.get(Native.SHORT, slot + TAG_CONTROL) & 0xFFFF,
        Native.MEMORY.get(Native.SHORT, slot + TAG_PROTOCOL) & 0xFFFF);
  }

  private boolean isAreaFull() {
    return areaUsed + LONGEST > AREA_SIZE;
  }

  /** Takes the whole frame from the socket; what the slot holds of it remains if it is not there. */
  private boolean addLong(FrameBatch batch, int ingress, long slot, int status) {
    long room = area.address() + areaUsed + ROOM_BEFORE - VirtioHeader.LENGTH;
    int taken = (int) Libc.recv(fd, room, LONGEST - ROOM_BEFORE, MSG_DONTWAIT);
    if (taken < VirtioHeader.LENGTH) {
      return add(batch, ingress, slot, status);
    }
    int length = taken - VirtioHeader.LENGTH;
    long frame = room + VirtioHeader.LENGTH;
    areaUsed = areaUsed + ROOM_BEFORE + length + CACHE_LINE - 1 & -CACHE_LINE;
    return frames.add(
        batch,
        ingress,
        areaBuffer,
        area.address(),
        frame,
        length,
        Native.MEMORY.get(Native.INT, slot + WIRE_LENGTH),
        status,
        Native.MEMORY.get(Native.SHORT, slot + TAG_CONTROL) & 0xFFFF,
        Native.MEMORY.get(Native.SHORT, slot + TAG_PROTOCOL) & 0xFFFF);
  }

  @Override
  public boolean isReady() {
    return held < slots
        && ((int) STATUS.getAcquire(Native.MEMORY, base + (long) current * slotSize) & RingFrames.STATUS_USER) != 0;
  }

  @Override
  public void release() {
    for (; held > 0; held--) {
      STATUS.setRelease(Native.MEMORY, base + (long) oldest * slotSize, 0);
      oldest = oldest + 1 == slots ? 0 : oldest + 1;
    }
    areaUsed = 0;
  }

  @Override
  public long receivedBytes() {
    return frames.bytes();
  }

  @Override
  public long unreadable() {
    return frames.unreadable();
  }
}
