package io.lb4j.pcap.os;

/** A way to give frames to a device. Owned by a queue's worker. */
public interface FrameSender {
  /**
   * Sends all frames of a batch without waiting; marks those the device did not take.
   *
   * @param batch at least one frame
   */
  void send(TransmitBatch batch);
}
