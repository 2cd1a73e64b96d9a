package io.lb4j.pcap.packet;

import io.lb4j.pcap.os.PacketSocket;

/**
 * A packet socket and the memory of the ring into which it receives.
 *
 * @param socket owned by its queue
 * @param memory given back before the socket is closed
 */
record RingSocket(PacketSocket socket, RingMemory memory) {
  /** Makes the ring anew, in the same place; whether that was done. Nobody may be reading there. */
  boolean renew(RingRequest request, RingRequest.Allocator allocator) {
    memory.retire();
    return request.renew(socket, allocator, memory.length()) && memory.mapAgain(socket.fd());
  }

  /** Gives both back; nobody may be inside a call. */
  void close() {
    memory.retire();
    socket.close();
  }
}
