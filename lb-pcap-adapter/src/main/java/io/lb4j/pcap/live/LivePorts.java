package io.lb4j.pcap.live;

import io.lb4j.address.IpPrefix;
import io.lb4j.address.MacAddress;
import io.lb4j.pcap.PcapPort;
import io.lb4j.pcap.packet.Latency;
import io.lb4j.pcap.packet.PacketPort;
import io.lb4j.pcap.xdp.XdpMemory;
import io.lb4j.pcap.xdp.XdpPort;
import io.lb4j.port.PortException;
import io.lb4j.port.PortException.Cause;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;

/**
 * Opens an interface one way or another. Owned by one thread.
 *
 * <pre>
 * LivePort eth0 = LivePorts.of("eth0").open();      // the best that works
 * System.out.println(eth0.choice());
 * </pre>
 *
 * <p>Interfaces between which frames go are opened together, by {@link #openAll}.
 */
public final class LivePorts {
  private static final Set<Cause> SAME_FOR_ALL = EnumSet.of(Cause.NOT_FOUND, Cause.NOT_PERMITTED, Cause.DOWN);

  private final String interfaceName;
  private LiveIo io = LiveIo.AUTO;
  private Latency latency = Latency.AUTO;
  private int queues = 1;
  private int bufferSize;
  private MacAddress mac;
  private XdpMemory memory;
  private List<IpPrefix> hidden = List.of();

  private LivePorts(String interfaceName) {
    this.interfaceName = interfaceName;
  }

  /**
   * The usual options.
   *
   * @param interfaceName the system's name, for example {@code eth0}
   * @return options to be changed and opened
   */
  public static LivePorts of(String interfaceName) {
    return new LivePorts(interfaceName);
  }

  /**
   * Which way.
   *
   * @param way usual is {@link LiveIo#AUTO}
   * @return this
   */
  public LivePorts io(LiveIo way) {
    this.io = way;
    return this;
  }

  /**
   * What to favour.
   *
   * @param favoured usual is {@link Latency#AUTO}; libpcap takes LOW as its immediate mode; AF_XDP hands each frame
   *     over at once whatever is favoured, which {@link LivePort#choice()} then says
   * @return this
   */
  public LivePorts latency(Latency favoured) {
    this.latency = favoured;
    return this;
  }

  /**
   * Over how many queues frames are divided. libpcap has one.
   *
   * @param count 1..64; usual is 1
   * @return this
   */
  public LivePorts queues(int count) {
    this.queues = count;
    return this;
  }

  /**
   * Memory for frames that wait to be received.
   *
   * @param bytes for each queue; 0 for the usual. AF_XDP makes of it a power of two of frames of 2 KiB, 64 to 2,048,
   *     and says when that is less
   * @return this
   */
  public LivePorts bufferSize(int bytes) {
    this.bufferSize = bytes;
    return this;
  }

  /**
   * A MAC address to use instead of the device's own.
   *
   * @param own a unicast address
   * @return this
   */
  public LivePorts mac(MacAddress own) {
    this.mac = own;
    return this;
  }

  /**
   * Memory that AF_XDP ports share: frames go from one to the other without being copied. To be kept where one of them
   * may have to be opened anew.
   *
   * @param shared with room for this port too; usually the port has its own
   * @return this
   */
  public LivePorts memory(XdpMemory shared) {
    this.memory = shared;
    return this;
  }

  /**
   * Addresses of the balancer that the host may have, because its kernel never sees a frame for them: see {@link
   * io.lb4j.pcap.host.KernelShield}. The port does not count them among the host's.
   *
   * @param prefixes that the balancer alone answers for
   * @return this
   */
  public LivePorts hide(List<IpPrefix> prefixes) {
    this.hidden = List.copyOf(prefixes);
    return this;
  }

  /**
   * Opens interfaces between which frames go: those that are opened as AF_XDP sockets share a memory, so that nothing
   * is copied in between.
   *
   * @param interfaces options of each; those that have a memory keep it
   * @return the ports, in the same order
   * @throws PortException as {@link #open()}; then none is open
   */
  public static List<LivePort> openAll(List<LivePorts> interfaces) {
    List<LivePorts> sharing = interfaces.stream().filter(each -> each.io == LiveIo.XDP && each.memory == null).toList();
    if (sharing.size() > 1) {
      XdpMemory shared = XdpMemory.sharedBy(sharing.stream().map(LivePorts::xdpOptions).toList());
      sharing.forEach(each -> each.memory(shared));
    }
    List<LivePort> opened = new ArrayList<>();
    try {
      interfaces.forEach(each -> opened.add(each.open()));
      return opened;
    } catch (RuntimeException e) {
      opened.forEach(live -> live.port().close());
      throw e;
    }
  }

