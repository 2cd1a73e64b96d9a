package io.lb4j.benchmarks;

import io.lb4j.testkit.FrameBuilder;
import io.lb4j.wire.EthernetHeader;
import io.lb4j.wire.IpProtocol;
import io.lb4j.wire.Ipv4Header;
import io.lb4j.wire.Ipv6Header;
import io.lb4j.wire.TcpHeader;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.PooledByteBufAllocator;

/**
 * Frames in pooled direct buffers, as a receive ring would hold them: minimum-size TCP segments unless told otherwise,
 * 64 bytes for IPv4 and 74 for IPv6, whose headers need no less. Each is rewritten in place for another flow: MAC
 * addresses, IP addresses, IPv4 header checksum, ports and sequence number. The transport checksum stays that of the
 * template, as Direct Server Return never reads it and translation only adds a difference. Owned by one thread;
 * refilling allocates nothing.
 */
final class FramePool {
  static final int SIZE = 4096;
  static final int MINIMUM_FRAME = 64;
  static final String BALANCER_MAC = "02:00:00:00:00:05";
  static final long BALANCER_MAC_BITS = 0x0200_0000_0005L;

  private static final long ROUTER_MAC_BITS = 0x0200_0000_0001L;
  private static final int INITIAL_SEQUENCE = 1;
  private static final int TIME_TO_LIVE = 64;
  private static final int NETWORK = EthernetHeader.LENGTH;
  private static final int SLOT_BYTES = 128;
  private static final int WALKED_LONGS = 4 << 20 >> 3;
  private static final int LONGS_PER_LINE = 8;

  final ByteBuf[] frames = new ByteBuf[SIZE];

  private final Flows flows;
  private final int protocol;
  private final int headerSum;
  private final long[] walked = new long[WALKED_LONGS];

  FramePool(Flows flows) {
    this(flows, IpProtocol.TCP, MINIMUM_FRAME);
  }

  /** Frames of a length in bytes; those that headers fill are as long as these need. */
  FramePool(Flows flows, int protocol, int frameBytes) {
    this.flows = flows;
    this.protocol = protocol;
    ByteBuf template = template(flows.isV6(), protocol == IpProtocol.TCP, frameBytes);
    int sum = 0;
    for (int at = NETWORK; at < NETWORK + 12; at += 2) {
      sum += at == NETWORK + 10 ? 0 : template.getUnsignedShort(at);
    }
    headerSum = sum;
    int length = template.readableBytes();
    int slot = Math.max(SLOT_BYTES, length);
    for (int i = 0; i < SIZE; i++) {
      frames[i] = PooledByteBufAllocator.DEFAULT.directBuffer(slot);
      frames[i].writeBytes(template, 0, length);
    }
  }

  private static ByteBuf template(boolean v6, boolean tcp, int frameBytes) {
    int headers = NETWORK + (v6 ? Ipv6Header.LENGTH : Ipv4Header.MINIMUM_LENGTH) + (tcp ? 20 : 8);
    FrameBuilder builder =
        FrameBuilder.from(v6 ? "2001:db8:c::1" : "198.51.100.1", Flows.vip(v6, 0))
            .macs(BALANCER_MAC, "02:00:00:00:00:01")
            .payload(new byte[frameBytes > MINIMUM_FRAME ? frameBytes - headers : 0])
            .padTo(MINIMUM_FRAME);
    return tcp
        ? builder.tcp(1024, Flows.SERVICE_PORT, TcpHeader.ACK).build()
        : builder.udp(1024, Flows.SERVICE_PORT).build();
  }

  /** The next frame of a flow; a datagram has no flags. */
  void write(ByteBuf frame, int flow, int tcpFlags) {
    write(
        frame,
        flows.sourceHigh(),
        flows.sourceLow(flow),
        flows.destinationHigh(),
        flows.destinationLow(flow),
        flows.ports(flow),
        tcpFlags);
  }

