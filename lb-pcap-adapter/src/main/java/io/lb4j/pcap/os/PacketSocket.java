package io.lb4j.pcap.os;

import io.lb4j.address.MacAddress;
import io.lb4j.port.PortException;
import io.lb4j.port.PortException.Cause;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * A Linux packet socket for one interface (packet(7)): it sends, holds memberships, and receives if it is told to. Safe
 * from any thread until {@link #close()}.
 */
public final class PacketSocket implements AutoCloseable {
  public static final String CAPABILITY_MISSING =
      "the process lacks the capability CAP_NET_RAW: run it as root, or with AmbientCapabilities=CAP_NET_RAW (systemd)"
          + " or setpriv --inh-caps +net_raw --ambient-caps +net_raw";

  /** Option of {@link #set}: frames come and go with a header of offloads before them. */
  public static final int PACKET_VNET_HDR = 15;

  /** Option of {@link #set}: the layout of a ring. */
  public static final int PACKET_VERSION = 10;

  /** Option of {@link #trySet}: memory for frames that are received. */
  public static final int PACKET_RX_RING = 5;

  /** Option of {@link #set}: a frame that is too long for its slot is queued, whole. */
  public static final int PACKET_COPY_THRESH = 7;

  /** Option of {@link #trySet}: frames are divided among sockets. */
  public static final int PACKET_FANOUT = 18;

  /** Option of {@link #trySet}: the program by which frames are divided. */
  public static final int PACKET_FANOUT_DATA = 22;

  /** Option of {@link #set}: frames go to the driver at once. */
  public static final int PACKET_QDISC_BYPASS = 20;

  /** Option of {@link #set}: what the host sends is not received. */
  public static final int PACKET_IGNORE_OUTGOING = 23;

  private static final int AF_PACKET = 17;
  private static final int SOCK_RAW = 3;
  private static final int SOCK_CLOEXEC = 0x80000;
  private static final short ALL_PROTOCOLS = Short.reverseBytes((short) 3); // ETH_P_ALL, in network order
  private static final int ADDRESS_SIZE = 20; // sockaddr_ll
  private static final int SOL_SOCKET = 1;
  private static final int SO_ERROR = 4;
  private static final int SO_SNDBUF = 7;
  private static final int SO_RCVBUF = 8;
  private static final int SO_ATTACH_FILTER = 26;
  private static final int SO_ATTACH_BPF = 50;
  private static final int SO_DETACH_FILTER = 27;
  private static final int SO_SNDBUFFORCE = 32;
  private static final int SO_RCVBUFFORCE = 33;
  private static final int SOL_PACKET = 263;
  private static final int PACKET_ADD_MEMBERSHIP = 1;
  private static final int PACKET_STATISTICS = 6;
  private static final short PACKET_MR_MULTICAST = 0;
  private static final short PACKET_MR_PROMISC = 1;
  private static final short PACKET_MR_UNICAST = 3;

  private final String device;
  private final int index;
  private final int fd;

  private PacketSocket(String device, int index, int fd) {
    this.device = device;
    this.index = index;
    this.fd = fd;
  }

  /** A socket that receives nothing: it sends and holds memberships. */
  public static PacketSocket open(String device, int index, int sendBufferSize) {
    PacketSocket socket = openUnbound(device, index);
    try {
      socket.bind((short) 0);
    } catch (RuntimeException e) {
      socket.close();
      throw e;
    }
    socket.sendBuffer(sendBufferSize);
    return socket;
  }

  /** A socket that neither receives nor knows where to send, until {@link #bindToAll()}. */
  public static PacketSocket openUnbound(String device, int index) {
    int fd = Libc.socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
    if (fd < 0) {
      boolean denied = fd == -Libc.EPERM || fd == -Libc.EACCES;
      throw Native.failure(
          denied ? Cause.NOT_PERMITTED : Cause.SYSTEM,
          "socket(AF_PACKET) for " + device,
          -fd,
          denied ? CAPABILITY_MISSING : "the kernel may lack packet sockets");
    }
    return new PacketSocket(device, index, fd);
  }

  /**
   * Receives all frames of the interface from now on.
   *
   * @throws PortException DOWN when the interface is
   */
  public void bindToAll() {
    bind(ALL_PROTOCOLS);
    if (takeError() == Libc.ENETDOWN) {
      throw new PortException(
          Cause.DOWN, "bind(" + device + ") failed: the interface is down; ip link set " + device + " up");
    }
  }

  /** Binds; protocol 0 chooses the interface for sending and receives nothing. */
  private void bind(short protocol) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment address = arena.allocate(ADDRESS_SIZE, 4);
      address.set(Native.SHORT, 0, (short) AF_PACKET);
      address.set(Native.SHORT, 2, protocol);
      address.set(Native.INT, 4, index);
      int answer = Libc.bind(fd, address);
      if (answer < 0) {
        throw Native.failure(Cause.SYSTEM, "bind(" + device + ")", -answer, "the interface may have just been removed");
      }
    }
  }

  /**
   * Whether a bound socket has its interface still. One that was removed, or left the network namespace, it has lost
   * for good, also when that comes back with its old index.
   */
  public boolean hasInterface() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment address = arena.allocate(ADDRESS_SIZE, 4);
      return Libc.getsockname(fd, address) >= 0 && address.get(Native.INT, 4) == index;
    }
  }

  /**
   * Sets an option of packet sockets.
   *
   * @param name in the message of the exception
   * @param since the kernel that has it
   */
  public void set(int option, int value, String name, String since) {
    int answer = Libc.setsockopt(fd, SOL_PACKET, option, value);
    if (answer < 0) {
      throw Native.failure(
          Cause.NOT_SUPPORTED,
          "setsockopt(" + name + ") on " + device,
          -answer,
          "needs Linux " + since + " or later");
    }
  }

  /** Sets an option of packet sockets; answers less than 0 when the kernel refuses. */
  public int trySet(int option, MemorySegment value) {
    return Libc.setsockopt(fd, SOL_PACKET, option, value);
  }

  /** Sets an option whose value is a program; answers less than 0 when the kernel refuses. */
  public int trySet(int option, ClassicBpf program) {
    try (Arena arena = Arena.ofConfined()) {
      return trySet(option, program.assemble(arena));
    }
  }

  /** Asks for an option of packet sockets; answers less than 0 when the kernel does not say. */
  public int get(int option, MemorySegment value) {
    return Libc.getsockopt(fd, SOL_PACKET, option, value);
  }

  /** Asks for room for frames on their way out: up to net.core.wmem_max, beyond with CAP_NET_ADMIN. */
  public void sendBuffer(int size) {
    if (Libc.setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, size) < 0) {
      Libc.setsockopt(fd, SOL_SOCKET, SO_SNDBUF, size);
    }
  }

  /**
   * Asks for room for frames that are queued: up to net.core.rmem_max, beyond with CAP_NET_ADMIN.
   *
   * @return bytes that the kernel will use, half of which it takes for itself
   */
  public int receiveBuffer(int size) {
    if (Libc.setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, size) < 0) {
      Libc.setsockopt(fd, SOL_SOCKET, SO_RCVBUF, size);
    }
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment answer = arena.allocate(4, 4);
      return Libc.getsockopt(fd, SOL_SOCKET, SO_RCVBUF, answer) < 0 ? 0 : answer.get(Native.INT, 0);
    }
  }

  /** Receives nothing from now on, and counts nothing as missed. */
  public void deafen() {
    attach(new ClassicBpf().answer(0));
  }

  /** Receives of each frame as many bytes as the program answers, from now on. */
  public void filter(ClassicBpf program) {
    int answer = attach(program);
    if (answer < 0) {
      throw Native.failure(
          Cause.SYSTEM, "setsockopt(SO_ATTACH_FILTER) on " + device, -answer, "the kernel is short of memory");
    }
  }

  private int attach(ClassicBpf program) {
    try (Arena arena = Arena.ofConfined()) {
      return Libc.setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, program.assemble(arena));
    }
  }

  /** Receives only what an eBPF program says from now on, which the socket keeps. */
  public void attachProgram(int program) {
    int answer = Libc.setsockopt(fd, SOL_SOCKET, SO_ATTACH_BPF, program);
    if (answer < 0) {
      throw Native.failure(Cause.SYSTEM, "setsockopt(SO_ATTACH_BPF) on " + device, -answer, "the kernel may lack BPF");
    }
  }

  /** Ends {@link #deafen()} and {@link #filter}. */
  public void hear() {
    Libc.setsockopt(fd, SOL_SOCKET, SO_DETACH_FILTER, 0);
  }

  /** Takes the socket's pending error, which poll(2) reports until then; 0 for none. */
  public int takeError() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment error = arena.allocate(4, 4);
      return Libc.getsockopt(fd, SOL_SOCKET, SO_ERROR, error) < 0 ? 0 : error.get(Native.INT, 0);
    }
  }

  /** Frames that found no room since this was last asked. */
  public long takeDropped() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment statistics = arena.allocate(12, 4); // tpacket_stats_v3, whose beginning is tpacket_stats
      return get(PACKET_STATISTICS, statistics) < 0 ? 0 : Integer.toUnsignedLong(statistics.get(Native.INT, 4));
    }
  }

  public int fd() {
    return fd;
  }

  /** Makes the device accept frames for an address. */
  public void join(MacAddress address) {
    int answer = addMembership(address.isMulticast() ? PACKET_MR_MULTICAST : PACKET_MR_UNICAST, address.value());
    if (answer < 0) {
      throw joinFailure(address, -answer);
    }
  }

  /** Makes the device accept frames for all addresses. */
  public void joinAll() {
    int answer = addMembership(PACKET_MR_PROMISC, 0);
    if (answer < 0) {
      throw Native.failure(
          Cause.SYSTEM,
          "setsockopt(PACKET_ADD_MEMBERSHIP, promiscuous) on " + device,
          -answer,
          "the interface may have just been removed");
    }
  }

  private int addMembership(short type, long address) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment request = arena.allocate(16, 4); // packet_mreq
      request.set(Native.INT, 0, index);
      request.set(Native.SHORT, 4, type);
      request.set(Native.SHORT, 6, (short) 6);
      for (int i = 0; i < 6; i++) {
        request.set(ValueLayout.JAVA_BYTE, 8 + i, (byte) (address >>> 40 - 8 * i));
      }
      return Libc.setsockopt(fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, request);
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
