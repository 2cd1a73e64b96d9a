package io.lb4j.pcap.packet;

import static io.lb4j.pcap.VethPair.must;
import static io.lb4j.pcap.VethPair.run;
import static org.assertj.core.api.Assertions.assertThat;

import io.lb4j.frame.FrameBatch;
import io.lb4j.frame.FrameMarks;
import io.lb4j.pcap.VethPair.Result;
import io.lb4j.port.PortCounters;
import io.lb4j.port.PortQueue;
import io.lb4j.testkit.AllocatedBytes;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** What happens to frames that are tagged, cut, too long, or too many; and what a frame costs. */
@Tag("root")
@Timeout(120)
class PacketPortFrameTest extends PacketPortFixture {
  /** For waits, which are too rare to be compiled; a byte per frame would be 200,000. */
  private static final long MAX_ALLOCATED = 20_000;

  private static final int SUPER_FRAME_SLOTS = 240; // of a ring of the usual size

  private static final String ADDRESSES = "020000000002020000000001";

  @ParameterizedTest
  @EnumSource(value = Latency.class, names = {"BULK", "LOW"})
  void shouldGiveAndTakeTagsOfBothProtocols(Latency latency) {
    PacketPort left = open(pair.left, latency);
    PacketPort right = open(pair.right, latency);
    String rest = "88b501".concat("00".repeat(45));
    String[] tags = {"8100a123", "88a8b456", "88a8b4568100a123", "8100a1238100a124", "88a8000188a80002"};
    for (String tag : tags) {
      ByteBuf frame = hex(ADDRESSES + tag + rest);
      assertThat(left.queue(0).transmit(frame, 0, frame.readableBytes(), FrameMarks.NONE)).isTrue();
    }
    assertThat(left.queue(0).flush()).isZero();
    List<String> seen = new ArrayList<>();
    PortQueue back = right.queue(0);
    receiveViews(right, tags.length, view -> {
      String bytes = ByteBufUtil.hexDump(view.buffer(), view.start() + 12, view.length() - 12);
      boolean beside = (view.marks() & FrameMarks.VLAN) != 0;
      seen.add((beside ? String.format("[%04x] ", FrameMarks.vlanTci(view.marks())) : "") + bytes);
      assertThat(back.transmit(view.buffer(), view.start(), view.length(), view.marks())).isTrue();
      assertThat(back.flush()).isZero();
    });
    assertThat(seen)
        .containsExactly(
            "[a123] " + rest, "88a8b456" + rest, "88a8b4568100a123" + rest, "[a123] 8100a124" + rest,
            "88a8000188a80002" + rest);
    seen.clear();
    receiveViews(left, tags.length, view -> {
      boolean beside = (view.marks() & FrameMarks.VLAN) != 0;
      String tag = beside ? String.format("8100%04x", FrameMarks.vlanTci(view.marks())) : "";
      seen.add(tag + ByteBufUtil.hexDump(view.buffer(), view.start() + 12, view.length() - 12));
    });
    for (int i = 0; i < tags.length; i++) {
      assertThat(seen.get(i)).as(tags[i]).isEqualTo(tags[i] + rest);
    }
    assertThat(right.counters().receivedBytes()).isEqualTo(left.counters().transmittedBytes());
  }

  private static ByteBuf hex(String text) {
    byte[] bytes = ByteBufUtil.decodeHexDump(text);
    return Unpooled.unreleasableBuffer(Unpooled.wrappedBuffer(bytes));
  }

