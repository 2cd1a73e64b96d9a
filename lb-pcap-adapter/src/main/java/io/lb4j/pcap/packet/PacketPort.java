package io.lb4j.pcap.packet;

import io.lb4j.address.MacAddress;
import io.lb4j.pcap.os.Native;
import io.lb4j.pcap.os.NativeAccess;
import io.lb4j.pcap.os.NetDevice;
import io.lb4j.pcap.os.OffloadFeatures;
import io.lb4j.port.Port;
import io.lb4j.port.PortCounters;
import io.lb4j.port.PortException;
import io.lb4j.port.PortException.Cause;
import io.lb4j.port.PortQueue;
import io.lb4j.port.PortStatus;
import io.lb4j.port.PortTraits;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A live Ethernet interface through Linux packet sockets. Received frames are handed over where the kernel put them, in
 * rings that it shares with us, and are sent from there, through this port or another one of the process: nothing is
 * copied in between. The host's kernel sees the same frames; frames that the host sends, this port's among them, are
 * not received.
 *
 * <p>Offloads are carried, not fought: a frame whose sender left its checksum or its segmentation to a device comes
 * with the marks of that, and leaves with them. A host needs no {@code ethtool}.
 *
 * <p>Opening needs Linux 4.20 or later, the capability CAP_NET_RAW, and native access for the module: {@code
 * --enable-native-access=io.lb4j.pcap}, or {@code ALL-UNNAMED} on the class path. Control methods are safe from any
 * thread; each queue is owned by one worker.
 *
 * <p>An interface that goes down or is removed throws nothing: {@link #status()} says DOWN or GONE, nothing is
 * received, and what is handed over is refused. After DOWN frames flow again when the interface is up; after GONE the
 * port has to be opened anew, also when the interface was but in another network namespace for a while.
 *
 * <p>A VLAN tag (802.1Q) travels beside the bytes, as {@link io.lb4j.frame.FrameMarks#VLAN}; a tag of another protocol
 * (802.1ad) is put back into the bytes. Several queues share the frames by a hash over addresses and ports that is the
 * same for both directions of a flow; when a queue's ring is full its frames are missed, not given to another queue.
 */
public final class PacketPort implements Port {
  private static final Logger LOGGER = LoggerFactory.getLogger(PacketPort.class);

  private final String name;
  private final PortTraits traits;
  private final NetDevice device;
  private final List<PacketQueue> queues;
  private final PacketSockets sockets;
  private final List<String> warnings;
  private final Object lock = new Object();

  // guarded by lock
  private final Set<MacAddress> joined = new HashSet<>();
  private boolean closed;

  private PacketPort(Builder options, NetDevice device, PacketSockets sockets) {
    this.name = options.interfaceName;
    this.device = device;
    this.sockets = sockets;
    this.queues = sockets.queues();
    MacAddress mac = options.mac == null ? device.mac() : options.mac;
    this.traits = new PortTraits(mac, device.mtu(), device.addresses(), true, true, true);
    List<String> found = new ArrayList<>(sockets.warnings());
    if (OffloadFeatures.mergesForGood(device)) {
      found.add(name + ": LRO is on: the device merges TCP segments in a way that cannot be undone, and the kernel"
          + " may drop them here; remedy: ethtool -K " + name + " lro off");
    }
    this.warnings = List.copyOf(found);
  }

  /**
   * Opens an interface with the usual options.
   *
   * @param interfaceName the system's name, for example {@code eth0}
   * @return the port; the caller closes it
   * @throws PortException as {@link Builder#open()}
   */
  public static PacketPort open(String interfaceName) {
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
    private static final int DEFAULT_RING_SIZE = 16 * 1024 * 1024;
    private static final int MAX_QUEUES = 64;

    final String interfaceName;
    Latency latency = Latency.AUTO;
    int queues = 1;
    int ringSize = DEFAULT_RING_SIZE;
    int retireTimeMs = 1;
    boolean promiscuous;
    boolean qdiscBypass;
    RingRequest.Allocator allocator = RingRequest.KERNEL;
    boolean asksKernel = true;
    private MacAddress mac;

    private Builder(String interfaceName) {
      this.interfaceName = interfaceName;
    }

    /**
     * What to favour.
     *
     * @param latency usual is {@link Latency#AUTO}
     * @return this
     */
    public Builder latency(Latency latency) {
      this.latency = latency;
      return this;
    }

    /**
     * Over how many queues the kernel divides the frames, each with a ring of its own.
     *
     * @param queues 1..64; usual is 1
     * @return this
     */
    public Builder queues(int queues) {
      this.queues = checked("queues", queues, 1, MAX_QUEUES);
      return this;
    }

    /**
     * Memory of a ring, of which a queue has one with {@link Latency#BULK} and two with {@link Latency#LOW}. Where the
     * kernel does not have so much the ring is smaller, which {@link PacketPort#warnings()} tells.
     *
     * @param bytes 512 KiB..1 GiB; usual are 16 MiB: 64 blocks of 256 KiB, or 8,192 slots of 2 KiB and 240 for
     *     super-frames, whose ring has 4 MiB at least
     * @return this
     */
    public Builder ringSize(int bytes) {
      ringSize = checked("ringSize", bytes, RingRequest.LEAST_SIZE, 1 << 30);
      return this;
    }

    /**
     * How long the kernel gathers frames before it hands over a block that is not full, with {@link Latency#BULK}: the
     * latency of a lone frame.
     *
     * @param milliseconds 1..1000; usual is 1
     * @return this
     */
    public Builder retireTimeMs(int milliseconds) {
      retireTimeMs = checked("retireTimeMs", milliseconds, 1, 1000);
      return this;
    }

    /**
     * Whether frames for all MAC addresses are received. Usually off: {@link PacketPort#join} asks for single ones.
     *
     * @param promiscuous whether
     * @return this
     */
    public Builder promiscuous(boolean promiscuous) {
      this.promiscuous = promiscuous;
      return this;
    }

    /**
     * Whether frames go to the driver without the kernel's queueing discipline. Ignored where the device does not cut
     * super-frames itself, because they would be lost. Frames sent so are not seen by tcpdump. Usually off.
     *
     * @param bypass whether
     * @return this
     */
    public Builder qdiscBypass(boolean bypass) {
      this.qdiscBypass = bypass;
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

    /** Chooses who gives memory for rings, for tests of its refusals. */
    Builder allocator(RingRequest.Allocator allocator) {
      this.allocator = allocator;
      return this;
    }

    /** Whether the kernel is asked to leave out what the host sends, for tests of what is done where it cannot. */
    Builder asksKernel(boolean asks) {
      this.asksKernel = asks;
      return this;
    }

    private static int checked(String setting, int value, int least, int most) {
      if (value < least || value > most) {
        throw new IllegalArgumentException(setting + " must be in " + least + ".." + most + ": " + value);
      }
      return value;
    }

    /**
     * Opens the interface.
     *
     * @return the port; the caller closes it
     * @throws PortException NOT_FOUND: no such interface; NOT_PERMITTED: CAP_NET_RAW is missing; DOWN: the interface is
     *     down; NOT_SUPPORTED: not Linux, a kernel before 4.20, native access is denied, or no Ethernet interface;
     *     SYSTEM: anything else, such as no memory for a ring. The message names the call, its error and the likely
     *     cause
     */
    public PacketPort open() {
      NativeAccess.requireLinux("packet sockets need Linux; a PcapPort works elsewhere");
      NetDevice device = NetDevice.open(interfaceName);
      PacketSockets sockets = new PacketSockets(this, device);
      try {
        sockets.open();
        PacketPort port = new PacketPort(this, device, sockets);
        port.ready(mac);
        return port;
      } catch (RuntimeException | OutOfMemoryError e) {
        sockets.close();
        device.close();
        throw Native.openingFailure(interfaceName, e);
      }
    }
  }

  private void ready(MacAddress override) {
    if (override != null) {
      join(override);
    }
    warnings.forEach(LOGGER::warn);
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
    return queues.size();
  }

  @Override
  public PortQueue queue(int index) {
    return queues.get(index);
  }

  /**
   * Which of the two it is.
   *
   * @return LOW or BULK, also where AUTO was asked for
   */
  public Latency latency() {
    return sockets.latency();
  }

  @Override
  public void join(MacAddress address) {
    synchronized (lock) {
      if (closed) {
        throw new PortException(Cause.SYSTEM, name + " was closed");
      }
      if (!address.equals(MacAddress.BROADCAST) && !joined.contains(address)) {
        sockets.first().join(address);
        joined.add(address);
      }
    }
  }

  @Override
  public PortStatus status() {
    synchronized (lock) {
      if (closed) {
        return PortStatus.CLOSED;
      }
      return sockets.first().hasInterface() ? device.status() : PortStatus.GONE;
    }
  }

  @Override
  public PortCounters counters() {
    synchronized (lock) {
      PortCounters sum = PortCounters.ZERO;
      for (PacketQueue queue : queues) {
        sum = sum.plus(closed ? queue.lastCounters() : queue.counters());
      }
      return sum;
    }
  }

  /**
   * What stands in the way of forwarding frames through this interface, each with its remedy. Logged once, at opening.
   *
   * @return sentences; empty when nothing was found
   */
  public List<String> warnings() {
    return warnings;
  }

  @Override
  public void close() {
    synchronized (lock) {
      if (closed) {
        return;
      }
      queues.forEach(PacketQueue::counters); // for the last time
      closed = true;
    }
    queues.forEach(PacketQueue::deafen); // all, before the frames are divided anew among those that are left
    queues.forEach(PacketQueue::close); // outside the lock: the worker may be asking for the status
    sockets.undivide();
    device.close();
  }
}
