package io.lb4j.pcap.os;

import io.lb4j.address.InterfaceAddress;
import io.lb4j.address.IpAddress;
import io.lb4j.address.MacAddress;
import io.lb4j.port.PortException;
import io.lb4j.port.PortException.Cause;
import io.lb4j.port.PortStatus;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.net.InetAddress;
import java.net.NetworkInterface;
import java.net.SocketException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/**
 * What the system says of a network interface: by netdevice(7) on Linux, where the class library does not know
 * interfaces without an IP address, else by the class library. Needs no rights. Safe from any thread until {@link
 * #close()}.
 */
public final class NetDevice implements AutoCloseable {
  private static final int AF_INET = 2;
  private static final int SOCK_DGRAM = 2;
  private static final int SOCK_CLOEXEC = 0x80000;
  private static final int IFREQ_SIZE = 40;
  private static final int IFREQ_VALUE = 16; // behind the name
  private static final int MAX_NAME_LENGTH = 15;
  private static final int SIOCGIFNAME = 0x8910;
  private static final int SIOCGIFFLAGS = 0x8913;
  private static final int SIOCGIFMTU = 0x8921;
  private static final int SIOCGIFHWADDR = 0x8927;
  private static final int SIOCGIFINDEX = 0x8933;
  private static final int SIOCETHTOOL = 0x8946;
  private static final int ETHTOOL_GCHANNELS = 0x3C;
  private static final int ARPHRD_ETHER = 1;
  private static final int ARPHRD_LOOPBACK = 772; // which has Ethernet headers too
  private static final int IFF_UP = 1;
  private static final int IFF_RUNNING = 0x40;

  private final String name;
  private final int fd; // -1 other than on Linux
  private int index;
  private int mtu;
  private MacAddress mac;

  private NetDevice(String name, int fd) {
    this.name = name;
    this.fd = fd;
  }

  /**
   * Looks an interface up in the network namespace of the calling thread.
   *
   * @throws PortException NOT_FOUND when there is none of this name; NOT_SUPPORTED when it has no Ethernet headers
   */
  public static NetDevice open(String name) {
    NetDevice device = new NetDevice(name, Native.LINUX ? querySocket() : -1);
    try {
      if (Native.LINUX) {
        device.askLinux();
      } else {
        device.askClassLibrary();
      }
      return device;
    } catch (RuntimeException e) {
      device.close();
      throw e;
    }
  }