  @ParameterizedTest
  @EnumSource(value = Latency.class, names = {"BULK", "LOW"})
  void shouldCountExactlyWhatTheKernelDropped(Latency latency) {
    PacketPort left = open(PacketPort.builder(pair.left).latency(latency).ringSize(RingRequest.LEAST_SIZE));
    PacketPort right = open(pair.right, latency);
    int sent = 0;
    int received = 0;
    for (int round = 0; round < 3; round++) {
      for (int burst = 0; burst < 20; burst++) {
        for (int i = 0; i < 200; i++) {
          handOver(right, i, 1514);
        }
        sent += 200 - right.queue(0).flush();
      }
      assertThat(left.counters().missedFrames()).as("before anything was received").isPositive();
      for (int got = receiveNow(left); got > 0; got = receiveNow(left)) {
        received += got;
      }
      PortCounters counters = left.counters();
      assertThat(counters.receivedFrames()).isEqualTo(received).isPositive();
      assertThat(counters.receivedFrames() + counters.missedFrames()).as("round %d", round).isEqualTo(sent);
    }
    PortCounters before = left.counters();
    left.close();
    assertThat(left.counters()).isEqualTo(before);
  }

  /** Super-frames have slots of their own: when these are full short frames still come, all in their order. */
  @Test
  void shouldMissSuperFramesBeyondTheirRingButNoShortOne() throws InterruptedException {
    PacketPort left = open(pair.left, Latency.LOW);
    PacketPort right = open(pair.right, Latency.LOW);
    ByteBuf superFrame = PartialFrames.unfinish(PartialFrames.frame(false, true, 65_000));
    int superFrames = 400;
    List<Integer> sent = new ArrayList<>();
    for (int i = 0; i < superFrames; i++) {
      transmitNow(right, superFrame, FrameMarks.withGso(FrameMarks.CHECKSUM_PARTIAL, 1, 1448));
      transmitNow(right, frame(i & 0x7F, 64), FrameMarks.NONE);
      sent.add(superFrame.readableBytes());
      sent.add(i & 0x7F);
    }
    long missed = awaitMissed(left, superFrames - SUPER_FRAME_SLOTS);
    List<Integer> seen = new ArrayList<>();
    receiveViews(left, 2 * superFrames - (int) missed, view -> {
      assertThat(view.marks() & FrameMarks.TRUNCATED).isZero();
      seen.add(view.length() == 64 ? view.buffer().getUnsignedByte(view.start() + 14) : view.length());
    });
    int first = 2 * (superFrames - (int) missed); // whose super-frames found room
    List<Integer> shorts = sent.subList(first, sent.size()).stream().filter(i -> i < 128).toList();
    assertThat(seen.subList(0, first)).isEqualTo(sent.subList(0, first));
    assertThat(seen.subList(first, seen.size())).isEqualTo(shorts);
  }

  private static long awaitMissed(PacketPort port, long expected) throws InterruptedException {
    long deadlineNs = System.nanoTime() + PATIENCE_NS;
    while (port.counters().missedFrames() < expected && System.nanoTime() - deadlineNs < 0) {
      Thread.sleep(5);
    }
    assertThat(port.counters().missedFrames()).isEqualTo(expected);
    return expected;
  }

  /** Frames beyond 64 KiB (BIG TCP) come whole while the socket has room for copies; the others are cut. */
  @ParameterizedTest
  @EnumSource(value = Latency.class, names = {"BULK", "LOW"})
  void shouldTakeFramesBeyond64KibAndMarkThoseThatFoundNoRoom(Latency latency) {
    Result set = run("ip", "link", "set", "dev", pair.right, "gso_max_size", "200000"); // else they are cut on their way
    Assumptions.assumeTrue(set.status() == 0, () -> "needs Linux 5.19 for BIG TCP: " + set.output());
    PacketPort left = open(pair.left, latency);
    PacketPort right = open(pair.right, Latency.LOW);
    ByteBuf frame = PartialFrames.unfinish(PartialFrames.frame(true, true, 180_000));
    long marks = FrameMarks.withGso(FrameMarks.CHECKSUM_PARTIAL, 4, 1428);
    int frames = latency == Latency.BULK ? 50 : 80;
    for (int i = 0; i < frames; i++) {
      transmitNow(right, frame, marks);
    }
    String bytes = ByteBufUtil.hexDump(frame);
    int[] whole = new int[1];
    int[] cut = new int[1];
    receiveViews(left, frames, view -> {
      boolean isCut = (view.marks() & FrameMarks.TRUNCATED) != 0;
      assertThat(bytes.startsWith(ByteBufUtil.hexDump(view.buffer(), view.start(), view.length()))).isTrue();
      assertThat(view.length() == frame.readableBytes()).isNotEqualTo(isCut);
      assertThat(view.marks() & ~FrameMarks.TRUNCATED).isEqualTo(marks);
      (isCut ? cut : whole)[0]++;
    });
    assertThat(whole[0]).isGreaterThan(10).isEqualTo(frames - cut[0]);
    if (latency == Latency.LOW) {
      assertThat(cut[0]).isPositive();
    } else {
      assertThat(cut[0]).isZero();
    }
  }

