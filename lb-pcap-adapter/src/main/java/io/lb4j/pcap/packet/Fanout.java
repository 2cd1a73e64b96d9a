package io.lb4j.pcap.packet;

import io.lb4j.pcap.os.ClassicBpf;
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
  private static final int BY_PROGRAM = 6; // PACKET_FANOUT_CBPF
  private static final int UNIQUE_ID = 0x2000;
  private static final int IGNORE_OUTGOING = 0x4000; // not known to Linux 6.1
  private static final int PACKET_OUTGOING = 4;
  private static final int WHOLE = -1;

  private final String device;
  private final List<PacketSocket> sockets;

  Fanout(String device, List<RingSocket> sockets) {
    this.device = device;
    this.sockets = sockets.stream().map(RingSocket::socket).toList();
  }

  /**
   * Divides frames among the sockets, which were made deaf and hear again afterwards.
   *
   * @param choice answers the socket's number for a packet
   * @param knowsOutgoing whether the kernel may be asked to leave out what the host sends; else the sockets' filters do
   */
  void divide(ClassicBpf choice, boolean knowsOutgoing) {
    boolean ignored = knowsOutgoing && join(BY_PROGRAM | UNIQUE_ID | IGNORE_OUTGOING) >= 0;
    if (!ignored) {
      demand(join(BY_PROGRAM | UNIQUE_ID), "PACKET_FANOUT");
    }
    demand(sockets.get(0).trySet(PacketSocket.PACKET_FANOUT_DATA, choice), "PACKET_FANOUT_DATA");
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
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment group = arena.allocateFrom(Native.INT, typeAndFlags << 16);
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
  }

  private void demand(int answer, String option) {
    if (answer < 0) {
      throw Native.failure(
          Cause.NOT_SUPPORTED, "setsockopt(" + option + ") on " + device, -answer, "the kernel may lack it");
    }
  }

  private static ClassicBpf incoming() {
    return new ClassicBpf()
        .loadPacketType().jumpIfEqual(PACKET_OUTGOING, "outgoing").answer(WHOLE).label("outgoing").answer(0);
  }
}
