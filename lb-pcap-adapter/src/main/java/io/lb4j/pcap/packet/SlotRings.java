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

  SlotRings(
      RingSocket shortSocket, RingRequest shortRequest, RingSocket longSocket, RingRequest longRequest,
      SlotRing.Renewal renewal) {
    shorts = new SlotRing(shortSocket, shortRequest, frames, copies, renewal);
    longs = new SlotRing(longSocket, longRequest, frames, copies, renewal);
  }

  private SlotRing of(int socket) {
    return socket == 0 ? shorts : longs;
  }

  @Override
  public long taken(int socket) {
    return of(socket).taken();
  }

  @Override
  public void onDropped(int socket, long count, long taken) {
    of(socket).onDropped(count, taken);
  }

  @Override
  public void mend() {
    shorts.mend();
    longs.mend();
  }

  @Override
  public int receive(FrameBatch batch, int ingress) {
    frames.begin();
    int shortCount = shorts.count(batch.room());
    int longCount = longs.count(batch.room());
    if (longCount == 0 && (shortCount == 0 || longs.earliestNs() == SlotRing.NEVER)) {
      return shorts.take(batch, ingress, shortCount);
    }
    return merge(batch, ingress, shortCount, longCount);
  }

  /**
   * Takes frames of both rings. A processor handles a flow's frames one after the other: it reserves a slot, copies,
   * writes the time, and goes on to the next frame. So slots lie in the order in which they were reserved, times are
   * those of the end, and the ring comes first that has the earliest time among its next slots: any frame of the other
   * one ended later, while that ring's first slot was reserved earlier, so that it is none that has to precede it. What
   * had ended before a counted frame began is seen, because that frame was counted before the times are read.
   */
  private int merge(FrameBatch batch, int ingress, int shortCount, int longCount) {
    int shortsLeft = shortCount;
    int longsLeft = longCount;
    int added = 0;
    while (batch.room() > 0) {
      boolean isShort = isBefore(shorts.earliestNs(), longs.earliestNs());
      SlotRing next = isShort ? shorts : longs;
      if ((isShort ? shortsLeft-- : longsLeft--) == 0 || next.isBlocked()) {
        break; // its first frame is still being copied, or came after the others were counted
      }
      next.take(batch, ingress);
      added++;
    }
    return added;
  }

  /** Whether one time is before the other. If they are far apart the clock was set, and they say nothing. */
  private static boolean isBefore(long oneNs, long otherNs) {
    long later = otherNs - oneNs;
    return oneNs != SlotRing.NEVER && (otherNs == SlotRing.NEVER || later > 0 && later < CLOCK_STEP_NS);
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
}
