package io.lb4j.pcap;

import io.lb4j.pcap.os.Libc;
import io.lb4j.pcap.os.Native;
import io.lb4j.pcap.os.PacketSocket;
import io.lb4j.port.PortException.Cause;
import io.lb4j.port.PortException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * An activated, non-blocking libpcap handle that sees what the interface receives. Owned by its port: one thread
 * receives, calls of the others are ordered by the port.
 */
final class PcapHandle implements AutoCloseable {
  private static final int SOL_PACKET = 263;
  private static final int PACKET_IGNORE_OUTGOING = 23;

  private final String device;
  private final long address;
  private final Arena arena = Arena.ofShared();
  private final MemorySegment stats = arena.allocate(6 * 4L, 8); // pcap_stat is larger on Windows
  private final DropCount drops = new DropCount();

  private PcapHandle(String device, long address) {
    this.device = device;
    this.address = address;
  }

  /**
   * Opens an interface.
   *
   * @throws PortException with the call, what libpcap said and the likely cause
   */
  static PcapHandle open(String device, PcapPort.Builder options, int snapLength) {
    LibPcap.require();
    PcapHandle handle = new PcapHandle(device, create(device));
    try {
      handle.configure(options, snapLength);
      handle.activate(options.bufferSize);
      handle.listen();
      return handle;
    } catch (RuntimeException e) {
      handle.close();
      throw e;
    }
  }

  private static long create(String device) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment errors = LibPcap.errorBuffer(arena);
      long address = LibPcap.create(arena.allocateFrom(device), errors);
      if (address == 0) {
        String said = LibPcap.text(errors);
        throw new PortException(Cause.SYSTEM, "pcap_create(" + device + ") failed: " + said + "; " + remedy(said));
      }
      return address;
    }
  }

  private void configure(PcapPort.Builder options, int snapLength) {
    LibPcap.set("pcap_set_snaplen", address, snapLength);
    LibPcap.set("pcap_set_promisc", address, options.promiscuous ? 1 : 0);
    LibPcap.set("pcap_set_timeout", address, options.batchTimeoutMs);
    LibPcap.set("pcap_set_buffer_size", address, options.bufferSize);
    if (options.immediate) {
      LibPcap.set("pcap_set_immediate_mode", address, 1);
    }
  }

  private void activate(int bufferSize) {
    int answer = LibPcap.activate(address);
    if (answer < 0) {
      throw activationFailure(answer, bufferSize);
    }
    int link = LibPcap.datalink(address);
    if (link != LibPcap.LINK_ETHERNET) {
      throw new PortException(
          Cause.NOT_SUPPORTED, device + " has link type " + link + "; frames flow through Ethernet interfaces only");
    }
  }

  private PortException activationFailure(int answer, int bufferSize) {
    String said = LibPcap.error(address);
    String status = LibPcap.status(answer);
    String call =
        "pcap_activate(" + device + ") failed: " + status
            + (said.isEmpty() || said.equals(status) ? "" : ": " + said) + "; ";
    return switch (answer) {
      case LibPcap.ERROR_NO_SUCH_DEVICE -> new PortException(Cause.NOT_FOUND, call + "there is no such interface");
      case LibPcap.ERROR_PERM_DENIED, LibPcap.ERROR_PROMISC_PERM_DENIED ->
          new PortException(Cause.NOT_PERMITTED, call + PacketSocket.CAPABILITY_MISSING);
      case LibPcap.ERROR_IFACE_NOT_UP ->
          new PortException(Cause.DOWN, call + "the interface is down: ip link set dev " + device + " up");
      default -> new PortException(Cause.SYSTEM, call + likelyCause(said, bufferSize));
    };
  }

  /** By libpcap's words: it cleans up after what failed, and leaves the errno of that. */
  private static String likelyCause(String said, int bufferSize) {
    return said.contains(Libc.words(Libc.ENOMEM))
        ? "the kernel has no memory for a ring of " + bufferSize + " bytes: free memory"
        : remedy(said);
  }

  private static String remedy(String said) {
    return Native.remedy(said, "see the error before");
  }

  private void listen() {
    try (Arena calls = Arena.ofConfined()) {
      MemorySegment errors = LibPcap.errorBuffer(calls);
      if (LibPcap.setNonBlock(address, errors) < 0) {
        throw new PortException(Cause.SYSTEM, "pcap_setnonblock(" + device + ") failed: " + LibPcap.text(errors));
      }
    }
    LibPcap.set("pcap_setdirection", address, LibPcap.DIRECTION_IN);
    if (Native.LINUX) {
      // Spares the ring what PCAP_D_IN would discard; kernels before 4.20 lack it, and discarding does.
      Libc.setsockopt(LibPcap.fileno(address), SOL_PACKET, PACKET_IGNORE_OUTGOING, 1);
    }
  }

  long address() {
    return address;
  }

  int selectableFd() {
    return LibPcap.selectableFd(address);
  }

  String error() {
    return LibPcap.error(address);
  }

  /** Frames that kernel or device dropped since opening. */
  long missed() {
    if (LibPcap.stats(address, stats) >= 0) {
      drops.update(stats.get(Native.INT, 4), stats.get(Native.INT, 8));
    }
    return drops.missed();
  }

  @Override
  public void close() {
    LibPcap.close(address);
    arena.close();
  }
}
