package io.lb4j.steering;

import io.lb4j.dataplane.Apart;
import io.lb4j.dataplane.HandOver;
import io.lb4j.frame.FrameView;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import org.jspecify.annotations.Nullable;

/**
 * A frame on its way between threads, with all that travels beside its bytes. Owned by one thread at a time: whoever
 * takes it out of a ring owns it, until it puts it into another one. Whoever ends it calls {@link #end}. Apart from its
 * neighbours, because two of one burst go to different workers.
 */
final class Parcel extends Apart {
  /** Where it came from and goes back to; null when its memory is its own and is released at the end. */
  final @Nullable ParcelPool home;

  /** Index of its memory in its home's. */
  final int slot;

  ByteBuf buffer;
  int start;
  int length;
  long marks;
  int ingress;
  int egress;
  long tag;
  HandOver.@Nullable Reason reason; // why a worker gave it to another
  boolean transmitted; // counted as such already, by the worker that made it

  Parcel(@Nullable ParcelPool home, ByteBuf buffer, int slot) {
    this.home = home;
    this.buffer = buffer;
    this.slot = slot;
    this.start = slot;
  }

  /** A frame of the balancer's own, which brings its memory along. */
  static Parcel own(ByteBuf frame, int egress, long marks) {
    Parcel parcel = new Parcel(null, frame, frame.readerIndex());
    parcel.length = frame.readableBytes();
    parcel.egress = egress;
    parcel.marks = marks;
    parcel.transmitted = true;
    return parcel;
  }

  /** A copy of a frame whose memory is somebody else's. */
  static Parcel copyOf(FrameView view, ByteBufAllocator allocator) {
    ByteBuf copy = allocator.buffer(view.length(), view.length());
    copy.writeBytes(view.buffer(), view.start(), view.length());
    Parcel parcel = new Parcel(null, copy, 0);
    parcel.describe(view);
    parcel.start = 0;
    return parcel;
  }

  /** Takes over what a view says of the frame in this parcel. */
  void describe(FrameView view) {
    start = view.start();
    length = view.length();
    marks = view.marks();
    ingress = view.ingress();
    tag = view.tag();
    egress = view.egress();
  }

  /** Points a view at the frame. */
  void show(FrameView view) {
    view.wrap(buffer, start, length, marks, ingress);
    view.setTag(tag);
  }

  /**
   * Ends the frame: its memory goes back home, or is released.
   *
   * @param giver number of the thread that ends it, see {@link ParcelPool}
   */
  void end(int giver) {
    if (home == null) {
      buffer.release();
    } else {
      home.giveBack(this, giver);
    }
  }
}
