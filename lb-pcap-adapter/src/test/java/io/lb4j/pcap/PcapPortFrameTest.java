package io.lb4j.pcap;

import static io.lb4j.pcap.VethPair.must;
import static org.assertj.core.api.Assertions.assertThat;

import io.lb4j.frame.FrameBatch;
import io.lb4j.frame.FrameMarks;
import io.lb4j.port.PortCounters;
import io.lb4j.port.PortQueue;
import io.lb4j.testkit.AllocatedBytes;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What happens to frames that are too long, cut, tagged, or too many; and what a frame costs. */
@Tag("root")
@Timeout(120)
class PcapPortFrameTest extends PcapPortFixture {
  /** For some 300 waits, which are too rare to be compiled; a byte per frame would be 600,000. */
  private static final long MAX_ALLOCATED = 20_000;

  @Test
  void shouldMarkFramesThatWereCut() {
    PcapPort left = open(PcapPort.builder(pair.left).snapLength(100));
    PcapPort right = open(pair.right);
    send(right, 1, 200);
    send(right, 2, 100);
    List<String> seen = new ArrayList<>();
    receiveViews(left, 2, view -> seen.add(view.length() + " " + view.marks()));
    assertThat(seen).containsExactly("100 " + FrameMarks.TRUNCATED, "100 " + FrameMarks.NONE);
  }

  @Test
  void shouldMarkFramesOverTheMtuAndWarnOnce() {
    PcapPort left = open(pair.left);
    int warnings = left.warnings().size();
    must("ip", "link", "set", "dev", pair.left, "mtu", "9000");
    must("ip", "link", "set", "dev", pair.right, "mtu", "9000");
    PcapPort right = open(pair.right);
    send(right, 1, 1518);
    send(right, 2, 1519);
    send(right, 3, 9014);
    List<String> seen = new ArrayList<>();
    receiveViews(left, 3, view -> seen.add(view.length() + " " + view.marks()));
    assertThat(seen).containsExactly("1518 0", "1519 " + FrameMarks.GSO, "9014 " + FrameMarks.GSO);
    assertThat(left.warnings()).hasSize(warnings + 1);
    assertThat(left.warnings().get(warnings))
        .contains("1519 bytes over an MTU of 1500", "ethtool -K " + pair.left + " gro off");
  }

  @Test
  void shouldWarnOfSendersWithoutAWire() {
    assertThat(open(pair.left).warnings())
        .anySatisfy(warning -> assertThat(warning).contains("driver veth", "tx off"));
  }

  @Test
  void shouldLeaveOutAFrameTheDeviceRefusesAndGoOn() {
    PcapPort left = open(pair.left);
    PcapPort right = open(pair.right);
    must("ip", "link", "set", "dev", pair.left, "mtu", "1000");
    int[] lengths = {64, 1500, 64, 1500, 1500, 64};
    for (int i = 0; i < lengths.length; i++) {
      assertThat(handOver(left, i, lengths[i])).isTrue();
    }
    assertThat(left.queue(0).flush()).isEqualTo(3);
    assertThat(receive(right, 3)).containsExactly(0, 2, 5);
    assertThat(left.counters()).isEqualTo(new PortCounters(0, 0, 0, 3, 192, 3));
  }

  @Test
  void shouldRefuseFramesWithoutAHeaderAndFramesThatWereCut() {
    PcapPort left = open(pair.left);
    ByteBuf frame = frame(1, 64);
    assertThat(left.queue(0).transmit(frame, 0, 13, FrameMarks.NONE)).isFalse();
    assertThat(left.queue(0).transmit(frame, 0, 0, FrameMarks.NONE)).isFalse();
    assertThat(left.queue(0).transmit(frame, 0, 64, FrameMarks.TRUNCATED)).isFalse();
    assertThat(left.counters()).isEqualTo(new PortCounters(0, 0, 0, 0, 0, 3));
  }

