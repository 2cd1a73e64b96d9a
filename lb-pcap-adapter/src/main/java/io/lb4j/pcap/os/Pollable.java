package io.lb4j.pcap.os;

/** The receiving half of a queue, as something that can be waited for by its file descriptor. */
public interface Pollable {
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

  /** How the queue waits alone. */
  ReceiveWait receiveWait();
}
