package io.lb4j.examples.control;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;

/** Bytes in, lines out. Grows with the line that is unfinished, up to a bound. Owned by one thread. */
final class LineBuffer {
  private static final int FIRST_CAPACITY = 4096;

  private final int longest;
  private ByteBuffer bytes = ByteBuffer.allocate(FIRST_CAPACITY);
  private int searched;

  /**
   * An empty buffer.
   *
   * @param longest line that is taken, in bytes without its end
   */
  LineBuffer(int longest) {
    this.longest = longest;
  }

  /** Where to put bytes that arrive: never without room, unless the line is too long. */
  ByteBuffer space() {
    if (!bytes.hasRemaining() && bytes.capacity() <= longest) {
      int capacity = (int) Math.min(longest + 1L, 2L * bytes.capacity());
      bytes = ByteBuffer.allocate(capacity).put(bytes.flip());
    }
    return bytes;
  }

  /** Whether more bytes than a line may have came without an end of line. */
  boolean isOverlong() {
    return bytes.position() > longest;
  }

  /** Bytes that wait for the end of their line. */
  int waiting() {
    return bytes.position();
  }

  /** Forgets all bytes. */
  void clear() {
    bytes.clear();
    searched = 0;
  }

  /** The next complete line without its end, or null. */
  String next() {
    for (; searched < bytes.position(); searched++) {
      if (bytes.get(searched) == '\n') {
        String line = new String(bytes.array(), 0, searched, StandardCharsets.UTF_8);
        bytes.flip().position(searched + 1);
        bytes = remaining();
        searched = 0;
        return line;
      }
    }
    return null;
  }

  /** What is left, in a buffer that is small again where that is enough. */
  private ByteBuffer remaining() {
    if (bytes.remaining() < FIRST_CAPACITY && bytes.capacity() > FIRST_CAPACITY) {
      return ByteBuffer.allocate(FIRST_CAPACITY).put(bytes);
    }
    return bytes.compact();
  }
}
