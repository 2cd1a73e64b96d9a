package io.lb4j.pcap.packet;

import io.lb4j.pcap.os.NetDevice;
import io.lb4j.pcap.os.OffloadFeatures;
import io.lb4j.pcap.os.PacketSocket;
import java.util.ArrayList;
import java.util.List;

/** Opens the sockets of a packet port, one for each queue, with their rings. Owned by the control thread. */
final class PacketSockets {
  private static final int SEND_BUFFER_SIZE = 8 * 1024 * 1024;
  private static final int RECEIVE_BUFFER_SIZE = 8 * 1024 * 1024;
  private static final int ENOUGH_RECEIVE_BUFFER = 4 * 1024 * 1024;

  private final PacketPort.Builder options;
  private final NetDevice device;
  private final List<PacketSocket> sockets = new ArrayList<>();
  private final List<RingMemory> memories = new ArrayList<>();
  private final List<PacketQueue> queues = new ArrayList<>();
  private final List<String> warnings = new ArrayList<>();
  private Latency latency;

  PacketSockets(PacketPort.Builder options, NetDevice device) {
    this.options = options;
    this.device = device;
    this.latency = options.latency;
  }

  void open() {
    for (int i = 0; i < options.queues; i++) {
      openQueue();
    }
    if (options.queues > 1) {
      Fanout.divide(device.name(), sockets, options.knowsOutgoing);
    }
    if (options.promiscuous) {
      first().joinAll();
    }
  }

  private void openQueue() {
    PacketSocket socket = PacketSocket.openUnbound(device.name(), device.index());
    sockets.add(socket);
    socket.set(PacketSocket.PACKET_VNET_HDR, 1, "PACKET_VNET_HDR", "2.6.34");
    socket.set(PacketSocket.PACKET_IGNORE_OUTGOING, 1, "PACKET_IGNORE_OUTGOING", "4.20");
    chooseLatency(socket);
    RingRequest request =
        new RingRequest(latency == Latency.BULK, options.ringSize, device.mtu(), options.retireTimeMs);
    int size = request.allocate(socket, options.allocator, device.name());
    if (size < options.ringSize) {
      warnings.add(
          device.name() + ": the ring has " + size + " bytes, because the kernel has no memory for "
              + options.ringSize + ": more frames may be missed");
    }
    RingMemory memory = RingMemory.map(socket.fd(), size, device.name());
    memories.add(memory);
    socket.sendBuffer(SEND_BUFFER_SIZE);
    bypass(socket);
    if (options.queues > 1) {
      socket.deafen(); // until all share the frames: each would get them all
    }
    socket.bindToAll();
    queues.add(new PacketQueue(socket, memory, request.ring(memory, socket, size), device.mtu()));
  }

  /** A ring of slots needs the socket's own buffer for super-frames. */
  private void chooseLatency(PacketSocket socket) {
    if (latency == Latency.BULK) {
      return;
    }
    int granted = socket.receiveBuffer(RECEIVE_BUFFER_SIZE);
    boolean enough = granted >= ENOUGH_RECEIVE_BUFFER;
    if (latency == Latency.AUTO) {
      latency = enough ? Latency.LOW : Latency.BULK;
    }
    if (!enough) {
      String consequence =
          latency == Latency.BULK ? "frames are gathered for " + options.retireTimeMs + " ms" : "some may be cut off";
      warnings.add(
          device.name() + ": a receive buffer of " + granted + " bytes is too small for super-frames, so "
              + consequence + "; remedy: sysctl -w net.core.rmem_max=" + RECEIVE_BUFFER_SIZE
              + ", or the capability CAP_NET_ADMIN");
    }
    if (latency == Latency.LOW) {
      socket.set(PacketSocket.PACKET_COPY_THRESH, 1, "PACKET_COPY_THRESH", "2.6");
    }
  }

  private void bypass(PacketSocket socket) {
    if (!options.qdiscBypass) {
      return;
    }
    if (OffloadFeatures.segments(device)) {
      socket.set(PacketSocket.PACKET_QDISC_BYPASS, 1, "PACKET_QDISC_BYPASS", "3.14");
    } else if (queues.isEmpty()) {
      warnings.add(
          device.name() + ": qdiscBypass is ignored, because the device does not cut super-frames itself;"
              + " remedy: ethtool -K " + device.name() + " tso on, if it can");
    }
  }

  PacketSocket first() {
    return sockets.get(0);
  }

  List<PacketQueue> queues() {
    return List.copyOf(queues);
  }

  Latency latency() {
    return latency;
  }

  List<String> warnings() {
    return warnings;
  }

  /** Gives back what was opened so far. */
  void close() {
    queues.forEach(PacketQueue::close);
    for (int i = queues.size(); i < sockets.size(); i++) {
      if (i < memories.size()) {
        memories.get(i).retire();
      }
      sockets.get(i).close();
    }
  }
}
