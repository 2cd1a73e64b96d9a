package io.lb4j.frame;

import static org.assertj.core.api.Assertions.assertThat;

import io.lb4j.wire.Ipv4Header;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Hostile frames in buffers that end where the frame ends: a read beyond it would throw. */
@Tag("memory")
class ParserFuzzTest {
  private static final int MUTANTS = 25_000;
  private static final int[] TELLING = {0, 1, 4, 6, 7, 8, 17, 43, 44, 51, 58, 59, 60, 0x45, 0x4F, 0x60, 0x80, 0xFF};

  static List<byte[]> seeds() {
    byte[] fragment = {17, 0, 0, 1, 0, 0, 0, 9};
    byte[] options = {44, 0, 1, 4, 0, 0, 0, 0};
    byte[] hopByHop = {60, 0, 1, 4, 0, 0, 0, 0};
    byte[] routing = {6, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0};
    byte[] echo = {8, 0, 0, 0, 0, 1, 0, 1, 1, 2, 3, 4};
    return List.of(
        RawFrames.bytes(RawFrames.tcp(false, 0, 12)),
        RawFrames.bytes(RawFrames.tcp(true, 0, 12)),
        RawFrames.bytes(RawFrames.tcp(false, 2, 0)),
        RawFrames.bytes(RawFrames.tcp(true, 2, 0)),
        RawFrames.bytes(RawFrames.ipv4(17, RawFrames.udp(8))),
        RawFrames.bytes(RawFrames.ipv6(0, RawFrames.concat(hopByHop, options, fragment, RawFrames.udp(8)))),
        RawFrames.bytes(RawFrames.ipv6(43, RawFrames.concat(routing, RawFrames.tcpHeader(0)))),
        RawFrames.bytes(RawFrames.ipv4(1, echo)),
        RawFrames.bytes(RawFrames.ipv6(58, echo)),
        RawFrames.bytes(RawFrames.arp()));
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8})
  void shouldNeverThrowNorReadPastTheEndNorLeaveAFrameWithoutAKind(long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    List<byte[]> seeds = seeds();
    FrameView view = new FrameView();
    int[] kinds = new int[FrameKind.values().length];
    for (int i = 0; i < MUTANTS; i++) {
      byte[] mutant = mutate(seeds.get(random.nextInt(seeds.size())), random);
      ByteBuf frame = RawFrames.exact(mutant);
      long marks = random.nextInt(16) == 0 ? FrameMarks.withGso(FrameMarks.NONE, 1, 1400) : FrameMarks.NONE;
      view.wrap(frame, 0, mutant.length, marks, 0);
      try {
        FrameParser.parse(view);
      } catch (RuntimeException e) {
        throw new AssertionError("seed " + seed + ", mutant " + i + ": " + ByteBufUtil.hexDump(mutant), e);
      }
      check(view, mutant);
      kinds[view.kind().ordinal()]++;
    }
    assertThat(kinds).as("mutants reach every kind").doesNotContain(0);
  }

  private static void check(FrameView view, byte[] mutant) {
    FrameKind kind = view.kind();
    boolean right = kind == FrameKind.MALFORMED ? view.verdict() != null && view.verdict().isDrop() : kind != null;
    boolean ip = kind != FrameKind.MALFORMED && kind != FrameKind.NOT_IP && kind != FrameKind.ARP;
    if (ip) {
      right &= view.network() < view.transport();
      right &= view.transport() <= view.networkEnd();
      right &= view.networkEnd() <= mutant.length;
    }
    if (kind == FrameKind.SEGMENT) {
      right &= view.payloadLength() >= 0 && view.sourcePort() != 0 && view.destinationPort() != 0;
    }
    if (!right) {
      throw new AssertionError(kind + " " + view.verdict() + ": " + ByteBufUtil.hexDump(mutant));
    }
  }

  static byte[] mutate(byte[] valid, SplittableRandom random) {
    byte[] mutant = valid.clone();
    for (int edits = random.nextInt(4); edits > 0; edits--) {
      int at = random.nextInt(12, mutant.length);
      mutant[at] =
          (byte) (random.nextBoolean() ? random.nextInt(256) : TELLING[random.nextInt(TELLING.length)]);
    }
    if (random.nextInt(4) == 0) {
      mutant = Arrays.copyOf(mutant, random.nextInt(mutant.length + 20));
    }
    boolean v4 = mutant.length >= 34 && mutant[12] == 8 && mutant[13] == 0;
    int headerLength = v4 ? (mutant[14] & 15) << 2 : 0;
    if (v4 && random.nextInt(4) != 0 && headerLength >= 20 && 14 + headerLength <= mutant.length) {
      Ipv4Header.updateChecksum(RawFrames.exact(mutant), 14);
    }
    return mutant;
  }
}
