package io.lb4j.pcap.packet;

import io.lb4j.frame.FrameBatch;
import org.jspecify.annotations.Nullable;

/**
 * Two rings of slots, one for frames of the MTU and one for super-frames, read in the order in which the kernel put
 * frames there: short slots for all would have super-frames copied twice, and long ones would take 64 KiB for the
 * shortest. Owned by a queue's worker.
 */
final class SlotRings implements ReceiveRing {
  private final RingFrames frames = new RingFrames();
  private final CopyArea copies = new CopyArea();
  private final SlotRing shorts;
  private final SlotRing longs;

  SlotRings(RingSocket shortSocket, RingRequest shortRequest, RingSocket longSocket, RingRequest longRequest) {
    shorts = new SlotRing(shortSocket, shortRequest, frames, copies);
    longs = new SlotRing(longSocket, longRequest, frames, copies);
  }

  @Override
  public int receive(FrameBatch batch, int ingress) {
    int room = batch.room();
    int received = 0;
    frames.begin();
    while (received < room) {
      SlotRing next = next();
      if (next == null || next.isBlocked()) {
        break;
      }
      if (next.take(batch, ingress)) {
        received++;
      }
    }
    return received;
  }

  /**
   * The ring whose frame came first. A flow's frames come by one processor, each being whole before the next; so
   * whatever came before a frame that is seen to wait is seen by a look at the other ring after that, not before.
   */
  private @Nullable SlotRing next() {
    boolean isShort = shorts.isReady();
    boolean isLong = longs.isReady();
    if (!isLong) {
      return isShort ? shorts : null;
    }
    if (!isShort && !shorts.isReady()) {
      return longs;
    }
    return longs.timeNs() - shorts.timeNs() < 0 ? longs : shorts;
  }

  @Override
  public boolean isReady() {
    return shorts.isReady() || longs.isReady();
  }

  @Override
  public void release() {
    shorts.release();
    longs.release();
    copies.release();
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
