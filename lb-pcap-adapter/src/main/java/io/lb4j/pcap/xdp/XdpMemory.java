package io.lb4j.pcap.xdp;

import io.lb4j.pcap.os.FrameArea;
import io.lb4j.pcap.os.Libc;
import io.lb4j.pcap.os.Native;
import io.lb4j.pcap.os.NetDevice;
import io.lb4j.port.PortException;
import io.lb4j.port.PortException.Cause;
import io.netty.buffer.ByteBuf;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/**
 * Memory for frames that the ports of one balancer share (a UMEM): a frame that came in at one of them leaves by
 * another without being copied. It is freed when nobody refers to it any more; there is nothing to close. Safe from any
 * thread.
 */
public final class XdpMemory {
  /** Bytes for a frame of an MTU up to {@value #SMALL_CHUNK_MTU}. */
  public static final int SMALL_CHUNK = 2048;

  /** Bytes for a frame of an MTU up to {@value #LARGE_CHUNK_MTU}; the most that the kernel takes. */
  public static final int LARGE_CHUNK = 4096;

  static final int KERNEL_HEADROOM = 256;
  static final int LONGEST_HEADER = 22; // Ethernet and two tags
  static final int SMALL_CHUNK_MTU = SMALL_CHUNK - KERNEL_HEADROOM - LONGEST_HEADER;
  static final int LARGE_CHUNK_MTU = LARGE_CHUNK - KERNEL_HEADROOM - LONGEST_HEADER;

  private static final int PAGE = 4096;
  private static final int UMEM_REGISTRATION = 4; // XDP_UMEM_REG

  private final int chunkSize;
  private final MemorySegment memory;
  private final FrameArea buffer;
  private final ChunkPool pool;

  // guarded by this
  private final List<Integer> boundFds = new ArrayList<>();
  private long reserved;
  private int lastQueue;

  private XdpMemory(int chunks, int chunkSize) {
    this.chunkSize = chunkSize;
    memory = Arena.ofAuto().allocate((long) chunks * chunkSize, PAGE);
    buffer = new FrameArea(memory);
    pool = new ChunkPool(chunks);
  }

  /**
   * Memory for frames of an MTU up to {@value #SMALL_CHUNK_MTU}.
   *
   * @param frames at least {@link #framesFor} of each port, added up
   * @return to be given to the builders of the ports
   * @throws PortException SYSTEM: the JVM has no such memory
   */
  public static XdpMemory allocate(int frames) {
    return allocate(frames, SMALL_CHUNK);
  }

  /**
   * Memory for frames.
   *
   * @param frames at least {@link #framesFor} of each port, added up
   * @param chunkSize bytes for each: {@link #SMALL_CHUNK} or {@link #LARGE_CHUNK}
   * @return to be given to the builders of the ports
   * @throws PortException SYSTEM: the JVM has no such memory
   */
  public static XdpMemory allocate(int frames, int chunkSize) {
    if (chunkSize != SMALL_CHUNK && chunkSize != LARGE_CHUNK) {
      throw new IllegalArgumentException("chunkSize must be 2048 or 4096: " + chunkSize);
    }
    long most = Integer.MAX_VALUE / chunkSize;
    if (frames < 1 || frames > most) {
      throw new IllegalArgumentException("frames must be in 1.." + most + ": " + frames);
    }
    try {
      return new XdpMemory(frames, chunkSize);
    } catch (OutOfMemoryError e) {
      throw Native.openingFailure("XDP memory of " + (long) frames * chunkSize + " bytes", e);
    }
  }

