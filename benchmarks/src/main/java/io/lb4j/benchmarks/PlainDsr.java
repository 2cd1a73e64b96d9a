package io.lb4j.benchmarks;

import io.netty.buffer.ByteBuf;
import java.util.HashMap;
import java.util.Map;

/**
 * Direct Server Return as one would write it first: frame by frame, field by field, flows in a hash map. It checks what
 * the data path checks of a segment, counts per flow and server, and rewrites both MAC addresses.
 */
final class PlainDsr {
  /** A server's MAC address and counters. */
  static final class Server {
    private final long mac;
    private long packets;
    private long bytes;

    Server(long mac) {
      this.mac = mac;
    }
  }

  /** A flow. */
  static final class Flow {
    private final Server server;
    private long lastSeenNs;
    private int nextSequence;

    Flow(Server server) {
      this.server = server;
    }
  }

  private final Map<PlainFlowKey, Flow> flows = new HashMap<>();
  private final long balancerMac;
  private long received;

  PlainDsr(long balancerMac) {
    this.balancerMac = balancerMac;
  }

  void put(PlainFlowKey key, Flow flow) {
    flows.put(key, flow);
  }

  /** Answers whether the frame is to be sent on. */
  boolean process(ByteBuf frame, long nowNs) {
    received++;
    int length = frame.readableBytes();
    if (length < 54 || mac(frame, 0) != balancerMac) {
      return false;
    }
    PlainFlowKey key;
    int transport;
    int end;
    switch (frame.getUnsignedShort(12)) {
      case 0x0800 -> {
        int headerLength = (frame.getByte(14) & 0x0F) << 2;
        end = 14 + frame.getUnsignedShort(16);
        if (frame.getByte(14) >> 4 != 4
            || headerLength < 20
            || end > length
            || (frame.getUnsignedShort(20) & 0x3FFF) != 0
            || frame.getByte(22) == 0
            || !checksumIsRight(frame, headerLength)) {
          return false;
        }
        transport = 14 + headerLength;
        key =
            new PlainFlowKey(
                0,
                frame.getUnsignedInt(26),
                0,
                frame.getUnsignedInt(30),
                frame.getInt(transport),
                frame.getUnsignedByte(23));
      }
      case 0x86DD -> {
        transport = 54;
        end = transport + frame.getUnsignedShort(18);
        if (frame.getByte(14) >> 4 != 6 || end > length || frame.getByte(21) == 0) {
          return false;
        }
        key =
            new PlainFlowKey(
                frame.getLong(22),
                frame.getLong(30),
                frame.getLong(38),
                frame.getLong(46),
                frame.getInt(transport),
                frame.getUnsignedByte(20));
      }
      default -> {
        return false;
      }
    }
    if (key.protocol() != 6 || transport + 20 > end) {
      return false;
    }
    Flow flow = flows.get(key);
    if (flow == null) {
      return false;
    }
    flow.lastSeenNs = nowNs;
    flow.nextSequence = frame.getInt(transport + 4) + end - transport - 20;
    flow.server.packets++;
    flow.server.bytes += length;
    setMac(frame, 0, flow.server.mac);
    setMac(frame, 6, balancerMac);
    return true;
  }

  private static boolean checksumIsRight(ByteBuf frame, int headerLength) {
    int sum = 0;
    for (int at = 14; at < 14 + headerLength; at += 2) {
      sum += frame.getUnsignedShort(at);
    }
    return (sum & 0xFFFF) + (sum >>> 16) == 0xFFFF;
  }

  private static long mac(ByteBuf frame, int at) {
    return (long) frame.getUnsignedShort(at) << 32 | frame.getUnsignedInt(at + 2);
  }

  private static void setMac(ByteBuf frame, int at, long mac) {
    frame.setShort(at, (int) (mac >>> 32));
    frame.setInt(at + 2, (int) mac);
  }
}
