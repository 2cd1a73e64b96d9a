package io.lb4j.pcap.packet;

import io.lb4j.frame.FrameBatch;

/** Frames that the kernel received, in memory that it shares with us. Owned by a queue's worker. */
interface ReceiveRing {
  /**
   * Adds waiting frames to a batch until it is full.
   *
   * @param batch has room
   * @param ingress the interface index to give them
   * @return how many were added
   */
  int receive(FrameBatch batch, int ingress);

  /** Bytes of the frames that the last {@link #receive} added. */
  long receivedBytes();

  /** Whether a frame waits. */
  boolean isReady();

  /** Gives the memory of all frames received so far back to the kernel. */
  void release();
}
