package io.lb4j.steering;

import static org.assertj.core.api.Assertions.assertThat;

import io.lb4j.address.MacAddress;
import io.lb4j.dataplane.WaitStrategy;
import io.lb4j.frame.FrameBatch;
import io.lb4j.frame.FrameMarks;
import io.lb4j.port.Port;
import io.lb4j.port.PortCounters;
import io.lb4j.port.PortQueue;
import io.lb4j.port.PortStatus;
import io.lb4j.port.PortTraits;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What a port was given is not given back before the port's flush, whatever fails in between. */
@Timeout(30)
class TransmitterTest {
  /** Reads frames at its flush, as a port does that keeps their addresses. */
  private static final class ReadingAtFlush implements Port, PortQueue {
    private final PortTraits traits =
        new PortTraits(MacAddress.of("02:00:00:00:00:05"), 1500, List.of(), false, false, false);
    private final List<ByteBuf> given = new ArrayList<>();
    private final List<Integer> sent = new ArrayList<>(); // -1: no longer there
    private int failAt = -1;
    private boolean failFlush;

    @Override
    public boolean transmit(ByteBuf buffer, int start, int length, long marks) {
      given.add(buffer);
      if (buffer.getByte(start) == failAt) {
        throw new IllegalStateException("no room to remember it");
      }
      return true;
    }

    @Override
    public int flush() {
      if (failFlush) {
        given.clear();
        throw new IllegalStateException("nothing can be sent");
      }
      given.forEach(buffer -> sent.add(buffer.refCnt() == 0 ? -1 : (int) buffer.getByte(0)));
      given.clear();
      return 0;
    }

    @Override
    public int receive(FrameBatch batch, int ingress) {
      return 0;
    }

    @Override
    public void release() {}

    @Override
    public void await(long timeoutNs) {}

    @Override
    public String name() {
      return "eth0";
    }

    @Override
    public PortTraits traits() {
      return traits;
    }

    @Override
    public int queues() {
      return 1;
    }

    @Override
    public PortQueue queue(int index) {
      return this;
    }

    @Override
    public void join(MacAddress address) {}

    @Override
    public PortStatus status() {
      return PortStatus.UP;
    }

    @Override
    public PortCounters counters() {
      return PortCounters.ZERO;
    }

    @Override
    public void close() {}
  }

  private final ReadingAtFlush first = new ReadingAtFlush();
  private final ReadingAtFlush second = new ReadingAtFlush();
  private final Transmitter transmitter = new Transmitter(List.of(first, second), 1, 64, WaitStrategy.SPIN);
  private final List<ByteBuf> frames = new ArrayList<>();

  private void give(int link, int number) {
    ByteBuf frame = Unpooled.buffer(60).writeByte(number).writeZero(59);
    frames.add(frame);
    assertThat(transmitter.from(0).offer(Parcel.own(frame, link, FrameMarks.NONE))).isTrue();
  }

  private void run() {
    transmitter.stop();
    transmitter.run();
    assertThat(frames).allMatch(frame -> frame.refCnt() == 0);
  }

  @Test
  void shouldFlushBeforeItGivesBackWhatWasGivenToAPortBeforeAFailure() {
    first.failAt = 2;
    give(0, 1);
    give(0, 2);
    give(0, 3);
    run();
    assertThat(first.sent).containsExactly(1, 2, 3);
  }

  @Test
  void shouldFlushOtherPortsBeforeItGivesBackWhenOnesFlushFails() {
    first.failFlush = true;
    give(0, 1);
    give(1, 2);
    run();
    first.failFlush = false;
    give(0, 3);
    give(1, 4);
    run();
    assertThat(first.sent).containsExactly(3);
    assertThat(second.sent).containsExactly(2, 4);
  }
}
