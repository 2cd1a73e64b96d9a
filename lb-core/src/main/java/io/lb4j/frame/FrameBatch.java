package io.lb4j.frame;

import io.netty.buffer.ByteBuf;

/**
 * Up to {@value #CAPACITY} frames that are worked on together, so that their cache misses overlap. Owned by one worker
 * and used again for every burst. The frames' memory is borrowed from the port or the caller that added them.
 */
public final class FrameBatch {
  /** Frames in a full batch. */
  public static final int CAPACITY = 32;

  private final FrameView[] views = new FrameView[CAPACITY];
  private int size;

  /** An empty batch. */
  public FrameBatch() {
    for (int i = 0; i < CAPACITY; i++) {
      views[i] = new FrameView();
    }
  }

  /** Forgets all frames; their memory is no longer referred to by size, though views keep their last buffer. */
  public void clear() {
    size = 0;
  }

  /**
   * Adds a frame. The memory stays the caller's until the burst ends.
   *
   * @param buffer holds the frame; not a composite buffer
   * @param start index of the frame's first byte
   * @param length of the frame without its check sequence
   * @param marks what travels beside the bytes, see {@link FrameMarks}
   * @param ingress index of the interface it came from
   * @return false when the batch is full and nothing was added
   */
  public boolean add(ByteBuf buffer, int start, int length, long marks, int ingress) {
    if (size == CAPACITY) {
      return false;
    }
    views[size++].wrap(buffer, start, length, marks, ingress);
    return true;
  }

  /**
   * Frames in the batch.
   *
   * @return 0..{@value #CAPACITY}
   */
  public int size() {
    return size;
  }

  /**
   * Room for more frames.
   *
   * @return 0..{@value #CAPACITY}
   */
  public int room() {
    return CAPACITY - size;
  }

  /**
   * A frame of the batch.
   *
   * @param i 0..{@link #size()}-1
   * @return its view
   */
  public FrameView get(int i) {
    return views[i];
  }

  /**
   * All views of the batch, for loops that go through many of them.
   *
   * @return the batch's own, {@link #CAPACITY} long; those from {@link #size()} on are of no meaning
   */
  public FrameView[] views() {
    return views;
  }
}
