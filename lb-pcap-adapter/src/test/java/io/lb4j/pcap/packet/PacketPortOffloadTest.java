package io.lb4j.pcap.packet;

import static io.lb4j.pcap.VethPair.must;
import static org.assertj.core.api.Assertions.assertThat;

import io.lb4j.frame.FrameMarks;
import io.lb4j.frame.FrameView;
import io.lb4j.port.PortCounters;
import io.lb4j.port.PortQueue;
import io.lb4j.testkit.FrameBuilder;
import io.lb4j.wire.InternetChecksum;
import io.lb4j.wire.IpProtocol;
import io.lb4j.wire.Ipv4Header;
import io.lb4j.wire.TcpHeader;
import io.lb4j.wire.UdpHeader;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** What a sender left to its device: carried from port to port, and finished by the kernel where the device cannot. */
@Tag("root")
@Timeout(120)
class PacketPortOffloadTest extends PacketPortFixture {
  private static final int TCPV4 = 1; // as in virtio_net_hdr
  private static final int TCPV6 = 4;
  private static final int SEGMENT = 1448;
  private static final int HEADERS_4 = 14 + 20 + 20;

  static Stream<Arguments> partialFrames() {
    List<Arguments> rows = new ArrayList<>();
    for (Latency latency : List.of(Latency.BULK, Latency.LOW)) {
      for (boolean v6 : new boolean[] {false, true}) {
        for (boolean tcp : new boolean[] {true, false}) {
          rows.add(Arguments.of(latency, v6, tcp));
        }
      }
    }
    return rows.stream();
  }

  @ParameterizedTest(name = "{0}, IPv6 {1}, TCP {2}")
  @MethodSource("partialFrames")
  void shouldCarryAnUnfinishedChecksumThereAndBack(Latency latency, boolean v6, boolean tcp) {
    PacketPort left = open(pair.left, latency);
    PacketPort right = open(pair.right, latency);
    ByteBuf frame = partial(frame(v6, tcp, 100));
    long tagged = FrameMarks.withVlan(FrameMarks.CHECKSUM_PARTIAL, 0x2005);
    hand(left, frame, FrameMarks.CHECKSUM_PARTIAL);
    hand(left, frame, tagged);
    hand(left, Unpooled.copiedBuffer(ByteBufUtil.getBytes(frame)), FrameMarks.CHECKSUM_PARTIAL); // in the heap
    assertThat(left.queue(0).flush()).isZero();
    String same = ByteBufUtil.hexDump(frame);
    String[] expected = {same + " 1", same + " " + tagged, same + " 1"};
    assertThat(returned(right, 3)).containsExactly(expected);
    assertThat(seen(left, 3)).containsExactly(expected);
  }

  /** Sends back what comes, from where it lies; answers what it was. */
  private static List<String> returned(PacketPort port, int count) {
    List<String> seen = new ArrayList<>();
    PortQueue queue = port.queue(0);
    receiveViews(port, count, view -> {
      seen.add(dump(view));
      do {
        assertThat(queue.transmit(view.buffer(), view.start(), view.length(), view.marks())).isTrue();
      } while (queue.flush() > 0);
    });
    return seen;
  }

  private static List<String> seen(PacketPort port, int count) {
    List<String> seen = new ArrayList<>();
    receiveViews(port, count, view -> seen.add(dump(view)));
    return seen;
  }

  private static String dump(FrameView view) {
    return ByteBufUtil.hexDump(view.buffer(), view.start(), view.length()) + " " + view.marks();
  }

  @ParameterizedTest
  @EnumSource(value = Latency.class, names = {"BULK", "LOW"})
  void shouldCarrySuperFramesOf64KibAmongSmallFramesInOrder(Latency latency) {
    PacketPort left = open(pair.left, latency);
    PacketPort right = open(pair.right, latency);
    Random random = new Random(6);
    for (int round = 0; round < 20; round++) {
      List<String> sent = new ArrayList<>();
      for (int i = 0; i < 10; i++) {
        boolean v6 = random.nextBoolean();
        boolean isSuper = random.nextBoolean();
        int least = isSuper ? SEGMENT + 1 : 1;
        int most = isSuper ? 65_535 - (v6 ? 20 : 40) : SEGMENT - 20;
        ByteBuf frame = partial(frame(v6, true, least + random.nextInt(most - least)));
        long marks = FrameMarks.CHECKSUM_PARTIAL;
        if (isSuper) {
          marks = FrameMarks.withGso(marks, v6 ? TCPV6 : TCPV4, v6 ? SEGMENT - 20 : SEGMENT);
        }
        if (random.nextInt(4) == 0) {
          marks = FrameMarks.withVlan(marks, 5);
        }
        sent.add(ByteBufUtil.hexDump(frame) + " " + marks);
        send(left, frame, marks);
      }
      assertThat(returned(right, 10).equals(sent)).as("round %d, there", round).isTrue();
      assertThat(seen(left, 10).equals(sent)).as("round %d, back", round).isTrue();
    }
  }

