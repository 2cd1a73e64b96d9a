package io.lb4j.pcap;

import static io.lb4j.pcap.CaptureBytes.read;
import static org.assertj.core.api.Assertions.assertThat;

import io.lb4j.pcap.CaptureBytes.Packet;
import io.netty.buffer.ByteBufUtil;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class PcapngBlockTest {
  private static final byte[] NONE = {};
  private static final byte[] DATA = ByteBufUtil.decodeHexDump(CaptureBytes.hex(9, 21));
  private static final String HEX = CaptureBytes.hex(9, 21);
  private static final int UNKNOWN = 0x0000_0BAD;

  private static CaptureBytes file(boolean bigEndian) {
    return new CaptureBytes(bigEndian ? ByteOrder.BIG_ENDIAN : ByteOrder.LITTLE_ENDIAN).section();
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void shouldReadEveryPacketBlockAndStepOverOthers(boolean bigEndian) throws Exception {
    CaptureBytes file = file(bigEndian).block(UNKNOWN, new byte[77]).device(1, 16, NONE).device(1, 0, NONE);
    file.enhanced(1, 5_000_000, DATA, 21).block(UNKNOWN, new byte[200_000]).obsolete(1, 6_000_000, DATA, 30);
    file.simple(java.util.Arrays.copyOf(DATA, 16), 21);
    assertThat(read(file.toArray()))
        .containsExactly(
            new Packet(5_000_000_000L, 1, 21, HEX, ""),
            new Packet(6_000_000_000L, 1, 30, HEX, ""),
            new Packet(6_000_000_000L, 0, 21, HEX.substring(0, 32), ""));
  }

  @Test
  void shouldCountInterfacesOnOverSectionsOfEitherOrder() throws Exception {
    CaptureBytes file = file(false).device(1, 0, NONE).enhanced(0, 1, DATA, 21);
    file.order(ByteOrder.BIG_ENDIAN).section().device(1, 0, NONE).device(1, 0, NONE).enhanced(1, 2, DATA, 21);
    assertThat(read(file.toArray())).extracting(Packet::interfaceId).containsExactly(0, 2);
    file.section().enhanced(0, 3, DATA, 21);
    int fault = file.toArray().length - 12 - 20 - 24;
    CaptureFileTest.assertFailsAfter(
        file.toArray(), 2, "offset " + fault + ": a packet of interface 0; the section has described 0");
  }

  @ParameterizedTest
  @CsvSource({
    // resolution, ticks, offset in seconds, nanoseconds
    "6, 1700000000123456, 0, 1700000000123456000",
    "9, 1700000000123456789, 0, 1700000000123456789",
    "0, 1700000000, 0, 1700000000000000000",
    "3, 1700000000123, 5, 1700000005123000000",
    "12, 1700000000123456789, 0, 1700000000123456",
    "28, -1, 0, 1",
    "29, -1, 0, 0",
    "127, -1, 0, 0",
    "6, -1, 0, 9223372036854775807",
    "9, -1, 0, 9223372036854775807",
    "128, 1700000000, 0, 1700000000000000000",
    "138, 1740800000512, 0, 1700000000500000000",
    "160, 7301444403736870912, -1, 1699999999125000000",
    "191, 9223372036854775807, 0, 999999999",
    "192, -9223372036854775808, 0, 500000000",
    "255, -1, 0, 0",
    "6, 0, -9223372036854775808, 0",
    "6, 0, 9223372036854775807, 9223372036854775807",
    "6, 3000000, -1, 2000000000",
    "6, 3000000, -10, 0",
    "7, 133500000001234567, -11644473600, 1705526400123456700", // counted from 1601, as Windows does
    "128, 10000000000, -9000000000, 1000000000000000000",
    "0, -9223372036854775808, -9223372036854775808, 0",
    "0, -1, -9223372036854775808, 9223372036854775807",
    "0, -1, 9223372036854775807, 9223372036854775807",
    "19, -1, 0, 1844674407"
  })
  void shouldTurnTicksIntoNanoseconds(int resolution, long ticks, long offset, long expectedNs) throws Exception {
    for (boolean bigEndian : new boolean[] {false, true}) {
      CaptureBytes file = file(bigEndian);
      byte[] tsresol = file.option(PcapngParser.IF_TSRESOL, new byte[] {(byte) resolution});
      byte[] tsoffset = file.longOption(PcapngParser.IF_TSOFFSET, offset);
      file.device(1, 0, joined(tsresol, tsoffset, new byte[4])).enhanced(0, ticks, DATA, 21);
      assertThat(read(file.toArray())).extracting(Packet::timestampNs).containsExactly(expectedNs);
    }
  }

  @Test
  void shouldTakeOffAFrameCheckSequenceAndKeepTheFirstComment() throws Exception {
    CaptureBytes file = file(false);
    file.device(1, 0, file.option(PcapngParser.IF_FCSLEN, new byte[] {4}));
    java.nio.ByteBuffer body = java.nio.ByteBuffer.allocate(20 + 24 + 8 + 12 + 12).order(ByteOrder.LITTLE_ENDIAN);
    body.putInt(0).putInt(0).putInt(1).putInt(21).putInt(21).put(DATA).put(new byte[3]);
    body.put(file.option(2, new byte[4])).put(file.option(1, "first".getBytes(StandardCharsets.UTF_8)));
    body.put(file.option(1, "second".getBytes(StandardCharsets.UTF_8)));
    file.block(6, body.array());
    assertThat(read(file.toArray())).containsExactly(new Packet(1000, 0, 17, HEX.substring(0, 34), "first"));
  }

  @ParameterizedTest
  @CsvSource({
    // of the interface, flags of the packet, bytes left of 21
    "0, 0, 21",
    "4, 0, 17", // as the draft's example
    "32, 0, 17", // in bits, as the draft says
    "16, 0x01, 19",
    "0, 0x80, 17", // in bytes
    "32, 0x41, 19",
    "0, 0xFF0FFE1F, 21"
  })
  void shouldTakeOffACheckSequenceWhoeverTellsItsLength(int ofInterface, long flags, int left) throws Exception {
    for (boolean bigEndian : new boolean[] {false, true}) {
      CaptureBytes file = file(bigEndian);
      file.device(1, 0, file.option(PcapngParser.IF_FCSLEN, new byte[] {(byte) ofInterface}));
      byte[] comment = file.option(PcapngParser.COMMENT, "said".getBytes(StandardCharsets.UTF_8));
      byte[] own = file.intOption(PcapngParser.PACKET_FLAGS, (int) flags);
      byte[] options = joined(comment, own, new byte[4]);
      file.enhanced(0, 1, DATA, 21, options).obsolete(0, 1, DATA, 21, options);
      Packet packet = new Packet(1000, 0, left, HEX.substring(0, 2 * left), "said");
      assertThat(read(file.toArray())).containsExactly(packet, packet);
    }
  }

  @Test
  void shouldRefusePacketsOfOtherLinkTypesOnly() throws Exception {
    CaptureBytes file = file(false).device(113, 0, NONE).device(1, 0, NONE).enhanced(1, 1, DATA, 21);
    assertThat(read(file.toArray())).hasSize(1);
    int fault = file.toArray().length;
    file.enhanced(0, 1, DATA, 21);
    CaptureFileTest.assertFailsAfter(
        file.toArray(), 1, "offset " + fault + ": a packet of link type 113; only Ethernet (1) can be read");
  }

  @Test
  void shouldRefuseBlocksThatContradictThemselves() throws Exception {
    byte[] good = file(false).device(1, 0, NONE).enhanced(0, 1, DATA, 21).toArray();
    int packet = 28 + 20;
    fails(good, packet + 4, 13, "a block of length 13; at least 12 and a multiple of 4 is possible");
    fails(good, packet + 4, 8, "a block of length 8; at least 12 and a multiple of 4 is possible");
    fails(good, packet + 4, 0x7FFF_FFF0, "a block of length 2147483632; at most 16777216 can be read");
    fails(good, packet + 8, 7, "a packet of interface 7; the section has described 1");
    fails(good, packet + 20, 25, "a block too short for its packet data: 24 bytes left of 28");
    fails(good, packet + 20, -1, "a packet of 4294967295 bytes; at most 262144 can be read");
    fails(good, good.length - 4, 52, "a block that begins with length 56 and ends with 52");
  }

  private static void fails(byte[] good, int at, int value, String problem) throws CaptureException {
    byte[] file = good.clone();
    java.nio.ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN).putInt(at, value);
    CaptureFileTest.assertFailsAfter(file, 0, "offset 48: " + problem);
  }

  @Test
  void shouldRefuseAFloodOfInterfaces() throws Exception {
    CaptureBytes file = file(false);
    byte[] name = file.option(PcapngParser.IF_NAME, new byte[60_000]);
    for (int i = 0; i < 4097; i++) {
      file.device(1, 0, i < 20 ? name : NONE);
    }
    int fault = file.toArray().length - 20;
    CaptureFileTest.assertFailsAfter(file.toArray(), 0, "offset " + fault + ": more than 4096 interfaces");
  }

  @Test
  void shouldKeepAtMost256BytesOfAName() throws Exception {
    CaptureBytes file = file(false);
    file.device(1, 0, file.option(PcapngParser.IF_NAME, "n".repeat(60_000).getBytes(StandardCharsets.UTF_8)));
    try (CaptureReader reader = CaptureBytes.reader(file.toArray())) {
      assertThat(reader.next()).isFalse();
      assertThat(reader.interfaces()).isEqualTo(List.of(new CaptureInterface(0, "n".repeat(256), 1, 0)));
    }
  }

  private static byte[] joined(byte[]... parts) {
    java.io.ByteArrayOutputStream out = new java.io.ByteArrayOutputStream();
    for (byte[] part : parts) {
      out.writeBytes(part);
    }
    return out.toByteArray();
  }
}
