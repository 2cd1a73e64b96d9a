package io.lb4j.pcap.xdp;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lb4j.frame.FrameBatch;
import io.lb4j.frame.FrameMarks;
import io.lb4j.frame.FrameView;
import io.lb4j.pcap.LivePortFixture;
import io.lb4j.pcap.VethPair;
import io.lb4j.port.PortException;
import io.lb4j.port.PortStatus;
import io.netty.buffer.ByteBuf;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Frames go from one port to another in the memory that both share, whose chunks are never lost. */
@Tag("root")
@Timeout(60)
class XdpMemoryTest extends LivePortFixture {
  private static final int USE = 3;

  private final FrameBatch batch = new FrameBatch();
  private VethPair other;
  private XdpMemory memory;

  // source -- in -- out -- sink; in and out share
  private XdpPort source;
  private XdpPort in;
  private XdpPort out;
  private XdpPort sink;

  @BeforeEach
  void open() {
    other = VethPair.create();
    memory = XdpMemory.sharedBy(List.of(builder(pair.right), builder(other.left)));
    source = closedAfterwards(builder(pair.left).open());
    in = closedAfterwards(builder(pair.right).memory(memory).open());
    out = closedAfterwards(builder(other.left).memory(memory).open());
    sink = closedAfterwards(builder(other.right).open());
  }

  @AfterEach
  void remove() {
    if (other != null) {
      other.close();
    }
  }

  private static XdpPort.Builder builder(String device) {
    return XdpPort.builder(device).ringSize(256).everything(true);
  }

  @Test
  void shouldForwardWithoutCopyingAndWithoutLosingAChunk() {
    for (int round = 0; round < 400; round++) {
      sendFrames(20);
      forward(20);
      assertThat(receive(sink, 20)).hasSize(20);
    }
    assertThat(out.counters().transmittedFrames()).isEqualTo(8000);
    assertThat(in.counters().missedFrames()).isZero();
    List.of(source, in, out, sink).forEach(XdpPort::close);
    assertAllChunksAreFree();
  }

  private void sendFrames(int count) {
    for (int i = 0; i < count; i++) {
      assertThat(handOver(source, i, 64)).isTrue();
    }
    assertThat(source.queue(0).flush()).isZero();
  }

  private void forward(int count) {
    long deadlineNs = System.nanoTime() + PATIENCE_NS;
    for (int done = 0; done < count && System.nanoTime() - deadlineNs < 0; ) {
      done += handOverWhatComes();
      assertThat(out.queue(0).flush()).isZero();
      in.queue(0).release();
    }
  }

  /** Each chunk itself is handed over. */
  private int handOverWhatComes() {
    batch.clear();
    int got = in.queue(0).receive(batch, 0);
    for (int i = 0; i < got; i++) {
      FrameView view = batch.get(i);
      assertThat(out.queue(0).transmit(view.buffer(), view.start(), view.length(), FrameMarks.NONE)).isTrue();
      assertThat(memory.pool().holderOf(memory.chunkAt(view.start())) & USE).isEqualTo(ChunkPool.SENDING);
    }
    return got;
  }

  private void assertAllChunksAreFree() {
    assertThat(memory.pool().free()).isEqualTo(memory.pool().chunks());
  }

  /** While frames are handed over and not sent, or sent and not released. */
  @ParameterizedTest
  @ValueSource(strings = {"in", "out", "in after flush", "out after flush"})
  void shouldGetAllChunksBackInWhateverOrderPortsAreClosed(String first) {
    sendFrames(20);
    awaitFrames();
    int got = handOverWhatComes();
    assertThat(got).isPositive();
    boolean flushed = first.endsWith("flush");
    if (flushed) {
      assertThat(out.queue(0).flush()).isZero();
    }
    boolean inFirst = first.startsWith("in");
    (inFirst ? in : out).close();
    assertThat(out.queue(0).flush()).isEqualTo(inFirst || flushed ? 0 : got);
    in.queue(0).release();
    (inFirst ? out : in).close();
    assertThat(out.counters().transmittedFrames() + out.counters().refusedFrames()).isEqualTo(got);
    assertAllChunksAreFree();
  }

