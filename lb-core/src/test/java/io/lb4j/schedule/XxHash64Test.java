package io.lb4j.schedule;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class XxHash64Test {
  private static final long PRIME_32 = 2654435761L;

  /** The sanity buffer and values of the xxHash distribution (cli/xsum_sanity_check.c). */
  @ParameterizedTest
  @CsvSource({
    "0, 0, EF46DB3751D8E999",
    "0, 2654435761, AC75FDA2929B17EF",
    "1, 0, E934A84ADB052768",
    "1, 2654435761, 5014607643A9B4C3",
    "4, 0, 9136A0DCA57457EE",
    "14, 0, 8282DCC4994E35C8",
    "14, 2654435761, C3BD6BF63DEB6DF0",
    "222, 0, B641AE8CB691C174",
    "222, 2654435761, 20CB8AB7AE10C14A"
  })
  void shouldGiveThePublishedSanityValues(int length, long seed, String expected) {
    assertThat(XxHash64.hash(sanityBuffer(length), seed)).isEqualTo(Long.parseUnsignedLong(expected, 16));
  }

  @ParameterizedTest
  @CsvSource({"a, D24EC4F1A98C6E5B", "abc, 44BC2CF5AD770999"})
  void shouldGiveTheKnownHashOfAText(String text, String expected) {
    byte[] input = text.getBytes(StandardCharsets.UTF_8);
    assertThat(XxHash64.hash(input, 0)).isEqualTo(Long.parseUnsignedLong(expected, 16));
  }

  private static byte[] sanityBuffer(int length) {
    byte[] buffer = new byte[length];
    long state = PRIME_32;
    for (int i = 0; i < length; i++) {
      buffer[i] = (byte) (state >>> 56);
      state *= 0x9E37_79B1_85EB_CA8DL;
    }
    return buffer;
  }
}