  private static void transmitNow(PacketPort port, ByteBuf frame, long marks) {
    assertThat(port.queue(0).transmit(frame, 0, frame.readableBytes(), marks)).isTrue();
    assertThat(port.queue(0).flush()).isZero();
  }

  /** Its slots were made for the MTU at opening. */
  @Test
  void shouldTakeFramesWholeWhenTheMtuHasGrown() {
    PacketPort left = open(pair.left, Latency.LOW);
    must("ip", "link", "set", "dev", pair.left, "mtu", "9000");
    must("ip", "link", "set", "dev", pair.right, "mtu", "9000");
    PacketPort right = open(pair.right, Latency.LOW);
    List<Integer> lengths = List.of(60, 1514, 1950, 1951, 1952, 1953, 2000, 2100, 9014);
    lengths.forEach(length -> send(right, 1, length));
    List<Integer> seen = new ArrayList<>();
    receiveViews(left, lengths.size(), view -> {
      assertThat(view.marks()).isZero();
      seen.add(view.length());
    });
    assertThat(seen).isEqualTo(lengths);
  }

  @Test
  void shouldTakeLongFramesWhole() {
    must("ip", "link", "set", "dev", pair.left, "mtu", "65000");
    must("ip", "link", "set", "dev", pair.right, "mtu", "65000");
    PacketPort left = open(PacketPort.builder(pair.left).latency(Latency.LOW));
    PacketPort right = open(pair.right, Latency.BULK);
    assertThat(handOver(right, 1, 65_000)).isTrue();
    assertThat(right.queue(0).flush()).isZero();
    List<Integer> lengths = new ArrayList<>();
    receiveViews(left, 1, view -> lengths.add(view.length()));
    assertThat(lengths).containsExactly(65_000);
  }

  @Test
  void shouldLeaveOutAFrameTheDeviceRefusesAndGoOn() {
    PacketPort left = open(pair.left);
    PacketPort right = open(pair.right);
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
    PacketPort left = open(pair.left);
    ByteBuf frame = frame(1, 64);
    assertThat(left.queue(0).transmit(frame, 0, 13, FrameMarks.NONE)).isFalse();
    assertThat(left.queue(0).transmit(frame, 0, 0, FrameMarks.NONE)).isFalse();
    assertThat(left.queue(0).transmit(frame, 0, 64, FrameMarks.TRUNCATED)).isFalse();
    assertThat(left.counters()).isEqualTo(new PortCounters(0, 0, 0, 0, 0, 3));
  }

  @Test
  void shouldSendAnyNumberOfFramesPerFlush() {
    PacketPort left = open(pair.left);
    PacketPort right = open(pair.right);
    List<Integer> sent = new ArrayList<>();
    for (int i = 0; i < 1000; i++) {
      assertThat(handOver(left, i & 0x7F, 64)).isTrue();
      sent.add(i & 0x7F);
    }
    assertThat(left.queue(0).flush()).isZero();
    assertThat(receive(right, 1000)).isEqualTo(sent);
  }

