package io.lb4j.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lb4j.address.IpPrefix;
import io.lb4j.address.MacAddress;
import io.lb4j.frame.FrameBatch;
import io.lb4j.frame.FrameMarks;
import io.lb4j.port.LastingPort;
import io.lb4j.port.MemoryPort;
import io.lb4j.port.Port;
import io.lb4j.port.PortCounters;
import io.lb4j.port.PortException;
import io.lb4j.port.PortQueue;
import io.lb4j.port.PortStatus;
import io.lb4j.port.PortWrapper;
import io.lb4j.port.SteeredPort;
import io.lb4j.port.SteeredPrefixes;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** A port whose interface was removed and is there again keeps the rules of ports, and goes on where it was. */
class LastingPortTest extends PortContract {
  private static final MacAddress MAC = MacAddress.of("02:00:00:00:00:01");
  private static final MacAddress OTHER_MAC = MacAddress.of("02:00:00:00:00:09");
  private static final MacAddress GROUP = MacAddress.of("33:33:ff:00:00:11");
  private static final SteeredPrefixes PREFIXES =
      new SteeredPrefixes(List.of(IpPrefix.of("192.0.2.10/32")), List.of());

  private final List<Interface> opened = new ArrayList<>();
  private final List<Port> others = new ArrayList<>();
  private boolean there = true;
  private final LastingPort port = new LastingPort(open(MAC, 1), () -> open(MAC, 1));
  private final PortQueue queue = port.queue(0);

  /** An interface that can be removed. */
  private static class Interface extends PortWrapper implements SteeredPort {
    final MemoryPort memory;
    boolean removed;
    boolean closed;
    SteeredPrefixes steered;

    Interface(MemoryPort memory) {
      super(memory);
      this.memory = memory;
    }

    @Override
    public void join(MacAddress address) {
      requireThere();
      super.join(address);
    }

    @Override
    public void steer(SteeredPrefixes prefixes) {
      requireThere();
      steered = prefixes;
    }

    private void requireThere() {
      if (removed) {
        throw new PortException(PortException.Cause.NOT_FOUND, "it was removed");
      }
    }

    @Override
    public PortStatus status() {
      return removed && !closed ? PortStatus.GONE : super.status();
    }

    @Override
    public void close() {
      closed = true;
      super.close();
    }
  }

  private Interface open(MacAddress mac, int queues) {
    if (!there) {
      throw new PortException(PortException.Cause.NOT_FOUND, "there is none");
    }
    Interface one = new Interface(new MemoryPort("eth0", mac, queues, 256));
    opened.add(one);
    return one;
  }

  @Override
  protected ConnectedPorts connect() {
    MemoryPort[] ends = new MemoryPort[4];
    for (int i = 0; i < ends.length; i++) {
      ends[i] = new MemoryPort("end" + i, MacAddress.of("02:00:00:00:01:0" + i % 2), 1, 256);
      others.add(ends[i]);
    }
    return new ConnectedPorts(renewed(ends[0], ends[2], ends[3]), renewed(ends[1], ends[3], ends[2]));
  }

  @Override
  protected void disconnect() {
    opened.forEach(Port::close);
    others.forEach(Port::close);
  }

  private static Port renewed(MemoryPort first, MemoryPort second, MemoryPort peer) {
    Interface before = new Interface(first);
    LastingPort lasting = new LastingPort(before, () -> new MemoryPortTest.Wired(second, peer));
    before.removed = true;
    assertThat(lasting.renew()).isTrue();
    return lasting;
  }

  private Interface last() {
    return opened.get(opened.size() - 1);
  }

  private boolean offer(int number) {
    ByteBuf frame = Unpooled.wrappedBuffer(NumberedFrame.untagged(number, 60, MAC));
    return last().memory.offer(0, frame, FrameMarks.NONE);
  }

  private boolean transmit() {
    return queue.transmit(Unpooled.wrappedBuffer(NumberedFrame.untagged(1, 60, MAC)), 0, 60, FrameMarks.NONE);
  }

  private int receive(FrameBatch batch) {
    batch.clear();
    return queue.receive(batch, 0);
  }

  @Test
  void shouldLeaveAnInterfaceAloneThatIsThere() {
    assertThat(port.renew()).isFalse();
    assertThat(opened).hasSize(1);
  }

  @Test
  void shouldBeGoneAndRefuseUntilTheInterfaceIsThereAgain() {
    FrameBatch batch = new FrameBatch();
    offer(1);
    assertThat(receive(batch)).isOne();
    queue.release();
    assertThat(transmit()).isTrue();
    queue.flush();
    last().removed = true;
    assertThat(port.status()).isEqualTo(PortStatus.GONE);
    there = false;
    for (int i = 0; i < 3; i++) {
      assertThatThrownBy(port::renew).isInstanceOf(PortException.class).hasMessage("there is none");
      assertThat(port.status()).isEqualTo(PortStatus.GONE);
    }
    assertThat(last().closed).as("its memory is given back").isTrue();
    assertThat(receive(batch)).isZero();
    assertThat(transmit()).isFalse();
    queue.flush();
    long begin = System.nanoTime();
    queue.await(5_000_000);
    queue.awaitAny(new PortQueue[] {queue}, 5_000_000);
    assertThat(System.nanoTime() - begin).as("waiting does not spin").isGreaterThan(9_000_000);

    there = true;
    assertThat(port.renew()).isTrue();
    assertThat(port.status()).isEqualTo(PortStatus.UP);
    offer(2);
    assertThat(receive(batch)).isOne();
    queue.release();
    assertThat(transmit()).isTrue();
    assertThat(port.counters()).isEqualTo(new PortCounters(2, 120, 0, 2, 120, 1));
    port.close();
    assertThat(port.status()).isEqualTo(PortStatus.CLOSED);
    assertThat(port.renew()).isFalse();
  }