  private static int querySocket() {
    int fd = Libc.socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0) {
      throw Native.failure(Cause.SYSTEM, "socket(AF_INET)", -fd, "the kernel is short of memory");
    }
    return fd;
  }

  /**
   * The name that a device of the calling thread's network namespace has now; empty when there is none of this index.
   */
  public static String nameOf(int index) {
    int fd = querySocket();
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment request = arena.allocate(IFREQ_SIZE, 8);
      request.set(Native.INT, IFREQ_VALUE, index);
      return Libc.ioctl(fd, SIOCGIFNAME, request) < 0 ? "" : request.getString(0);
    } finally {
      Libc.close(fd);
    }
  }

  private void askLinux() {
    int length = name.getBytes(StandardCharsets.UTF_8).length;
    if (length == 0 || length > MAX_NAME_LENGTH) {
      throw notFound("a name has 1..15 bytes");
    }
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment request = arena.allocate(IFREQ_SIZE, 8);
      request.setString(0, name);
      ask(SIOCGIFINDEX, "SIOCGIFINDEX", request);
      index = request.get(Native.INT, IFREQ_VALUE);
      ask(SIOCGIFNAME, "SIOCGIFNAME", request);
      requireOwnName(request.getString(0));
      ask(SIOCGIFMTU, "SIOCGIFMTU", request);
      mtu = request.get(Native.INT, IFREQ_VALUE);
      ask(SIOCGIFHWADDR, "SIOCGIFHWADDR", request);
      requireEthernet(request.get(Native.SHORT, IFREQ_VALUE) & 0xFFFF);
      byte[] octets = request.asSlice(IFREQ_VALUE + 2, 6).toArray(ValueLayout.JAVA_BYTE);
      mac = macOf(octets);
    }
  }

  /** The kernel finds interfaces by altnames too; sysctls and the class library, which ports and checks ask, do not. */
  private void requireOwnName(String own) {
    if (!name.equals(own)) {
      throw new PortException(
          Cause.NOT_FOUND, "'" + name + "' is another name of the interface " + own + ": use " + own);
    }
  }

  private void requireEthernet(int type) {
    if (type != ARPHRD_ETHER && type != ARPHRD_LOOPBACK) {
      throw new PortException(
          Cause.NOT_SUPPORTED,
          name + " is no Ethernet interface (its ARPHRD type is " + type + "); frames flow through those only");
    }
  }

  private void ask(int request, String requestName, MemorySegment argument) {
    int answer = Libc.ioctl(fd, request, argument);
    if (answer < 0) {
      throw notFound("ioctl(" + requestName + ") failed: " + Libc.describe(-answer));
    }
  }

  private PortException notFound(String detail) {
    return new PortException(
        Cause.NOT_FOUND,
        "there is no interface '" + name + "' in this network namespace: " + detail + "; ip link lists them");
  }

  private void askClassLibrary() {
    try {
      NetworkInterface device = NetworkInterface.getByName(name);
      if (device == null) {
        throw notFound("the class library does not know it");
      }
      index = device.getIndex();
      mtu = device.getMTU();
      mac = macOf(device.getHardwareAddress());
    } catch (SocketException e) {
      throw new PortException(Cause.SYSTEM, name + " cannot be asked: " + e.getMessage(), e);
    }
  }

  /** All zeros for an interface that has no address, such as loopback. */
  private static MacAddress macOf(byte[] octets) {
    long value = 0;
    for (int i = 0; octets != null && i < 6; i++) {
      value = value << 8 | octets[i] & 0xFF;
    }
    return MacAddress.of(value);
  }

  public String name() {
    return name;
  }

  public int index() {
    return index;
  }

  public int mtu() {
    return mtu;
  }

  public MacAddress mac() {
    return mac;
  }

  /** The host's addresses on the interface, in the network namespace of the process. */
  public List<InterfaceAddress> addresses() {
    try {
      NetworkInterface device = NetworkInterface.getByName(name);
      List<InterfaceAddress> addresses = new ArrayList<>();
      if (device != null) {
        for (java.net.InterfaceAddress address : device.getInterfaceAddresses()) {
          IpAddress ip = IpAddress.of(address.getAddress().getAddress());
          addresses.add(new InterfaceAddress(ip, address.getNetworkPrefixLength()));
        }
      }
      return addresses;
    } catch (SocketException e) {
      String said = String.valueOf(e.getMessage());
      throw new PortException(
          Cause.SYSTEM,
          "addresses of " + name + " cannot be read: " + said + "; " + Native.remedy(said, "see the error before"),
          e);
    }
  }

  /** The host's addresses on all interfaces, in the network namespace of the process. */
  public static List<IpAddress> hostAddresses() {
    List<IpAddress> addresses = new ArrayList<>();
    try {
      for (NetworkInterface each : Collections.list(NetworkInterface.getNetworkInterfaces())) {
        for (InetAddress address : Collections.list(each.getInetAddresses())) {
          addresses.add(IpAddress.of(address.getAddress()));
        }
      }
      return addresses;
    } catch (SocketException e) {
      throw new PortException(Cause.SYSTEM, "the host's addresses cannot be read: " + e.getMessage(), e);
    }
  }

  /** Asks by the interface's index, so that a new interface of the same name is not taken for it. */
  public PortStatus status() {
    if (fd < 0) {
      return classLibraryStatus();
    }
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment request = requestByIndex(arena);
      if (request == null || Libc.ioctl(fd, SIOCGIFFLAGS, request) < 0) {
        return PortStatus.GONE;
      }
      int flags = request.get(Native.SHORT, IFREQ_VALUE);
      return (flags & IFF_UP) != 0 && (flags & IFF_RUNNING) != 0 ? PortStatus.UP : PortStatus.DOWN;
    }
  }

  private PortStatus classLibraryStatus() {
    try {
      NetworkInterface device = NetworkInterface.getByName(name);
      if (device == null || device.getIndex() != index) {
        return PortStatus.GONE;
      }
      return device.isUp() ? PortStatus.UP : PortStatus.DOWN;
    } catch (SocketException e) {
      return PortStatus.GONE;
    }
  }

  /** An ifreq with the name the interface has now; null when it is gone. */
  private MemorySegment requestByIndex(Arena arena) {
    MemorySegment request = arena.allocate(IFREQ_SIZE, 8);
    request.set(Native.INT, IFREQ_VALUE, index);
    return Libc.ioctl(fd, SIOCGIFNAME, request) < 0 ? null : request;
  }

  /** Asks the driver (ethtool); false when it does not know, and other than on Linux. */
  public boolean ethtool(MemorySegment command) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment request = fd < 0 ? null : requestByIndex(arena);
      if (request == null) {
        return false;
      }
      request.set(Native.POINTER, IFREQ_VALUE, command.address());
      return Libc.ioctl(fd, SIOCETHTOOL, request) >= 0;
    }
  }

  /** How many queues the device receives by; 1 where the driver does not tell. */
  public int receiveQueues() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment channels = arena.allocate(36, 4); // ethtool_channels
      channels.set(Native.INT, 0, ETHTOOL_GCHANNELS);
      if (!ethtool(channels)) {
        return 1;
      }
      return Math.max(1, channels.get(Native.INT, 20) + channels.get(Native.INT, 32)); // rx_count, combined_count
    }
  }

  @Override
  public void close() {
    if (fd >= 0) {
      Libc.close(fd);
    }
  }
}
