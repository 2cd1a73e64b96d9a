package io.lb4j.schedule;

/**
 * Ranks ordered by the round in which they are due, then by rank: a binary heap of primitives. All are due in round 1
 * at first. Owned by the control thread.
 */
final class RoundQueue {
  private final long[] heap;

  RoundQueue(int ranks) {
    this.heap = new long[ranks];
    for (int rank = 0; rank < ranks; rank++) {
      heap[rank] = entry(1, rank);
    }
  }

  private static long entry(int round, int rank) {
    return (long) round << 32 | rank;
  }

  /** The rank due first. */
  int rank() {
    return (int) heap[0];
  }

  /** The round in which it is due. */
  int round() {
    return (int) (heap[0] >>> 32);
  }

  /** Puts off the rank due first. */
  void postpone(int round) {
    long moved = entry(round, rank());
    int hole = 0;
    for (int child = 1; child < heap.length; child = 2 * hole + 1) {
      if (child + 1 < heap.length && heap[child + 1] < heap[child]) {
        child++;
      }
      if (moved <= heap[child]) {
        break;
      }
      heap[hole] = heap[child];
      hole = child;
    }
    heap[hole] = moved;
  }
}
