package io.lb4j.pcap.xdp;

import io.lb4j.pcap.os.Libc;
import io.lb4j.pcap.os.Native;
import io.lb4j.port.PortException.Cause;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.locks.LockSupport;

/**
 * An AF_XDP socket: one queue of a device, with four rings. Opened and closed by the control thread; the rings are
 * owned by the halves of a port's queue.
 */
final class XskSocket {
  static final int SOL_XDP = 283;

  private static final int AF_XDP = 44;
  private static final int SOCK_RAW = 3;
  private static final int SOCK_CLOEXEC = 0x80000;
  private static final int SOL_SOCKET = 1;
  private static final int SO_ERROR = 4;
  private static final int SO_SNDBUF = 7;
  private static final int SO_SNDBUFFORCE = 32;
  private static final int SEND_BUFFER_SIZE = 8 * 1024 * 1024;

  // <linux/if_xdp.h>
  private static final int MMAP_OFFSETS = 1;
  private static final int RX_RING = 2;
  private static final int TX_RING = 3;
  private static final int FILL_RING = 5;
  private static final int COMPLETION_RING = 6;
  private static final int STATISTICS = 7;
  private static final int OPTIONS = 8;
  private static final int MAX_TX_BUDGET = 9; // since Linux 6.17: frames that one kick sends in copy mode
  private static final int OPTION_ZERO_COPY = 1;
  private static final int ALONE = -1;
  private static final short SHARED_UMEM = 1;
  private static final short COPY = 2;
  private static final short USE_NEED_WAKEUP = 8;
  private static final long RX_PAGE = 0;
  private static final long TX_PAGE = 0x8000_0000L;
  private static final long FILL_PAGE = 0x1_0000_0000L;
  private static final long COMPLETION_PAGE = 0x1_8000_0000L;
  private static final int DESCRIPTOR_SIZE = 16;
  private static final int NUMBER_SIZE = 8;
  private static final int OFFSETS_OF_RING = 32; // producer, consumer, entries, flags
  private static final int SEND_BUDGET = 256;
  private static final int BIND_TRIES = 50;
  private static final long BIND_PAUSE_NS = 10_000_000;
  private static final String NO_MEMORY =
      "the kernel has no memory for the ring, or the process may not have it (ulimit -v): free memory, or choose"
          + " smaller rings or fewer queues";

  private final String device;
  private final int queueId;
  private final int size;
  private final XdpMemory memory;
  private final int fd;
  XdpRing received;
  XdpRing fill;
  XdpRing transmit;
  XdpRing completed;
  private boolean bound;
  private boolean zeroCopy;

  private XskSocket(String device, int queueId, int size, XdpMemory memory, int fd) {
    this.device = device;
    this.queueId = queueId;
    this.size = size;
    this.memory = memory;
    this.fd = fd;
  }

  /**
   * Opens and binds a socket. It shares what another one registered of its memory where it can. Where it cannot, as
   * when one device needs copies and the other does not, it registers the same memory once more, which serves as well.
   */
  static XskSocket open(String device, int index, int queueId, int size, XdpMemory memory, boolean copy) {
    synchronized (memory) {
      for (int shared : memory.boundFds()) {
        XskSocket socket = create(device, queueId, size, memory);
        int answer = socket.prepare(index, shared, copy);
        if (answer >= 0) {
          return socket;
        }
        socket.close();
        if (answer != -Libc.EBADF) { // that is: the other one's device is gone
          break;
        }
      }
      XskSocket first = create(device, queueId, size, memory);
      first.prepare(index, ALONE, copy);
      return first;
    }
  }

  private static XskSocket create(String device, int queueId, int size, XdpMemory memory) {
    int fd = Libc.socket(AF_XDP, SOCK_RAW | SOCK_CLOEXEC, 0);
    if (fd < 0) {
      throw Bpf.failure(
          "socket(AF_XDP) for " + device,
          -fd,
          "the kernel may lack AF_XDP (CONFIG_XDP_SOCKETS), or systemd forbids it (RestrictAddressFamilies)");
    }
    return new XskSocket(device, queueId, size, memory, fd);
  }

