package io.lb4j.pcap.xdp;

import static org.assertj.core.api.Assertions.assertThat;

import io.lb4j.frame.FrameBatch;
import io.lb4j.frame.FrameMarks;
import io.lb4j.frame.FrameView;
import io.lb4j.pcap.LivePortFixture;
import io.lb4j.port.PortCounters;
import io.lb4j.port.PortQueue;
import io.lb4j.testkit.AllocatedBytes;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** How a queue waits, what a frame costs it, and what happens when nobody receives. */
@Tag("root")
@Timeout(60)
class XdpPortQueueTest extends LivePortFixture {
  private static final long LONG_NS = TimeUnit.SECONDS.toNanos(5);
  private static final long MAX_ALLOCATED = 2_000; // for all frames of a round

  private XdpPort open(String device) {
    return closedAfterwards(XdpPort.builder(device).ringSize(64).everything(true).open());
  }

  @Test
  void shouldWaitForSeveralQueuesAtOnce() {
    XdpPort left = open(pair.left);
    XdpPort right = open(pair.right);
    PortQueue[] both = {left.queue(0), right.queue(0)};
    long beganNs = System.nanoTime();
    assertThat(left.queue(0).awaitAny(both, 30_000_000)).isTrue();
    assertThat(System.nanoTime() - beganNs).as("nothing comes").isGreaterThan(25_000_000);
    for (XdpPort sender : new XdpPort[] {left, right}) {
      XdpPort receiver = sender == left ? right : left;
      Thread.ofPlatform().start(() -> {
        sleep();
        send(sender, 1, 64);
      });
      beganNs = System.nanoTime();
      left.queue(0).awaitAny(both, LONG_NS);
      assertThat(System.nanoTime() - beganNs).as("a frame comes").isBetween(30_000_000L, LONG_NS / 2);
      assertThat(receive(receiver, 1)).containsExactly(1);
    }
  }

  /** They come by a socket of their own. */
  @Test
  void shouldStopWaitingForNeighbours() {
    XdpPort left = closedAfterwards(XdpPort.builder(pair.left).ringSize(64).open());
    XdpPort right = open(pair.right);
    ByteBuf arp = frame(1, 64).setShort(12, 0x0806);
    for (int round = 0; round < 2; round++) {
      Thread.ofPlatform().start(() -> {
        sleep();
        right.queue(0).transmit(arp, 0, 64, FrameMarks.NONE);
        right.queue(0).flush();
      });
      long beganNs = System.nanoTime();
      if (round == 0) {
        left.queue(0).await(LONG_NS);
      } else {
        left.queue(0).awaitAny(new PortQueue[] {left.queue(0), right.queue(0)}, LONG_NS);
      }
      assertThat(System.nanoTime() - beganNs).isLessThan(LONG_NS / 2);
      FrameBatch batch = new FrameBatch();
      assertThat(left.queue(0).receive(batch, 0)).isOne();
      left.queue(0).release();
    }
  }

  private static void sleep() {
    try {
      Thread.sleep(50);
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  @Test
  void shouldStopWaitingWhenOneIsClosed() throws Exception {
    XdpPort left = open(pair.left);
    XdpPort right = open(pair.right);
    PortQueue[] both = {left.queue(0), right.queue(0)};
    Thread worker = new Thread(() -> left.queue(0).awaitAny(both, TimeUnit.SECONDS.toNanos(50)));
    worker.start();
    Thread.sleep(100);
    right.close();
    worker.join(5_000);
    assertThat(worker.isAlive()).isFalse();
    assertThat(send(left, 1, 64)).isZero();
  }

  @Test
  void shouldCountExactlyWhatFoundNoRoom() {
    XdpPort left = open(pair.left);
    XdpPort right = closedAfterwards(XdpPort.builder(pair.right).everything(true).open());
    int sent = 0;
    int received = 0;
    for (int round = 0; round < 3; round++) {
      for (int i = 0; i < 500; i++) {
        assertThat(handOver(right, i, 64)).isTrue();
      }
      sent += 500 - right.queue(0).flush();
      for (int got = receiveNow(left); got > 0; got = receiveNow(left)) {
        received += got;
      }
      PortCounters counters = left.counters();
      assertThat(counters.receivedFrames()).isEqualTo(received).isGreaterThanOrEqualTo(64);
      assertThat(counters.missedFrames()).isPositive();
      assertThat(counters.receivedFrames() + counters.missedFrames()).as("round %d", round).isEqualTo(sent);
    }
    PortCounters before = left.counters();
    left.close();
    assertThat(left.counters()).isEqualTo(before);
  }

  @Test
  void shouldAllocateNothingPerFrame() {
    AllocatedBytes.assumeCounted();
    XdpPort left = closedAfterwards(XdpPort.builder(pair.left).everything(true).open());
    XdpPort right = closedAfterwards(XdpPort.builder(pair.right).everything(true).open());
    ByteBuf[] frames = {frame(1, 64), Unpooled.copiedBuffer(frame(2, 64))};
    FrameBatch batch = new FrameBatch();
    long least = Long.MAX_VALUE;
    for (int round = 0; round < 8 && least > MAX_ALLOCATED; round++) { // until the calls are compiled
      long before = AllocatedBytes.ofThisThread();
      long returned = exchange(left.queue(0), right.queue(0), batch, frames, 10_000);
      least = Math.min(least, AllocatedBytes.ofThisThread() - before);
      assertThat(returned).isGreaterThan(150_000);
    }
    assertThat(least).as("bytes for some 160,000 frames there and back").isLessThanOrEqualTo(MAX_ALLOCATED);
  }

  /** Sends bursts from near; far sends back from where it received; answers how many frames came back. */
  private static long exchange(PortQueue near, PortQueue far, FrameBatch batch, ByteBuf[] frames, int bursts) {
    PortQueue[] both = {near, far};
    long returned = 0;
    for (int burst = 0; burst < bursts; burst++) {
      for (int i = 0; i < 16; i++) {
        near.transmit(frames[i & 1], 0, 64, FrameMarks.NONE);
      }
      near.flush();
      if ((burst & 63) == 0) {
        near.awaitAny(both, 2_000_000);
        far.await(2_000_000);
      }
      far.receive(batch, 0);
      for (int i = 0; i < batch.size(); i++) {
        FrameView view = batch.get(i);
        view.setMacs(0x020000000001L + i, 0x020000000002L);
        far.transmit(view.buffer(), view.start(), view.length(), view.marks());
      }
      far.flush();
      far.release();
      batch.clear();
      returned += near.receive(batch, 0);
      near.release();
      batch.clear();
    }
    return returned;
  }
}
