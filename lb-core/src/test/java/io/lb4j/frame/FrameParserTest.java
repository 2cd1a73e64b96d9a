package io.lb4j.frame;

import static org.assertj.core.api.Assertions.assertThat;

import io.lb4j.wire.Ipv4Header;
import io.netty.buffer.ByteBuf;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class FrameParserTest {
  private static FrameView parse(ByteBuf frame) {
    FrameView view = new FrameView();
    view.wrap(frame, 0, frame.readableBytes(), FrameMarks.NONE, 0);
    FrameParser.parse(view);
    return view;
  }

  @ParameterizedTest
  @CsvSource({"false,0", "true,0", "false,1", "true,1", "false,2", "true,2"})
  void shouldFindTheFieldsOfATcpSegmentBehindAnyTags(boolean v6, int tags) {
    FrameView view = parse(RawFrames.tcp(v6, tags, 10));
    int ip = 14 + 4 * tags;
    assertThat(view.kind()).isEqualTo(FrameKind.SEGMENT);
    assertThat(view.isV6()).isEqualTo(v6);
    assertThat(view.network()).isEqualTo(ip);
    assertThat(view.transport()).isEqualTo(ip + (v6 ? 40 : 20));
    assertThat(view.networkEnd()).isEqualTo(view.transport() + 30);
    assertThat(view.protocol()).isEqualTo(6);
    assertThat(view.sourcePort()).isEqualTo(4000);
    assertThat(view.destinationPort()).isEqualTo(80);
    assertThat(view.payloadLength()).isEqualTo(10);
    assertThat(view.sourceLow()).isEqualTo(v6 ? 10L : 0xC633640AL);
    assertThat(view.sourceHigh()).isEqualTo(v6 ? 0x2001_0DB8_000C_0000L : 0L);
  }

  @ParameterizedTest
  @ValueSource(ints = {5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15})
  void shouldSkipIpv4OptionsOfEveryLength(int words) {
    int options = (words - 5) * 4;
    ByteBuf frame = RawFrames.ipv4(6, RawFrames.concat(new byte[options], RawFrames.tcpHeader(0)));
    frame.setByte(14, 0x40 | words);
    Ipv4Header.updateChecksum(frame, 14);
    FrameView view = parse(frame);
    assertThat(view.kind()).isEqualTo(FrameKind.SEGMENT);
    assertThat(view.transport()).isEqualTo(14 + words * 4);
  }

  @ParameterizedTest
  @CsvSource({"0,SEGMENT", "1,SEGMENT", "7,SEGMENT", "8,SEGMENT", "9,MALFORMED"})
  void shouldWalkEightExtensionHeadersAndNoMore(int headers, FrameKind kind) {
    byte[] chain = new byte[headers * 8];
    for (int i = 0; i < headers; i++) {
      chain[i * 8] = (byte) (i == headers - 1 ? 6 : 60);
    }
    FrameView view = parse(RawFrames.ipv6(headers == 0 ? 6 : 60, RawFrames.concat(chain, RawFrames.tcpHeader(0))));
    assertThat(view.kind()).isEqualTo(kind);
    if (kind == FrameKind.MALFORMED) {
      assertThat(view.verdict()).isEqualTo(Verdict.IPV6_EXTENSION_CHAIN);
    }
  }

  @ParameterizedTest
  @CsvSource({"31,SEGMENT", "32,MALFORMED"})
  void shouldWalk256BytesOfExtensionHeadersAndNoMore(int units, FrameKind kind) {
    byte[] header = new byte[(units + 1) * 8];
    header[0] = 6;
    header[1] = (byte) units;
    FrameView view = parse(RawFrames.ipv6(60, RawFrames.concat(header, RawFrames.tcpHeader(0))));
    assertThat(view.kind()).isEqualTo(kind);
  }

  @Test
  void shouldRefuseHopByHopOptionsThatAreNotFirst() {
    byte[] chain = new byte[16];
    chain[8] = 6;
    FrameView view = parse(RawFrames.ipv6(60, RawFrames.concat(chain, RawFrames.tcpHeader(0))));
    assertThat(view.verdict()).isEqualTo(Verdict.IPV6_EXTENSION_CHAIN);
  }

  @ParameterizedTest
  @CsvSource({"0,0,SEGMENT", "0,1,FIRST_FRAGMENT", "24,1,LATER_FRAGMENT", "24,0,LATER_FRAGMENT", "8,1,MALFORMED"})
  void shouldTellFragmentsFromWholePacketsAlsoBehindAnIpv6FragmentHeader(int offset, int more, FrameKind kind) {
    byte[] header = {6, 0, (byte) (offset >> 8), (byte) (offset | more), 1, 2, 3, 4};
    FrameView six = parse(RawFrames.ipv6(44, RawFrames.concat(header, RawFrames.tcpHeader(4))));
    assertThat(six.kind()).isEqualTo(kind);
    ByteBuf frame = RawFrames.ipv4(6, RawFrames.tcpHeader(4));
    frame.setShort(14 + 6, more << 13 | offset >> 3);
    Ipv4Header.updateChecksum(frame, 14);
    assertThat(parse(frame).kind()).isEqualTo(kind);
    if (kind == FrameKind.LATER_FRAGMENT) {
      assertThat(six.identification()).isEqualTo(0x0102_0304);
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void shouldNotCountEthernetPaddingAsPayload(boolean v6) {
    ByteBuf frame = RawFrames.tcp(v6, 0, 0);
    int end = frame.readableBytes();
    ByteBuf padded = RawFrames.exact(RawFrames.concat(RawFrames.bytes(frame), new byte[] {-1, -1, -1, -1, -1, -1}));
    FrameView view = parse(padded);
    assertThat(view.networkEnd()).isEqualTo(end);
    assertThat(view.payloadLength()).isZero();
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void shouldCountSynAndFinInTheNextSequenceNumber(boolean v6) {
    ByteBuf frame = RawFrames.tcp(v6, 0, 3);
    int flags = 14 + (v6 ? 40 : 20) + 13;
    assertThat(parse(frame).tcpNextSequence()).as("SYN and 3 bytes").isEqualTo(7 + 4);
    frame.setByte(flags, 0x11);
    assertThat(parse(frame).tcpNextSequence()).as("FIN and 3 bytes").isEqualTo(7 + 4);
    frame.setByte(flags, 0x10);
    assertThat(parse(frame).tcpNextSequence()).as("3 bytes").isEqualTo(7 + 3);
  }
}
