package io.lb4j.examples.control;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;

/** Bytes in, lines out. Grows with the line that is unfinished, up to a bound. Owned by one thread. */
final class LineBuffer {
  private static final int FIRST_CAPACITY = 4096;

  private final int longest;
  private ByteBuffer bytes = ByteBuffer.allocate(FIRST_CAPACITY);
  private int begin;
  private int searched;

  /**
   * An empty buffer.
   *
   * @param longest line that is taken, in bytes without its end
   */
  LineBuffer(int longest) {
    this.longest = longest;
  }

  /** Where to put bytes that arrive: never without room, unless too many wait. */
  ByteBuffer space() {
    if (!bytes.hasRemaining() && !isOverlong()) {
      // half of it is free afterwards, so that lines of any length are moved once on the average
      long capacity = Math.max(FIRST_CAPACITY, Math.min(longest + 1L, 2L * waiting()));
      bytes = ByteBuffer.allocate((int) capacity).put(bytes.flip().position(begin));
      searched -= begin;
      begin = 0;
    }
    return bytes;
  }

  /** Whether more bytes than a line may have wait to be taken. */
  boolean isOverlong() {
    return waiting() > longest;
  }

  /** Bytes that wait to be taken, or for the end of their line. */
  int waiting() {
    return bytes.position() - begin;
  }

  /** Forgets all bytes. */
  void clear() {
    bytes = bytes.capacity() > FIRST_CAPACITY ? ByteBuffer.allocate(FIRST_CAPACITY) : bytes.clear();
    begin = 0;
    searched = 0;
  }

  /** Whether a complete line waits. */
  boolean hasNext() {
    while (searched < bytes.position() && bytes.get(searched) != '\n') {
      searched++;
    }
    return searched < bytes.position();
  }

  /** The next complete line without its end, or null. */
  String next() {
    if (!hasNext()) {
      return null;
    }
    String line = new String(bytes.array(), begin, searched - begin, StandardCharsets.UTF_8);
    begin = ++searched;
    if (waiting() == 0) {
      clear();
    }
    return line;
  }
}
