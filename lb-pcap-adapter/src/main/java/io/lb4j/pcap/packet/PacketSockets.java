package io.lb4j.pcap.packet;

import io.lb4j.pcap.os.ClassicBpf;
import io.lb4j.pcap.os.NetDevice;
import io.lb4j.pcap.os.OffloadFeatures;
import io.lb4j.pcap.os.PacketSocket;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Opens the sockets of a packet port, with their rings: one for each queue where frames are gathered into blocks, and
 * two, for frames of the MTU and for super-frames, where each has a slot. Owned by the control thread.
 */
final class PacketSockets {
  private static final Logger LOGGER = LoggerFactory.getLogger(PacketPort.class);
  private static final long REMIND_NS = 60_000_000_000L;
  private static final int SEND_BUFFER_SIZE = 8 * 1024 * 1024;
  private static final int RECEIVE_BUFFER_SIZE = 4 * 1024 * 1024; // for what is too long for any slot

  private final PacketPort.Builder options;
  private final NetDevice device;
  private final List<RingSocket> sockets = new ArrayList<>();
  private final List<PacketQueue> queues = new ArrayList<>();
  private final List<String> warnings = new ArrayList<>();
  private final Latency latency;
  private final int socketsOfQueue;
  private final RingRequest request; // of each queue's first ring
  private @Nullable Fanout fanout; // guarded by this
  private boolean isTold; // guarded by this
  private long toldNs;

  PacketSockets(PacketPort.Builder options, NetDevice device) {
    this.options = options;
    this.device = device;
    this.latency = options.latency == Latency.AUTO ? Latency.LOW : options.latency;
    this.socketsOfQueue = latency == Latency.BULK ? 1 : 2;
    this.request =
        latency == Latency.BULK
            ? RingRequest.ofBlocks(options.ringSize, options.retireTimeMs)
            : RingRequest.ofSlots(options.ringSize, device.mtu());
  }

  void open() {
    for (int i = 0; i < options.queues; i++) {
      openQueue();
    }
    if (isDivided()) {
      divide();
    }
    if (options.promiscuous) {
      first().joinAll();
    }
  }

  private synchronized void divide() {
    fanout = new Fanout(device, sockets);
    fanout.divide(division(), options.asksKernel);
    if (latency == Latency.LOW) {
      fanout.addSpare();
    }
  }

  private boolean isDivided() {
    return options.queues * socketsOfQueue > 1;
  }

  private ClassicBpf division() {
    FrameDivision division = new FrameDivision(options.queues);
    return latency == Latency.BULK ? division.byFlow() : division.byFlowAndLength(request.longestFrame());
  }

  private void openQueue() {
    RingSocket socket = openSocket(request);
    socket.socket().sendBuffer(SEND_BUFFER_SIZE);
    bypass(socket.socket());
    if (latency == Latency.BULK) {
      addQueue(List.of(socket), new BlockRing(socket.memory(), request));
    } else {
      RingRequest longRequest = RingRequest.ofLongSlots(options.ringSize);
      RingSocket longSocket = openSocket(longRequest);
      addQueue(List.of(socket, longSocket), new SlotRings(socket, request, longSocket, longRequest, this::renew));
    }
  }

  private void addQueue(List<RingSocket> of, ReceiveRing ring) {
    queues.add(new PacketQueue(of, ring, device.mtu()));
  }

  private RingSocket openSocket(RingRequest wanted) {
    PacketSocket socket = PacketSocket.openUnbound(device.name(), device.index());
    try {
      socket.set(PacketSocket.PACKET_VNET_HDR, 1, "PACKET_VNET_HDR", "2.6.34");
      socket.set(PacketSocket.PACKET_IGNORE_OUTGOING, 1, "PACKET_IGNORE_OUTGOING", "4.20");
      if (latency == Latency.LOW) {
        socket.receiveBuffer(RECEIVE_BUFFER_SIZE);
        socket.set(PacketSocket.PACKET_COPY_THRESH, 1, "PACKET_COPY_THRESH", "2.6");
      }
      RingMemory memory = RingMemory.map(socket.fd(), allocate(socket, wanted), device.name());
      sockets.add(new RingSocket(socket, memory));
    } catch (RuntimeException | OutOfMemoryError e) {
      socket.close();
      throw e;
    }
    if (isDivided()) {
      socket.deafen(); // until all share the frames: each would get them all
    }
    socket.bindToAll();
    return sockets.get(sockets.size() - 1);
  }

  private int allocate(PacketSocket socket, RingRequest wanted) {
    int size = wanted.allocate(socket, options.allocator, device.name());
    if (size < wanted.roundedSize()) {
      warnings.add(
          device.name() + ": a ring " + (wanted == request ? "" : "for super-frames ") + "has " + size
              + " bytes, because the kernel has no memory for " + wanted.size() + ": more frames may be missed");
    }
    return size;
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

  /**
   * Makes a ring of slots anew that a super-frame has ended. Called by the worker that reads it, for some milliseconds.
   */
  private synchronized boolean renew(RingSocket socket, RingRequest wanted) {
    if (fanout == null) {
      return false; // closed meanwhile
    }
    socket.socket().deafen();
    boolean isRenewed = socket.renew(wanted, options.allocator);
    boolean done = fanout.restore(socket.socket(), isRenewed) && isRenewed;
    if (!isTold || System.nanoTime() - toldNs >= REMIND_NS) {
      isTold = true;
      toldNs = System.nanoTime();
      LOGGER.warn(
          "{}: a super-frame that packet sockets have no words for had ended a ring of slots, and all that would have come"
              + " by it was missed since; it was made anew{}. Remedy: latency bulk, or have such frames (UDP_SEGMENT before"
              + " Linux 6.2, SCTP, UFO of a virtual machine) cut where they come from: ethtool -K DEVICE"
              + " tx-udp-segmentation off tx-sctp-segmentation off",
          device.name(),
          done ? "" : ", without success so far");
    }
    return done;
  }

  PacketSocket first() {
    return sockets.get(0).socket();
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

  /** Ends the division; the queues are closed on their own. */
  synchronized void undivide() {
    if (fanout != null) {
      fanout.close();
      fanout = null;
    }
  }

  /** Gives back what was opened so far. */
  void close() {
    queues.forEach(PacketQueue::close);
    undivide();
    sockets.stream().skip((long) queues.size() * socketsOfQueue).forEach(RingSocket::close);
  }
}