  /** Answers less than 0 when it cannot share with that other socket. */
  private int prepare(int index, int shared, boolean copy) {
    try {
      if (Libc.setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, SEND_BUFFER_SIZE) < 0) {
        Libc.setsockopt(fd, SOL_SOCKET, SO_SNDBUF, SEND_BUFFER_SIZE);
      }
      if (shared == ALONE) {
        memory.register(fd, device);
      }
      makeRings();
      int answer = bind(index, shared, copy);
      if (answer < 0) {
        return answer;
      }
      memory.bound(fd);
      bound = true;
      zeroCopy = askZeroCopy();
      Libc.setsockopt(fd, SOL_XDP, MAX_TX_BUDGET, Math.min(SEND_BUDGET, size));
      return 0;
    } catch (RuntimeException | OutOfMemoryError e) {
      close();
      throw e;
    }
  }

  private void makeRings() {
    makeRing(FILL_RING, "XDP_UMEM_FILL_RING");
    makeRing(COMPLETION_RING, "XDP_UMEM_COMPLETION_RING");
    makeRing(RX_RING, "XDP_RX_RING");
    makeRing(TX_RING, "XDP_TX_RING");
    mapRings();
  }

  private void makeRing(int ring, String name) {
    int answer = Libc.setsockopt(fd, SOL_XDP, ring, size);
    if (answer < 0) {
      throw Native.failure(
          Cause.SYSTEM, "setsockopt(" + name + ") of " + size + " entries for " + device, -answer, NO_MEMORY);
    }
  }

  private void mapRings() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment offsets = arena.allocate(4 * OFFSETS_OF_RING, 8);
      int answer = Libc.getsockopt(fd, SOL_XDP, MMAP_OFFSETS, offsets);
      if (answer < 0) {
        throw Native.failure(Cause.NOT_SUPPORTED, "getsockopt(XDP_MMAP_OFFSETS)", -answer, "needs Linux 5.10");
      }
      received = map(offsets, 0, RX_PAGE, DESCRIPTOR_SIZE);
      transmit = map(offsets, 1, TX_PAGE, DESCRIPTOR_SIZE);
      fill = map(offsets, 2, FILL_PAGE, NUMBER_SIZE);
      completed = map(offsets, 3, COMPLETION_PAGE, NUMBER_SIZE);
    }
  }

  private XdpRing map(MemorySegment offsets, int number, long page, int entrySize) {
    long at = (long) number * OFFSETS_OF_RING;
    long entries = offsets.get(Native.LONG, at + 16);
    long length = entries + (long) size * entrySize;
    long mapping = Libc.mmapShared(fd, length, page);
    if (mapping < 0 && mapping > -4096) {
      throw Native.failure(Cause.SYSTEM, "mmap(ring of " + device + ")", (int) -mapping, NO_MEMORY);
    }
    return new XdpRing(
        mapping,
        length,
        offsets.get(Native.LONG, at),
        offsets.get(Native.LONG, at + 8),
        offsets.get(Native.LONG, at + 24),
        entries,
        size);
  }

  /** The kernel tries zero copy by itself, unless it is told to copy. Whoever shares a memory shares its way. */
  private int bind(int index, int shared, boolean copy) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment address = arena.allocate(16, 4); // sockaddr_xdp
      address.set(Native.SHORT, 0, (short) AF_XDP);
      int flags = shared != ALONE ? SHARED_UMEM : USE_NEED_WAKEUP | (copy ? COPY : 0);
      address.set(Native.SHORT, 2, (short) flags);
      address.set(Native.INT, 4, index);
      address.set(Native.INT, 8, queueId);
      address.set(Native.INT, 12, Math.max(shared, 0));
      int answer = bindPatiently(address);
      if (answer < 0 && (shared == ALONE || !isAboutSharing(answer))) {
        throw Native.failure(
            answer == -Libc.ENETDOWN ? Cause.DOWN : Cause.SYSTEM,
            "bind(AF_XDP, " + device + ", queue " + queueId + ")",
            -answer,
            likelyCause(-answer));
      }
      return answer;
    }
  }

  private static boolean isAboutSharing(int answer) {
    return answer == -Libc.EBADF || answer == -Libc.EINVAL || answer == -Syscalls.EOPNOTSUPP;
  }

  /** The kernel gives a queue back a little after the socket that had it was closed. */
  private int bindPatiently(MemorySegment address) {
    int answer = Libc.bind(fd, address);
    for (int i = 0; i < BIND_TRIES && answer == -Syscalls.EBUSY; i++) {
      LockSupport.parkNanos(BIND_PAUSE_NS);
      answer = Libc.bind(fd, address);
    }
    return answer;
  }

  private String likelyCause(int errno) {
    return switch (errno) {
      case Libc.ENETDOWN -> "the interface is down; ip link set " + device + " up";
      case Syscalls.EBUSY -> "another AF_XDP socket has this queue";
      case Syscalls.EOPNOTSUPP, Libc.EINVAL ->
          "the device may have no such queue, or not as many transmit queues as receive queues (ethtool -L)";
      default -> "the interface may have just been removed";
    };
  }

  int fd() {
    return fd;
  }

  int queueId() {
    return queueId;
  }

  int size() {
    return size;
  }

  /** Takes the error that waits, such as of an interface that is gone. */
  int takeError() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment error = arena.allocate(4, 4);
      return Libc.getsockopt(fd, SOL_SOCKET, SO_ERROR, error) < 0 ? 0 : error.get(Native.INT, 0);
    }
  }

  boolean isZeroCopy() {
    return zeroCopy;
  }

  private boolean askZeroCopy() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment options = arena.allocate(4, 4);
      return Libc.getsockopt(fd, SOL_XDP, OPTIONS, options) >= 0
          && (options.get(Native.INT, 0) & OPTION_ZERO_COPY) != 0;
    }
  }

  /** Frames that found no room in a ring or no chunk, or did not fit into one. */
  long missed() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment statistics = arena.allocate(48, 8); // xdp_statistics
      if (Libc.getsockopt(fd, SOL_XDP, STATISTICS, statistics) < 0) {
        return 0;
      }
      return statistics.get(Native.LONG, 0) + statistics.get(Native.LONG, 24); // rx_dropped, rx_ring_full
    }
  }

  /** Ends receiving and sending; nobody may use the rings any more. */
  void close() {
    if (bound) {
      memory.unbound(fd);
      bound = false;
    }
    for (XdpRing ring : new XdpRing[] {received, transmit, fill, completed}) {
      if (ring != null) {
        ring.unmap();
      }
    }
    Libc.close(fd);
  }
}