  private void awaitFrames() {
    in.queue(0).await(PATIENCE_NS);
  }

  @Test
  void shouldBeClosedUnderAWorkerWithoutHarm() throws Exception {
    for (int round = 0; round < 12; round++) {
      AtomicBoolean ends = new AtomicBoolean();
      Thread worker = new Thread(() -> forwardUntil(ends));
      worker.start();
      Thread.sleep(10);
      (round % 2 == 0 ? in : out).close();
      Thread.sleep(2);
      (round % 2 == 0 ? out : in).close();
      ends.set(true);
      worker.join(5_000);
      assertThat(worker.isAlive()).isFalse();
      assertThat(in.counters().receivedFrames())
          .isEqualTo(out.counters().transmittedFrames() + out.counters().refusedFrames());
      assertAllChunksAreFree();
      in = closedAfterwards(builder(pair.right).memory(memory).open());
      out = closedAfterwards(builder(other.left).memory(memory).open());
    }
  }

  private void forwardUntil(AtomicBoolean ends) {
    ByteBuf frame = frame(1, 64);
    while (!ends.get()) {
      for (int i = 0; i < 20; i++) {
        source.queue(0).transmit(frame, 0, 64, FrameMarks.NONE);
      }
      source.queue(0).flush();
      batch.clear();
      int got = in.queue(0).receive(batch, 0);
      for (int i = 0; i < got; i++) {
        FrameView view = batch.get(i);
        out.queue(0).transmit(view.buffer(), view.start(), view.length(), FrameMarks.NONE);
      }
      out.queue(0).flush();
      in.queue(0).release();
    }
  }

  /** The socket that registered the memory first has lost its device; nobody has closed it yet. */
  @Test
  void shouldTakeAPortInAgainWhoseInterfaceCameBack() throws Exception {
    for (int round = 0; round < 3; round++) {
      pair.replace();
      awaitStatus(in, PortStatus.GONE);
      in.close();
      source.close();
      source = closedAfterwards(builder(pair.left).open());
      in = closedAfterwards(builder(pair.right).memory(memory).open());
      awaitStatus(in, PortStatus.UP);
      sendFrames(20);
      forward(20);
      assertThat(receive(sink, 20)).hasSize(20);
    }
    in.close();
    out.close();
    assertAllChunksAreFree();
  }

  @Test
  void shouldRegisterTheMemoryAnewWhenNoSocketHasItsDeviceAnyMore() throws Exception {
    VethPair.must("ip", "link", "del", pair.left);
    out.close();
    awaitStatus(in, PortStatus.GONE);
    XdpPort again = closedAfterwards(builder(other.left).memory(memory).open());
    send(again, 7, 64);
    assertThat(receive(sink, 1)).containsExactly(7);
    send(sink, 8, 64);
    assertThat(receive(again, 1)).containsExactly(8);
    in.close();
    send(sink, 9, 64);
    assertThat(receive(again, 1)).containsExactly(9);
    again.close();
    assertAllChunksAreFree();
  }

  @Test
  void shouldRefuseAPortForWhichNothingIsLeftOrAnMtuThatDoesNotFit() {
    assertThatThrownBy(() -> builder(pair.left).memory(memory).open())
        .isInstanceOf(PortException.class)
        .hasMessageContaining("allocate more");
    out.close();
    VethPair.must("ip", "link", "set", other.left, "mtu", "3000");
    assertThatThrownBy(() -> builder(other.left).memory(memory).open())
        .isInstanceOf(PortException.class)
        .hasMessageContaining("an MTU of 3000 needs memory in chunks of 4096 bytes");
    XdpMemory large = XdpMemory.sharedBy(List.of(builder(pair.left), builder(other.left)));
    assertThat(large.chunkSize()).isEqualTo(XdpMemory.LARGE_CHUNK);
  }
}
