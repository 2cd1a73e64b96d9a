package io.lb4j.pcap.packet;

import io.lb4j.frame.FrameBatch;

/**
 * Two rings of slots, one for frames of the MTU and one for super-frames, read in the order in which the kernel put
 * frames there: short slots for all would have super-frames copied twice, and long ones would take 64 KiB for the
 * shortest. Owned by a queue's worker.
 */
final class SlotRings implements ReceiveRing {
  private static final long CLOCK_STEP_NS = 1_000_000_000L;

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
    frames.begin();
    int shortCount = shorts.count(batch.room());
    int longCount = longs.count(batch.room());
    if (longCount == 0 && (shortCount == 0 || longs.horizonNs() == SlotRing.NEVER)) {
      return shorts.takeCounted(batch, ingress);
    }
    return merge(batch, ingress, shortCount, longCount);
  }

  /**
   * Takes frames of both rings. A flow's frames come by one processor, each being whole before the next begins; so what
   * came before a frame that was counted is seen by a look at the other ring after that, among the counted ones or
   * behind them, where it may not be taken yet.
   */
  private int merge(FrameBatch batch, int ingress, int shortCount, int longCount) {
    long shortHorizonNs = shorts.horizonNs();
    long longHorizonNs = longs.horizonNs();
    int shortsLeft = shortCount;
    int longsLeft = longCount;
    int added = 0;
    while (batch.room() > 0 && shortsLeft + longsLeft > 0) {
      boolean isShort = longsLeft == 0 || shortsLeft > 0 && isBefore(shorts.timeNs(), longs.timeNs());
      SlotRing next = isShort ? shorts : longs;
      if (isBefore(isShort ? longHorizonNs : shortHorizonNs, next.timeNs()) || next.isBlocked()) {
        break;
      }
      if (next.take(batch, ingress)) {
        added++;
      }
      shortsLeft -= isShort ? 1 : 0;
      longsLeft -= isShort ? 0 : 1;
    }
    return added;
  }

  /** Whether one came before the other. If the times are farther apart the clock was set, and they say nothing. */
  private static boolean isBefore(long oneNs, long otherNs) {
    long later = otherNs - oneNs;
    return later > 0 && later < CLOCK_STEP_NS;
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