  /** The other side's backlog is shared with everybody on this machine, and may be full. */
  private static void send(PacketPort port, ByteBuf frame, long marks) {
    for (int tries = 0; tries < 1000; tries++) {
      hand(port, frame, marks);
      if (port.queue(0).flush() == 0) {
        return;
      }
    }
    throw new AssertionError("refused again and again");
  }

  @ParameterizedTest
  @EnumSource(value = Latency.class, names = {"BULK", "LOW"})
  void shouldLetTheKernelFinishWhatTheDeviceCannot(Latency latency) {
    must("ethtool", "-K", pair.left, "tx", "off", "tso", "off", "gso", "off");
    PacketPort left = open(pair.left, latency);
    PacketPort right = open(pair.right, latency);
    for (boolean v6 : new boolean[] {false, true}) {
      for (boolean tcp : new boolean[] {false, true}) {
        ByteBuf whole = frame(v6, tcp, 333);
        String finished = ByteBufUtil.hexDump(whole);
        hand(left, partial(whole), FrameMarks.CHECKSUM_PARTIAL);
        assertThat(left.queue(0).flush()).isZero();
        assertThat(seen(right, 1)).containsExactly(finished + " 0");
      }
    }
    int segments = 20;
    ByteBuf frame = partial(frame(false, true, segments * SEGMENT));
    hand(left, frame, FrameMarks.withGso(FrameMarks.CHECKSUM_PARTIAL, TCPV4, SEGMENT));
    assertThat(left.queue(0).flush()).isZero();
    List<Integer> numbers = new ArrayList<>();
    receiveViews(right, segments, view -> {
      assertThat(view.marks()).isZero();
      assertThat(view.length()).isEqualTo(HEADERS_4 + SEGMENT);
      assertThat(hasRightChecksum(view)).isTrue();
      numbers.add(view.buffer().getInt(view.start() + 34 + TcpHeader.SEQUENCE_OFFSET));
    });
    assertThat(numbers).hasSize(segments).isSorted().endsWith(1 + (segments - 1) * SEGMENT);
  }

  private static boolean hasRightChecksum(FrameView view) {
    int ip = view.start() + 14;
    int length = view.length() - 34;
    long pseudo = InternetChecksum.pseudoHeader4(
        view.buffer().getInt(ip + Ipv4Header.SOURCE_OFFSET),
        view.buffer().getInt(ip + Ipv4Header.DESTINATION_OFFSET),
        IpProtocol.TCP,
        length);
    return InternetChecksum.finish(
        InternetChecksum.sum(view.buffer(), ip + 20, length, pseudo)) == 0;
  }

  @ParameterizedTest
  @EnumSource(value = Latency.class, names = {"BULK", "LOW"})
  void shouldRefuseMarksThatDoNotFitTheFrame(Latency latency) {
    PacketPort left = open(pair.left, latency);
    ByteBuf arp = frame(1, 60);
    ByteBuf tcp = partial(frame(false, true, 5000));
    ByteBuf fragment =
        FrameBuilder.from("198.51.100.10", "192.0.2.100").fragment(7, 0, true).payload(new byte[80]).build();
    ByteBuf cut = partial(frame(true, true, 10)).slice(0, 60);
    PortQueue queue = left.queue(0);
    assertThat(queue.transmit(arp, 0, 60, FrameMarks.CHECKSUM_PARTIAL)).isFalse();
    assertThat(queue.transmit(fragment, 0, fragment.readableBytes(), FrameMarks.CHECKSUM_PARTIAL)).isFalse();
    assertThat(queue.transmit(cut, 0, 60, FrameMarks.CHECKSUM_PARTIAL)).isFalse();
    for (int size : new int[] {0, 1461, 9000}) {
      long marks = FrameMarks.withGso(FrameMarks.CHECKSUM_PARTIAL, TCPV4, size);
      assertThat(queue.transmit(tcp, 0, tcp.readableBytes(), marks)).as("segments of %d", size).isFalse();
    }
    assertThat(queue.transmit(tcp, 0, tcp.readableBytes(), FrameMarks.CHECKSUM_PARTIAL)).isFalse();
    hand(left, tcp, FrameMarks.withGso(FrameMarks.CHECKSUM_PARTIAL, TCPV4, 1460));
    assertThat(queue.flush()).isZero();
    assertThat(left.counters()).isEqualTo(new PortCounters(0, 0, 0, 1, tcp.readableBytes(), 7));
    fragment.release();
  }

