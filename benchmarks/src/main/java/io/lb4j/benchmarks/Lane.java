package io.lb4j.benchmarks;

import io.lb4j.wire.IpProtocol;
import io.lb4j.wire.Ipv4Header;
import io.lb4j.wire.Ipv6Header;
import io.lb4j.wire.TcpHeader;
import io.netty.buffer.ByteBuf;

/**
 * One kind of traffic through a {@link MixedNetwork}: a forwarding method, a protocol, a family, and all schedulers.
 * Every sixteenth frame begins a flow; translated traffic is half replies. Owned by one thread.
 */
final class Lane {
  private static final int TURNS = 100;
  private static final int NEW_EVERY = 16;
  private static final long SERVERS_V6_HIGH = 0x2001_0DB8_0009_0000L;

  final String name;
  final ByteBuf[] frames;
  final byte[] links = new byte[FramePool.SIZE];

  private final Driver driver;
  private final boolean direct;
  private final boolean tcp;
  private final Flows all;
  private final FramePool pool;
  private final int[] order;
  private final long[] servers; // low bits of the server's address, by session
  private final int[] begun = new int[FramePool.SIZE]; // 1 + the flow that a frame began
  private int position;
  private int turn;

  Lane(Driver driver, boolean direct, boolean tcp, boolean v6, int flows) {
    this.name = (direct ? "dsr-" : "gateway-") + (tcp ? "tcp-" : "udp-") + (v6 ? "6" : "4");
    this.driver = driver;
    this.direct = direct;
    this.tcp = tcp;
    int firstService = direct ? MixedNetwork.FIRST_DIRECT : MixedNetwork.FIRST_TRANSLATED;
    this.all = new Flows(v6, Flows.CLIENTS, MixedNetwork.SERVICES, firstService);
    this.pool = new FramePool(all, tcp ? IpProtocol.TCP : IpProtocol.UDP, FramePool.MINIMUM_FRAME);
    this.frames = pool.frames;
    this.order = Flows.shuffled(flows);
    this.servers = direct ? new long[0] : new long[flows];
    for (int i = 0; i < links.length; i++) {
      links[i] = (byte) (isReply(i) ? MixedNetwork.INSIDE : MixedNetwork.OUTSIDE);
    }
  }

  private boolean isReply(int index) {
    return !direct && (index & 1) != 0;
  }

  /** Brings every flow into the state that its next frames find. */
  void establish() {
    ByteBuf frame = frames[0];
    for (int flow : order) {
      pool.write(frame, flow, TcpHeader.SYN);
      driver.forward(MixedNetwork.OUTSIDE, frame);
      if (!direct) {
        servers[flow] =
            all.isV6()
                ? frame.getLong(14 + Ipv6Header.DESTINATION_OFFSET + 8)
                : frame.getUnsignedInt(14 + Ipv4Header.DESTINATION_OFFSET);
        writeReply(frame, flow, TcpHeader.SYN | TcpHeader.ACK);
        driver.forward(MixedNetwork.INSIDE, frame);
      }
      pool.write(frame, flow, TcpHeader.ACK);
      driver.forward(MixedNetwork.OUTSIDE, frame);
    }
  }

  private void writeReply(ByteBuf frame, int flow, int tcpFlags) {
    int ports = MixedNetwork.FIRST_SERVER_PORT + all.service(flow) << 16 | all.ports(flow) >>> 16;
    long high = all.isV6() ? SERVERS_V6_HIGH : 0;
    pool.write(frame, high, servers[flow], all.sourceHigh(), all.sourceLow(flow), ports, tcpFlags);
  }

  /** Ends the flows that the last frames began and writes the next {@code count} frames; the caller evicts them. */
  void refill(int count) {
    for (int i = 0; i < FramePool.SIZE; i += NEW_EVERY) {
      if (begun[i] > 0) {
        pool.write(frames[i], begun[i] - 1, TcpHeader.SYN);
        driver.end(MixedNetwork.OUTSIDE, frames[i]);
        begun[i] = 0;
      }
    }
    for (int i = 0; i < count; i++) {
      int flow = next();
      if (i % NEW_EVERY == 0) {
        int another = all.another(flow, order.length, turn);
        begun[i] = another + 1;
        pool.write(frames[i], another, TcpHeader.SYN);
      } else if (isReply(i)) {
        writeReply(frames[i], flow, TcpHeader.ACK);
      } else {
        pool.write(frames[i], flow, tcp ? TcpHeader.ACK : 0);
      }
    }
  }

  private int next() {
    int flow = order[position];
    if (++position == order.length) {
      position = 0;
      turn = (turn + 1) % TURNS;
    }
    return flow;
  }

  void evict() {
    pool.evict();
  }

  void release() {
    pool.release();
  }
}
