package io.lb4j.health;

/** Finds bytes among bytes. Stateless. */
final class ByteSearch {
  private ByteSearch() {}

  /** Where {@code part} begins within the first {@code length} bytes; -1 when it is not there, 0 when it is empty. */
  static int find(byte[] bytes, int length, byte[] part) {
    for (int at = 0; at + part.length <= length; at++) {
      int same = 0;
      while (same < part.length && bytes[at + same] == part[same]) {
        same++;
      }
      if (same == part.length) {
        return at;
      }
    }
    return -1;
  }
}
