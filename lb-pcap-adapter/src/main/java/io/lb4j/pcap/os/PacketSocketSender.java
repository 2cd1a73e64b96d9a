package io.lb4j.pcap.os;

/** Sends a batch by one call of sendmmsg(2) on a packet socket. Owned by a queue's worker. */
public final class PacketSocketSender implements FrameSender {
  private final MessageVector messages;

  /**
   * A sender for one batch object, whose vectors its messages point at for good.
   *
   * @param fd a bound packet socket
   */
  public PacketSocketSender(int fd, TransmitBatch batch) {
    messages = new MessageVector(fd, TransmitBatch.CAPACITY);
    for (int i = 0; i < TransmitBatch.CAPACITY; i++) {
      messages.set(i, batch.vectors() + (long) i * TransmitBatch.IOVEC_SIZE, 1);
    }
  }

  @Override
  public void send(TransmitBatch batch) {
    if (messages.send(batch.size()) > 0) {
      for (int i = 0; i < batch.size(); i++) {
        if (messages.isRefused(i)) {
          batch.refuse(i);
        }
      }
    }
  }
}
