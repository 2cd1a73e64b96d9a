package io.lb4j.pcap.xdp;

import io.lb4j.pcap.os.Libc;
import io.lb4j.pcap.os.Native;
import io.lb4j.pcap.os.NetDevice;
import io.lb4j.pcap.os.PacketSocket;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * A packet socket that gives the balancer its copy of what the steering program leaves to the kernel and both need:
 * ARP, neighbour discovery, queries for groups, answers to probes: see {@link TapProgram}. Also holds the port's
 * memberships. Received from by the worker of the first queue.
 */
final class NeighborTap implements AutoCloseable {
  private static final int PACKET_AUXDATA = 8;
  private static final int MSG_TRUNC = 0x20;
  private static final int RECEIVE_BUFFER_SIZE = 1024 * 1024;
  private static final int ADDRESSES_LENGTH = 12; // both MAC addresses
  private static final int TAG_LENGTH = 4;
  private static final int MESSAGE_SIZE = 56;
  private static final int VECTOR = MESSAGE_SIZE;
  private static final int CONTROL = VECTOR + 16;
  private static final int CONTROL_SIZE = 64;
  private static final int CONTROL_LENGTH = 40; // offsets in msghdr
  private static final int AUXDATA = CONTROL + 16; // behind cmsghdr
  private static final int VLAN_VALID = 1 << 4; // TP_STATUS_VLAN_VALID
  private static final int TPID_VALID = 1 << 6;
  private static final int DEFAULT_TPID = 0x8100;

  private final PacketSocket socket;
  private final boolean listens;
  private final MemorySegment message = Arena.ofAuto().allocate(CONTROL + CONTROL_SIZE, 8);
  private long dropped; // under the port's lock
  private long start;
  private int length;
  private boolean cut;

  /** Opens it, listening only if the port does not get everything anyway. */
  NeighborTap(NetDevice device, boolean listens, PrefixMap prefixes) {
    this.listens = listens;
    socket = PacketSocket.openUnbound(device.name(), device.index());
    try {
      if (!listens) {
        socket.deafen();
      } else {
        attachFilter(prefixes);
      }
      socket.set(PACKET_AUXDATA, 1, "PACKET_AUXDATA", "2.6.21");
      socket.set(PacketSocket.PACKET_IGNORE_OUTGOING, 1, "PACKET_IGNORE_OUTGOING", "4.20");
      socket.receiveBuffer(RECEIVE_BUFFER_SIZE);
      socket.bindToAll();
    } catch (RuntimeException e) {
      socket.close();
      throw e;
    }
    message.set(Native.POINTER, 16, message.address() + VECTOR);
    message.set(Native.LONG, 24, 1);
    message.set(Native.POINTER, 32, message.address() + CONTROL);
  }

  /** The socket keeps the program. */
  private void attachFilter(PrefixMap prefixes) {
    int program = Bpf.loadFilter(TapProgram.of(prefixes.fd()), "lb4j_tap");
    try {
      socket.attachProgram(program);
    } finally {
      Libc.close(program);
    }
  }

  PacketSocket socket() {
    return socket;
  }

  int fd() {
    return socket.fd();
  }

  boolean listens() {
    return listens;
  }

  /**
   * Takes a frame, with its tag in the bytes, into memory with room for a tag in front of it.
   *
   * @return whether there was one
   */
  boolean receive(MemorySegment memory, long offset, int room) {
    message.set(Native.POINTER, VECTOR, memory.address() + offset);
    message.set(Native.LONG, VECTOR + 8, room);
    message.set(Native.LONG, CONTROL_LENGTH, CONTROL_SIZE);
    int answer = Syscalls.recvmsg(socket.fd(), message.address(), MSG_TRUNC);
    if (answer <= ADDRESSES_LENGTH) {
      return false; // none, or the interface is down, which is told once
    }
    start = offset;
    cut = answer > room;
    length = Math.min(answer, room);
    int status = message.get(Native.INT, AUXDATA);
    if (message.get(Native.LONG, CONTROL_LENGTH) > 0 && (status & VLAN_VALID) != 0) {
      putTagBack(memory, (status & TPID_VALID) != 0 ? message.get(Native.SHORT, AUXDATA + 18) : DEFAULT_TPID);
    }
    return true;
  }

  private void putTagBack(MemorySegment memory, int protocol) {
    start -= TAG_LENGTH;
    length += TAG_LENGTH;
    MemorySegment.copy(memory, start + TAG_LENGTH, memory, start, ADDRESSES_LENGTH);
    putShort(memory, start + ADDRESSES_LENGTH, protocol);
    putShort(memory, start + ADDRESSES_LENGTH + 2, message.get(Native.SHORT, AUXDATA + 16));
  }

  private static void putShort(MemorySegment memory, long at, int value) {
    memory.set(ValueLayout.JAVA_BYTE, at, (byte) (value >>> 8));
    memory.set(ValueLayout.JAVA_BYTE, at + 1, (byte) value);
  }

  /** Where the frame is that was taken last. */
  long start() {
    return start;
  }

  int length() {
    return length;
  }

  boolean isCut() {
    return cut;
  }

  /** Frames that found no room so far. */
  long missed() {
    dropped += socket.takeDropped();
    return dropped;
  }

  @Override
  public void close() {
    socket.close();
  }
}
