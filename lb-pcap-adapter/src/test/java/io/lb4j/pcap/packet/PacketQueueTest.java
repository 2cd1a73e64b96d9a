package io.lb4j.pcap.packet;

import static org.assertj.core.api.Assertions.assertThat;

import io.lb4j.frame.FrameBatch;
import io.lb4j.frame.FrameMarks;
import io.lb4j.pcap.LivePortFixture;
import io.lb4j.pcap.os.NetDevice;
import io.lb4j.pcap.os.PacketSocket;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** When a queue gives its ring's memory back to the kernel. */
@Tag("root")
class PacketQueueTest extends LivePortFixture {
  /** A ring of few slots, of which some hold no frame; the kernel has no room left when none is given back. */
  private final class Ring implements ReceiveRing {
    private static final int SLOTS = 4;

    private final RingMemory memory;
    private int held;
    private int empty; // how many hold none, from now on

    private Ring(RingMemory memory) {
      this.memory = memory;
    }

    @Override
    public int receive(FrameBatch batch, int ingress) {
      if (held == SLOTS) {
        return 0;
      }
      held++;
      if (empty > 0) {
        empty--;
        return 0;
      }
      batch.add(memory.buffer(), 0, 60, FrameMarks.NONE, ingress);
      return 1;
    }

    @Override
    public long receivedBytes() {
      return 60;
    }

    @Override
    public boolean isReady() {
      return held < SLOTS;
    }

    @Override
    public void release() {
      held = 0;
    }
  }

  @Test
  void shouldGiveBackARingFullOfSlotsWithoutFramesButNoneThatIsLent() {
    try (NetDevice device = NetDevice.open(pair.left)) {
      PacketSocket socket = PacketSocket.openUnbound(device.name(), device.index());
      int size = RingRequest.ofSlots(RingRequest.LEAST_SIZE, device.mtu())
          .allocate(socket, RingRequest.KERNEL, device.name());
      Ring ring = new Ring(RingMemory.map(socket.fd(), size, device.name()));
      PacketQueue queue = new PacketQueue(List.of(new RingSocket(socket, ring.memory)), ring, device.mtu());
      FrameBatch batch = new FrameBatch();
      ring.empty = 10;
      for (int i = 0; i < 10; i++) {
        assertThat(queue.receive(batch, 0)).isZero();
      }
      assertThat(queue.receive(batch, 0)).isOne();
      ring.empty = 10;
      for (int i = 0; i < 10; i++) {
        assertThat(queue.receive(batch, 0)).isZero();
      }
      assertThat(ring.held).as("with a frame that is lent among them").isEqualTo(Ring.SLOTS);
      queue.release();
      assertThat(ring.held).isZero();
      queue.close();
    }
  }
}
