package io.lb4j.pcap.live;

import io.lb4j.address.IpPrefix;
import io.lb4j.address.MacAddress;
import io.lb4j.pcap.PcapPort;
import io.lb4j.pcap.packet.Latency;
import io.lb4j.pcap.packet.PacketPort;
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
 */
public final class LivePorts {
  private static final Set<Cause> SAME_FOR_ALL = EnumSet.of(Cause.NOT_FOUND, Cause.NOT_PERMITTED, Cause.DOWN);

  private final String interfaceName;
  private LiveIo io = LiveIo.AUTO;
  private Latency latency = Latency.AUTO;
  private int queues = 1;
  private int bufferSize;
  private MacAddress mac;
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
   * @param favoured usual is {@link Latency#AUTO}; libpcap takes LOW as its immediate mode
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
   * @param bytes for each queue; 0 for the usual
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
   * Opens it.
   *
   * @return the port and what is to say about it
   * @throws PortException as {@link PacketPort.Builder#open()} and {@link PcapPort.Builder#open()}; with AUTO that of the
   *     first way, with what the others said
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
    XdpPort.Builder options = XdpPort.builder(interfaceName).queues(queues);
    if (mac != null) {
      options.mac(mac);
    }
    XdpPort port = options.open();
    return new LivePort(port, LiveIo.XDP, said("xdp", why), port.warnings());
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