  /**
   * Memory for several ports at once, of the size that their devices need.
   *
   * @param ports to be opened with this memory: {@link XdpPort.Builder#memory}
   * @return to be given to the builders of the ports
   * @throws PortException NOT_FOUND: there is no such interface; NOT_SUPPORTED: not Linux, or native access is denied;
   *     SYSTEM: together they need too much, or the JVM has
   *     no such memory
   */
  public static XdpMemory sharedBy(Collection<XdpPort.Builder> ports) {
    XdpPort.requireLinux();
    long frames = 0;
    int largestMtu = 0;
    for (XdpPort.Builder port : ports) {
      try (NetDevice device = NetDevice.open(port.interfaceName)) {
        frames += framesFor(device.receiveQueues(), port.queues, port.ringSize);
        largestMtu = Math.max(largestMtu, device.mtu());
      }
    }
    int chunkSize = chunkSizeFor(largestMtu);
    if (frames > Integer.MAX_VALUE / chunkSize) {
      throw new PortException(
          Cause.SYSTEM,
          "memory for " + frames + " frames is too much to be shared; choose fewer queues or smaller rings");
    }
    return allocate((int) frames, chunkSize);
  }

  /**
   * Frames that a port needs.
   *
   * @param deviceQueues receive queues of the device, for example 1 for a veth
   * @param queues of the port
   * @param ringSize of the port
   * @return frames
   */
  public static int framesFor(int deviceQueues, int queues, int ringSize) {
    return deviceQueues * ringSize + queues * (ringSize + 3 * ChunkCache.CAPACITY);
  }

  /**
   * The chunk size for an MTU.
   *
   * @param mtu the largest of the ports
   * @return {@link #SMALL_CHUNK} or {@link #LARGE_CHUNK}
   */
  public static int chunkSizeFor(int mtu) {
    return mtu <= SMALL_CHUNK_MTU ? SMALL_CHUNK : LARGE_CHUNK;
  }

  int chunkSize() {
    return chunkSize;
  }

  ByteBuf buffer() {
    return buffer;
  }

  MemorySegment memory() {
    return memory;
  }

  ChunkPool pool() {
    return pool;
  }

  /**
   * Takes back what the kernel has for a queue whose sockets are closed.
   *
   * @param afterNs how long the device may go on writing into it
   */
  void reclaim(int queue, long afterNs) {
    if (afterNs <= 0) {
      pool.reclaim(queue);
    } else {
      CompletableFuture.delayedExecutor(afterNs, TimeUnit.NANOSECONDS).execute(() -> pool.reclaim(queue));
    }
  }

  int chunkAt(long offset) {
    return (int) (offset / chunkSize);
  }

  /** Promises frames to a port. */
  synchronized void reserve(int frames, String device) {
    if (reserved + frames > pool.chunks()) {
      throw new PortException(
          Cause.SYSTEM,
          device + " needs memory for " + frames + " frames, and of " + pool.chunks() + " others have " + reserved
              + "; allocate more, or choose smaller rings");
    }
    reserved += frames;
  }

  synchronized void giveUp(int frames) {
    reserved -= frames;
  }

  synchronized int nextQueueNumber() {
    return ++lastQueue;
  }

  /** Sockets that have this memory already, the newest first. */
  synchronized List<Integer> boundFds() {
    List<Integer> newestFirst = new ArrayList<>(boundFds);
    Collections.reverse(newestFirst);
    return newestFirst;
  }

  synchronized void bound(int fd) {
    boundFds.add(fd);
  }

  synchronized void unbound(int fd) {
    boundFds.remove((Integer) fd);
  }

  /** Tells the kernel of the memory, by a socket that others may share it with. */
  void register(int fd, String device) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment request = arena.allocate(32, 8); // xdp_umem_reg
      request.set(Native.POINTER, 0, memory.address());
      request.set(Native.LONG, 8, memory.byteSize());
      request.set(Native.INT, 16, chunkSize);
      int answer = Libc.setsockopt(fd, XskSocket.SOL_XDP, UMEM_REGISTRATION, request);
      if (answer < 0) {
        boolean limit = answer == -Libc.ENOBUFS || answer == -Libc.ENOMEM;
        throw Native.failure(
            Cause.SYSTEM,
            "setsockopt(XDP_UMEM_REG) for " + device + " with " + memory.byteSize() + " bytes",
            -answer,
            limit
                ? "the limit of locked memory (RLIMIT_MEMLOCK) is lower, or memory is short: raise it with"
                    + " LimitMEMLOCK=infinity (systemd) or ulimit -l, give the process CAP_IPC_LOCK, or choose smaller"
                    + " rings"
                : "the kernel may lack AF_XDP");
      }
    }
  }
}
