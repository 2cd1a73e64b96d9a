package io.lb4j.pcap;

import io.lb4j.address.MacAddress;
import io.lb4j.pcap.os.Native;
import io.lb4j.pcap.os.NativeAccess;
import io.lb4j.pcap.os.NetDevice;
import io.lb4j.pcap.os.PacketSocket;
import io.lb4j.pcap.os.PortTally;
import io.lb4j.port.Port;
import io.lb4j.port.PortCounters;
import io.lb4j.port.PortException.Cause;
import io.lb4j.port.PortException;
import io.lb4j.port.PortQueue;
import io.lb4j.port.PortStatus;
import io.lb4j.port.PortTraits;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * A live Ethernet interface through libpcap, with one queue. Received frames come as copies; the host's kernel sees the
 * same frames. Frames are sent in batches: by a packet socket of its own on Linux, else by {@code pcap_inject}. Frames
 * that the host sends, this port's among them, are not received.
 *
 * <p>Opening needs the capability CAP_NET_RAW on Linux, and native access for the module: {@code
 * --enable-native-access=io.lb4j.pcap}, or {@code ALL-UNNAMED} on the class path. Control methods are safe from any
 * thread; the queue is owned by one worker.
 *
 * <p>An interface that goes down or is removed throws nothing: {@link #status()} says DOWN or GONE, nothing is
 * received, and what is handed over is refused. After DOWN frames flow again when the interface is up; after GONE the
 * port has to be opened anew, also when the interface was but in another network namespace for a while.
 *
 * <p>VLAN tags are in the bytes, as libpcap puts them; a tag beside the bytes is put back when sending. A received
 * frame longer than the MTU allows is marked {@link io.lb4j.frame.FrameMarks#GSO}, with segment size 0 because libpcap
 * does not tell it. Unfinished transport checksums are not told either: see {@link #warnings()}.
 */
public final class PcapPort implements Port {
  private final String name;
  private final boolean promiscuous;
  private final PortTraits traits;
  private final NetDevice device;
  private final PcapHandle handle;
  private final PacketSocket socket; // null where there are none
  private final PcapQueue queue;
  private final PortTally tally = new PortTally();
  private final PcapWarnings warnings;
  private final Object lock = new Object();

  // guarded by lock
  private final Set<MacAddress> joined = new HashSet<>();
  private boolean closed;
  private long missedAtClosing;

  private PcapPort(Builder options, NetDevice device, PcapHandle handle, PacketSocket socket, int snapLength) {
    this.name = options.interfaceName;
    this.promiscuous = options.promiscuous;
    this.device = device;
    this.handle = handle;
    this.socket = socket;
    MacAddress mac = options.mac == null ? device.mac() : options.mac;
    this.traits = new PortTraits(mac, device.mtu(), device.addresses(), true, false, false);
    this.warnings = new PcapWarnings(device, handle);
    this.queue = new PcapQueue(warnings, handle, traits.mtu(), snapLength, socket, tally);
  }

  /**
   * Opens an interface with the usual options.
   *
   * @param interfaceName the system's name, for example {@code eth0}
   * @return the port; the caller closes it
   * @throws PortException as {@link Builder#open()}
   */
  public static PcapPort open(String interfaceName) {
    return builder(interfaceName).open();
  }

  /**
   * Options for an interface.
   *
   * @param interfaceName the system's name, for example {@code eth0}
   * @return a builder with the usual values
   */
  public static Builder builder(String interfaceName) {
    return new Builder(interfaceName);
  }

  /** How an interface is opened. Owned by one thread. */
  public static final class Builder {
    private static final int DEFAULT_BUFFER_SIZE = 8 * 1024 * 1024;
    private static final int DEFAULT_SNAP_LENGTH = 65_535 + 18;
    private static final int LONGEST_FRAME_OVERHEAD = 22; // Ethernet and two VLAN tags
    private static final int SEND_BUFFER_SIZE = 4 * 1024 * 1024;

    final String interfaceName;
    int snapLength;
    int bufferSize = DEFAULT_BUFFER_SIZE;
    int batchTimeoutMs = 1;
    boolean promiscuous;
    boolean immediate;
    boolean packetSocket = true;
    private MacAddress mac;

    private Builder(String interfaceName) {
      this.interfaceName = interfaceName;
    }

    /**
     * Most bytes taken of a frame; longer ones are marked truncated.
     *
     * @param bytes 64..262,144; usual are 65,553, or MTU + 22 in {@linkplain #immediate immediate} mode
     * @return this
     */
    public Builder snapLength(int bytes) {
      snapLength = checked("snapLength", bytes, 64, CapturedPacket.MAX_LENGTH);
      return this;
    }

    /**
     * Memory of the kernel's ring.
     *
     * @param bytes 64 KiB..1 GiB; usual are 8 MiB. On Linux that is 32 blocks of 256 KiB; a block also ends after the
     *     {@linkplain #batchTimeoutMs batch timeout}, so that 8 MiB and 1 ms hold what arrives in 32 ms
     * @return this
     */
    public Builder bufferSize(int bytes) {
      bufferSize = checked("bufferSize", bytes, 64 * 1024, 1 << 30);
      return this;
    }

    /**
     * How long the kernel gathers frames before it hands over a block that is not full: the latency of a lone frame.
     *
     * @param milliseconds 1..1000; usual is 1
     * @return this
     */
    public Builder batchTimeoutMs(int milliseconds) {
      batchTimeoutMs = checked("batchTimeoutMs", milliseconds, 1, 1000);
      return this;
    }

    /**
     * Whether frames for all MAC addresses are received. Usually off: {@link PcapPort#join} asks for single ones.
     *
     * @param promiscuous whether
     * @return this
     */
    public Builder promiscuous(boolean promiscuous) {
      this.promiscuous = promiscuous;
      return this;
    }

    /**
     * Whether frames are handed over one by one, at once: less latency, less throughput. Usually off.
     *
     * @param immediate whether
     * @return this
     */
    public Builder immediate(boolean immediate) {
      this.immediate = immediate;
      return this;
    }

    /**
     * A MAC address to use instead of the device's own, which the port then joins.
     *
     * @param mac a unicast address
     * @return this
     */
    public Builder mac(MacAddress mac) {
      if (mac.isMulticast()) {
        throw new IllegalArgumentException("mac must be a unicast address: " + mac);
      }
      this.mac = mac;
      return this;
    }

    /** Chooses how frames are sent, for tests of the other way. */
    Builder packetSocket(boolean packetSocket) {
      this.packetSocket = packetSocket;
      return this;
    }

    private static int checked(String setting, int value, int least, int most) {
      if (value < least || value > most) {
        throw new IllegalArgumentException(setting + " must be in " + least + ".." + most + ": " + value);
      }
      return value;
    }

    private int effectiveSnapLength(int mtu) {
      if (snapLength != 0) {
        return snapLength;
      }
      // In immediate mode libpcap gives every frame of its ring the room of the longest.
      int longest = mtu + LONGEST_FRAME_OVERHEAD;
      return immediate ? longest : Math.max(longest, DEFAULT_SNAP_LENGTH);
    }

    /**
     * Opens the interface.
     *
     * @return the port; the caller closes it
     * @throws PortException NOT_FOUND: no such interface; NOT_PERMITTED: CAP_NET_RAW is missing; DOWN: the interface is
     *     down; NOT_SUPPORTED: libpcap is missing, native access is denied, or the interface is not Ethernet; SYSTEM:
     *     anything else. The message names the call, its error and the likely cause
     */
    public PcapPort open() {
      NativeAccess.require(LibPcap::require);
      NetDevice device = NetDevice.open(interfaceName);
      PcapHandle handle = null;
      PacketSocket socket = null;
      PcapPort port = null;
      try {
        int snap = effectiveSnapLength(device.mtu());
        handle = PcapHandle.open(interfaceName, this, snap);
        if (packetSocket && Native.LINUX) {
          socket = PacketSocket.open(interfaceName, device.index(), SEND_BUFFER_SIZE);
        }
        port = new PcapPort(this, device, handle, socket, snap);
        port.ready(mac);
        return port;
      } catch (RuntimeException | OutOfMemoryError e) {
        if (port == null) {
          PcapPort.close(device, handle, socket);
        } else {
          port.close();
        }
        throw Native.openingFailure(interfaceName, e);
      }
    }
  }

  private static void close(NetDevice device, PcapHandle handle, PacketSocket socket) {
    if (handle != null) {
      handle.close();
    }
    if (socket != null) {
      socket.close();
    }
    device.close();
  }

  private void ready(MacAddress override) {
    if (override != null) {
      join(override);
    }
    warnings.logAll();
  }

  @Override
  public String name() {
    return name;
  }

  @Override
  public PortTraits traits() {
    return traits;
  }

  @Override
  public int queues() {
    return 1;
  }

  @Override
  public PortQueue queue(int index) {
    if (index != 0) {
      throw new IndexOutOfBoundsException("queue " + index + " of 1");
    }
    return queue;
  }

  @Override
  public void join(MacAddress address) {
    synchronized (lock) {
      if (closed) {
        throw new PortException(Cause.SYSTEM, name + " was closed");
      }
      if (address.equals(MacAddress.BROADCAST) || joined.contains(address) || socket == null && promiscuous) {
        return;
      }
      if (socket == null) {
        throw new PortException(
            Cause.NOT_SUPPORTED, "joining " + address + " needs Linux; open " + name + " promiscuous instead");
      }
      socket.join(address);
      joined.add(address);
    }
  }

  @Override
  public PortStatus status() {
    synchronized (lock) {
      if (closed) {
        return PortStatus.CLOSED;
      }
      boolean gone = socket != null && !socket.hasInterface();
      return gone ? PortStatus.GONE : device.status();
    }
  }

  @Override
  public PortCounters counters() {
    synchronized (lock) {
      return tally.snapshot(closed ? missedAtClosing : handle.missed());
    }
  }

  /**
   * What stands in the way of forwarding frames through this interface, each with its remedy: receive offloads that
   * merge segments, and drivers behind which frames come with unfinished checksums. Logged once, when found. Safe from
   * any thread.
   *
   * @return sentences; empty when nothing was found
   */
  public List<String> warnings() {
    return warnings.all();
  }

  @Override
  public void close() {
    synchronized (lock) {
      if (closed) {
        return;
      }
      missedAtClosing = handle.missed();
      closed = true;
    }
    queue.close(); // outside the lock: the worker may be asking for the status
    close(device, handle, socket);
  }
}
