package io.lb4j.pcap.packet;

import io.lb4j.pcap.os.ClassicBpf;
import io.lb4j.pcap.os.Native;
import io.lb4j.pcap.os.NetDevice;
import io.lb4j.pcap.os.PacketSocket;
import io.lb4j.port.PortException;
import io.lb4j.port.PortException.Cause;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Divides the frames of an interface among sockets (PACKET_FANOUT). What the host sends is for none of them, which each
 * socket's own PACKET_IGNORE_OUTGOING does not see to once they are divided: their filters leave it out. Owned by
 * {@link PacketSockets}.
 */
final class Fanout {
  private static final int BY_PROGRAM = 6; // PACKET_FANOUT_CBPF
  private static final int UNIQUE_ID = 0x2000;

  /** Spares the filters their work. A kernel that does not know the flag, as 6.1, takes it and does nothing. */
  private static final int IGNORE_OUTGOING = 0x4000;

  private static final int PACKET_OUTGOING = 4;
  private static final int WHOLE = -1;

  private final NetDevice device;
  private final List<PacketSocket> sockets;
  private int group;
  private @Nullable PacketSocket spare; // a member that is chosen for no frame

  Fanout(NetDevice device, List<RingSocket> sockets) {
    this.device = device;
    this.sockets = sockets.stream().map(RingSocket::socket).toList();
  }

  /**
   * Divides frames among the sockets, which were made deaf and hear again afterwards.
   *
   * @param choice answers the socket's number for a packet
   * @param asksKernel whether the kernel is asked to leave out what the host sends, too
   */
  void divide(ClassicBpf choice, boolean asksKernel) {
    PacketSocket first = sockets.get(0);
    group = create(first, BY_PROGRAM | UNIQUE_ID | (asksKernel ? IGNORE_OUTGOING : 0));
    for (PacketSocket other : sockets.subList(1, sockets.size())) {
      demand(trySet(other, group), "PACKET_FANOUT");
    }
    demand(first.trySet(PacketSocket.PACKET_FANOUT_DATA, choice), "PACKET_FANOUT_DATA");
    ClassicBpf incoming = incoming();
    sockets.forEach(socket -> socket.filter(incoming));
  }

  /** Adds what {@link #restore} needs. */
  void addSpare() {
    spare = PacketSocket.openUnbound(device.name(), device.index());
    spare.deafen();
    spare.bindToAll();
    demand(trySet(spare, group), "PACKET_FANOUT");
  }

  /**
   * Puts a socket back in its place after its ring was made anew. For that the kernel took it out of the group, so that
   * the last member, the spare, got its place and it became the last; the spare now does the same.
   *
   * @param hears whether it receives from now on; it was made deaf
   * @return whether that was done
   */
  boolean restore(PacketSocket socket, boolean hears) {
    if (spare == null || RingRequest.release(spare) < 0) {
      return false;
    }
    try {
      if (hears) {
        socket.filter(incoming());
      }
      return true;
    } catch (PortException e) {
      return false;
    }
  }

  /** Gives the spare back. */
  void close() {
    if (spare != null) {
      spare.close();
      spare = null;
    }
  }

  /** Makes a group of one socket; answers what others join it by. */
  private int create(PacketSocket first, int typeAndFlags) {
    demand(trySet(first, typeAndFlags << 16), "PACKET_FANOUT");
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment answer = arena.allocate(Native.INT);
      demand(first.get(PacketSocket.PACKET_FANOUT, answer), "PACKET_FANOUT");
      return answer.get(Native.INT, 0) & ~(UNIQUE_ID << 16);
    }
  }

  private static int trySet(PacketSocket socket, int group) {
    try (Arena arena = Arena.ofConfined()) {
      return socket.trySet(PacketSocket.PACKET_FANOUT, arena.allocateFrom(Native.INT, group));
    }
  }

  private void demand(int answer, String option) {
    if (answer < 0) {
      throw Native.failure(
          Cause.NOT_SUPPORTED, "setsockopt(" + option + ") on " + device.name(), -answer, "the kernel may lack it");
    }
  }

  private static ClassicBpf incoming() {
    return new ClassicBpf()
        .loadPacketType().jumpIfEqual(PACKET_OUTGOING, "outgoing").answer(WHOLE).label("outgoing").answer(0);
  }
}