  /** A frame to the balancer's MAC address with any addresses and ports. */
  void write(
      ByteBuf frame,
      long sourceHigh,
      long source,
      long destinationHigh,
      long destination,
      int ports,
      int tcpFlags) {
    address(frame, 0);
    int transport;
    if (flows.isV6()) {
      frame.setByte(NETWORK + Ipv6Header.HOP_LIMIT_OFFSET, TIME_TO_LIVE);
      frame.setLong(NETWORK + 8, sourceHigh);
      frame.setLong(NETWORK + 16, source);
      frame.setLong(NETWORK + 24, destinationHigh);
      frame.setLong(NETWORK + 32, destination);
      transport = NETWORK + Ipv6Header.LENGTH;
    } else {
      frame.setByte(NETWORK + Ipv4Header.TIME_TO_LIVE_OFFSET, TIME_TO_LIVE);
      frame.setInt(NETWORK + 12, (int) source);
      frame.setInt(NETWORK + 16, (int) destination);
      long sum = headerSum + (source >>> 16) + (source & 0xFFFF) + (destination >>> 16) + (destination & 0xFFFF);
      sum = (sum & 0xFFFF) + (sum >>> 16);
      sum = (sum & 0xFFFF) + (sum >>> 16);
      frame.setShort(NETWORK + 10, (int) ~sum);
      transport = NETWORK + Ipv4Header.MINIMUM_LENGTH;
    }
    frame.setInt(transport, ports);
    if (protocol == IpProtocol.TCP) {
      boolean syn = (tcpFlags & TcpHeader.SYN) != 0;
      frame.setInt(transport + TcpHeader.SEQUENCE_OFFSET, syn ? INITIAL_SEQUENCE : INITIAL_SEQUENCE + 1);
      frame.setInt(transport + TcpHeader.ACKNOWLEDGMENT_OFFSET, INITIAL_SEQUENCE + 1);
      frame.setByte(transport + TcpHeader.FLAGS_OFFSET, tcpFlags);
    }
  }

  /** Addresses a frame, wherever it is, to the balancer's MAC address again. */
  static void address(ByteBuf frame, int start) {
    frame.setLong(start, BALANCER_MAC_BITS << 16 | ROUTER_MAC_BITS >>> 32);
    frame.setInt(start + 8, (int) ROUTER_MAC_BITS);
  }

  /** Where the acknowledgment number of a frame is, wherever that is. */
  static int acknowledgment(ByteBuf frame, int start) {
    return transport(frame, start) + TcpHeader.ACKNOWLEDGMENT_OFFSET;
  }

  private static int transport(ByteBuf frame, int start) {
    boolean v6 = frame.getUnsignedShort(start + EthernetHeader.ETHER_TYPE_OFFSET) == EthernetHeader.IPV6;
    return start + NETWORK + (v6 ? Ipv6Header.LENGTH : Ipv4Header.MINIMUM_LENGTH);
  }

  /** Makes a SYN, wherever it is, the segment that follows it. */
  static void acknowledge(ByteBuf frame, int start) {
    int transport = transport(frame, start);
    frame.setInt(transport + TcpHeader.SEQUENCE_OFFSET, INITIAL_SEQUENCE + 1);
    frame.setByte(transport + TcpHeader.FLAGS_OFFSET, TcpHeader.ACK);
  }

  /**
   * Breaks a frame, by turns: a length beyond the frame's end, an IP version that does not match, flags that no TCP
   * sends, and, for IPv4, a wrong header checksum. Written anew it is still broken, as lengths and version stay.
   */
  void spoil(int index) {
    ByteBuf frame = frames[index];
    boolean v6 = flows.isV6();
    switch (index & 3) {
      case 0 -> frame.setShort(NETWORK + (v6 ? 4 : 2), 9000);
      case 1 -> frame.setByte(NETWORK, 0xF5);
      case 2 -> frame.setByte(NETWORK + (v6 ? 40 : 20) + TcpHeader.FLAGS_OFFSET, TcpHeader.SYN | TcpHeader.FIN);
      default -> frame.setByte(NETWORK + (v6 ? 0 : 10), v6 ? 0x45 : frame.getByte(NETWORK + 10) ^ 0x55);
    }
  }

  /** Sends a frame to somebody else's MAC address. */
  void misdirect(int index) {
    frames[index].setInt(2, 0xFFFF);
  }

  /** Sends a frame to a port that no service has. */
  void unserve(int index) {
    frames[index].setShort(NETWORK + (flows.isV6() ? 42 : 22), 9);
  }

  /**
   * Writes a segment of the next flows into every frame, then evicts them.
   *
   * @return the position in the order after the last flow
   */
  int refill(int[] order, int position) {
    int next = position;
    for (ByteBuf frame : frames) {
      write(frame, order[next], TcpHeader.ACK);
      next = next + 1 == order.length ? 0 : next + 1;
    }
    evict();
    return next;
  }

  /** Walks 4 MiB, so that headers come from the last-level cache as they do from a network card. */
  void evict() {
    long sum = 0;
    for (int i = 0; i < WALKED_LONGS; i += LONGS_PER_LINE) {
      sum += walked[i];
    }
    walked[0] = sum + 1; // kept, so that the compiler cannot drop the walk
  }

  void release() {
    for (ByteBuf frame : frames) {
      frame.release();
    }
  }
}
