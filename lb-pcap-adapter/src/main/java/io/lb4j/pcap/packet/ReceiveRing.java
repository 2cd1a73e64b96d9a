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

  /** Frames taken so far that came by one of the sockets. Any thread may ask; 0 where nobody needs to know. */
  default long taken(int socket) {
    return 0;
  }

  /**
   * Hears that frames found no room since it heard last. Called by the control thread.
   *
   * @param socket which of the ring's sockets
   * @param frames 0 or more
   * @param taken what {@link #taken} answered right before
   */
  default void onDropped(int socket, long frames, long taken) {}

  /** Makes anew what the kernel has ended, if it has. No frame may be in use. */
  default void mend() {}

  /** Gives the memory of all frames received so far back to the kernel. */
  void release();
}