  @Test
  void shouldPutATagBackThatTravelsBesideTheBytes() {
    PcapPort left = open(pair.left);
    PcapPort right = open(pair.right);
    ByteBuf direct = frame(7, 1514);
    ByteBuf heap = io.netty.buffer.Unpooled.copiedBuffer(direct);
    long marks = FrameMarks.withVlan(FrameMarks.NONE, 0xA123);
    for (ByteBuf frame : List.of(direct, heap)) {
      assertThat(left.queue(0).transmit(frame, 0, 1514, marks)).isTrue();
    }
    assertThat(left.queue(0).flush()).isZero();
    String hex = ByteBufUtil.hexDump(direct);
    String tagged = hex.substring(0, 24) + "8100a123" + hex.substring(24);
    assertThat(receiveHex(right, 2)).containsExactly(tagged, tagged);
  }

  @Test
  void shouldSendAnyNumberOfFramesPerFlush() {
    PcapPort left = open(pair.left);
    PcapPort right = open(pair.right);
    List<Integer> sent = new ArrayList<>();
    for (int i = 0; i < 1000; i++) {
      assertThat(handOver(left, i & 0x7F, 64)).isTrue();
      sent.add(i & 0x7F);
    }
    assertThat(left.queue(0).flush()).isZero();
    assertThat(receive(right, 1000)).isEqualTo(sent);
  }

  @Test
  void shouldNotSeeFramesTheHostSends() {
    PcapPort left = open(pair.left);
    PcapPort alsoLeft = open(PcapPort.builder(pair.left).packetSocket(false));
    send(alsoLeft, 1, 64);
    send(left, 2, 64);
    assertThat(receiveNow(left)).isZero();
    assertThat(receiveNow(alsoLeft)).isZero();
  }

  @Test
  void shouldCountWhatTheKernelDropped() {
    PcapPort left = open(PcapPort.builder(pair.left).bufferSize(64 * 1024).snapLength(2048));
    PcapPort right = open(pair.right);
    int sent = 0;
    for (int burst = 0; burst < 100; burst++) {
      for (int i = 0; i < 200; i++) {
        handOver(right, i, 1514);
      }
      sent += 200 - right.queue(0).flush();
    }
    int received = 0;
    for (int got = receiveNow(left); got > 0; got = receiveNow(left)) {
      received += got;
    }
    PortCounters counters = left.counters();
    assertThat(counters.receivedFrames()).isEqualTo(received).isPositive();
    assertThat(counters.missedFrames()).isPositive();
    assertThat(counters.receivedFrames() + counters.missedFrames()).isEqualTo(sent);
    left.close();
    assertThat(left.counters()).isEqualTo(counters);
  }

  @Test
  void shouldAllocateNothingPerFrame() {
    AllocatedBytes.assumeCounted();
    PcapPort left = open(pair.left);
    PcapPort right = open(pair.right);
    ByteBuf direct = frame(1, 64);
    ByteBuf heap = io.netty.buffer.Unpooled.copiedBuffer(direct);
    FrameBatch batch = new FrameBatch();
    long least = Long.MAX_VALUE;
    for (int round = 0; round < 6 && least > MAX_ALLOCATED; round++) { // until the calls are compiled
      long before = AllocatedBytes.ofThisThread();
      long forwarded = exchange(left, right, batch, direct, heap, 20_000);
      least = Math.min(least, AllocatedBytes.ofThisThread() - before);
      assertThat(forwarded).isGreaterThan(100_000);
    }
    assertThat(least).as("bytes for 100,000 frames there and back").isLessThanOrEqualTo(MAX_ALLOCATED);
  }

  /** Sends bursts from left; right sends back from where it received; answers how many frames came back. */
  private static long exchange(PcapPort left, PcapPort right, FrameBatch batch, ByteBuf a, ByteBuf b, int bursts) {
    PortQueue near = left.queue(0);
    PortQueue far = right.queue(0);
    long returned = 0;
    for (int burst = 0; burst < bursts; burst++) {
      for (int i = 0; i < 16; i++) {
        near.transmit((i & 1) == 0 ? a : b, 0, 64, FrameMarks.NONE);
      }
      near.flush();
      if ((burst & 63) == 0) {
        far.await(1_000_000);
      }
      batch.clear();
      int got = far.receive(batch, 0);
      for (int i = 0; i < got; i++) {
        far.transmit(batch.get(i).buffer(), batch.get(i).start(), batch.get(i).length(), FrameMarks.NONE);
      }
      far.flush();
      far.release();
      batch.clear();
      returned += near.receive(batch, 0);
      near.release();
    }
    return returned;
  }
}
