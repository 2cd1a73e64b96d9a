package io.lb4j.pcap.packet;

import static org.assertj.core.api.Assertions.assertThat;

import io.lb4j.frame.FrameBatch;
import io.lb4j.frame.FrameMarks;
import io.lb4j.frame.FrameView;
import io.lb4j.pcap.os.Libc;
import io.lb4j.wire.TcpHeader;
import io.lb4j.wire.UdpHeader;
import io.netty.buffer.ByteBuf;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A super-frame that the kernel has no header for ends a ring of slots, as a virtual machine can make it; which heals. */
@Tag("root")
@Timeout(60)
class PacketPortStuckRingTest {
  private static final int TRANSPORT = 14 + 20;
  private static final int FLOWS = 30;
  private static final int TCPV4 = 1; // as in virtio_net_hdr
  private static final long PATIENCE_NS = 10_000_000_000L;

  private final boolean[] hasMemory = {true};
  private TapDevice tap;

  @BeforeEach
  void up() {
    tap = new TapDevice();
  }

  @AfterEach
  void down() {
    if (tap != null) {
      tap.close();
    }
  }

  @ParameterizedTest(name = "{0} bytes, {1} queues, memory {2}")
  @CsvSource({"1400, 1, true", "3000, 1, true", "1400, 3, true", "3000, 3, false", "1400, 1, false"})
  void shouldHealAndDivideFramesAsBefore(int payload, int queues, boolean memory) {
    RingRequest.Allocator allocator =
        (socket, request) -> hasMemory[0] ? RingRequest.KERNEL.allocate(socket, request) : -Libc.ENOMEM;
    PacketPort.Builder options = PacketPort.builder(tap.name).latency(Latency.LOW).queues(queues).allocator(allocator);
    try (PacketPort port = options.open()) {
      Map<String, String> before = places(port);
      for (int round = 0; round < 3; round++) {
        hasMemory[0] = memory;
        ByteBuf fragmented = PartialFrames.unfinish(PartialFrames.frame(false, false, payload));
        tap.receive(fragmented, TRANSPORT, UdpHeader.CHECKSUM_OFFSET, TapDevice.UFO, 1000);
        awaitHealing(port, payload);
        assertThat(places(port)).as("round %d", round).isEqualTo(before);
      }
    }
  }

  /** Until a frame comes by the ring again. */
  private void awaitHealing(PacketPort port, int payload) {
    ByteBuf joined = PartialFrames.unfinish(PartialFrames.frame(false, false, payload));
    long beginNs = System.nanoTime();
    boolean isHealed = false;
    for (int tries = 0; !isHealed && System.nanoTime() - beginNs < PATIENCE_NS; tries++) {
      hasMemory[0] |= tries > 5;
      tap.receive(joined, TRANSPORT, UdpHeader.CHECKSUM_OFFSET, payload > 1952 ? 5 : 0, payload > 1952 ? 1000 : 0);
      port.counters();
      for (int queue = 0; queue < port.queues(); queue++) {
        port.queue(queue).await(1_000_000);
        isHealed |= take(port, queue, new HashMap<>()) > 0;
      }
    }
    assertThat(isHealed).isTrue();
  }

  /** For each frame that is sent: the queue by which it comes, and the memory in which it lies. */
  private Map<String, String> places(PacketPort port) {
    Map<String, String> places = new HashMap<>();
    for (int flow = 0; flow < FLOWS; flow++) {
      for (int payload : new int[] {100, 20_000}) {
        ByteBuf frame = PartialFrames.unfinish(PartialFrames.frame(false, true, payload));
        frame.setShort(TRANSPORT, 40_000 + flow);
        boolean gso = payload > 1000;
        tap.receive(frame, TRANSPORT, TcpHeader.CHECKSUM_OFFSET, gso ? TCPV4 : 0, gso ? 1000 : 0);
      }
    }
    long beginNs = System.nanoTime();
    while (places.size() < 2 * FLOWS && System.nanoTime() - beginNs < PATIENCE_NS) {
      for (int queue = 0; queue < port.queues(); queue++) {
        take(port, queue, places);
      }
    }
    assertThat(places).hasSize(2 * FLOWS);
    return places;
  }

  private static int take(PacketPort port, int queue, Map<String, String> places) {
    FrameBatch batch = new FrameBatch();
    int count = port.queue(queue).receive(batch, 0);
    for (int i = 0; i < count; i++) {
      FrameView view = batch.get(i);
      assertThat(view.marks() & FrameMarks.TRUNCATED).isZero();
      String frame = view.buffer().getUnsignedShort(view.start() + TRANSPORT) + " of " + view.length();
      places.put(frame, queue + " at " + view.buffer().memoryAddress());
    }
    port.queue(queue).release();
    return count;
  }
}
