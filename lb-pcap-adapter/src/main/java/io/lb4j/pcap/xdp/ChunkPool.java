package io.lb4j.pcap.xdp;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/**
 * The free chunks of a memory, and of each chunk who has it. Safe from any thread; chunks are taken and given many at a
 * time, so that its lock is seldom asked for.
 *
 * <p>A chunk is free, or it has a holder: a queue's number and what the queue does with it. The kernel has it to
 * receive into or to send from, or it is lent to a worker. A holder is written by the thread that has the chunk.
 */
final class ChunkPool {
  /** What a queue does with a chunk, beside the queue's number. */
  static final int RECEIVING = 1;

  static final int LENT = 2;
  static final int SENDING = 3;

  private static final int FREE = 0;
  private static final int QUEUE_SHIFT = 2;
  private static final VarHandle LOCKED;

  static {
    try {
      LOCKED = MethodHandles.lookup().findVarHandle(ChunkPool.class, "locked", boolean.class);
    } catch (ReflectiveOperationException e) {
      throw new ExceptionInInitializerError(e);
    }
  }

  private final int[] free;
  private final int[] holders;
  private int size;
  private boolean locked;

  ChunkPool(int chunks) {
    free = new int[chunks];
    holders = new int[chunks];
    for (int i = 0; i < chunks; i++) {
      free[i] = chunks - 1 - i;
    }
    size = chunks;
  }

  static int holder(int queue, int use) {
    return queue << QUEUE_SHIFT | use;
  }

  int chunks() {
    return free.length;
  }

  int holderOf(int chunk) {
    return holders[chunk];
  }

  void hold(int chunk, int holder) {
    holders[chunk] = holder;
  }

  void letGo(int chunk) {
    holders[chunk] = FREE;
  }

  private void lock() {
    while (!LOCKED.compareAndSet(this, false, true)) {
      Thread.onSpinWait();
    }
  }

  private void unlock() {
    LOCKED.setRelease(this, false);
  }

  /** Takes up to as many chunks as asked for; answers how many. */
  int take(int[] into, int most) {
    lock();
    int count = Math.min(most, size);
    size -= count;
    System.arraycopy(free, size, into, 0, count);
    unlock();
    return count;
  }

  void give(int[] chunks, int from, int count) {
    lock();
    System.arraycopy(chunks, from, free, size, count);
    size += count;
    unlock();
  }

  /** Takes back what the kernel has for a queue whose sockets are closed; what is lent comes back by itself. */
  void reclaim(int queue) {
    int[] one = new int[1];
    for (int chunk = 0; chunk < holders.length; chunk++) {
      if (holders[chunk] == holder(queue, RECEIVING) || holders[chunk] == holder(queue, SENDING)) {
        letGo(chunk);
        one[0] = chunk;
        give(one, 0, 1);
      }
    }
  }

  /** Chunks that nobody has. */
  int free() {
    lock();
    int count = size;
    unlock();
    return count;
  }
}
