package io.lb4j.steering;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.sun.management.ThreadMXBean;
import io.lb4j.frame.FrameMarks;
import io.lb4j.frame.FrameView;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.buffer.UnpooledByteBufAllocator;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import org.junit.jupiter.api.Test;

/** What a receiver takes a frame into, and not a byte on the heap. */
class ParcelPoolAllocationTest {
  private static final int FRAMES = 1_000_000;
  private static final int WARM_UP = 200_000;
  private static final int MOST_WARM_UPS = 200; // a second of them was too little beside another fork
  private static final int LENGTH = 1514;

  /** For all frames together, as lb-dsr's AllocationTest says. One object per frame would be 16,000,000. */
  private static final long TOLERATED = 64 << 10;

  private static final ThreadMXBean THREADS =
      ManagementFactory.getThreadMXBean() instanceof ThreadMXBean bean ? bean : null;

  private final FrameView view = new FrameView();

  private void takeAndPutBack(ParcelPool pool, ByteBuf received, int count) {
    for (int i = 0; i < count; i++) {
      int start = i % 16 * 2048;
      received.setInt(start + LENGTH - 4, i);
      view.wrap(received, start, LENGTH, FrameMarks.NONE, 0);
      Parcel parcel = pool.take(view);
      if (parcel == null || parcel.buffer.getInt(parcel.start + LENGTH - 4) != i) {
        throw new AssertionError("not copied: " + i);
      }
      pool.putBack(parcel);
    }
  }

  private long allocatedBy(ParcelPool pool, ByteBuf received, int count) {
    long before = THREADS.getCurrentThreadAllocatedBytes();
    takeAndPutBack(pool, received, count);
    return THREADS.getCurrentThreadAllocatedBytes() - before;
  }

  @Test
  void shouldCopyWithoutAllocating() {
    assumeTrue(
        THREADS != null && THREADS.isThreadAllocatedMemorySupported() && THREADS.isThreadAllocatedMemoryEnabled(),
        "this virtual machine does not count allocated bytes");
    ParcelPool pool = new ParcelPool(new UnpooledByteBufAllocator(true, true), 8, 1600, 1);
    ByteBuf received = Unpooled.wrappedBuffer(ByteBuffer.allocateDirect(16 * 2048)); // as a port hands it over
    int warmUps = 0;
    do { // the compiler may be late on a busy machine
      warmUps++;
    } while (allocatedBy(pool, received, WARM_UP) > TOLERATED && warmUps < MOST_WARM_UPS);
    long allocated = allocatedBy(pool, received, FRAMES);
    assertThat(allocated).as("bytes for %d frames", FRAMES).isLessThanOrEqualTo(TOLERATED);
    pool.close();
  }
}
