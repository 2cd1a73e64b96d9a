package io.lb4j.benchmarks.wire;

import io.lb4j.address.MacAddress;
import io.lb4j.frame.FrameBatch;
import io.lb4j.frame.FrameView;
import io.lb4j.pcap.PcapPort;
import io.lb4j.pcap.packet.Latency;
import io.lb4j.pcap.packet.PacketPort;
import io.lb4j.pcap.xdp.XdpMemory;
import io.lb4j.pcap.xdp.XdpPort;
import io.lb4j.port.Port;
import io.lb4j.port.PortQueue;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/**
 * Forwards frames between two interfaces and changes nothing but MAC addresses: what a port costs, without a balancer.
 *
 * <pre>
 *   Forwarder pcap|packet-bulk|packet-low|xdp poll|spin DEVICE MAC DEVICE MAC
 * </pre>
 *
 * Each MAC address is whom frames leave to at the device before it. With {@code poll} each direction has a thread that
 * sleeps while nothing comes; with {@code spin} one thread looks at both without a pause.
 */
public final class Forwarder {
  private static final Map<String, Function<String, Port>> PORTS =
      Map.of(
          "pcap", PcapPort::open,
          "packet-bulk", device -> packet(device, Latency.BULK),
          "packet-low", device -> packet(device, Latency.LOW),
          "xdp", Forwarder::xdp);
  private static final int XDP_FRAMES = 32_768;
  private static final long PATIENCE_NS = 100_000_000;

  private static XdpMemory shared; // of both ports

  private final PortQueue from;
  private final PortQueue to;
  private final long source;
  private final long destination;
  private final FrameBatch batch = new FrameBatch();

  private Forwarder(Port from, Port to, MacAddress next) {
    this.from = from.queue(0);
    this.to = to.queue(0);
    this.source = to.traits().mac().value();
    this.destination = next.value();
  }

  /**
   * Forwards until it is ended.
   *
   * @param arguments as above
   */
  public static void main(String... arguments) {
    Function<String, Port> open = PORTS.get(arguments[0]);
    Port one = open.apply(arguments[2]);
    Port other = open.apply(arguments[4]);
    Forwarder there = new Forwarder(one, other, MacAddress.of(arguments[5]));
    Forwarder back = new Forwarder(other, one, MacAddress.of(arguments[3]));
    System.out.println("ready");
    if (arguments[1].equals("spin")) {
      there.spinWith(back);
    }
    List.of(there, back).forEach(direction -> new Thread(direction::poll).start());
  }

  private static Port packet(String device, Latency latency) {
    return PacketPort.builder(device).latency(latency).open();
  }

  private static Port xdp(String device) {
    if (shared == null) {
      shared = XdpMemory.allocate(XDP_FRAMES);
    }
    return XdpPort.builder(device).memory(shared).everything(true).open();
  }

  private void spinWith(Forwarder other) {
    for (;;) {
      if (forward() + other.forward() == 0) {
        Thread.onSpinWait();
      }
    }
  }

  private void poll() {
    for (;;) {
      if (forward() == 0) {
        from.await(PATIENCE_NS);
      }
    }
  }

  private int forward() {
    int received = from.receive(batch, 0);
    for (int i = 0; i < received; i++) {
      FrameView frame = batch.get(i);
      frame.setMacs(destination, source);
      to.transmit(frame.buffer(), frame.start(), frame.length(), frame.marks());
    }
    if (received > 0) {
      to.flush();
      from.release();
      batch.clear();
    }
    return received;
  }
}
