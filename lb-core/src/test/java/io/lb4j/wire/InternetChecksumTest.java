package io.lb4j.wire;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@Tag("memory")
class InternetChecksumTest {
  private static ByteBuf bytes(String hex) {
    return Unpooled.wrappedBuffer(ByteBufUtil.decodeHexDump(hex));
  }

  @ParameterizedTest
  @CsvSource({
    "0001f203f4f5f6f7,ddf2", // RFC 1071, section 3
    "00,0", "01,100", "ffff,ffff", "ffffffff,ffff", "0001f2,f201",
  })
  void shouldSumAsRfc1071DoesAlsoForOddLengths(String hex, String sum) {
    ByteBuf data = bytes(hex);
    long raw = InternetChecksum.sum(data, 0, data.readableBytes(), 0);
    assertThat(InternetChecksum.fold(raw)).isEqualTo(Integer.parseInt(sum, 16));
    assertThat(InternetChecksum.finish(raw)).isEqualTo(~Integer.parseInt(sum, 16) & 0xFFFF);
  }

  @Test
  void shouldEqualASumWordByWordForEveryLengthAndStart() {
    SplittableRandom random = new SplittableRandom(1);
    byte[] data = new byte[200];
    for (int round = 0; round < 20_000; round++) {
      random.nextBytes(data);
      int start = random.nextInt(50);
      int length = random.nextInt(150);
      assertThat(InternetChecksum.fold(InternetChecksum.sum(Unpooled.wrappedBuffer(data), start, length, 0)))
          .isEqualTo(reference(data, start, length));
    }
  }

  private static int reference(byte[] data, int start, int length) {
    int sum = 0;
    for (int i = 0; i < length; i++) {
      sum += (data[start + i] & 0xFF) << ((i & 1) == 0 ? 8 : 0);
      sum = (sum & 0xFFFF) + (sum >>> 16);
    }
    return sum;
  }

  @Test
  void shouldKeepFoldedEvenTheLargestSums() {
    assertThat(InternetChecksum.fold(Long.MAX_VALUE)).isBetween(0, 0xFFFF);
    assertThat(InternetChecksum.fold(0xFFFF_FFFFL * 20_000)).isEqualTo(0xFFFF);
    assertThat(InternetChecksum.fold(0x1_FFFF_FFFFL)).isEqualTo(1);
  }

  @Test
  void shouldReplaceAWordAsIfAllHadBeenSummedAgain() {
    SplittableRandom random = new SplittableRandom(2);
    byte[] data = new byte[64];
    random.nextBytes(data);
    ByteBuf packet = Unpooled.wrappedBuffer(data);
    int checksum = InternetChecksum.finish(InternetChecksum.sum(packet, 0, data.length, 0));
    for (int rewrite = 0; rewrite < 1_000_000; rewrite++) {
      int at = random.nextInt(data.length / 2) * 2;
      int before = packet.getUnsignedShort(at);
      int after = random.nextInt(8) == 0 ? 0xFFFF * random.nextInt(2) : random.nextInt(0x1_0000);
      packet.setShort(at, after);
      checksum = InternetChecksum.replace(checksum, before, after);
      int full = InternetChecksum.finish(InternetChecksum.sum(packet, 0, data.length, 0));
      if (checksum != full) {
        throw new AssertionError("%d: %x to %x: %x, not %x".formatted(rewrite, before, after, checksum, full));
      }
    }
  }

  @Test
  void shouldLeaveAWrongChecksumAsWrongAsItWas() {
    SplittableRandom random = new SplittableRandom(3);
    for (int round = 0; round < 100_000; round++) {
      int before = random.nextInt(1, 0xFFFF);
      int after = random.nextInt(1, 0xFFFF);
      int checksum = random.nextInt(1, 0xFFFF);
      int back = InternetChecksum.replace(InternetChecksum.replace(checksum, before, after), after, before);
      assertThat(back).isEqualTo(checksum);
    }
  }
}