  @ParameterizedTest
  @EnumSource(value = Latency.class, names = {"BULK", "LOW"})
  void shouldFinishTheChecksumOfAPacketInsideAnother(Latency latency) {
    PacketPort right = open(pair.right, latency);
    // IPv4 in IPv4: the header says where the inner packet's checksum is, and marks could not.
    ByteBuf inner = frame(false, true, 50);
    String innerHex = ByteBufUtil.hexDump(inner, 14, inner.readableBytes() - 14);
    partial(inner);
    byte[] payload = ByteBufUtil.getBytes(inner, 14, inner.readableBytes() - 14);
    ByteBuf outer = FrameBuilder.from("198.51.100.1", "192.0.2.1").protocol(4).payload(payload).build();
    RawSender.send(pair.left, outer, 14 + 20 + 20, TcpHeader.CHECKSUM_OFFSET);
    List<String> seen = seen(right, 1);
    assertThat(seen.get(0)).endsWith(innerHex + " 0");
    outer.release();
  }

  /** What a tunnel's end on the same host sends: whose segments they are, the marks could not say. */
  @ParameterizedTest
  @EnumSource(value = Latency.class, names = {"BULK", "LOW"})
  void shouldHandOverASuperFrameInsideAnotherPacketAndNotCountItAsMissed(Latency latency) {
    try (TapDevice tap = new TapDevice();
        PacketPort port = PacketPort.builder(tap.name).latency(latency).open()) {
      ByteBuf inner = partial(frame(false, true, 5 * SEGMENT));
      byte[] payload = ByteBufUtil.getBytes(inner, 14, inner.readableBytes() - 14);
      ByteBuf outer = FrameBuilder.from("198.51.100.1", "192.0.2.1").protocol(4).payload(payload).build();
      tap.receive(outer, 14 + 20 + 20, TcpHeader.CHECKSUM_OFFSET, TCPV4, SEGMENT);
      receiveViews(port, 1, view -> {
        assertThat(dump(view)).isEqualTo(ByteBufUtil.hexDump(outer) + " " + FrameMarks.GSO);
        assertThat(port.queue(0).transmit(view.buffer(), view.start(), view.length(), view.marks())).isFalse();
      });
      assertThat(port.counters()).isEqualTo(new PortCounters(1, outer.readableBytes(), 0, 0, 0, 1));
      outer.release();
    }
  }

  /** The kernel gives up such a frame when its place in the block is taken, and writes nothing there. */
  @Test
  void shouldSkipThePlaceOfAFrameThatTheKernelGaveUp() {
    try (TapDevice tap = new TapDevice();
        PacketPort port = PacketPort.builder(tap.name).latency(Latency.BULK).ringSize(RingRequest.LEAST_SIZE).open()) {
      ByteBuf ordinary = partial(frame(false, false, 1400));
      ByteBuf fragmented = partial(frame(false, false, 3000));
      int rounds = 500; // the ring goes round, so that something old is everywhere
      String expected = ByteBufUtil.hexDump(ordinary) + " " + FrameMarks.CHECKSUM_PARTIAL;
      for (int i = 0; i < rounds; i++) {
        tap.receive(fragmented, 34, UdpHeader.CHECKSUM_OFFSET, TapDevice.UFO, 1000);
        tap.receive(ordinary, 34, UdpHeader.CHECKSUM_OFFSET, 0, 0);
        assertThat(seen(port, 1)).as("round %d", i).containsExactly(expected);
      }
      PortCounters counters = port.counters();
      assertThat(counters.receivedFrames()).isEqualTo(rounds);
      assertThat(counters.receivedBytes()).isEqualTo((long) rounds * ordinary.readableBytes());
      assertThat(counters.missedFrames()).isEqualTo(rounds);
    }
  }

  // helpers

  private static ByteBuf frame(boolean v6, boolean tcp, int payload) {
    return PartialFrames.frame(v6, tcp, payload);
  }

  /** Puts the folded sum of the pseudo-header where the checksum is. */
  private static ByteBuf partial(ByteBuf frame) {
    return PartialFrames.unfinish(frame);
  }

  private static void hand(PacketPort port, ByteBuf frame, long marks) {
    assertThat(port.queue(0).transmit(frame, 0, frame.readableBytes(), marks)).isTrue();
  }
}
