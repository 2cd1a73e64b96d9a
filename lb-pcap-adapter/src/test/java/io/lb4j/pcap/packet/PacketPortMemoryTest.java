package io.lb4j.pcap.packet;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.lb4j.frame.FrameBatch;
import io.lb4j.frame.FrameMarks;
import io.lb4j.frame.FrameView;
import io.lb4j.pcap.ResourceLimit;
import io.lb4j.pcap.VethPair;
import io.lb4j.pcap.os.Libc;
import io.lb4j.pcap.os.Native;
import io.lb4j.port.PortException;
import io.lb4j.port.PortQueue;
import io.lb4j.port.PortStatus;
import io.netty.buffer.ByteBuf;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Rings for which there is no memory, and rings that are given back while somebody still reads in them. */
@Tag("root")
@Timeout(60)
class PacketPortMemoryTest extends PacketPortFixture {
  private static final int MIB = 1024 * 1024;

  /** The kernel, short of memory beyond a limit. */
  private static RingRequest.Allocator upTo(long limit) {
    return (socket, request) -> {
      long bytes = (long) request.get(Native.INT, 0) * request.get(Native.INT, 4);
      return bytes > limit ? -Libc.ENOMEM : RingRequest.KERNEL.allocate(socket, request);
    };
  }

  @ParameterizedTest
  @EnumSource(value = Latency.class, names = {"BULK", "LOW"})
  void shouldTakeASmallerRingAndSaySo(Latency latency) {
    PacketPort left = open(PacketPort.builder(pair.left).latency(latency).allocator(upTo(3 * MIB)));
    PacketPort right = open(pair.right, latency);
    assertThat(left.warnings()).anySatisfy(
        warning -> assertThat(warning).contains(pair.left, "2097152 bytes", "no memory for 16777216"));
    for (int i = 0; i < 100; i++) {
      send(right, i, 1500);
      assertThat(receive(left, 1)).containsExactly(i);
    }
  }

  @Test
  void shouldSayThatThereIsNotEvenMemoryForTheSmallest() {
    List<String> before = ResourceLimit.open();
    for (int queues : new int[] {1, 3}) {
      assertThatExceptionOfType(PortException.class)
          .isThrownBy(() -> PacketPort.builder(pair.left).queues(queues).allocator(upTo(400_000)).open())
          .withMessageContaining("PACKET_RX_RING")
          .withMessageContaining("Cannot allocate memory")
          .withMessageContaining("no memory for a ring of 16777216 bytes, not even of 524288")
          .satisfies(e -> assertThat(e.reason()).isEqualTo(PortException.Cause.SYSTEM));
    }
    assertThat(ResourceLimit.open()).isEqualTo(before);
  }

  /** The kernel has the ring, and may not show it to the process (ulimit -v). */
  @ParameterizedTest
  @EnumSource(value = Latency.class, names = {"BULK", "LOW"})
  void shouldSayThatTheProcessMayNotHaveSoMuchMemory(Latency latency) {
    PacketPort.builder(pair.left).latency(latency).open().close(); // loads all classes
    List<String> before = ResourceLimit.open();
    long mapped = ResourceLimit.mappedRings();
    PacketPort.Builder large = PacketPort.builder(pair.left).latency(latency).ringSize(256 * MIB);
    assertThatExceptionOfType(PortException.class)
        .isThrownBy(() -> ResourceLimit.ADDRESS_SPACE.under(ResourceLimit.addressSpace() + 100 * MIB, large::open))
        .withMessageContaining("mmap of 268435456 bytes for " + pair.left + " failed: Cannot allocate memory")
        .withMessageContaining("(ulimit -v): choose a smaller ringSize, or fewer queues")
        .satisfies(e -> assertThat(e.reason()).isEqualTo(PortException.Cause.SYSTEM));
    assertThat(ResourceLimit.open()).isEqualTo(before);
    assertThat(ResourceLimit.mappedRings()).isEqualTo(mapped);
    assertThat(VethPair.must("ip", "-d", "link", "show", pair.left)).contains("promiscuity 0");
    ResourceLimit.ADDRESS_SPACE.under(ResourceLimit.addressSpace() + 100 * MIB, large.ringSize(16 * MIB)::open).close();
  }

  @Test
  void shouldGiveBackWhatWasOpenedWhenALaterQueueFails() {
    List<String> before = ResourceLimit.open();
    long mapped = ResourceLimit.mappedRings();
    int[] calls = new int[1];
    RingRequest.Allocator third = (socket, request) -> calls[0]++ < 2
        ? RingRequest.KERNEL.allocate(socket, request)
        : -Libc.EINVAL;
    assertThatExceptionOfType(PortException.class)
        .isThrownBy(() -> PacketPort.builder(pair.left).queues(3).allocator(third).open());
    assertThat(ResourceLimit.open()).isEqualTo(before);
    assertThat(ResourceLimit.mappedRings()).isEqualTo(mapped);
  }

  @Test
  void shouldRefuseSettingsOutOfRange() {
    PacketPort.Builder builder = PacketPort.builder(pair.left);
    for (Runnable wrong : List.<Runnable>of(
        () -> builder.queues(0), () -> builder.queues(65), () -> builder.ringSize(RingRequest.LEAST_SIZE - 1),
        () -> builder.retireTimeMs(0), () -> builder.retireTimeMs(1001))) {
      assertThatExceptionOfType(IllegalArgumentException.class).isThrownBy(wrong::run).withMessageContaining("must be");
    }
  }

  /** Frames that a worker still has keep their memory; what comes last gives it back. */
  @ParameterizedTest
  @EnumSource(value = Latency.class, names = {"BULK", "LOW"})
  void shouldKeepFramesThatAreInUseWhenItIsClosed(Latency latency) {
    long mapped = ResourceLimit.mappedRings();
    PacketPort left = open(pair.left, latency);
    PacketPort right = open(pair.right, latency);
    send(right, 77, 100);
    FrameBatch batch = new FrameBatch();
    PortQueue queue = left.queue(0);
    while (queue.receive(batch, 0) == 0) {
      queue.await(10_000_000);
    }
    left.close();
    assertThat(left.status()).isEqualTo(PortStatus.CLOSED);
    FrameView view = batch.get(0);
    ByteBuf buffer = view.buffer();
    int start = view.start();
    assertThat(buffer.getUnsignedByte(start + 14)).isEqualTo((short) 77);
    assertThat(queue.receive(batch, 0)).isZero();
    queue.await(TimeUnit.SECONDS.toNanos(20));
    assertThat(buffer.getUnsignedByte(start + 14)).as("still").isEqualTo((short) 77);
    assertThat(ResourceLimit.mappedRings()).isEqualTo(mapped + (latency == Latency.LOW ? 4 : 2));
    right.close();
    queue.release();
    assertThat(ResourceLimit.mappedRings()).as("given back").isEqualTo(mapped);
    assertThat(buffer.getUnsignedByte(start + 14)).as("who reads too late reads zeros").isZero();
    assertThat(queue.transmit(buffer, start, 100, FrameMarks.NONE)).isFalse();
  }
}