  /**
   * Opens it.
   *
   * @return the port and what is to say about it
   * @throws PortException as {@link PacketPort.Builder#open()} and {@link PcapPort.Builder#open()}; with AUTO that of
   *     the first way, with what the others said
   */
  public LivePort open() {
    LivePort opened = io == LiveIo.AUTO ? openBest() : open(io, "as configured");
    return hidden.isEmpty()
        ? opened
        : new LivePort(new HiddenAddressesPort(opened.port(), hidden), opened.io(), opened.choice(), opened.warnings());
  }

  private LivePort openBest() {
    String whyNotXdp = "; xdp takes frames away from the kernel, and is used when asked for";
    PortException first;
    try {
      return open(LiveIo.PACKET, "carries offloads, and pcap does not" + whyNotXdp);
    } catch (PortException e) {
      if (SAME_FOR_ALL.contains(e.reason())) {
        throw e;
      }
      first = e;
    }
    if (queues > 1) {
      throw new PortException(first.reason(), first.getMessage() + "; nor pcap: it has one queue, not " + queues, first);
    }
    try {
      return open(LiveIo.PCAP, "packet does not work here: " + first.getMessage() + whyNotXdp);
    } catch (PortException e) {
      throw new PortException(first.reason(), first.getMessage() + "; nor pcap: " + e.getMessage(), first);
    }
  }

  private LivePort open(LiveIo way, String why) {
    return switch (way) {
      case PACKET -> packet(why);
      case PCAP -> pcap(why);
      default -> xdp(why);
    };
  }

  private LivePort packet(String why) {
    PacketPort.Builder options = PacketPort.builder(interfaceName).latency(latency).queues(queues);
    if (bufferSize > 0) {
      options.ringSize(bufferSize);
    }
    if (mac != null) {
      options.mac(mac);
    }
    PacketPort port = options.open();
    return new LivePort(port, LiveIo.PACKET, said("packet", why), port.warnings());
  }

  private LivePort xdp(String why) {
    XdpPort port = xdpOptions().open();
    return new LivePort(port, LiveIo.XDP, said("xdp", why) + xdpDifferences(), port.warnings());
  }

  private XdpPort.Builder xdpOptions() {
    XdpPort.Builder options = XdpPort.builder(interfaceName).queues(queues);
    if (bufferSize > 0) {
      options.ringSize(xdpRingSize());
    }
    if (mac != null) {
      options.mac(mac);
    }
    if (memory != null) {
      options.memory(memory);
    }
    return options;
  }

  private int xdpRingSize() {
    int frames = Integer.highestOneBit(Math.max(1, bufferSize / XdpMemory.SMALL_CHUNK));
    return Math.clamp(frames, XdpPort.LEAST_RING_SIZE, XdpPort.LARGEST_RING_SIZE);
  }

  /** What was asked for and is otherwise here. */
  private String xdpDifferences() {
    String differences =
        latency == Latency.BULK ? "; latency bulk changes nothing, each frame is handed over at once" : "";
    boolean less = bufferSize > 0 && bufferSize / XdpMemory.SMALL_CHUNK > xdpRingSize();
    return less
        ? differences + "; bufferSize " + bufferSize + " becomes room for " + xdpRingSize() + " frames"
        : differences;
  }

  private LivePort pcap(String why) {
    if (queues > 1) {
      throw new PortException(
          Cause.NOT_SUPPORTED, interfaceName + ": io pcap has one queue, not " + queues + "; io packet has several");
    }
    PcapPort.Builder options = PcapPort.builder(interfaceName).immediate(latency == Latency.LOW);
    if (bufferSize > 0) {
      options.bufferSize(bufferSize);
    }
    if (mac != null) {
      options.mac(mac);
    }
    PcapPort port = options.open();
    List<String> warnings = new ArrayList<>(port.warnings());
    return new LivePort(port, LiveIo.PCAP, said("pcap", why), warnings);
  }

  private String said(String way, String why) {
    return interfaceName + ": io " + way + ": " + why;
  }
}
