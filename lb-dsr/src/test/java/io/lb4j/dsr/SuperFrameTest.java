package io.lb4j.dsr;

import static org.assertj.core.api.Assertions.assertThat;

import io.lb4j.address.MacAddress;
import io.lb4j.core.LoadBalancer;
import io.lb4j.core.LoadBalancerBuilder;
import io.lb4j.core.Statistics;
import io.lb4j.frame.FrameMarks;
import io.lb4j.frame.Verdict;
import io.lb4j.neighbor.AnnouncementSettings;
import io.lb4j.port.MemoryPort;
import io.lb4j.testkit.FrameBuilder;
import io.lb4j.wire.InternetChecksum;
import io.lb4j.wire.IpProtocol;
import io.lb4j.wire.TcpHeader;
import io.netty.buffer.ByteBuf;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A port that carries no super-frames gets their segments, in the order of the frames around them. */
@Timeout(60)
class SuperFrameTest {
  private static final int SEGMENT = 1_000;
  private static final int ROUNDS = 20;
  private static final int SEGMENTS = 25; // of each super-frame: more than fit the memory in a batch
  private static final long PATIENCE_NS = 20_000_000_000L;

  private final MemoryPort port = new MemoryPort("eth0", MacAddress.of(Lan.LB_MAC), 1, 1024);
  private final List<Integer> numbers = new ArrayList<>();
  private long bytes;

  private LoadBalancer start(boolean v6, int workers) {
    LoadBalancerBuilder builder =
        LoadBalancer.builder()
            .networkInterface("eth0", i -> i.port(port).mac(Lan.LB_MAC).address("192.0.2.5/24", "2001:db8:5::5/64"))
            .neighbor(v6 ? "2001:db8:5::11" : "192.0.2.11", Lan.mac(1))
            .announcements(AnnouncementSettings.off())
            .flowTable(1024)
            .seed(7)
            .workers(workers)
            .service(Lan.withServers(Lan.tcp(v6), v6, 1));
    LoadBalancer balancer = builder.build();
    balancer.start();
    return balancer;
  }

  private static FrameBuilder frame(boolean v6, int flags, int sequence) {
    FrameBuilder frame =
        v6 ? FrameBuilder.from("2001:db8:c::7", "2001:db8:5::100") : FrameBuilder.from("198.51.100.7", "192.0.2.100");
    return frame.macs(Lan.LB_MAC, Lan.ROUTER_MAC).tcp(4000, 80, flags).numbers(sequence, 9);
  }

  private void offer(ByteBuf frame, long marks) {
    long end = System.nanoTime() + PATIENCE_NS;
    while (!port.offer(0, frame, marks)) {
      assertThat(System.nanoTime() - end).isNegative();
      Thread.onSpinWait();
    }
    frame.release();
  }

  private void take(boolean v6, int count) {
    long end = System.nanoTime() + PATIENCE_NS;
    while (numbers.size() < count) {
      assertThat(System.nanoTime() - end).as("%d of %d frames", numbers.size(), count).isNegative();
      port.poll(0, (buffer, start, length, marks) -> check(v6, buffer, start, length, marks));
    }
  }

  private void check(boolean v6, ByteBuf buffer, int start, int length, long marks) {
    int ip = start + 14;
    int tcp = ip + (v6 ? 40 : 20);
    int transportLength = v6 ? buffer.getUnsignedShort(ip + 4) : buffer.getUnsignedShort(ip + 2) - 20;
    long pseudo =
        v6
            ? InternetChecksum.pseudoHeader6(buffer, ip, IpProtocol.TCP, transportLength)
            : InternetChecksum.pseudoHeader4(buffer.getInt(ip + 12), buffer.getInt(ip + 16), IpProtocol.TCP, transportLength);
    assertThat(InternetChecksum.fold(InternetChecksum.sum(buffer, tcp, transportLength, pseudo))).isEqualTo(0xFFFF);
    assertThat(marks).isEqualTo(FrameMarks.NONE);
    numbers.add(buffer.getInt(tcp + TcpHeader.SEQUENCE_OFFSET));
    bytes += length;
  }

  @ParameterizedTest(name = "IPv6 {0}, {1} workers")
  @CsvSource({"false, 1", "true, 1", "false, 2", "true, 2"})
  void shouldCutASuperFrameAmongOrdinaryOnesInOrder(boolean v6, int workers) {
    LoadBalancer balancer = start(v6, workers);
    List<Integer> expected = new ArrayList<>(List.of(0));
    offer(frame(v6, TcpHeader.SYN, 0).build(), FrameMarks.NONE);
    int sequence = 1;
    for (int round = 0; round < ROUNDS; round++) {
      offer(frame(v6, TcpHeader.ACK, sequence).payload(new byte[10]).build(), FrameMarks.NONE);
      expected.add(sequence);
      sequence += 10;
      long marks = FrameMarks.withGso(FrameMarks.CHECKSUM_PARTIAL, v6 ? 4 : 1, SEGMENT);
      offer(frame(v6, TcpHeader.ACK, sequence).payload(new byte[SEGMENTS * SEGMENT]).build(), marks);
      for (int i = 0; i < SEGMENTS; i++) {
        expected.add(sequence);
        sequence += SEGMENT;
      }
    }
    take(v6, expected.size());
    assertThat(numbers).isEqualTo(expected);
    balancer.close();
    Statistics end = balancer.statistics();
    assertThat(end.holds()).isTrue();
    assertThat(end.count(Verdict.FORWARD)).isEqualTo(1 + 2 * ROUNDS);
    assertThat(end.refused()).isZero();
    assertThat(end.transmitted()).as("frames on the wire").isEqualTo(expected.size());
    assertThat(end.allSent()).isTrue();
    assertThat(end.count(Verdict.ANSWER)).isZero();
    assertThat(end.interfaces().get(0).counts().transmittedBytes()).isEqualTo(bytes);
  }

  /** A device that takes no more: each segment counts as refused. */
  @ParameterizedTest(name = "IPv6 {0}, {1} workers")
  @CsvSource({"false, 1", "true, 2"})
  void shouldCountEachSegmentThatThePortRefuses(boolean v6, int workers) throws InterruptedException {
    LoadBalancer balancer = start(v6, workers);
    offer(frame(v6, TcpHeader.SYN, 0).build(), FrameMarks.NONE);
    take(v6, 1);
    for (int i = 0; i < 60; i++) { // 1,500 segments for a ring of 1,024
      offer(frame(v6, TcpHeader.ACK, 1).payload(new byte[SEGMENTS * SEGMENT]).build(),
          FrameMarks.withGso(FrameMarks.CHECKSUM_PARTIAL, v6 ? 4 : 1, SEGMENT));
    }
    long end = System.nanoTime() + PATIENCE_NS;
    while (balancer.statistics().transmitted() + balancer.statistics().refused() < 1 + 60 * SEGMENTS) {
      assertThat(System.nanoTime() - end).isNegative();
      Thread.sleep(1);
    }
    balancer.close();
    Statistics statistics = balancer.statistics();
    assertThat(statistics.count(Verdict.FORWARD)).isEqualTo(61);
    assertThat(statistics.refused()).isEqualTo(1 + 60 * SEGMENTS - 1 - 1024);
    assertThat(statistics.allSent()).isTrue();
    assertThat(statistics.count(Verdict.ANSWER)).isZero();
  }
}
