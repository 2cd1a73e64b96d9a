package io.lb4j.pcap.packet;

import io.lb4j.pcap.os.ClassicBpf;
import io.lb4j.pcap.os.Libc;
import io.lb4j.pcap.os.Native;
import io.lb4j.pcap.os.PacketSocket;
import io.lb4j.port.PortException.Cause;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;

/**
 * Divides the frames of an interface among sockets (PACKET_FANOUT). What the host sends is for none of them, which each
 * socket's own PACKET_IGNORE_OUTGOING does not see to once they are divided. Owned by the control thread.
 */
final class Fanout {
  private static final int HASH = 0;
  private static final int UNIQUE_ID = 0x2000;
  private static final int IGNORE_OUTGOING = 0x4000; // not known to Linux 6.1
  private static final int PACKET_OUTGOING = 4;
  private static final int WHOLE = -1;

  private final String device;
  private final List<PacketSocket> sockets;
  private final MemorySegment group = Arena.ofAuto().allocate(4, 4);

  private Fanout(String device, List<PacketSocket> sockets) {
    this.device = device;
    this.sockets = sockets;
  }

  /**
   * Divides frames, by flow, among sockets that were made deaf, which hear again afterwards.
   *
   * @param knowsOutgoing whether the kernel may be asked to leave out what the host sends; else the sockets' filters do
   */
  static void divide(String device, List<PacketSocket> sockets, boolean knowsOutgoing) {
    Fanout fanout = new Fanout(device, sockets);
    boolean ignored = knowsOutgoing && fanout.join(HASH | UNIQUE_ID | IGNORE_OUTGOING) >= 0;
    if (!ignored) {
      int answer = fanout.join(HASH | UNIQUE_ID);
      if (answer < 0) {
        throw Native.failure(
            Cause.NOT_SUPPORTED,
            "setsockopt(PACKET_FANOUT) on " + device,
            -answer,
            "needs Linux 4.12 or later for several queues");
      }
    }
    for (PacketSocket socket : sockets) {
      if (ignored) {
        socket.hear();
      } else {
        socket.filter(incoming());
      }
    }
  }

  /** Lets all sockets join a new group; answers less than 0 when the kernel refuses. */
  private int join(int typeAndFlags) {
    group.set(Native.INT, 0, typeAndFlags << 16);
    for (PacketSocket socket : sockets) {
      int answer = socket.trySet(PacketSocket.PACKET_FANOUT, group);
      if (answer >= 0 && socket == sockets.get(0)) {
        answer = socket.get(PacketSocket.PACKET_FANOUT, group);
      }
      if (answer < 0) {
        return answer;
      }
      group.set(Native.INT, 0, group.get(Native.INT, 0) & ~(UNIQUE_ID << 16)); // the others join the first
    }
    return 0;
  }

  private static ClassicBpf incoming() {
    return new ClassicBpf()
        .loadPacketType().jumpIfEqual(PACKET_OUTGOING, "outgoing").answer(WHOLE).label("outgoing").answer(0);
  }
}
