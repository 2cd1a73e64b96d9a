package io.lb4j.frame;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.lb4j.wire.DirectMemory;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The short way through the parser must find what the long one finds, and nothing beyond the frame. */
@Tag("addresses")
class UsualFramesTest {
  private static final int MUTANTS = 25_000;

  /** What a parser has to say of a frame; of what is no segment, only what it is. */
  private record Findings(FrameKind kind, Verdict verdict, List<Object> of) {
    static Findings of(FrameView view) {
      FrameKind kind = view.kind();
      if (kind != FrameKind.SEGMENT) {
        return new Findings(kind, kind == FrameKind.MALFORMED ? view.verdict() : null, List.of());
      }
      List<Object> fields =
          List.of(
              view.isV6(),
              view.network(),
              view.networkEnd(),
              view.transport(),
              view.protocol(),
              view.sourceHigh(),
              view.sourceLow(),
              view.destinationHigh(),
              view.destinationLow(),
              view.ports(),
              view.tcpFlags(),
              view.protocol() == 6 ? view.tcpNextSequence() : 0,
              view.payloadLength());
      return new Findings(kind, null, fields);
    }
  }

  private final ByteBuf memory = Unpooled.directBuffer(512);

  @AfterEach
  void release() {
    memory.release();
  }

  private FrameView parse(ByteBuf buffer, int length) {
    FrameView view = new FrameView();
    view.wrap(buffer, 0, length, FrameMarks.NONE, 0);
    FrameParser.parse(view);
    return view;
  }

  /** Parses in memory with an address, where something follows the frame. */
  private FrameView parseByAddress(byte[] frame, int follows) {
    byte[] all = new byte[frame.length + 128];
    Arrays.fill(all, (byte) follows);
    System.arraycopy(frame, 0, all, 0, frame.length);
    memory.setBytes(0, all);
    return parse(memory, frame.length);
  }

  private static List<byte[]> seeds() {
    List<byte[]> seeds = new ArrayList<>(ParserFuzzTest.seeds());
    for (int payload : new int[] {0, 1, 5, 6, 20}) {
      seeds.add(RawFrames.bytes(RawFrames.ipv4(17, RawFrames.udp(payload))));
      seeds.add(RawFrames.bytes(RawFrames.ipv6(17, RawFrames.udp(payload))));
      seeds.add(RawFrames.bytes(RawFrames.tcp(false, 0, payload)));
      seeds.add(RawFrames.bytes(RawFrames.tcp(true, 0, payload)));
    }
    return seeds;
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4})
  void shouldFindWhatTheLongWayFindsWhateverFollowsTheFrame(long seed) {
    assumeTrue(DirectMemory.AVAILABLE, "memory is not reached by address here");
    SplittableRandom random = new SplittableRandom(seed);
    List<byte[]> seeds = seeds();
    int usual = 0;
    for (int i = 0; i < MUTANTS; i++) {
      byte[] mutant = ParserFuzzTest.mutate(seeds.get(random.nextInt(seeds.size())), random);
      Findings expected = Findings.of(parse(RawFrames.exact(mutant), mutant.length));
      FrameView view = parseByAddress(mutant, 0);
      Findings first = Findings.of(view);
      Findings second = Findings.of(parseByAddress(mutant, 0x5F));
      if (!first.equals(expected) || !second.equals(expected)) {
        throw new AssertionError(
            expected + " but " + first + " and " + second + ": " + ByteBufUtil.hexDump(mutant));
      }
      usual += view.isUsual() ? 1 : 0;
    }
    assertThat(usual).as("mutants that went the short way").isGreaterThan(MUTANTS / 10);
  }

  @ParameterizedTest
  @CsvSource({"false,0", "true,0", "false,5", "true,5", "false,100", "true,100"})
  void shouldTakeTheShortWayForDatagramsOfAnyLength(boolean v6, int payload) {
    assumeTrue(DirectMemory.AVAILABLE, "memory is not reached by address here");
    byte[] datagram = RawFrames.udp(payload);
    byte[] frame = RawFrames.bytes(v6 ? RawFrames.ipv6(17, datagram) : RawFrames.ipv4(17, datagram));
    assertThat(parseByAddress(frame, 0).isUsual()).isTrue();
  }
}
