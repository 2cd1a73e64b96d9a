package io.lb4j.pcap.os;

import io.lb4j.port.PortQueue;

/** A queue whose receiving half can be waited for by file descriptors, together with others. */
public interface Pollable extends PortQueue {
  /**
   * Says that the calling worker waits for this queue, which keeps its descriptors open until {@link #endWait}.
   *
   * @return false when the queue was closed: then there is nothing to end
   */
  boolean beginWait();

  /** Ends what {@link #beginWait} began. */
  void endWait();

  /** Whether a frame waits, as far as can be told without a system call. */
  boolean isReady();

  /** How the queue waits, alone or with others. */
  ReceiveWait receiveWait();

  @Override
  default boolean awaitAny(PortQueue[] queues, long timeoutNs) {
    return receiveWait().awaitAny(queues, timeoutNs);
  }
}
