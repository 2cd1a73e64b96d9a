package io.lb4j.examples.control;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Lines out of bytes that come in any pieces. */
class LineBufferTest {
  private static final int LONGEST = 100_000;

  private final LineBuffer buffer = new LineBuffer(LONGEST);

  /** Puts as much as there is room for; answers how much. */
  private int put(byte[] bytes, int from, int count) {
    int length = Math.min(count, buffer.space().remaining());
    buffer.space().put(bytes, from, length);
    return length;
  }

  private void putAll(String text) {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    for (int done = 0; done < bytes.length; ) {
      done += put(bytes, done, bytes.length - done);
    }
  }

  @Test
  void shouldGiveTheLinesThatCameInPieces() {
    Random random = new Random(7);
    StringBuilder text = new StringBuilder();
    List<String> lines = new ArrayList<>();
    for (int i = 0; i < 500; i++) {
      lines.add("x".repeat(random.nextInt(i % 50 == 0 ? LONGEST : 300)) + i);
      text.append(lines.get(i)).append('\n');
    }
    byte[] bytes = text.toString().getBytes(StandardCharsets.UTF_8);
    List<String> taken = new ArrayList<>();
    for (int done = 0; done < bytes.length; ) {
      done += put(bytes, done, Math.min(bytes.length - done, 1 + random.nextInt(20_000)));
      for (String line = random.nextInt(3) == 0 ? null : buffer.next(); line != null; line = buffer.next()) {
        taken.add(line);
      }
    }
    for (String line = buffer.next(); line != null; line = buffer.next()) {
      taken.add(line);
    }
    assertThat(taken).isEqualTo(lines);
    assertThat(buffer.waiting()).isZero();
  }

  @Test
  void shouldHaveNoRoomForMoreThanTheLongest() {
    putAll("x".repeat(LONGEST));
    assertThat(buffer.isOverlong()).isFalse();
    putAll("x");
    assertThat(buffer.isOverlong()).isTrue();
    assertThat(buffer.space().hasRemaining()).isFalse();
    buffer.clear();
    putAll("short\n");
    assertThat(buffer.next()).isEqualTo("short");
  }

  /** Each line is taken without moving those behind it. */
  @Test
  @Timeout(10)
  void shouldTakeManyShortLinesAtOnce() {
    int all = 1 << 20;
    LineBuffer large = new LineBuffer(2 * all);
    for (int i = 0; i < all; i++) {
      large.space().put((byte) '\n');
    }
    int taken = 0;
    while (large.next() != null) {
      taken++;
    }
    assertThat(taken).isEqualTo(all);
  }
}
