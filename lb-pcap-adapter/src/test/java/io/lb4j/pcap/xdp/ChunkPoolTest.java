package io.lb4j.pcap.xdp;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

/** Who has the chunks of a memory, and how they come back. */
class ChunkPoolTest {
  private static final int QUEUE = 3;

  private final XdpMemory memory = XdpMemory.allocate(256);
  private final ChunkPool pool = memory.pool();
  private final ChunkCache cache = new ChunkCache(pool);

  @Test
  void shouldGiveEachChunkOnceAndTakeAllBack() {
    boolean[] seen = new boolean[256];
    for (int i = 0; i < 256; i++) {
      int chunk = cache.take();
      assertThat(seen[chunk]).isFalse();
      seen[chunk] = true;
    }
    assertThat(cache.take()).isEqualTo(ChunkCache.NONE);
    for (int chunk = 0; chunk < 256; chunk++) {
      cache.put(chunk);
    }
    cache.empty();
    assertThat(pool.free()).isEqualTo(256);
  }

  @Test
  void shouldReclaimWhatTheKernelHasOfAQueueAndNothingElse() {
    int[] uses = {ChunkPool.RECEIVING, ChunkPool.SENDING, ChunkPool.LENT};
    for (int use : uses) {
      pool.hold(cache.take(), ChunkPool.holder(QUEUE, use));
      pool.hold(cache.take(), ChunkPool.holder(QUEUE + 1, use));
    }
    cache.empty();
    memory.reclaim(QUEUE, 0);
    assertThat(pool.free()).as("lent ones come back by their borrower").isEqualTo(256 - 4);
    memory.reclaim(QUEUE, 0);
    assertThat(pool.free()).as("once").isEqualTo(256 - 4);
  }

  @Test
  void shouldLeaveChunksToADeviceThatIsNotStoppedYet() {
    pool.hold(cache.take(), ChunkPool.holder(QUEUE, ChunkPool.RECEIVING));
    cache.empty();
    long beganNs = System.nanoTime();
    memory.reclaim(QUEUE, 200_000_000);
    while (pool.free() < 256 && System.nanoTime() - beganNs < 5_000_000_000L) {
      Thread.onSpinWait();
    }
    assertThat(System.nanoTime() - beganNs).isBetween(200_000_000L, 5_000_000_000L);
  }
}
