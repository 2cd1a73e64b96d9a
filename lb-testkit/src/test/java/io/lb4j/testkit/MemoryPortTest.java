package io.lb4j.testkit;

import io.lb4j.address.MacAddress;
import io.lb4j.frame.FrameBatch;
import io.lb4j.port.MemoryPort;
import io.lb4j.port.PortQueue;
import io.lb4j.port.PortWrapper;
import io.lb4j.port.PortStatus;
import io.netty.buffer.ByteBuf;

/** Two memory ports with a wire between them, which carries a burst when it is flushed. */
class MemoryPortTest extends PortContract {
  @Override
  protected ConnectedPorts connect() {
    MemoryPort left = new MemoryPort("left", MacAddress.of("02:00:00:00:00:01"), 1, 256);
    MemoryPort right = new MemoryPort("right", MacAddress.of("02:00:00:00:00:02"), 1, 256);
    return new ConnectedPorts(new Wired(left, right), new Wired(right, left));
  }

  /** One end of the wire. */
  static final class Wired extends PortWrapper {
    private final PortQueue queue;

    Wired(MemoryPort own, MemoryPort peer) {
      super(own);
      this.queue = new WiredQueue(own, peer);
    }

    @Override
    public PortQueue queue(int index) {
      return queue;
    }
  }

  private record WiredQueue(MemoryPort own, MemoryPort peer) implements PortQueue {
    @Override
    public int receive(FrameBatch batch, int ingress) {
      return own.queue(0).receive(batch, ingress);
    }

    @Override
    public void release() {
      own.queue(0).release();
    }

    @Override
    public boolean transmit(ByteBuf buffer, int start, int length, long marks) {
      return own.queue(0).transmit(buffer, start, length, marks);
    }

    @Override
    public int flush() {
      int refused = own.queue(0).flush();
      boolean open = own.status() == PortStatus.UP && peer.status() == PortStatus.UP;
      while (open && own.poll(0, (buffer, start, length, marks) -> peer.offer(0, buffer.slice(start, length), marks))) {
        continue;
      }
      return refused;
    }

    @Override
    public void await(long timeoutNs) {
      own.queue(0).await(timeoutNs);
    }
  }
}
