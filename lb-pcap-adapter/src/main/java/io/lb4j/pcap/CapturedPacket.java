package io.lb4j.pcap;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;

/** The packet a capture reader stands at, used again for every packet. Owned by its reader. */
final class CapturedPacket {
  /** Most bytes of a packet: the largest snapshot length that capture programs use for Ethernet. */
  static final int MAX_LENGTH = 262_144;

  private static final int USUAL_LENGTH = 2048;

  final ByteBuf data = Unpooled.buffer(USUAL_LENGTH, MAX_LENGTH);
  long timestampNs;
  int interfaceId;
  int wireLength;
  String comment;

  static String tooLong(long length) {
    return "a packet of " + length + " bytes; at most " + MAX_LENGTH + " can be read";
  }

  /** Makes room for the next packet; its time is that of the packet before until the file says another. */
  void begin(int interfaceId) {
    this.interfaceId = interfaceId;
    data.clear();
    comment = null;
  }

  /** Sets the length on the wire, and takes a frame check sequence off that was captured with the packet. */
  void end(long wireLength, int fcsLength) {
    long withFcs = Math.max(wireLength, data.writerIndex());
    long withoutFcs = Math.max(0, withFcs - fcsLength);
    this.wireLength = (int) Math.min(withoutFcs, Integer.MAX_VALUE);
    data.writerIndex(Math.min(data.writerIndex(), this.wireLength));
  }
}
