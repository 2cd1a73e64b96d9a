package io.lb4j.pcap.xdp;

import io.lb4j.address.MacAddress;
import io.lb4j.pcap.os.Native;
import io.lb4j.pcap.os.NativeAccess;
import io.lb4j.pcap.os.NetDevice;
import io.lb4j.port.PortCounters;
import io.lb4j.port.PortException;
import io.lb4j.port.PortException.Cause;
import io.lb4j.port.PortQueue;
import io.lb4j.port.PortStatus;
import io.lb4j.port.PortTraits;
import io.lb4j.port.SteeredPort;
import io.lb4j.port.SteeredPrefixes;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A live Ethernet interface through AF_XDP sockets of Linux. A program in the driver takes the frames of the balancer's
 * prefixes away from the kernel, which does not see them, and leaves it all others: what the host itself does goes on
 * beside. ARP, neighbour discovery, echo replies and ICMP errors go to both.
 *
 * <p>Offloads of senders on the same host are not carried: see {@link PortTraits}. Opening needs Linux 5.10 or later,
 * the capabilities CAP_BPF, CAP_NET_ADMIN and CAP_NET_RAW, and native access for the module. The program is gone when
 * the port is closed, and when the process ends, however it ends. Control methods are safe from any thread; each queue
 * is owned by one worker.
 *
 * <p>An interface that goes down or is removed throws nothing: {@link #status()} says DOWN or GONE, nothing is
 * received, and what is handed over is refused. After GONE the port has to be opened anew.
 */
public final class XdpPort implements SteeredPort {
  /** Entries that a socket's ring has at least. */
  public static final int LEAST_RING_SIZE = 64;

  /** Entries that a socket's ring has at most. */
  public static final int LARGEST_RING_SIZE = 2048;

  private static final Logger LOGGER = LoggerFactory.getLogger(XdpPort.class);

  private final String name;
  private final NetDevice device;
  private final PortTraits traits;
  private final XdpParts parts;
  private final Object lock = new Object();

  // guarded by lock
  private final Claims claims;
  private final Set<MacAddress> joined = new HashSet<>();
  private boolean closed;

  private XdpPort(String name, NetDevice device, PortTraits traits, XdpParts parts) {
    this.name = name;
    this.device = device;
    this.traits = traits;
    this.parts = parts;
    claims = new Claims(parts.prefixes(), device.mac());
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
    final String interfaceName;
    int ringSize = LARGEST_RING_SIZE;
    boolean copy;
    boolean generic;
    boolean everything;
    int queues = 1;
    @Nullable MacAddress mac;
    @Nullable XdpMemory memory;

    private Builder(String interfaceName) {
      this.interfaceName = interfaceName;
    }

    /**
     * Entries of each of a socket's four rings.
     *
     * @param entries a power of two in 64..2048; usual are 2,048
     * @return this
     */
    public Builder ringSize(int entries) {
      if (entries < LEAST_RING_SIZE || entries > LARGEST_RING_SIZE || Integer.bitCount(entries) != 1) {
        throw new IllegalArgumentException("ringSize must be a power of two in 64..2048: " + entries);
      }
      ringSize = entries;
      return this;
    }

    /**
     * Over how many queues those of the device are divided.
     *
     * @param count 1..64, and not more than the device has; usual is 1
     * @return this
     */
    public Builder queues(int count) {
      if (count < 1 || count > 64) {
        throw new IllegalArgumentException("queues must be in 1..64: " + count);
      }
      queues = count;
      return this;
    }

    /**
     * A MAC address to use instead of the device's own, which the port then joins.
     *
     * @param own a unicast address
     * @return this
     */
    public Builder mac(MacAddress own) {
      if (own.isMulticast()) {
        throw new IllegalArgumentException("mac must be a unicast address: " + own);
      }
      mac = own;
      return this;
    }

    /**
     * Memory to share with other ports; usually the port has its own.
     *
     * @param shared with chunks for this port's MTU, as {@link XdpMemory#sharedBy} makes it
     * @return this
     */
    public Builder memory(XdpMemory shared) {
      memory = shared;
      return this;
    }

    /**
     * Whether the kernel copies frames even where the driver could do without. Usually off.
     *
     * @param always whether
     * @return this
     */
    public Builder copy(boolean always) {
      copy = always;
      return this;
    }

    /**
     * Whether the program runs in the kernel's stack even where the driver could run it. Usually off.
     *
     * @param always whether
     * @return this
     */
    public Builder generic(boolean always) {
      generic = always;
      return this;
    }

    /**
     * Whether all frames of the interface are taken from the kernel, which is then cut off. Usually off.
     *
     * @param all whether
     * @return this
     */
    public Builder everything(boolean all) {
      everything = all;
      return this;
    }

    /**
     * Opens the interface, which receives nothing but ARP and neighbour discovery until {@link XdpPort#steer}.
     *
     * @return the port; the caller closes it
     * @throws PortException NOT_FOUND: no such interface; NOT_PERMITTED: a capability is missing; DOWN: the interface
     *     is down; NOT_SUPPORTED: not Linux, native access is denied, no Ethernet interface, or an MTU that does not fit
     *     into a chunk; SYSTEM:
     *     anything else. The message names the call, its error and the likely cause
     */
    public XdpPort open() {
      requireLinux();
      NetDevice device = NetDevice.open(interfaceName);
      try {
        MacAddress own = mac == null ? device.mac() : mac;
        PortTraits traits = new PortTraits(own, device.mtu(), device.addresses(), true, false, false);
        XdpPort port = new XdpPort(interfaceName, device, traits, new XdpParts(this, device));
        port.parts.warnings().forEach(LOGGER::warn);
        port.ready(mac);
        return port;
      } catch (RuntimeException | OutOfMemoryError e) {
        device.close();
        throw Native.openingFailure(interfaceName, e);
      }
    }
  }

  static void requireLinux() {
    NativeAccess.requireLinux("AF_XDP needs Linux; a PcapPort works elsewhere");
  }

  private void ready(@Nullable MacAddress override) {
    try {
      steer(SteeredPrefixes.NONE);
      if (override != null) {
        join(override);
      }
    } catch (RuntimeException | OutOfMemoryError e) {
      parts.close();
      throw e;
    }
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
    return parts.queues().size();
  }

  @Override
  public PortQueue queue(int index) {
    return parts.queues().get(index);
  }

  @Override
  public void steer(SteeredPrefixes wanted) {
    synchronized (lock) {
      requireOpen();
      claims.steer(wanted);
    }
  }

  private void requireOpen() {
    if (closed) {
      throw new PortException(Cause.SYSTEM, name + " was closed");
    }
  }

  @Override
  public void join(MacAddress address) {
    synchronized (lock) {
      requireOpen();
      if (address.equals(MacAddress.BROADCAST) || joined.contains(address)) {
        return;
      }
      parts.tap().socket().join(address);
      joined.add(address);
      if (!address.isMulticast()) {
        claims.add(address);
      }
    }
  }

  @Override
  public PortStatus status() {
    synchronized (lock) {
      if (closed) {
        return PortStatus.CLOSED;
      }
      return parts.tap().socket().hasInterface() ? device.status() : PortStatus.GONE;
    }
  }

  @Override
  public PortCounters counters() {
    synchronized (lock) {
      PortCounters sum = PortCounters.ZERO;
      for (XdpQueue queue : parts.queues()) {
        sum = sum.plus(closed ? queue.lastCounters() : queue.counters());
      }
      return sum;
    }
  }

  /**
   * What stands in the way of forwarding frames fast, each with its remedy. Logged once, at opening.
   *
   * @return sentences; empty when nothing was found
   */
  public List<String> warnings() {
    return parts.warnings();
  }

  /**
   * Whether the driver runs the program; if not, the kernel's stack does.
   *
   * @return fixed from opening to closing
   */
  public boolean isNative() {
    return parts.isNative();
  }

  /**
   * Whether the driver itself reads and writes the memory of frames.
   *
   * @return fixed from opening to closing
   */
  public boolean isZeroCopy() {
    return parts.isZeroCopy();
  }

  @Override
  public void close() {
    synchronized (lock) {
      if (closed) {
        return;
      }
      parts.queues().forEach(XdpQueue::counters); // for the last time
      closed = true;
    }
    parts.close(); // outside the lock: the worker may be asking for the status
    device.close();
  }

  /** The program that runs for each frame, for tests. */
  int program() {
    return parts.program();
  }
}