  @ParameterizedTest(name = "{0}, {1} queues, kernel asked {2}")
  @CsvSource({"BULK, 1, true", "BULK, 3, true", "BULK, 3, false", "LOW, 1, true", "LOW, 3, true", "LOW, 3, false"})
  void shouldNotSeeFramesTheHostSends(Latency latency, int queues, boolean asks) {
    PacketPort.Builder options = PacketPort.builder(pair.left).latency(latency).queues(queues).asksKernel(asks);
    PacketPort left = open(options);
    PacketPort alsoLeft = open(options);
    PacketPort right = open(pair.right);
    send(alsoLeft, 1, 64);
    send(left, 2, 64);
    assertThat(receive(right, 2)).containsExactly(1, 2);
    send(right, 3, 64);
    assertThat(receiveAll(left, 1)).as("what comes after them").isOne();
    assertThat(receiveAll(alsoLeft, 1)).isOne();
    assertThat(left.counters()).isEqualTo(new PortCounters(1, 64, 0, 1, 64, 0));
    assertThat(alsoLeft.counters()).isEqualTo(new PortCounters(1, 64, 0, 1, 64, 0));
  }

  /** Takes what comes to any queue until there are so many frames, or time is over; answers how many there were. */
  private static int receiveAll(PacketPort port, int count) {
    int received = 0;
    FrameBatch batch = new FrameBatch();
    long deadlineNs = System.nanoTime() + PATIENCE_NS;
    while (received < count && System.nanoTime() - deadlineNs < 0) {
      for (int i = 0; i < port.queues(); i++) {
        received += port.queue(i).receive(batch, 0);
        port.queue(i).release();
      }
      batch.clear();
    }
    return received;
  }

  @ParameterizedTest
  @EnumSource(value = Latency.class, names = {"BULK", "LOW"})
  void shouldAllocateNothingPerFrame(Latency latency) {
    AllocatedBytes.assumeCounted();
    PacketPort left = open(pair.left, latency);
    PacketPort right = open(pair.right, latency);
    ByteBuf direct = frame(1, 64);
    ByteBuf heap = Unpooled.copiedBuffer(direct);
    ByteBuf tcp = PartialFrames.unfinish(PartialFrames.frame(false, true, 30));
    FrameBatch batch = new FrameBatch();
    long least = Long.MAX_VALUE;
    for (int round = 0; round < 8 && least > MAX_ALLOCATED; round++) { // until the calls are compiled
      long before = AllocatedBytes.ofThisThread();
      long forwarded = exchange(left, right, batch, new ByteBuf[] {direct, tcp, heap}, 15_000);
      least = Math.min(least, AllocatedBytes.ofThisThread() - before);
      assertThat(forwarded).isGreaterThan(80_000);
    }
    assertThat(least).as("bytes for some 200,000 frames there and back").isLessThanOrEqualTo(MAX_ALLOCATED);
  }

  /** Sends bursts from left; right sends back from where it received; answers how many frames came back. */
  private static long exchange(PacketPort left, PacketPort right, FrameBatch batch, ByteBuf[] frames, int bursts) {
    PortQueue near = left.queue(0);
    PortQueue far = right.queue(0);
    PortQueue[] both = {near, far};
    long returned = 0;
    for (int burst = 0; burst < bursts; burst++) {
      for (int i = 0; i < 15; i++) {
        int kind = i % 3;
        long marks = kind == 1 ? FrameMarks.CHECKSUM_PARTIAL : FrameMarks.NONE;
        near.transmit(frames[kind], 0, frames[kind].writerIndex(), marks);
      }
      near.flush();
      if ((burst & 63) == 0) {
        near.awaitAny(both, 2_000_000);
      }
      batch.clear();
      int got = far.receive(batch, 0);
      for (int i = 0; i < got; i++) {
        far.transmit(batch.get(i).buffer(), batch.get(i).start(), batch.get(i).length(), batch.get(i).marks());
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
