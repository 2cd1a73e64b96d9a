package io.lb4j.pcap.os;

import io.lb4j.address.MacAddress;
import io.lb4j.port.PortException;
import io.lb4j.port.PortException.Cause;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * A Linux packet socket bound to one interface that receives nothing: it sends and holds memberships (packet(7)).
 * Safe from any thread until {@link #close()}.
 */
public final class PacketSocket implements AutoCloseable {
  public static final String CAPABILITY_MISSING =
      "the process lacks the capability CAP_NET_RAW: run it as root, or with AmbientCapabilities=CAP_NET_RAW (systemd)"
          + " or setpriv --inh-caps +net_raw --ambient-caps +net_raw";

  private static final int AF_PACKET = 17;
  private static final int SOCK_RAW = 3;
  private static final int SOCK_CLOEXEC = 0x80000;
  private static final int SOL_SOCKET = 1;
  private static final int SO_SNDBUF = 7;
  private static final int SO_SNDBUFFORCE = 32;
  private static final int SOL_PACKET = 263;
  private static final int PACKET_ADD_MEMBERSHIP = 1;
  private static final int PACKET_MR_MULTICAST = 0;
  private static final int PACKET_MR_UNICAST = 3;

  private final String device;
  private final int index;
  private final int fd;

  private PacketSocket(String device, int index, int fd) {
    this.device = device;
    this.index = index;
    this.fd = fd;
  }

  public static PacketSocket open(String device, int index, int sendBufferSize) {
    int fd = Libc.socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
    if (fd < 0) {
      boolean denied = fd == -Libc.EPERM || fd == -Libc.EACCES;
      throw Native.failure(
          denied ? Cause.NOT_PERMITTED : Cause.SYSTEM,
          "socket(AF_PACKET) for " + device,
          -fd,
          denied ? CAPABILITY_MISSING : "the kernel may lack packet sockets");
    }
    PacketSocket socket = new PacketSocket(device, index, fd);
    try {
      socket.bind();
    } catch (RuntimeException e) {
      socket.close();
      throw e;
    }
    if (Libc.setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, sendBufferSize) < 0) {
      Libc.setsockopt(fd, SOL_SOCKET, SO_SNDBUF, sendBufferSize); // up to net.core.wmem_max
    }
    return socket;
  }

  /** Binds with protocol 0, which chooses the interface for sending and receives nothing. */
  private void bind() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment address = arena.allocate(20, 4); // sockaddr_ll
      address.set(Native.SHORT, 0, (short) AF_PACKET);
      address.set(Native.INT, 4, index);
      int answer = Libc.bind(fd, address);
      if (answer < 0) {
        throw Native.failure(Cause.SYSTEM, "bind(" + device + ")", -answer, "the interface may have just been removed");
      }
    }
  }

  public int fd() {
    return fd;
  }

  /** Makes the device accept frames for an address. */
  public void join(MacAddress address) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment request = arena.allocate(16, 4); // packet_mreq
      request.set(Native.INT, 0, index);
      request.set(Native.SHORT, 4, (short) (address.isMulticast() ? PACKET_MR_MULTICAST : PACKET_MR_UNICAST));
      request.set(Native.SHORT, 6, (short) 6);
      for (int i = 0; i < 6; i++) {
        request.set(ValueLayout.JAVA_BYTE, 8 + i, (byte) (address.value() >>> 40 - 8 * i));
      }
      int answer = Libc.setsockopt(fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, request);
      if (answer < 0) {
        throw joinFailure(address, -answer);
      }
    }
  }

  private PortException joinFailure(MacAddress address, int errno) {
    boolean gone = errno == Libc.ENODEV || errno == Libc.ENXIO;
    return Native.failure(
        gone ? Cause.NOT_FOUND : Cause.NOT_SUPPORTED,
        "setsockopt(PACKET_ADD_MEMBERSHIP, " + address + ") on " + device,
        errno,
        gone ? "the interface was removed" : "the device cannot filter for a further address; open promiscuous");
  }

  @Override
  public void close() {
    Libc.close(fd);
  }
}
