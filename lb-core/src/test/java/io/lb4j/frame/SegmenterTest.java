package io.lb4j.frame;

import static org.assertj.core.api.Assertions.assertThat;

import io.lb4j.wire.TcpHeader;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Super-frames cut in software, checked by arithmetic of the test's own. */
@Tag("memory")
class SegmenterTest {
  private static final int CWR = 0x80;
  private static final int SEQUENCE = 0xFFFF_FF80; // wraps around within the frame
  private static final int IDENTIFICATION = 0xFFFE;

  private final Segmenter segmenter = new Segmenter();

  /** A TCP super-frame with an option, or a UDP one, with any tags in line, and padding behind. */
  private static ByteBuf superFrame(boolean v6, boolean tcp, int tags, int payload) {
    ByteBuf frame = Unpooled.buffer();
    frame.writeLong(0x0200_0000_0005_0200L).writeInt(0x0000_0001);
    for (int i = 0; i < tags; i++) {
      frame.writeInt(0x8100_0007);
    }
    int header = tcp ? 32 : 8;
    if (v6) {
      frame.writeShort(0x86DD).writeInt(0x6000_0000).writeShort(header + payload).writeByte(tcp ? 6 : 17).writeByte(64);
      frame.writeLong(0x2001_0DB8_0000_0000L).writeLong(0x8001).writeLong(0x2001_0DB8_0000_FFFFL).writeLong(0x80F0);
    } else {
      frame.writeShort(0x0800).writeShort(0x4500).writeShort(20 + header + payload).writeShort(IDENTIFICATION);
      int ip = frame.writerIndex() - 6;
      frame.writeShort(0x4000).writeByte(64).writeByte(tcp ? 6 : 17).writeShort(0).writeInt(0xC633_640A).writeInt(0xC000_0264);
      frame.setShort(ip + 10, ~fold(words(frame, ip, ip + 20)) & 0xFFFF);
    }
    frame.writeShort(0x9C40).writeShort(80);
    if (tcp) {
      frame.writeInt(SEQUENCE).writeInt(0x8000_0001).writeByte(8 << 4);
      frame.writeByte(TcpHeader.ACK | TcpHeader.PSH | TcpHeader.FIN | CWR).writeShort(1000).writeInt(0);
      frame.writeInt(0x0101_080A).writeLong(0x8899_AABB_CCDD_EEFFL);
    } else {
      frame.writeShort(8 + payload).writeShort(0x8888);
    }
    for (int i = 0; i < payload; i++) {
      frame.writeByte(i * 7 + (i >>> 8));
    }
    return frame;
  }

  private static long words(ByteBuf frame, int from, int to) {
    long sum = 0;
    for (int at = from; at < to; at++) {
      sum += (at - from & 1) == 0 ? frame.getUnsignedByte(at) << 8 : frame.getUnsignedByte(at);
    }
    return sum;
  }

  private static int fold(long sum) {
    long folded = sum;
    while (folded >>> 16 != 0) {
      folded = (folded & 0xFFFF) + (folded >>> 16);
    }
    return (int) folded;
  }

  private List<ByteBuf> cut(ByteBuf frame, long marks) {
    ByteBuf inside = Unpooled.buffer().writeZero(3).writeBytes(frame.duplicate());
    int count = segmenter.begin(inside, 3, frame.readableBytes(), marks);
    List<ByteBuf> segments = new ArrayList<>();
    ByteBuf target = Unpooled.buffer(2048);
    for (int length = next(target); length > 0; length = next(target)) {
      segments.add(target.copy(5, length));
    }
    assertThat(segments).hasSize(count);
    return segments;
  }

  private int next(ByteBuf target) {
    return segmenter.next(target, 5);
  }

