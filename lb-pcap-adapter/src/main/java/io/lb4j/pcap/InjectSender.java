package io.lb4j.pcap;

import io.lb4j.pcap.os.FrameSender;
import io.lb4j.pcap.os.TransmitBatch;

/** Sends frame by frame through libpcap, where there are no packet sockets. Owned by a queue's worker. */
final class InjectSender implements FrameSender {
  private final long handle;

  InjectSender(long handle) {
    this.handle = handle;
  }

  @Override
  public void send(TransmitBatch batch) {
    for (int i = 0; i < batch.size(); i++) {
      if (LibPcap.inject(handle, batch.address(i), batch.length(i)) < 0) {
        batch.refuse(i);
      }
    }
  }
}
