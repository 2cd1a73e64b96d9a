package io.lb4j.pcap.packet;

import io.lb4j.frame.FrameBatch;
import io.lb4j.pcap.os.Native;
import io.netty.buffer.ByteBuf;
import java.lang.invoke.VarHandle;

/**
 * A ring of blocks that the kernel fills with frames one after the other (TPACKET_V3), and hands over when they are
 * full or a time is over. A block goes back as a whole, when none of its frames is in use any more. The place of a frame
 * that the kernel gave up, because packet sockets have no words for its offloads, has what was there before, but for its
 * length and its status, which is not that of a frame. Owned by a queue's worker.
 *
 * <pre>
 *   block   +8 status   +12 number of frames   +16 place of the first
 *   frame   +0 place of the next   +12 captured   +16 length   +20 status   +24 place of the Ethernet header
 *           +32 VLAN tag   +36 VLAN protocol
 * </pre>
 */
final class BlockRing implements ReceiveRing {
  private static final VarHandle STATUS = Native.INT.varHandle();
  private static final int BLOCK_STATUS = 8;
  private static final int BLOCK_FRAMES = 12;
  private static final int BLOCK_FIRST = 16;
  private static final int CAPTURED = 12;
  private static final int WIRE_LENGTH = 16;
  private static final int FRAME_STATUS = 20;
  private static final int ETHERNET = 24;
  private static final int TAG_CONTROL = 32;
  private static final int TAG_PROTOCOL = 36;

  private final RingFrames frames = new RingFrames();
  private final ByteBuf buffer;
  private final long base;
  private final long blockSize;
  private final int blocks;
  private int oldest; // block that was read and is not given back
  private int current; // block that is read, or the one to be read next
  private int held; // blocks from oldest on that were read to their end
  private int left; // frames left in the current block
  private long next; // address of the next of them

  BlockRing(RingMemory memory, RingRequest request) {
    this.buffer = memory.buffer();
    this.base = memory.address();
    this.blockSize = request.blockSize(memory.length());
    this.blocks = (int) (memory.length() / blockSize);
  }

  @Override
  public int receive(FrameBatch batch, int ingress) {
    int room = batch.room();
    int received = 0;
    frames.begin();
    while (received < room && (left > 0 || openBlock())) {
      long frame = next;
      if ((Native.MEMORY.get(Native.INT, frame + FRAME_STATUS) & RingFrames.STATUS_USER) != 0) {
        add(batch, ingress, frame);
        received++;
      }
      if (--left == 0) {
        endBlock();
      } else {
        next = frame + Native.MEMORY.get(Native.INT, frame);
      }
    }
    return received;
  }

  private void add(FrameBatch batch, int ingress, long frame) {
    frames.add(
        batch,
        ingress,
        buffer,
        frame + (Native.MEMORY.get(Native.SHORT, frame + ETHERNET) & 0xFFFF),
        Native.MEMORY.get(Native.INT, frame + CAPTURED),
        Native.MEMORY.get(Native.INT, frame + WIRE_LENGTH),
        Native.MEMORY.get(Native.INT, frame + FRAME_STATUS),
        Native.MEMORY.get(Native.INT, frame + TAG_CONTROL),
        Native.MEMORY.get(Native.SHORT, frame + TAG_PROTOCOL) & 0xFFFF);
  }

  /** Begins with the next block; false when the kernel has none for us. */
  private boolean openBlock() {
    while (isReady()) {
      long block = address(current);
      left = Native.MEMORY.get(Native.INT, block + BLOCK_FRAMES);
      if (left > 0) {
        next = block + Native.MEMORY.get(Native.INT, block + BLOCK_FIRST);
        return true;
      }
      endBlock(); // the time was over and no frame had come
    }
    return false;
  }

  private void endBlock() {
    held++;
    current = current + 1 == blocks ? 0 : current + 1;
  }

  private long address(int block) {
    return base + block * blockSize;
  }

  @Override
  public boolean isReady() {
    return left > 0
        || held < blocks
            && ((int) STATUS.getAcquire(Native.MEMORY, address(current) + BLOCK_STATUS) & RingFrames.STATUS_USER) != 0;
  }

  @Override
  public void release() {
    for (; held > 0; held--) {
      STATUS.setRelease(Native.MEMORY, address(oldest) + BLOCK_STATUS, 0);
      oldest = oldest + 1 == blocks ? 0 : oldest + 1;
    }
  }

  @Override
  public long receivedBytes() {
    return frames.bytes();
  }
}