  @ParameterizedTest(name = "IPv6 {0}, TCP {1}, tags {2}, payload {3}, segments of {4}")
  @CsvSource({
    "false, true, 0, 4000, 1000", "false, true, 1, 4001, 1000", "true, true, 0, 999, 100", "true, true, 2, 65000, 1428",
    "false, false, 0, 4001, 1000", "true, false, 1, 3000, 999", "false, true, 0, 100, 100", "false, true, 0, 10, 1000",
    "true, true, 0, 7, 1"
  })
  void shouldCutWhatAReceiverPutsTogetherAgain(boolean v6, boolean tcp, int tags, int payload, int size) {
    ByteBuf frame = superFrame(v6, tcp, tags, payload);
    long marks = FrameMarks.withGso(FrameMarks.CHECKSUM_PARTIAL, tcp ? v6 ? 4 : 1 : 5, size);
    List<ByteBuf> segments = cut(frame, marks);
    assertThat(segments).hasSize((payload + size - 1) / size);
    int network = 14 + 4 * tags;
    int transport = network + (v6 ? 40 : 20);
    int headers = transport + (tcp ? 32 : 8);
    ByteBuf together = Unpooled.buffer();
    for (int i = 0; i < segments.size(); i++) {
      ByteBuf segment = segments.get(i);
      boolean last = i == segments.size() - 1;
      int bytes = segment.readableBytes() - headers;
      assertThat(bytes).isEqualTo(last ? payload - i * size : size);
      assertThat(segment.slice(0, network)).isEqualTo(frame.slice(0, network));
      assertNetwork(segment, v6, network, i);
      assertThat(segment.getInt(transport)).isEqualTo(frame.getInt(transport));
      if (tcp) {
        assertThat(segment.getInt(transport + 4)).isEqualTo(SEQUENCE + i * size);
        assertThat((int) segment.getUnsignedByte(transport + 13))
            .isEqualTo(TcpHeader.ACK | (last ? TcpHeader.PSH | TcpHeader.FIN : 0) | (i == 0 ? CWR : 0));
        assertThat(segment.slice(transport + 20, 12)).as("options").isEqualTo(frame.slice(transport + 20, 12));
      } else {
        assertThat(segment.getUnsignedShort(transport + 4)).isEqualTo(8 + bytes);
      }
      assertChecksum(segment, v6, network, transport, tcp);
      together.writeBytes(segment, headers, bytes);
    }
    assertThat(together).isEqualTo(frame.slice(headers, payload));
    assertThat(segmenter.longest()).isEqualTo(headers + Math.min(size, payload));
  }

  private static void assertNetwork(ByteBuf segment, boolean v6, int network, int number) {
    int length = segment.readableBytes() - network;
    if (v6) {
      assertThat(segment.getUnsignedShort(network + 4)).isEqualTo(length - 40);
    } else {
      assertThat(segment.getUnsignedShort(network + 2)).isEqualTo(length);
      assertThat(segment.getUnsignedShort(network + 4)).isEqualTo(IDENTIFICATION + number & 0xFFFF);
      assertThat(fold(words(segment, network, network + 20))).isEqualTo(0xFFFF);
    }
  }

  private static void assertChecksum(ByteBuf segment, boolean v6, int network, int transport, boolean tcp) {
    int end = segment.readableBytes();
    long pseudo = (tcp ? 6 : 17) + end - transport + words(segment, network + (v6 ? 8 : 12), transport);
    assertThat(fold(pseudo + words(segment, transport, end))).isEqualTo(0xFFFF);
  }

  @Test
  void shouldKeepTheTagBesideTheBytes() {
    long marks = FrameMarks.withVlan(FrameMarks.withGso(FrameMarks.CHECKSUM_PARTIAL, 1, 100), 0xE005);
    assertThat(cut(superFrame(false, true, 0, 300), marks)).hasSize(3);
    assertThat(segmenter.marks()).isEqualTo(FrameMarks.withVlan(FrameMarks.NONE, 0xE005));
  }

  @Test
  void shouldLeaveADatagramWithoutAChecksumWithoutOne() {
    ByteBuf frame = superFrame(false, false, 0, 300);
    frame.setShort(14 + 20 + 6, 0);
    for (ByteBuf segment : cut(frame, FrameMarks.withGso(FrameMarks.NONE, 5, 100))) {
      assertThat(segment.getUnsignedShort(14 + 20 + 6)).isZero();
    }
  }

  /** What cannot be cut: no size, UDP to be fragmented, no payload, not TCP or UDP, no mark, too many pieces. */
  @Test
  void shouldNotCutWhatIsNotClear() {
    ByteBuf tcp = superFrame(false, true, 0, 5000);
    ByteBuf udp = superFrame(true, false, 0, 5000);
    assertThat(cut(tcp, FrameMarks.withGso(FrameMarks.CHECKSUM_PARTIAL, 1, 0))).isEmpty();
    assertThat(cut(udp, FrameMarks.withGso(FrameMarks.CHECKSUM_PARTIAL, 3, 1000))).isEmpty();
    assertThat(cut(superFrame(false, true, 0, 0), FrameMarks.withGso(FrameMarks.NONE, 1, 1000))).isEmpty();
    assertThat(cut(tcp, FrameMarks.CHECKSUM_PARTIAL)).isEmpty();
    assertThat(cut(tcp, FrameMarks.withGso(FrameMarks.TRUNCATED, 1, 1000))).isEmpty();
    assertThat(cut(tcp, FrameMarks.withGso(FrameMarks.NONE, 1, 2))).isEmpty();
    ByteBuf other = tcp.copy().setByte(14 + 9, 47);
    other.setShort(14 + 10, 0).setShort(14 + 10, ~fold(words(other, 14, 34)) & 0xFFFF);
    assertThat(cut(other, FrameMarks.withGso(FrameMarks.NONE, 1, 1000))).isEmpty();
    assertThat(segmenter.next(Unpooled.buffer(2048), 0)).as("nothing is left of the frame before").isZero();
  }
}
