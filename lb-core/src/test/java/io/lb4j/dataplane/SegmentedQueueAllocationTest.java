package io.lb4j.dataplane;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.sun.management.ThreadMXBean;
import io.lb4j.counters.WorkerCounters;
import io.lb4j.frame.FrameBatch;
import io.lb4j.frame.FrameMarks;
import io.lb4j.port.PortQueue;
import io.lb4j.wire.Ipv4Header;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.UnpooledByteBufAllocator;
import java.lang.management.ManagementFactory;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Super-frames that are cut for a port that does not carry them, and not a byte on the heap. */
class SegmentedQueueAllocationTest {
  private static final int SUPER_FRAMES = 40_000;
  private static final int WARM_UP = 20_000;
  private static final int MOST_WARM_UPS = 10;
  private static final int SEGMENTS = 10;
  private static final int SEGMENT_SIZE = 500;
  private static final int SHORT_OF_FULL = 200; // the last one's payload

  /** For all frames together, as lb-dsr's AllocationTest says. One object per segment would be 6,400,000. */
  private static final long TOLERATED = 64 << 10;

  private static final ThreadMXBean THREADS =
      ManagementFactory.getThreadMXBean() instanceof ThreadMXBean bean ? bean : null;

  private final Wire wire = new Wire();
  private final WorkerCounters counters = new WorkerCounters(1);
  private final SegmentedQueue queue = new SegmentedQueue(wire, 0, counters);

  /** Takes all, and counts it. */
  private static final class Wire implements PortQueue {
    private int taken;
    private int flushes;

    @Override
    public int receive(FrameBatch batch, int ingress) {
      return 0;
    }

    @Override
    public void release() {}

    @Override
    public boolean transmit(ByteBuf buffer, int start, int length, long marks) {
      taken++;
      return marks == FrameMarks.NONE;
    }

    @Override
    public int flush() {
      flushes++;
      return 0;
    }

    @Override
    public void await(long timeoutNs) {}
  }

  /** A direct buffer that no leak detector wraps, as its records would be counted. */
  private static ByteBuf superFrame(boolean v6, boolean tcp) {
    int header = tcp ? 20 : 8;
    int payload = SEGMENTS * SEGMENT_SIZE - SHORT_OF_FULL;
    ByteBuf frame = new UnpooledByteBufAllocator(true, true).directBuffer(8192);
    frame.writeLong(0x0200_0000_0005_0200L).writeInt(0x0000_0001);
    if (v6) {
      frame.writeShort(0x86DD).writeInt(0x6000_0000).writeShort(header + payload).writeByte(tcp ? 6 : 17).writeByte(64);
      frame.writeLong(0x2001_0DB8_0000_0000L).writeLong(0x8001).writeLong(0x2001_0DB8_0000_FFFFL).writeLong(0x80F0);
    } else {
      frame.writeShort(0x0800).writeShort(0x4500).writeShort(20 + header + payload).writeInt(0xFFFE_4000);
      frame.writeByte(64).writeByte(tcp ? 6 : 17).writeShort(0).writeInt(0xC633_640A).writeInt(0xC000_0264);
      Ipv4Header.updateChecksum(frame, 14);
    }
    frame.writeShort(0x9C40).writeShort(80);
    if (tcp) {
      frame.writeInt(0xFFFF_FF80).writeInt(0x8000_0001).writeShort(0x5018).writeShort(1000).writeInt(0);
    } else {
      frame.writeShort(8 + payload).writeShort(0x8888);
    }
    return frame.writeZero(payload);
  }

  private void cut(ByteBuf frame, long marks, int count) {
    for (int i = 0; i < count; i++) {
      assertTaken(queue.transmit(frame, 0, frame.readableBytes(), marks));
    }
  }

  private long allocatedBy(ByteBuf frame, long marks, int count) {
    long before = THREADS.getCurrentThreadAllocatedBytes();
    cut(frame, marks, count);
    return THREADS.getCurrentThreadAllocatedBytes() - before;
  }

  private static void assertTaken(boolean taken) {
    if (!taken) {
      throw new AssertionError("not taken");
    }
  }

  @ParameterizedTest(name = "IPv6 {0}, TCP {1}")
  @CsvSource({"false, true", "true, true", "false, false", "true, false"})
  void shouldCutWithoutAllocating(boolean v6, boolean tcp) {
    assumeTrue(
        THREADS != null && THREADS.isThreadAllocatedMemorySupported() && THREADS.isThreadAllocatedMemoryEnabled(),
        "this virtual machine does not count allocated bytes");
    ByteBuf frame = superFrame(v6, tcp);
    long marks = FrameMarks.withGso(FrameMarks.CHECKSUM_PARTIAL, tcp ? v6 ? 4 : 1 : 5, SEGMENT_SIZE);
    int warmUps = 0;
    do { // the compiler may be late on a busy machine
      warmUps++;
    } while (allocatedBy(frame, marks, WARM_UP) > TOLERATED && warmUps < MOST_WARM_UPS);
    long allocated = allocatedBy(frame, marks, SUPER_FRAMES);
    assertThat(allocated).as("bytes for %d super-frames", SUPER_FRAMES).isLessThanOrEqualTo(TOLERATED);
    assertThat(wire.taken).isEqualTo((warmUps * WARM_UP + SUPER_FRAMES) * SEGMENTS);
    assertThat(wire.flushes).as("its memory was full now and then").isPositive();
    frame.release();
  }
}
