package io.lb4j.pcap;

import static org.assertj.core.api.Assertions.assertThat;

import io.lb4j.frame.FrameBatch;
import io.lb4j.frame.FrameMarks;
import io.lb4j.frame.FrameView;
import io.lb4j.port.Port;
import io.lb4j.port.PortQueue;
import io.lb4j.port.PortStatus;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;

/** A veth pair for a test, and what its ports are closed by; skips without root. */
public abstract class LivePortFixture {
  protected static final long PATIENCE_NS = 5_000_000_000L;

  /** The interfaces. */
  protected VethPair pair;
  private final List<Port> ports = new ArrayList<>();
  private final List<ByteBuf> buffers = new ArrayList<>();

  @BeforeEach
  final void makeInterfaces() {
    pair = VethPair.create();
  }

  @AfterEach
  final void closeAll() {
    ports.forEach(Port::close);
    buffers.forEach(ByteBuf::release);
    if (pair != null) {
      pair.close();
    }
  }

  /** Closes a port after the test. */
  protected final <P extends Port> P closedAfterwards(P port) {
    ports.add(port);
    return port;
  }

  /** A frame with a telling first payload byte; lives as long as the test. */
  protected final ByteBuf frame(int number, int length) {
    ByteBuf frame = Unpooled.directBuffer(length);
    buffers.add(frame);
    frame.writeBytes(new byte[] {2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, (byte) 0x88, (byte) 0xB5, (byte) number});
    return frame.writeZero(length - frame.writerIndex());
  }

  protected final boolean handOver(Port port, int number, int length) {
    return port.queue(0).transmit(frame(number, length), 0, length, FrameMarks.NONE);
  }

  protected final int send(Port port, int number, int length) {
    assertThat(handOver(port, number, length)).isTrue();
    return port.queue(0).flush();
  }

  /** The telling bytes of the frames that come until there are so many, or time is over. */
  protected static List<Integer> receive(Port port, int count) {
    List<Integer> numbers = new ArrayList<>();
    receiveViews(port, count, view -> numbers.add((int) view.buffer().getUnsignedByte(view.start() + 14)));
    return numbers;
  }

  protected static List<String> receiveHex(Port port, int count) {
    List<String> dumps = new ArrayList<>();
    receiveViews(port, count, view -> dumps.add(ByteBufUtil.hexDump(view.buffer(), view.start(), view.length())));
    return dumps;
  }

  protected static void receiveViews(Port port, int count, java.util.function.Consumer<FrameView> taken) {
    PortQueue queue = port.queue(0);
    FrameBatch batch = new FrameBatch();
    int received = 0;
    long deadlineNs = System.nanoTime() + PATIENCE_NS;
    while (received < count && System.nanoTime() - deadlineNs < 0) {
      int got = queue.receive(batch, 0);
      for (int i = 0; i < got; i++) {
        taken.accept(batch.get(i));
      }
      received += got;
      queue.release();
      batch.clear();
      if (got == 0) {
        queue.await(10_000_000);
      }
    }
    assertThat(received).as("frames received in time").isGreaterThanOrEqualTo(count);
  }

  protected static int receiveNow(Port port) {
    FrameBatch batch = new FrameBatch();
    port.queue(0).await(20_000_000);
    int got = port.queue(0).receive(batch, 0);
    port.queue(0).release();
    return got;
  }

  protected static void awaitStatus(Port port, PortStatus wanted) throws InterruptedException {
    long deadlineNs = System.nanoTime() + PATIENCE_NS;
    while (port.status() != wanted && System.nanoTime() - deadlineNs < 0) {
      Thread.sleep(5);
    }
    assertThat(port.status()).isEqualTo(wanted);
  }
}
