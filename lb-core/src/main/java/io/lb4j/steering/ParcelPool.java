package io.lb4j.steering;

import io.lb4j.frame.FrameView;
import io.lb4j.wire.DirectMemory;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import org.jspecify.annotations.Nullable;

/**
 * The parcels of one receiver and the memory of their frames: one piece, a slot for each. Owned by the receiver's
 * thread. Other threads end parcels and give them back by rings, one for each of them, that have room for all; so
 * giving back never fails. Nothing is allocated per frame, except for frames that are longer than a slot.
 */
final class ParcelPool {
  private final ByteBufAllocator allocator;
  private final ByteBuf slab;
  private final int slotBytes;
  private final Parcel[] free; // the last one given back is the first to be taken: its memory is in the cache
  private final ParcelRing[] returned; // by giver
  private int freeCount;

  /**
   * A pool all of whose parcels are free.
   *
   * @param allocator for the slab, and for frames longer than a slot
   * @param parcels how many
   * @param slotBytes length of the longest ordinary frame
   * @param givers threads that may give parcels back, numbered from 0
   */
  ParcelPool(ByteBufAllocator allocator, int parcels, int slotBytes, int givers) {
    this.allocator = allocator;
    this.slotBytes = slotBytes;
    this.slab = allocator.directBuffer(parcels * slotBytes, parcels * slotBytes);
    this.free = new Parcel[parcels];
    this.returned = ParcelRing.array(givers, parcels);
    for (int i = parcels - 1; i >= 0; i--) {
      free[freeCount++] = new Parcel(this, slab, i * slotBytes);
    }
  }

  /** A free parcel with a copy of a frame; null when all parcels are on their way. */
  @Nullable Parcel take(FrameView view) {
    if (freeCount == 0) {
      collect();
      if (freeCount == 0) {
        return null;
      }
    }
    Parcel parcel = free[freeCount - 1];
    boolean fits = view.length() <= slotBytes;
    if (!fits) {
      parcel.buffer = allocator.buffer(view.length(), view.length());
    }
    freeCount--; // not before there is memory: a parcel that nobody owns never comes back
    parcel.describe(view);
    parcel.start = fits ? parcel.slot : 0;
    parcel.reason = null;
    DirectMemory.copy(view.buffer(), view.start(), parcel.buffer, parcel.start, view.length());
    return parcel;
  }

  private void collect() {
    for (ParcelRing ring : returned) {
      for (Parcel parcel = ring.poll(); parcel != null; parcel = ring.poll()) {
        putBack(parcel);
      }
    }
  }

  /** Takes a parcel back at once. For the pool's owner. */
  void putBack(Parcel parcel) {
    if (parcel.buffer != slab) {
      parcel.buffer.release();
      parcel.buffer = slab;
    }
    free[freeCount++] = parcel;
  }

  /** Takes a parcel back when its owner asks next. For the thread with that number. */
  void giveBack(Parcel parcel, int giver) {
    boolean taken = returned[giver].offer(parcel);
    assert taken : "a ring for all parcels was full";
  }

  /** Releases the memory. To be called when all threads have ended and all parcels were given back. */
  void close() {
    collect();
    assert freeCount == free.length : free.length - freeCount + " parcels are missing";
    slab.release();
  }
}
