package io.lb4j.port;

import io.lb4j.frame.FrameBatch;
import io.netty.buffer.ByteBuf;
import java.util.Arrays;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;

/**
 * A queue of a {@link LastingPort}: that of the interface which is there. The receiving half goes over to another one
 * when it has no frames of the one before, so that memory is given back where it was lent. Owned as every queue is; told
 * of another one by control.
 */
final class LastingQueue implements PortQueue {
  private static final long NAP_NS = 10_000_000; // of a queue without an interface

  private final AtomicLong refused = new AtomicLong(); // while there was none; written by the sending half
  private volatile PortQueue present;

  // the receiving half's
  private PortQueue receiving;
  private boolean lent;
  private PortQueue[] waited = {}; // the queues of the last wait, and what they were then
  private PortQueue[] waitedAt = {};
  private PortQueue[] open = {}; // those of them that have an interface

  // the sending half's
  private PortQueue sending;
  private int refusedBefore; // frames that were handed over to the queue before, since the last flush

  /** In place of a queue while there is no interface: receives nothing, refuses everything. */
  private final PortQueue none =
      new PortQueue() {
        @Override
        public int receive(FrameBatch batch, int ingress) {
          return 0;
        }

        @Override
        public void release() {}

        @Override
        public boolean transmit(ByteBuf buffer, int start, int length, long marks) {
          refused.lazySet(refused.getPlain() + 1);
          return false;
        }

        @Override
        public int flush() {
          return 0;
        }

        @Override
        public void await(long timeoutNs) {
          if (timeoutNs > 0) {
            LockSupport.parkNanos(Math.min(timeoutNs, NAP_NS));
          }
        }
      };

  LastingQueue(PortQueue first) {
    present = first;
    receiving = first;
    sending = first;
  }

  /** Uses another interface's queue from now on. */
  void goOver(PortQueue next) {
    present = next;
  }

  /** There is no interface until {@link #goOver}. */
  void leave() {
    present = none;
  }

  /** Frames refused because there was no interface. */
  long refused() {
    return refused.get();
  }

  @Override
  public int receive(FrameBatch batch, int ingress) {
    int received = receiving().receive(batch, ingress);
    lent |= received > 0;
    return received;
  }

  private PortQueue receiving() {
    if (!lent) {
      receiving = present;
    }
    return receiving;
  }

  @Override
  public void release() {
    receiving.release();
    lent = false;
  }

  @Override
  public boolean transmit(ByteBuf buffer, int start, int length, long marks) {
    if (sending != present) {
      goOver();
    }
    return sending.transmit(buffer, start, length, marks);
  }

  private void goOver() {
    refusedBefore += sending.flush();
    sending = present;
  }

  @Override
  public int flush() {
    int refusedNow = sending.flush() + refusedBefore;
    refusedBefore = 0;
    return refusedNow;
  }

  @Override
  public void await(long timeoutNs) {
    receiving().await(timeoutNs);
  }

  @Override
  public boolean awaitAny(PortQueue[] queues, long timeoutNs) {
    lookAt(queues);
    if (open.length == 0) {
      none.await(timeoutNs);
      return true;
    }
    if (open.length == 1) {
      open[0].await(timeoutNs);
      return true;
    }
    return open[0].awaitAny(open, timeoutNs);
  }

  /** Which of the queues have an interface now; the same array as long as those stay. */
  private void lookAt(PortQueue[] queues) {
    boolean same = queues == waited;
    for (int i = 0; i < queues.length && same; i++) {
      same = behind(queues[i]) == waitedAt[i];
    }
    if (!same) {
      waited = queues;
      waitedAt = Arrays.stream(queues).map(LastingQueue::behind).toArray(PortQueue[]::new);
      open = new PortQueue[queues.length];
      int count = 0;
      for (int i = 0; i < queues.length; i++) {
        if (!(queues[i] instanceof LastingQueue queue) || waitedAt[i] != queue.none) {
          open[count++] = waitedAt[i];
        }
      }
      open = Arrays.copyOf(open, count);
    }
  }

  private static PortQueue behind(PortQueue queue) {
    return queue instanceof LastingQueue lasting ? lasting.receiving() : queue;
  }
}