  @Test
  void shouldSumCountsOverEveryInterfaceThereWas() {
    FrameBatch batch = new FrameBatch();
    for (int i = 1; i <= 4; i++) {
      offer(i);
      assertThat(receive(batch)).isOne();
      queue.release();
      last().removed = true;
      assertThat(port.renew()).isTrue();
      assertThat(port.counters().receivedFrames()).isEqualTo(i);
    }
  }

  /** Memory is given back to whom it is from, also when there is another interface meanwhile. */
  @Test
  void shouldReleaseFramesWhereTheyCameFrom() {
    FrameBatch batch = new FrameBatch();
    ReleaseCount first = new ReleaseCount();
    ReleaseCount second = new ReleaseCount();
    others.addAll(List.of(first, second));
    LastingPort lasting = new LastingPort(first, () -> second);
    PortQueue half = lasting.queue(0);
    assertThat(half.receive(batch, 0)).isOne();
    first.removed = true;
    lasting.renew();
    assertThat(half.receive(batch, 0)).as("of the interface before, whose frames are not released yet").isOne();
    half.release();
    assertThat(first.released).isEqualTo(2);
    half.receive(batch, 0);
    half.release();
    assertThat(second.released).isOne();
  }

  /** Each call receives a frame. */
  private static final class ReleaseCount extends PortWrapper {
    boolean removed;
    int lent;
    int released;

    ReleaseCount() {
      super(new MemoryPort("eth0", MAC, 1, 8));
    }

    @Override
    public PortStatus status() {
      return removed ? PortStatus.GONE : PortStatus.UP;
    }

    @Override
    public PortQueue queue(int index) {
      return new PortQueue() {
        @Override
        public int receive(FrameBatch batch, int ingress) {
          lent++;
          return 1;
        }

        @Override
        public void release() {
          released += lent;
          lent = 0;
        }

        @Override
        public boolean transmit(ByteBuf buffer, int start, int length, long marks) {
          return false;
        }

        @Override
        public int flush() {
          return 0;
        }

        @Override
        public void await(long timeoutNs) {}
      };
    }
  }

  @Test
  void shouldJoinAndSteerTheNextInterfaceAsTheOneBefore() {
    LastingPort lasting = new LastingPort(open(MAC, 1), () -> open(OTHER_MAC, 1));
    lasting.join(GROUP);
    lasting.steer(PREFIXES);
    assertThat(last().memory.joined()).containsExactly(GROUP);
    last().removed = true;
    MacAddress later = MacAddress.of("33:33:ff:00:00:12");
    lasting.join(later); // of one that is gone
    there = false;
    assertThatThrownBy(lasting::renew).isInstanceOf(PortException.class);
    lasting.steer(SteeredPrefixes.NONE);
    lasting.steer(PREFIXES);
    there = true;
    assertThat(lasting.renew()).isTrue();
    assertThat(last().memory.joined()).containsExactlyInAnyOrder(MAC, GROUP, later);
    assertThat(last().steered).isEqualTo(PREFIXES);
    assertThat(lasting.traits().mac()).isEqualTo(MAC);
  }

  @Test
  void shouldNotTakeAnInterfaceWithOtherQueues() {
    LastingPort lasting = new LastingPort(open(MAC, 2), () -> open(MAC, 1));
    last().removed = true;
    assertThatThrownBy(lasting::renew).hasMessage("eth0 has 1 queues, and had 2 before");
    assertThat(last().closed).isTrue();
    assertThat(lasting.status()).isEqualTo(PortStatus.GONE);
  }

  /** What is short of memory leaves nothing open, and is tried again. */
  @Test
  void shouldCloseAnInterfaceThatCannotBePrepared() {
    Interface[] next = {new Short()};
    LastingPort lasting = new LastingPort(open(MAC, 1), () -> next[0]);
    lasting.join(GROUP);
    last().removed = true;
    assertThatThrownBy(lasting::renew).isInstanceOf(OutOfMemoryError.class);
    assertThat(next[0].closed).isTrue();
    assertThat(lasting.status()).isEqualTo(PortStatus.GONE);
    next[0] = open(MAC, 1);
    assertThat(lasting.renew()).isTrue();
    assertThat(last().memory.joined()).containsExactly(GROUP);
  }

  private static final class Short extends Interface {
    Short() {
      super(new MemoryPort("eth0", MAC, 1, 8));
    }

    @Override
    public void join(MacAddress address) {
      throw new OutOfMemoryError("none for a membership");
    }
  }

  @Test
  void shouldTellWhatAnInterfaceRefusesThatIsThere() {
    Refusing refusing = new Refusing();
    others.add(refusing);
    LastingPort lasting = new LastingPort(refusing, () -> open(MAC, 1));
    assertThatThrownBy(() -> lasting.join(GROUP)).hasMessage("no room");
    assertThatThrownBy(() -> lasting.steer(PREFIXES)).hasMessage("no room");
  }

  private static final class Refusing extends PortWrapper implements SteeredPort {
    Refusing() {
      super(new MemoryPort("eth0", MAC, 1, 8));
    }

    @Override
    public void join(MacAddress address) {
      throw new PortException(PortException.Cause.SYSTEM, "no room");
    }

    @Override
    public void steer(SteeredPrefixes prefixes) {
      throw new PortException(PortException.Cause.SYSTEM, "no room");
    }
  }
}
