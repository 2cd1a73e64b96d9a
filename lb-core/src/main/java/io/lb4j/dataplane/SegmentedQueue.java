package io.lb4j.dataplane;

import io.lb4j.counters.WorkerCounters;
import io.lb4j.frame.Segmenter;
import io.lb4j.port.PortQueue;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.nio.ByteBuffer;

/**
 * The way out for super-frames by a port that does not carry them: they are cut last of all, as Linux does it, so that
 * frames keep their order. Owned by the thread that owns the queue's transmitting half. Segments wait in memory of
 * fixed size, which is taken with the first super-frame; when it is full, the queue is flushed.
 */
public final class SegmentedQueue {
  private static final int AREA = 256 * 1024;
  private static final int CACHE_LINE = 64;

  private final PortQueue queue;
  private final int link;
  private final WorkerCounters counters;
  private final Segmenter segmenter = new Segmenter();
  private ByteBuf area = Unpooled.EMPTY_BUFFER;
  private int used;

  /**
   * A way out that has sent nothing.
   *
   * @param queue whose transmitting half is the thread's
   * @param link index of its interface
   * @param counters the thread's
   */
  public SegmentedQueue(PortQueue queue, int link, WorkerCounters counters) {
    this.queue = queue;
    this.link = link;
    this.counters = counters;
  }

  /**
   * Hands a super-frame over in segments. What it becomes beyond one frame is counted here, as originated and as
   * transmitted or refused; the one is the caller's to count, by the answer.
   *
   * @param frame holds it; its memory is not needed afterwards
   * @param start index of its first byte
   * @param length of the super-frame
   * @param marks what travels beside the bytes
   * @return false when the port took no segment, or the frame cannot be cut
   */
  public boolean transmit(ByteBuf frame, int start, int length, long marks) {
    int segments = segmenter.begin(frame, start, length, marks);
    int taken = 0;
    for (int i = 0; i < segments; i++) {
      taken += sendNext() ? 1 : 0;
    }
    for (int i = 1; i < segments; i++) {
      counters.onOriginated(link, 1);
      if (i < taken) {
        counters.onTransmitted(link, segmenter.headerBytes()); // the payload is in the caller's count
      } else {
        counters.onRefused(link);
      }
    }
    return taken > 0;
  }

  private boolean sendNext() {
    if (used + segmenter.longest() > area.capacity()) {
      makeRoom();
    }
    int length = segmenter.next(area, used);
    boolean taken = queue.transmit(area, used, length, segmenter.marks());
    if (taken) {
      used = used + length + CACHE_LINE - 1 & -CACHE_LINE;
    }
    return taken;
  }

  private void makeRoom() {
    if (area.capacity() == 0) {
      area = Unpooled.wrappedBuffer(ByteBuffer.allocateDirect(AREA));
    } else {
      int refused = queue.flush();
      if (refused > 0) {
        counters.onRefusedAtFlush(link, refused);
      }
    }
    used = 0;
  }

  /** To be called when the queue was flushed: the memory of what was handed over is free again. */
  public void onFlush() {
    used = 0;
  }
}
