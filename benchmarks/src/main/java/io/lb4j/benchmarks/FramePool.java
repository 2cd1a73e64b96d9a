package io.lb4j.benchmarks;

import io.lb4j.testkit.FrameBuilder;
import io.lb4j.wire.EthernetHeader;
import io.lb4j.wire.Ipv4Header;
import io.lb4j.wire.Ipv6Header;
import io.lb4j.wire.TcpHeader;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.PooledByteBufAllocator;

/**
 * Frames in pooled direct buffers, as a receive ring would hold them: minimum-size TCP segments, 64 bytes for IPv4 and
 * 74 for IPv6, whose headers need no less. Each is rewritten in place for another flow: MAC addresses, IP addresses,
 * IPv4 header checksum, ports and sequence number. The TCP checksum stays that of the template, as Direct Server Return never reads it.
 * Owned by one thread; refilling allocates nothing.
 */
final class FramePool {
  static final int SIZE = 4096;
  static final String BALANCER_MAC = "02:00:00:00:00:05";
  static final long BALANCER_MAC_BITS = 0x0200_0000_0005L;

  private static final long ROUTER_MAC_BITS = 0x0200_0000_0001L;
  private static final int MINIMUM_FRAME = 64;
  private static final int INITIAL_SEQUENCE = 1;
  private static final int TIME_TO_LIVE = 64;
  private static final int NETWORK = EthernetHeader.LENGTH;
  private static final int WALKED_LONGS = 4 << 20 >> 3;
  private static final int LONGS_PER_LINE = 8;

  final ByteBuf[] frames = new ByteBuf[SIZE];

  private final Flows flows;
  private final int headerSum;
  private final long[] walked = new long[WALKED_LONGS];

  FramePool(Flows flows) {
    this.flows = flows;
    ByteBuf template =
        FrameBuilder.from(flows.isV6() ? "2001:db8:c::1" : "198.51.100.1", Flows.vip(flows.isV6(), 0))
            .macs(BALANCER_MAC, "02:00:00:00:00:01")
            .tcp(1024, Flows.SERVICE_PORT, TcpHeader.ACK)
            .padTo(MINIMUM_FRAME)
            .build();
    int sum = 0;
    for (int at = NETWORK; at < NETWORK + 12; at += 2) {
      sum += at == NETWORK + 10 ? 0 : template.getUnsignedShort(at);
    }
    headerSum = sum;
    for (int i = 0; i < SIZE; i++) {
      frames[i] = PooledByteBufAllocator.DEFAULT.directBuffer(128);
      frames[i].writeBytes(template, 0, template.readableBytes());
    }
  }

  /** The next frame of a flow. */
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
    frame.setLong(0, BALANCER_MAC_BITS << 16 | ROUTER_MAC_BITS >>> 32);
    frame.setInt(8, (int) ROUTER_MAC_BITS);
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
    boolean syn = (tcpFlags & TcpHeader.SYN) != 0;
    frame.setInt(transport, ports);
    frame.setInt(transport + TcpHeader.SEQUENCE_OFFSET, syn ? INITIAL_SEQUENCE : INITIAL_SEQUENCE + 1);
    frame.setInt(transport + TcpHeader.ACKNOWLEDGMENT_OFFSET, INITIAL_SEQUENCE + 1);
    frame.setByte(transport + TcpHeader.FLAGS_OFFSET, tcpFlags);
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
