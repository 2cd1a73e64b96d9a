package io.lb4j.pcap.xdp;

/** A few free chunks at hand, taken from the pool and given back many at a time. Owned by one half of a queue. */
final class ChunkCache {
  /** Chunks that may be here and so be missing elsewhere. */
  static final int CAPACITY = 128;

  static final int NONE = -1;

  private static final int BULK = CAPACITY / 2;

  private final ChunkPool pool;
  private final int[] chunks = new int[CAPACITY];
  private int size;

  ChunkCache(ChunkPool pool) {
    this.pool = pool;
  }

  int take() {
    if (size == 0) {
      size = pool.take(chunks, BULK);
    }
    return size == 0 ? NONE : chunks[--size];
  }

  void put(int chunk) {
    if (size == CAPACITY) {
      pool.give(chunks, BULK, CAPACITY - BULK);
      size = BULK;
    }
    chunks[size++] = chunk;
  }

  /** Gives all back. */
  void empty() {
    pool.give(chunks, 0, size);
    size = 0;
  }
}
