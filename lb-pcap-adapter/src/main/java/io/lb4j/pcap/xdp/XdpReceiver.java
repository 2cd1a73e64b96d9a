package io.lb4j.pcap.xdp;

import io.lb4j.frame.FrameBatch;
import io.lb4j.frame.FrameMarks;
import io.lb4j.pcap.os.Libc;
import org.jspecify.annotations.Nullable;

/**
 * The receiving half of a queue: lends chunks that the kernel filled, and gives it others. Owned by one thread; emptied
 * by whoever closes.
 */
final class XdpReceiver {
  private static final int MOST_LENT = 4096;
  private static final int TAP_HEADROOM = 32; // for a tag, and the cache line
  private static final int CALLS_PER_TAP = 32; // how seldom the tap is asked, which is a system call, but after waiting
  private static final int MSG_DONTWAIT = 0x40;

  private final XdpMemory memory;
  private final ChunkPool pool;
  private final ChunkCache cache;
  private final XskSocket[] sockets;
  private final int[] outstanding; // chunks that each socket's kernel side has, or has filled for us
  private final @Nullable NeighborTap tap;
  private final int receivingHolder;
  private final int lentHolder;
  private final int[] lent = new int[MOST_LENT];
  private int lentCount;
  private int sinceTap = CALLS_PER_TAP;
  private long bytes;

  XdpReceiver(XdpMemory memory, int queue, XskSocket[] sockets, @Nullable NeighborTap tap) {
    this.memory = memory;
    this.sockets = sockets;
    this.tap = tap;
    pool = memory.pool();
    cache = new ChunkCache(pool);
    outstanding = new int[sockets.length];
    receivingHolder = ChunkPool.holder(queue, ChunkPool.RECEIVING);
    lentHolder = ChunkPool.holder(queue, ChunkPool.LENT);
    for (int i = 0; i < sockets.length; i++) {
      fill(i);
    }
  }

  int receive(FrameBatch batch, int ingress) {
    bytes = 0;
    int before = lentCount;
    for (int i = 0; i < sockets.length; i++) {
      receiveFrom(i, batch, ingress);
    }
    if (tap != null && ++sinceTap >= CALLS_PER_TAP) {
      sinceTap = 0;
      receiveFromTap(tap, batch, ingress);
    }
    return lentCount - before;
  }

  /** Has the tap asked next time: it may be what ended the wait. */
  void afterWait() {
    sinceTap = CALLS_PER_TAP;
  }

  long receivedBytes() {
    return bytes;
  }

  private void receiveFrom(int i, FrameBatch batch, int ingress) {
    XdpRing ring = sockets[i].received;
    int count = ring.available(Math.min(batch.room(), MOST_LENT - lentCount));
    for (int j = 0; j < count; j++) {
      long offset = ring.offset(j);
      int length = ring.length(j);
      lend(memory.chunkAt(offset));
      bytes += length;
      batch.add(memory.buffer(), (int) offset, length, FrameMarks.NONE, ingress);
    }
    if (count > 0) {
      ring.consumed(count);
      outstanding[i] -= count;
    }
    fill(i);
  }

  private void lend(int chunk) {
    pool.hold(chunk, lentHolder);
    lent[lentCount++] = chunk;
  }

  /** Gives the kernel chunks to receive into, as many as its ring is long. */
  private void fill(int i) {
    XskSocket socket = sockets[i];
    int wanted = socket.size() - outstanding[i];
    if (wanted == 0) {
      return;
    }
    int room = Math.min(wanted, socket.fill.room(wanted));
    int count = 0;
    for (; count < room; count++) {
      int chunk = cache.take();
      if (chunk == ChunkCache.NONE) {
        break;
      }
      pool.hold(chunk, receivingHolder);
      socket.fill.setNumber(count, (long) chunk * memory.chunkSize());
    }
    if (count > 0) {
      socket.fill.produced(count);
      outstanding[i] += count;
    }
    if (socket.fill.needsWakeup()) {
      Libc.recv(socket.fd(), 0, 0, MSG_DONTWAIT);
    }
  }

  private void receiveFromTap(NeighborTap neighbors, FrameBatch batch, int ingress) {
    while (batch.room() > 0 && lentCount < MOST_LENT) {
      int chunk = cache.take();
      if (chunk == ChunkCache.NONE) {
        return;
      }
      long offset = (long) chunk * memory.chunkSize();
      if (!neighbors.receive(memory.memory(), offset + TAP_HEADROOM, memory.chunkSize() - TAP_HEADROOM)) {
        cache.put(chunk);
        return;
      }
      lend(chunk);
      bytes += neighbors.length();
      long marks = neighbors.isCut() ? FrameMarks.TRUNCATED : FrameMarks.NONE;
      batch.add(memory.buffer(), (int) neighbors.start(), neighbors.length(), marks, ingress);
    }
  }

  boolean isReady() {
    for (XskSocket socket : sockets) {
      if (!socket.received.isEmpty()) {
        return true;
      }
    }
    return false;
  }

  boolean hasLent() {
    return lentCount > 0;
  }

  /** Takes back what was lent, but for frames that are being sent from where they are. */
  void release() {
    for (int i = 0; i < lentCount; i++) {
      int chunk = lent[i];
      if (pool.holderOf(chunk) == lentHolder) {
        pool.letGo(chunk);
        cache.put(chunk);
      }
    }
    lentCount = 0;
  }

  /** Gives back the chunks at hand, when the queue is closed. */
  void empty() {
    cache.empty();
  }
}
