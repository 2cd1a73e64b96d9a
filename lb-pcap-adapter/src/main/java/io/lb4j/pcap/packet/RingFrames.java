package io.lb4j.pcap.packet;

import io.lb4j.frame.FrameBatch;
import io.lb4j.frame.FrameMarks;
import io.lb4j.pcap.os.Native;
import io.lb4j.wire.EthernetHeader;
import io.lb4j.wire.InternetChecksum;
import io.lb4j.wire.UdpHeader;
import io.netty.buffer.ByteBuf;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/**
 * Makes frames of a batch out of what stands in a ring: both ring layouts have the same facts at other places. Owned by
 * a queue's worker.
 */
final class RingFrames {
  /** Status of a slot or block: ours to read. */
  static final int STATUS_USER = 1;

  /** Status: the slot was too short, and the whole frame waits in the socket. */
  static final int STATUS_COPY = 1 << 1;

  private static final int STATUS_VLAN = 1 << 4;
  private static final int STATUS_VLAN_PROTOCOL = 1 << 6;
  private static final int ADDRESSES_LENGTH = 12;
  private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED;
  private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED;
  private static final ValueLayout.OfInt BIG_INT = INT.withOrder(ByteOrder.BIG_ENDIAN);

  private long bytes;

  void begin() {
    bytes = 0;
  }

  long bytes() {
    return bytes;
  }

  /**
   * Adds a frame.
   *
   * @param in the buffer it lies in
   * @param frame its address; the {@link VirtioHeader} is right before
   * @param captured bytes there are
   * @param wireLength bytes there were
   * @param status of its slot
   * @param tagControl the VLAN tag beside the frame, if the status says that there is one
   * @param tagProtocol its protocol, if the status says that it is known
   */
  void add(
      FrameBatch batch, int ingress, ByteBuf in, long frame, int captured, int wireLength, int status, int tagControl,
      int tagProtocol) {
    int start = (int) (frame - in.memoryAddress());
    int length = captured;
    long marks = captured < wireLength ? FrameMarks.TRUNCATED : FrameMarks.NONE;
    int offloads = VirtioHeader.offloads(frame - VirtioHeader.LENGTH);
    if (offloads != 0) {
      marks = offloadMarks(in, start, length, marks, frame, offloads);
    }
    if ((status & STATUS_VLAN) != 0) {
      bytes += EthernetHeader.TAG_LENGTH;
      if ((status & STATUS_VLAN_PROTOCOL) == 0 || tagProtocol == EthernetHeader.VLAN) {
        marks = FrameMarks.withVlan(marks, tagControl);
      } else {
        putTagBack(frame, tagProtocol, tagControl);
        start -= EthernetHeader.TAG_LENGTH;
        length += EthernetHeader.TAG_LENGTH;
      }
    }
    bytes += captured;
    batch.add(in, start, length, marks, ingress);
  }

  /**
   * The marks with those of the header. A super-frame whose unfinished checksum is that of a packet inside it, as in a
   * tunnel, has no segment size: none of its own could be told, so nobody cuts it or sends it on.
   */
  private static long offloadMarks(ByteBuf in, int start, int length, long marks, long frame, int offloads) {
    long header = frame - VirtioHeader.LENGTH;
    long all = VirtioHeader.withSegments(marks, offloads, header);
    if (!VirtioHeader.needsChecksum(offloads)) {
      return all;
    }
    int checksumStart = VirtioHeader.checksumStart(header);
    int checksumOffset = VirtioHeader.checksumOffset(header);
    if (VirtioHeader.isOfTransport(in, start, length, checksumStart, checksumOffset)) {
      return all | FrameMarks.CHECKSUM_PARTIAL;
    }
    if ((all & FrameMarks.GSO) != 0) {
      return marks | FrameMarks.GSO;
    }
    boolean whole = (marks & FrameMarks.TRUNCATED) == 0;
    return whole && finish(in, start, length, checksumStart, checksumOffset) ? marks : marks | FrameMarks.TRUNCATED;
  }

  /** Finishes a checksum that is not the outer packet's, as in a tunnel, or in what is not TCP or UDP. */
  private static boolean finish(ByteBuf in, int start, int length, int checksumStart, int checksumOffset) {
    int field = checksumStart + checksumOffset;
    if (field + 2 > length) {
      return false;
    }
    int sum = InternetChecksum.finish(InternetChecksum.sum(in, start + checksumStart, length - checksumStart, 0));
    in.setShort(start + field, sum == 0 && checksumOffset == UdpHeader.CHECKSUM_OFFSET ? 0xFFFF : sum);
    return true;
  }

  /** Puts a tag into the bytes, of which the marks cannot say the protocol: the addresses move to the front. */
  private static void putTagBack(long frame, int tagProtocol, int tagControl) {
    long addresses = Native.MEMORY.get(LONG, frame);
    int rest = Native.MEMORY.get(INT, frame + 8);
    Native.MEMORY.set(LONG, frame - EthernetHeader.TAG_LENGTH, addresses);
    Native.MEMORY.set(INT, frame - EthernetHeader.TAG_LENGTH + 8, rest);
    Native.MEMORY.set(BIG_INT, frame + ADDRESSES_LENGTH - EthernetHeader.TAG_LENGTH, tagProtocol << 16 | tagControl);
  }
}
