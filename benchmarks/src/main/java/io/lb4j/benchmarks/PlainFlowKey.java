package io.lb4j.benchmarks;

import io.netty.buffer.ByteBuf;

/** The five-tuple as one would write it first: a record, for a hash map. */
record PlainFlowKey(
    long sourceHigh, long sourceLow, long destinationHigh, long destinationLow, int ports, int protocol) {

  /** Reads an untagged frame without options, field by field. */
  static PlainFlowKey of(ByteBuf frame) {
    return frame.getUnsignedShort(12) == 0x86DD
        ? new PlainFlowKey(
            frame.getLong(22),
            frame.getLong(30),
            frame.getLong(38),
            frame.getLong(46),
            frame.getInt(54),
            frame.getUnsignedByte(20))
        : new PlainFlowKey(
            0,
            frame.getUnsignedInt(26),
            0,
            frame.getUnsignedInt(30),
            frame.getInt(34),
            frame.getUnsignedByte(23));
  }
}
