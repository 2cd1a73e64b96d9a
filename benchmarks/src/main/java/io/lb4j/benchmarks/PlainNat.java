package io.lb4j.benchmarks;

import io.netty.buffer.ByteBuf;
import java.util.Map;

/**
 * Network address translation as one would write it first: frame by frame, field by field, both directions in a
 * map, checksums by difference. It checks and counts what the data path does, and rewrites addresses, ports, time to
 * live and checksums.
 */
final class PlainNat {
  /** What a direction becomes. */
  static final class Direction {
    private final PlainFlowKey becomes;
    private final long nextHop;
    private long lastSeenNs;
    private long packets;
    private long bytes;

    Direction(PlainFlowKey becomes, long nextHop) {
      this.becomes = becomes;
      this.nextHop = nextHop;
    }
  }

  private final Map<PlainFlowKey, Direction> directions;
  private final long balancerMac;

  PlainNat(long balancerMac, Map<PlainFlowKey, Direction> directions) {
    this.balancerMac = balancerMac;
    this.directions = directions;
  }

  void put(PlainFlowKey key, Direction direction) {
    directions.put(key, direction);
  }

  /** Answers whether the frame is to be sent on. */
  boolean process(ByteBuf frame, long nowNs) {
    int length = frame.readableBytes();
    boolean v6 = length >= 54 && frame.getUnsignedShort(12) == 0x86DD;
    int transport = v6 ? 54 : 34;
    if (length < transport + 20 || mac(frame) != balancerMac || !v6 && !checksumIsRight(frame)) {
      return false;
    }
    PlainFlowKey key =
        v6
            ? new PlainFlowKey(
                frame.getLong(22),
                frame.getLong(30),
                frame.getLong(38),
                frame.getLong(46),
                frame.getInt(transport),
                frame.getUnsignedByte(20))
            : new PlainFlowKey(
                0,
                frame.getUnsignedInt(26),
                0,
                frame.getUnsignedInt(30),
                frame.getInt(transport),
                frame.getUnsignedByte(23));
    Direction direction = directions.get(key);
    if (direction == null || key.protocol() != 6 || frame.getByte(v6 ? 21 : 22) <= 1) {
      return false;
    }
    direction.lastSeenNs = nowNs;
    direction.packets++;
    direction.bytes += length;
    PlainFlowKey to = direction.becomes;
    long change = v6 ? rewrite6(frame, key, to) : rewrite4(frame, key, to);
    change += difference(key.ports(), to.ports());
    frame.setInt(transport, to.ports());
    frame.setShort(transport + 16, updated(frame.getUnsignedShort(transport + 16), change));
    frame.setShort(0, (int) (direction.nextHop >>> 32));
    frame.setInt(2, (int) direction.nextHop);
    frame.setShort(6, (int) (balancerMac >>> 32));
    frame.setInt(8, (int) balancerMac);
    return true;
  }

  private static long rewrite4(ByteBuf frame, PlainFlowKey from, PlainFlowKey to) {
    long change =
        difference((int) from.sourceLow(), (int) to.sourceLow())
            + difference((int) from.destinationLow(), (int) to.destinationLow());
    int life = frame.getUnsignedShort(22);
    frame.setShort(22, life - 0x100);
    frame.setShort(24, updated(frame.getUnsignedShort(24), change + (~life & 0xFFFF) + life - 0x100));
    frame.setInt(26, (int) to.sourceLow());
    frame.setInt(30, (int) to.destinationLow());
    return change;
  }

  private static long rewrite6(ByteBuf frame, PlainFlowKey from, PlainFlowKey to) {
    frame.setByte(21, frame.getByte(21) - 1);
    frame.setLong(22, to.sourceHigh());
    frame.setLong(30, to.sourceLow());
    frame.setLong(38, to.destinationHigh());
    frame.setLong(46, to.destinationLow());
    return difference(from.sourceHigh(), to.sourceHigh())
        + difference(from.sourceLow(), to.sourceLow())
        + difference(from.destinationHigh(), to.destinationHigh())
        + difference(from.destinationLow(), to.destinationLow());
  }

  private static long difference(long from, long to) {
    return difference((int) (from >>> 32), (int) (to >>> 32)) + difference((int) from, (int) to);
  }

  private static long difference(int from, int to) {
    return (~from & 0xFFFF_FFFFL) + (to & 0xFFFF_FFFFL);
  }

  private static int updated(int checksum, long change) {
    long sum = (~checksum & 0xFFFF) + change;
    while (sum >>> 16 != 0) {
      sum = (sum & 0xFFFF) + (sum >>> 16);
    }
    return (int) ~sum & 0xFFFF;
  }

  private static boolean checksumIsRight(ByteBuf frame) {
    int sum = 0;
    for (int at = 14; at < 34; at += 2) {
      sum += frame.getUnsignedShort(at);
    }
    return (sum & 0xFFFF) + (sum >>> 16) == 0xFFFF;
  }

  private static long mac(ByteBuf frame) {
    return (long) frame.getUnsignedShort(0) << 32 | frame.getUnsignedInt(2);
  }
}
