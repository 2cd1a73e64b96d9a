package io.lb4j.examples.offload;

import static org.assertj.core.api.Assertions.assertThat;

import io.lb4j.frame.FrameBatch;
import io.lb4j.frame.FrameMarks;
import io.lb4j.frame.FrameView;
import io.lb4j.frame.Segmenter;
import io.lb4j.pcap.packet.PacketPort;
import io.lb4j.testkit.FrameBuilder;
import io.lb4j.wire.TcpHeader;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What {@link Segmenter} makes of a super-frame is what the kernel makes of it for a device without that offload. */
@Tag("root")
@Timeout(60)
class KernelSegmentsTest {
  private static final int DATAGRAMS = 5; // as in virtio_net_hdr
  private static final int CWR = 0x80;
  private static final long PATIENCE_NS = 10_000_000_000L;

  private static Cable cable;
  private static PacketPort near;
  private static PacketPort far;

  @BeforeAll
  static void up() {
    Assumptions.assumeTrue(Cable.obstacle().isEmpty(), Cable::obstacle);
    cable = new Cable();
    near = Cable.open(cable.near);
    far = Cable.open(cable.far);
  }

  @AfterAll
  static void down() {
    if (cable != null) {
      near.close();
      far.close();
      cable.close();
    }
  }

  @ParameterizedTest(name = "IPv6 {0}, TCP {1}, {2} bytes in segments of {3}")
  @CsvSource({
    "false, true, 64000, 1448", "true, true, 64000, 1428", "false, true, 5001, 536", "true, true, 1001, 1000",
    "false, false, 20000, 1000", "true, false, 20001, 999"
  })
  void shouldCutAsTheKernelDoes(boolean v6, boolean tcp, int payload, int size) {
    FrameBuilder builder =
        v6 ? FrameBuilder.from("2001:db8::10", "2001:db8:1::100") : FrameBuilder.from("198.51.100.10", "192.0.2.100");
    byte[] random = new byte[payload];
    new Random(payload).nextBytes(random);
    int flags = TcpHeader.ACK | TcpHeader.PSH | TcpHeader.FIN | CWR;
    FrameBuilder headers = tcp ? builder.tcp(40_000, 80, flags).numbers(-5_000, 1) : builder.udp(40_000, 53);
    ByteBuf frame = Unfinished.frame(headers.payload(random));
    long marks = FrameMarks.withGso(FrameMarks.CHECKSUM_PARTIAL, tcp ? v6 ? 4 : 1 : DATAGRAMS, size);
    List<String> cut = new ArrayList<>();
    Segmenter segmenter = new Segmenter();
    int count = segmenter.begin(frame, 0, frame.readableBytes(), marks);
    ByteBuf segment = Unpooled.buffer(2048);
    for (int i = 0; i < count; i++) {
      cut.add(ByteBufUtil.hexDump(segment, 0, segmenter.next(segment, 0)));
    }
    assertThat(near.queue(0).transmit(frame, 0, frame.readableBytes(), marks)).isTrue();
    assertThat(near.queue(0).flush()).isZero();
    assertThat(received(count)).isEqualTo(cut);
  }

  private static List<String> received(int count) {
    List<String> seen = new ArrayList<>();
    FrameBatch batch = new FrameBatch();
    long end = System.nanoTime() + PATIENCE_NS;
    while (seen.size() < count) {
      assertThat(System.nanoTime() - end).as("%d of %d segments", seen.size(), count).isNegative();
      batch.clear();
      far.queue(0).await(10_000_000);
      far.queue(0).receive(batch, 0);
      for (int i = 0; i < batch.size(); i++) {
        FrameView view = batch.get(i);
        assertThat(view.marks()).isEqualTo(FrameMarks.NONE);
        seen.add(ByteBufUtil.hexDump(view.buffer(), view.start(), view.length()));
      }
      far.queue(0).release();
    }
    return seen;
  }
}
